// SPDX-License-Identifier: Apache-2.0
// block_scaled_linear: x quantized per row and 128 columns into the workspace, then scaled_mm.
#include "ops/block_scaled_linear.h"
#include "numerics/fp_env.h"
#include "reference/reference.h"
#include "reference/round.h"
#include "reference/scaled_mm.h"

#define BLOCK TRINE_BLOCK_SCALED_LINEAR_BLOCK

static void quantize_row(const trine_block_scaled_linear_problem *p, int64_t m, const trine_view *q,
                         const trine_view *scale)
{
    for (int64_t block = 0; block < p->blocks; block++) {
        int64_t end = (block + 1) * BLOCK < p->k ? (block + 1) * BLOCK : p->k;
        float amax = TRINE_DEFAULT_EPS;
        for (int64_t k = block * BLOCK; k < end; k++) {
            float a = trine_finite_abs(trine_load(&p->x, trine_at2(&p->x, m, k)));
            if (a > amax) amax = a;
        }
        float s = trine_group_scale_divide(amax, trine_default_q_max(q->dtype));
        trine_store_f32(scale, trine_at2(scale, m, block), s);
        for (int64_t k = block * BLOCK; k < end; k++) {
            float x = trine_load(&p->x, trine_at2(&p->x, m, k));
            trine_store_u8(q, trine_at2(q, m, k), trine_quantize_code(q->dtype, x, s));
        }
    }
}

static void zero_row(const trine_view *q, const trine_view *scale, int64_t m)
{
    for (int64_t k = 0; k < q->shape[1]; k++) trine_store_u8(q, trine_at2(q, m, k), 0);
    for (int64_t block = 0; block < scale->shape[1]; block++)
        trine_store_f32(scale, trine_at2(scale, m, block), 0.0f);
}

trine_scaled_mm_problem
trine_block_scaled_linear_quantize(const trine_block_scaled_linear_problem *p, void *workspace)
{
    trine_scaled_mm_problem mm = trine_block_scaled_linear_product(p, workspace);
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t m = 0; m < p->aligned_m; m++) {
            if (m < p->m)
                quantize_row(p, m, &mm.a, &mm.a_scale);
            else
                zero_row(&mm.a, &mm.a_scale, m);
        }
        trine_fp_leave(env);
    }
    return mm;
}

void trine_reference_block_scaled_linear(const trine_block_scaled_linear_problem *p,
                                         void *workspace)
{
    trine_scaled_mm_problem mm = trine_block_scaled_linear_quantize(p, workspace);
    trine_reference_scaled_mm(&mm);
}
