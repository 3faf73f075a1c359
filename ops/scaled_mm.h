// SPDX-License-Identifier: Apache-2.0
/* Numbers of scaled_mm's tensors and params, for rows. */
#ifndef TRINE_OPS_SCALED_MM_H
#define TRINE_OPS_SCALED_MM_H

enum {
    TRINE_SCALED_MM_A,
    TRINE_SCALED_MM_B,
    TRINE_SCALED_MM_A_SCALE,
    TRINE_SCALED_MM_B_SCALE,
    TRINE_SCALED_MM_BIAS,
    TRINE_SCALED_MM_OUT,
    TRINE_SCALED_MM_TENSORS
};

enum {
    TRINE_SCALED_MM_BLOCK_N,
    TRINE_SCALED_MM_BLOCK_K,
    TRINE_SCALED_MM_BIAS_ROUNDING,
    TRINE_SCALED_MM_PARAMS
};

#endif
