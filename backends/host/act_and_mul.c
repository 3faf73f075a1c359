// SPDX-License-Identifier: Apache-2.0
/* act_and_mul by runs of columns that stay in the first-level cache; exact. */
#include "backends/host/activate.h"
#include "backends/host/kernels.h"
#include "numerics/fp_env.h"

#define RUN 2048

static void activate_columns(const trine_act_and_mul_problem *p, const trine_host_activation *a,
                             int64_t m, int64_t begin, int64_t count)
{
    float gate[RUN], up[RUN];
    int64_t row = m * p->x.stride[0];
    if (!p->gated) {
        trine_load_run(gate, trine_element(&p->x, row + begin), p->x.dtype, count);
    } else if (p->gate_layout == TRINE_GATE_INTERLEAVED) {
        trine_load_run_2(gate, trine_element(&p->x, row + 2 * begin), p->x.dtype, count);
        trine_load_run_2(up, trine_element(&p->x, row + 2 * begin + 1), p->x.dtype, count);
    } else {
        trine_load_run(gate, trine_element(&p->x, row + begin), p->x.dtype, count);
        trine_load_run(up, trine_element(&p->x, row + p->columns + begin), p->x.dtype, count);
    }
    trine_activate_run(a, gate, up, count);
    trine_store_run(trine_element_out(&p->out, m * p->out.stride[0] + begin), gate, p->out.dtype,
                    count);
}

void TRINE_HOST_SYMBOL(act_and_mul)(const trine_act_and_mul_problem *p)
{
    trine_host_activation a = {
        p->activation, p->gated, p->alpha, p->limit, p->intermediate_rounding, p->x.dtype};
    int64_t runs = (p->columns + RUN - 1) / RUN;
#pragma omp parallel if (p->rows * p->columns > 16384)
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t m = 0; m < p->rows; m++) {
            for (int64_t r = 0; r < runs; r++) {
                int64_t left = p->columns - r * RUN;
                activate_columns(p, &a, m, r * RUN, left < RUN ? left : RUN);
            }
        }
        trine_fp_leave(env);
    }
}
