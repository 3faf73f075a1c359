// SPDX-License-Identifier: Apache-2.0
/* Kernels of per_token_group_quant, best first; the format is in ops/rows.h. */
ROW(CUDA, PER_TOKEN_GROUP_QUANT, per_token_group_quant, vector, .doc = "16-byte accesses and exchanges between registers: for every size that engines use",
    .dtypes = {0, 0, TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_I8)},
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_per_token_group_quant_vector_refuse)
ROW(CUDA, PER_TOKEN_GROUP_QUANT, per_token_group_quant, table, .doc = "silu of bf16 gates looked up, one block a multiprocessor: for tens of megabytes",
    .dtypes = {TRINE_DTYPE_BIT(TRINE_BF16), 0, TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_I8)},
    .params = {[TRINE_PER_TOKEN_GROUP_QUANT_ACTIVATION] = 1u << TRINE_ACTIVATION_SILU},
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT, .shared_memory = 32768,
    .refuse = trine_gpu_per_token_group_quant_table_refuse)
ROW(CUDA, PER_TOKEN_GROUP_QUANT, per_token_group_quant, generic, .doc = "a team of lanes a group, one element at a time: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, PER_TOKEN_GROUP_QUANT, per_token_group_quant, vector, .doc = "16-byte accesses and exchanges between registers: for every size that engines use",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_per_token_group_quant_vector_refuse)
ROW(HIP, PER_TOKEN_GROUP_QUANT, per_token_group_quant, table, .doc = "silu of bf16 gates looked up, one block a multiprocessor: for tens of megabytes",
    .dtypes = {TRINE_DTYPE_BIT(TRINE_BF16)}, .params = {[TRINE_PER_TOKEN_GROUP_QUANT_ACTIVATION] = 1u << TRINE_ACTIVATION_SILU},
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT, .shared_memory = 32768,
    .refuse = trine_gpu_per_token_group_quant_table_refuse)
ROW(HIP, PER_TOKEN_GROUP_QUANT, per_token_group_quant, generic, .doc = "a team of lanes a group, one element at a time: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, PER_TOKEN_GROUP_QUANT, per_token_group_quant, vector, .doc = "vectors of whatever width the CPU has, by runs that stay in cache",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_host_per_token_group_quant_vector_refuse)
ROW(HOST, PER_TOKEN_GROUP_QUANT, per_token_group_quant, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
