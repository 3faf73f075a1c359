// SPDX-License-Identifier: Apache-2.0
/* Activation of a run of f32 values: act_and_mul's arithmetic before its last rounding. */
#ifndef TRINE_BACKENDS_HOST_ACTIVATE_H
#define TRINE_BACKENDS_HOST_ACTIVATE_H

#include "backends/host/convert.h"

typedef struct trine_host_activation {
    trine_activation activation;
    bool gated;
    float alpha, limit;                   /* limit 0 = none */
    trine_intermediate_rounding rounding; /* each: act(gate) is rounded to dtype */
    trine_dtype dtype;
} trine_host_activation;

/* gate[i] = act(gate[i]) * up[i]; up is spoiled, and unused unless gated. */
#define trine_activate_run TRINE_HOST_SYMBOL(activate_run)
void trine_activate_run(const trine_host_activation *a, float *restrict gate, float *restrict up,
                        int64_t count);

#endif
