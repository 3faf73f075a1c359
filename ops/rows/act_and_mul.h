// SPDX-License-Identifier: Apache-2.0
/* Kernels of act_and_mul, best first; the format is in ops/rows.h. */
ROW(CUDA, ACT_AND_MUL, act_and_mul, vector, .doc = "16-byte accesses, two rows a thread: for every size that engines use",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_act_and_mul_vector_refuse)
ROW(CUDA, ACT_AND_MUL, act_and_mul, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, ACT_AND_MUL, act_and_mul, vector, .doc = "16-byte accesses, two rows a thread: for every size that engines use",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_act_and_mul_vector_refuse)
ROW(HIP, ACT_AND_MUL, act_and_mul, generic, .doc = "an element a thread: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, ACT_AND_MUL, act_and_mul, vector, .doc = "vectors of whatever width the CPU has, by runs that stay in cache",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_host_act_and_mul_vector_refuse)
ROW(HOST, ACT_AND_MUL, act_and_mul, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
