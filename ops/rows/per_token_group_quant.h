// SPDX-License-Identifier: Apache-2.0
/* Kernels of per_token_group_quant, best first; the format is in ops/rows.h. */
ROW(HOST, PER_TOKEN_GROUP_QUANT, per_token_group_quant, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
