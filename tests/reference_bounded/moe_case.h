// SPDX-License-Identifier: Apache-2.0
// fused_moe problems of every kind, small, with random tensors.
#ifndef TRINE_TESTS_REFERENCE_BOUNDED_MOE_CASE_H
#define TRINE_TESTS_REFERENCE_BOUNDED_MOE_CASE_H

#include "kernels.h"

/* Zero is a useful default for all but the dtypes and what the names say. */
typedef struct moe_case {
    trine_moe_quantization quantization;
    trine_dtype x, w, out;
    int64_t tokens, hidden, intermediate, experts, k;
    int64_t block, group;
    trine_activation activation; /* none: silu */
    bool ungated, zeros, bias, map, static_scales, accumulate, weight_on_input, strided;
    trine_gate_layout layout;
    trine_intermediate_rounding rounding;
    trine_moe_combine combine; /* auto: separate */
    float limit, factor;       /* factor 0: 1 */
} moe_case;

/* A problem with its tensors and a poisoned workspace. Ids: some of them outside [0, experts). */
trine_fused_moe_problem moe_problem(const moe_case *c, rng *r, void **workspace);

/* One case of each kind of quantization and of dtypes, without sizes. */
#define MOE_MODES 15
extern const moe_case moe_modes[MOE_MODES];

/* With small sizes: 40 and 24 end in the middle of a block of 16. */
moe_case moe_small(moe_case c);

/*
 * Makes a gated silu problem with f32 x exact: small integers, power-of-two scales and router
 * weights, gates of +-2 q_max, every quantized group's maximum q_max 2^n. Every order and width of
 * summation gives the same bits.
 */
void moe_make_exact(trine_fused_moe_problem *p, rng *r);

/* Name of a quantization, for messages. */
const char *moe_name(trine_moe_quantization quantization);

#endif
