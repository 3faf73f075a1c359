// SPDX-License-Identifier: Apache-2.0
/* Kernels of moe_sum, best first; the format is in ops/rows.h. */
ROW(CUDA, MOE_SUM, moe_sum, vector, .doc = "16-byte accesses, the k of a thread on their way together: for every size that engines use",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_moe_sum_vector_refuse)
ROW(CUDA, MOE_SUM, moe_sum, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, MOE_SUM, moe_sum, vector, .doc = "16-byte accesses, the k of a thread on their way together: for every size that engines use",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_moe_sum_vector_refuse)
ROW(HIP, MOE_SUM, moe_sum, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, MOE_SUM, moe_sum, vector, .doc = "vectors of whatever width the CPU has, by runs that stay in cache",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_host_moe_sum_vector_refuse)
ROW(HOST, MOE_SUM, moe_sum, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
