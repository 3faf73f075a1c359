// SPDX-License-Identifier: Apache-2.0
/* Kernels of rotary_embedding, best first; the format is in ops/rows.h. */
ROW(CUDA, ROTARY_EMBEDDING, rotary_embedding, tiled, .doc = "heads that share the tables in registers, 16-byte accesses: dense heads of whole accesses",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_rotary_embedding_tiled_refuse)
ROW(CUDA, ROTARY_EMBEDDING, rotary_embedding, generic, .doc = "a thread a pair, one element at a time: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, ROTARY_EMBEDDING, rotary_embedding, tiled, .doc = "heads that share the tables in registers, 16-byte accesses: dense heads of whole accesses",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_rotary_embedding_tiled_refuse)
ROW(HIP, ROTARY_EMBEDDING, rotary_embedding, generic, .doc = "a thread a pair, one element at a time: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, ROTARY_EMBEDDING, rotary_embedding, vector, .doc = "vectors of whatever width the CPU has, by runs that stay in cache",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_host_rotary_embedding_vector_refuse)
ROW(HOST, ROTARY_EMBEDDING, rotary_embedding, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
