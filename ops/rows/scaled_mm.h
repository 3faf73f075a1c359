// SPDX-License-Identifier: Apache-2.0
/* Kernels of scaled_mm, best first; the format is in ops/rows.h. */
ROW(HOST, SCALED_MM, scaled_mm, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_F32)
