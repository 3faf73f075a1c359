// SPDX-License-Identifier: Apache-2.0
// moe_sum: the k rows of a token added in order, each step rounded to f32.
#include "numerics/fp_env.h"
#include "reference/element.h"
#include "reference/reference.h"

void trine_reference_moe_sum(const trine_moe_sum_problem *p)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t t = 0; t < p->tokens; t++) {
            for (int64_t h = 0; h < p->columns; h++) {
                /* Starts from y[0], not from 0 + y[0], which would lose -0. */
                float acc = 0.0f;
                if (p->k > 0) acc = trine_load(&p->y, trine_at3(&p->y, t, 0, h));
                for (int64_t i = 1; i < p->k; i++)
                    acc = acc + trine_load(&p->y, trine_at3(&p->y, t, i, h));
                acc = acc * p->scaling_factor;
                int64_t at = trine_at2(&p->out, t, h);
                if (p->accumulate) acc = trine_load(&p->out, at) + acc;
                trine_store(&p->out, at, acc);
            }
        }
        trine_fp_leave(env);
    }
}
