// SPDX-License-Identifier: Apache-2.0
// scaled_mm: each k-block summed on its own in double, scaled, added up in order.
#include "reference/scaled_mm.h"
#include "numerics/fp_env.h"
#include "reference/element.h"
#include "reference/reference.h"
#include "reference/round.h"

static double block_scale(const trine_scaled_mm_problem *p, int64_t m, int64_t n, int64_t block)
{
    int64_t row = n / p->b_scale_rows_per;
    double a = trine_load_f32(&p->a_scale, m * p->a_scale_row + block * p->a_scale_block);
    double b = trine_load_f32(&p->b_scale, row * p->b_scale_row + block * p->b_scale_block);
    return a * b; /* exact: two f32 */
}

trine_gemm_sums trine_scaled_mm_sums(const trine_scaled_mm_problem *p, int64_t m, int64_t n)
{
    trine_gemm_sums sums = {0.0, 0.0, 0.0, 0.0, 0, 0};
    int64_t block_length = p->blocks == 1 ? p->k : p->block_k;
    for (int64_t block = 0; block < p->blocks && p->k > 0; block++) {
        int64_t begin = block * block_length;
        int64_t end = begin + block_length < p->k ? begin + block_length : p->k;
        double dot = 0.0, magnitude = 0.0;
        for (int64_t k = begin; k < end; k += TRINE_CHUNK) {
            float a[TRINE_CHUNK], b[TRINE_CHUNK];
            int64_t count = end - k < TRINE_CHUNK ? end - k : TRINE_CHUNK;
            trine_decode(&p->a, trine_at2(&p->a, m, k), p->a.stride[1], count, a);
            trine_decode(&p->b, trine_at2(&p->b, n, k), p->b.stride[1], count, b);
            trine_add_products(a, b, count, &dot, &magnitude);
        }
        trine_add_block(&sums, block_scale(p, m, n, block), dot, magnitude, end - begin);
    }
    return sums;
}

void trine_reference_scaled_mm(const trine_scaled_mm_problem *p)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t m = 0; m < p->m; m++) {
            for (int64_t n = 0; n < p->n; n++) {
                double value = trine_scaled_mm_sums(p, m, n).value;
                if (p->bias.rank >= 0) {
                    if (p->bias_rounding == TRINE_BIAS_AFTER)
                        value = trine_round_f64(p->out.dtype, value);
                    value += trine_load(&p->bias, trine_at1(&p->bias, n));
                }
                trine_store_f64(&p->out, trine_at2(&p->out, m, n), value);
            }
        }
        trine_fp_leave(env);
    }
}
