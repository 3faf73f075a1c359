// SPDX-License-Identifier: Apache-2.0
/* Kernels of dequantize, best first; the format is in ops/rows.h. */
ROW(CUDA, DEQUANTIZE, dequantize, vector, .doc = "16 codes of two rows a thread, 16-byte accesses: groups of a multiple of 16",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_dequantize_vector_refuse)
ROW(CUDA, DEQUANTIZE, dequantize, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, DEQUANTIZE, dequantize, vector, .doc = "16 codes of two rows a thread, 16-byte accesses: groups of a multiple of 16",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_dequantize_vector_refuse)
ROW(HIP, DEQUANTIZE, dequantize, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, DEQUANTIZE, dequantize, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
