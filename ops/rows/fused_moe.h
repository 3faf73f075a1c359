// SPDX-License-Identifier: Apache-2.0
/* Kernels of fused_moe, best first; the format is in ops/rows.h. */
ROW(HOST, FUSED_MOE, fused_moe, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_F32)
