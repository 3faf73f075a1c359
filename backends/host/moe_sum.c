// SPDX-License-Identifier: Apache-2.0
/* moe_sum by runs of columns: the accumulators of a run stay in the first-level cache; exact. */
#include "backends/host/convert.h"
#include "backends/host/kernels.h"
#include "numerics/fp_env.h"

#define RUN 2048

/* acc[c] += src[c], in f32. */
static void add_run(float *restrict acc, const char *restrict src, trine_dtype dtype, int64_t count)
{
    const trine_u16 *h = (const trine_u16 *)src;
    const trine_float *f = (const trine_float *)src;
    if (dtype == TRINE_BF16)
        for (int64_t c = 0; c < count; c++) acc[c] = acc[c] + trine_bf16_to_f32(h[c]);
    else if (dtype == TRINE_F16)
        for (int64_t c = 0; c < count; c++) acc[c] = acc[c] + trine_f16_to_f32(h[c]);
    else
        for (int64_t c = 0; c < count; c++) acc[c] = acc[c] + f[c];
}

static void sum_columns(const trine_moe_sum_problem *p, int64_t t, int64_t begin, int64_t count)
{
    float acc[RUN], old[RUN];
    int64_t row = t * p->y.stride[0] + begin;
    /* Starts from y[0], not from 0 + y[0], which would lose -0. */
    if (p->k > 0)
        trine_load_run(acc, trine_element(&p->y, row), p->y.dtype, count);
    else
        memset(acc, 0, sizeof acc);
    for (int64_t i = 1; i < p->k; i++)
        add_run(acc, trine_element(&p->y, row + i * p->y.stride[1]), p->y.dtype, count);
    for (int64_t c = 0; c < count; c++) acc[c] = acc[c] * p->scaling_factor;
    char *out = trine_element_out(&p->out, t * p->out.stride[0] + begin);
    if (p->accumulate) {
        trine_load_run(old, out, p->out.dtype, count);
        for (int64_t c = 0; c < count; c++) acc[c] = old[c] + acc[c];
    }
    trine_store_run(out, acc, p->out.dtype, count);
}

void TRINE_HOST_SYMBOL(moe_sum)(const trine_moe_sum_problem *p)
{
    int64_t runs = (p->columns + RUN - 1) / RUN;
#pragma omp parallel if (p->tokens * (p->k + 1) * p->columns > 16384)
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t t = 0; t < p->tokens; t++) {
            for (int64_t r = 0; r < runs; r++) {
                int64_t left = p->columns - r * RUN;
                sum_columns(p, t, r * RUN, left < RUN ? left : RUN);
            }
        }
        trine_fp_leave(env);
    }
}
