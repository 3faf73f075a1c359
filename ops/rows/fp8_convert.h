// SPDX-License-Identifier: Apache-2.0
/* Kernels of fp8_convert, best first; the format is in ops/rows.h. */
ROW(CUDA, FP8_CONVERT, fp8_convert, vector, .doc = "64 bytes a thread, four codes a word at once: dense tensors, or rows of dense elements",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_fp8_convert_vector_refuse)
ROW(CUDA, FP8_CONVERT, fp8_convert, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, FP8_CONVERT, fp8_convert, vector, .doc = "64 bytes a thread, four codes a word at once: dense tensors, or rows of dense elements",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_fp8_convert_vector_refuse)
ROW(HIP, FP8_CONVERT, fp8_convert, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, FP8_CONVERT, fp8_convert, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
