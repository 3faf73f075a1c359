// SPDX-License-Identifier: Apache-2.0
/* block_scaled_linear: x quantized row by row into the workspace, then scaled_mm in tiles. */
#include "ops/block_scaled_linear.h"
#include "backends/host/kernels.h"
#include "backends/host/quantize.h"
#include "numerics/fp_env.h"

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
                                   p->k, TRINE_BLOCK_SCALED_LINEAR_BLOCK, q + m * p->k, scale + m,
                                   p->aligned_m);
                continue;
            }
            if (p->k > 0) memset(q + m * p->k, 0, (size_t)p->k);
            for (int64_t b = 0; b < p->blocks; b++) scale[m + b * p->aligned_m] = 0.0f;
        }
        trine_fp_leave(env);
    }
}

void TRINE_HOST_SYMBOL(block_scaled_linear)(const trine_block_scaled_linear_problem *p,
                                            void *workspace)
{
    trine_scaled_mm_problem mm = trine_block_scaled_linear_product(p, workspace);
    quantize(p, mm.a.data, mm.a_scale.data);
    TRINE_HOST_SYMBOL(scaled_mm)(&mm);
}
