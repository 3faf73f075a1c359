// SPDX-License-Identifier: Apache-2.0
/* Numbers of block_scaled_linear's tensors and params, for rows; and its second half. */
#ifndef TRINE_OPS_BLOCK_SCALED_LINEAR_H
#define TRINE_OPS_BLOCK_SCALED_LINEAR_H

#include <trine/kernel.h>

enum {
    TRINE_BLOCK_SCALED_LINEAR_X,
    TRINE_BLOCK_SCALED_LINEAR_W,
    TRINE_BLOCK_SCALED_LINEAR_W_SCALE,
    TRINE_BLOCK_SCALED_LINEAR_BIAS,
    TRINE_BLOCK_SCALED_LINEAR_OUT,
    TRINE_BLOCK_SCALED_LINEAR_TENSORS
};

enum { TRINE_BLOCK_SCALED_LINEAR_BIAS_ROUNDING, TRINE_BLOCK_SCALED_LINEAR_PARAMS };

#define TRINE_BLOCK_SCALED_LINEAR_BLOCK 128

/* The second half of the op: scaled_mm of the quantized x, which lies in the workspace. */
static inline trine_scaled_mm_problem
trine_block_scaled_linear_product(const trine_block_scaled_linear_problem *p, void *workspace)
{
    trine_scaled_mm_problem mm = {
        .a = {(char *)workspace + p->q_offset, p->w.dtype, 2, {p->aligned_m, p->k}, {p->k, 1}},
        .b = p->w,
        .a_scale = {(char *)workspace + p->scale_offset,
                    TRINE_F32,
                    2,
                    {p->aligned_m, p->blocks},
                    {1, p->aligned_m}},
        .b_scale = p->w_scale,
        .bias = p->bias,
        .out = p->out,
        .m = p->m,
        .n = p->n,
        .k = p->k,
        .block_n = TRINE_BLOCK_SCALED_LINEAR_BLOCK,
        .block_k = TRINE_BLOCK_SCALED_LINEAR_BLOCK,
        .blocks = p->blocks,
        .a_scale_row = 1,
        .a_scale_block = p->aligned_m,
        .b_scale_row = p->w_scale.stride[0],
        .b_scale_block = p->w_scale.stride[1],
        .b_scale_rows_per = TRINE_BLOCK_SCALED_LINEAR_BLOCK,
        .bias_rounding = p->bias_rounding,
    };
    return mm;
}

#endif
