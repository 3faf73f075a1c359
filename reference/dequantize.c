// SPDX-License-Identifier: Apache-2.0
// dequantize: out = RN(RN_f32(q * scale)).
#include "numerics/fp_env.h"
#include "reference/element.h"
#include "reference/reference.h"

static float scale_of(const trine_dequantize_problem *p, int64_t m, int64_t k)
{
    int64_t row = m / p->block_rows * p->scale_row_stride;
    int64_t group = k / p->group_size;
    if (!p->packed) return trine_load_f32(&p->scale, row + group * p->scale_column_stride);
    uint32_t word = (uint32_t)trine_load_i32(&p->scale, row + group / 4 * p->scale_column_stride);
    return trine_ue8m0_to_f32((uint8_t)(word >> (8 * (group % 4))));
}

void trine_reference_dequantize(const trine_dequantize_problem *p)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t m = 0; m < p->rows; m++)
            for (int64_t k = 0; k < p->columns; k++) {
                float q = trine_load(&p->q, trine_at2(&p->q, m, k));
                trine_store(&p->out, trine_at2(&p->out, m, k), q * scale_of(p, m, k));
            }
        trine_fp_leave(env);
    }
}
