// SPDX-License-Identifier: Apache-2.0
/* scaled_mm in tiles. */
#include "backends/host/gemm.h"
#include "backends/host/kernels.h"
#include "numerics/fp_env.h"

/* Bias and roundings of one row of a tile. */
static void finish_row(const trine_scaled_mm_problem *p, int64_t m, int64_t n0, int64_t n,
                       float *row)
{
    if (p->bias.rank >= 0) {
        float bias[TRINE_GEMM_N];
        for (int64_t j = 0; j < n; j++)
            bias[j] = trine_read_any(p->bias.data, p->bias.dtype, (n0 + j) * p->bias.stride[0]);
        if (p->bias_rounding == TRINE_BIAS_AFTER) trine_round_run(row, p->out.dtype, n);
        for (int64_t j = 0; j < n; j++) row[j] = row[j] + bias[j];
    }
    trine_store_run(trine_element_out(&p->out, m * p->out.stride[0] + n0), row, p->out.dtype, n);
}

void TRINE_HOST_SYMBOL(scaled_mm)(const trine_scaled_mm_problem *p)
{
    trine_gemm g = {.k = p->k,
                    .blocks = p->blocks,
                    .block_length = p->blocks > 1 ? p->block_k : p->k,
                    .a_dtype = p->a.dtype,
                    .a_scale_block = p->a_scale_block,
                    .b = p->b.data,
                    .b_row = p->b.stride[0],
                    .b_dtype = p->b.dtype,
                    .unpack = TRINE_UNPACK_VALUE,
                    .b_scale = p->b_scale.data,
                    .b_scale_rows_per = p->b_scale_rows_per,
                    .b_scale_row = p->b_scale_row,
                    .b_scale_block = p->b_scale_block};
    int64_t tiles_m = (p->m + TRINE_GEMM_M - 1) / TRINE_GEMM_M;
    int64_t tiles_n = (p->n + TRINE_GEMM_N - 1) / TRINE_GEMM_N;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2) schedule(dynamic)
        for (int64_t tn = 0; tn < tiles_n; tn++) {
            for (int64_t tm = 0; tm < tiles_m; tm++) {
                float result[TRINE_GEMM_M * TRINE_GEMM_N];
                const char *a[TRINE_GEMM_M], *a_scale[TRINE_GEMM_M];
                int64_t m0 = tm * TRINE_GEMM_M, n0 = tn * TRINE_GEMM_N;
                int64_t m = p->m - m0 < TRINE_GEMM_M ? p->m - m0 : TRINE_GEMM_M;
                int64_t n = p->n - n0 < TRINE_GEMM_N ? p->n - n0 : TRINE_GEMM_N;
                for (int64_t i = 0; i < m; i++) {
                    a[i] = (const char *)p->a.data + (m0 + i) * p->a.stride[0];
                    a_scale[i] = (const char *)p->a_scale.data + (m0 + i) * p->a_scale_row * 4;
                }
                trine_gemm_tile(&g, m, a, a_scale, n0, n, result);
                for (int64_t i = 0; i < m; i++)
                    finish_row(p, m0 + i, n0, n, result + i * TRINE_GEMM_N);
            }
        }
        trine_fp_leave(env);
    }
}
