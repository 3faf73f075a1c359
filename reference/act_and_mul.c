// SPDX-License-Identifier: Apache-2.0
// act_and_mul: f32 inside, one rounding to out.
#include "numerics/fp_env.h"
#include "reference/activation.h"
#include "reference/reference.h"

void trine_reference_act_and_mul(const trine_act_and_mul_problem *p)
{
    trine_activation_rule rule = {
        p->activation, p->gated, p->alpha, p->limit, p->intermediate_rounding, p->x.dtype};
    bool interleaved = p->gate_layout == TRINE_GATE_INTERLEAVED;
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t m = 0; m < p->rows; m++) {
            for (int64_t i = 0; i < p->columns; i++) {
                int64_t gate = p->gated && interleaved ? 2 * i : i;
                int64_t up = interleaved ? 2 * i + 1 : p->columns + i;
                float g = trine_load(&p->x, trine_at2(&p->x, m, gate));
                float u = p->gated ? trine_load(&p->x, trine_at2(&p->x, m, up)) : 0.0f;
                trine_store(&p->out, trine_at2(&p->out, m, i), trine_activate(&rule, g, u));
            }
        }
        trine_fp_leave(env);
    }
}
