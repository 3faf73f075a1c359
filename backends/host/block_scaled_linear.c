// SPDX-License-Identifier: Apache-2.0
/* block_scaled_linear: x quantized row by row into the workspace, then scaled_mm in tiles. */
#include "backends/host/kernels.h"
#include "backends/host/quantize.h"
#include "numerics/fp_env.h"

#define BLOCK 128

static void quantize(const trine_block_scaled_linear_problem *p, uint8_t *q, trine_float *scale)
{
    trine_host_quantizer quantizer = trine_default_quantizer(p->w.dtype);
#pragma omp parallel if (p->m * p->k > 16384)
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t m = 0; m < p->aligned_m; m++) {
            if (m < p->m) {
                trine_quantize_row(&quantizer, trine_element(&p->x, m * p->x.stride[0]), p->x.dtype,
                                   p->k, BLOCK, q + m * p->k, scale + m, p->aligned_m);
                continue;
            }
            memset(q + m * p->k, 0, (size_t)p->k);
            for (int64_t b = 0; b < p->blocks; b++) scale[m + b * p->aligned_m] = 0.0f;
        }
        trine_fp_leave(env);
    }
}

void TRINE_HOST_SYMBOL(block_scaled_linear)(const trine_block_scaled_linear_problem *p,
                                            void *workspace)
{
    uint8_t *q = (uint8_t *)workspace + p->q_offset;
    char *scale = (char *)workspace + p->scale_offset;
    quantize(p, q, (trine_float *)scale);
    trine_scaled_mm_problem mm = {
        .a = {q, p->w.dtype, 2, {p->aligned_m, p->k}, {p->k, 1}},
        .b = p->w,
        .a_scale = {scale, TRINE_F32, 2, {p->aligned_m, p->blocks}, {1, p->aligned_m}},
        .b_scale = p->w_scale,
        .bias = p->bias,
        .out = p->out,
        .m = p->m,
        .n = p->n,
        .k = p->k,
        .block_n = BLOCK,
        .block_k = BLOCK,
        .blocks = p->blocks,
        .a_scale_row = 1,
        .a_scale_block = p->aligned_m,
        .b_scale_row = p->w_scale.stride[0],
        .b_scale_block = p->w_scale.stride[1],
        .b_scale_rows_per = BLOCK,
        .bias_rounding = p->bias_rounding,
    };
    TRINE_HOST_SYMBOL(scaled_mm)(&mm);
}
