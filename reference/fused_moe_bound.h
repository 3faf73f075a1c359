// SPDX-License-Identifier: Apache-2.0
/*
 * Where fused_moe's intermediates and results may lie, for one accumulation class. Besides the
 * op's own bound this serves the staged check: stage 1 says which codes A2 may have, stage 2 bounds
 * out given A2.
 */
#ifndef TRINE_REFERENCE_FUSED_MOE_BOUND_H
#define TRINE_REFERENCE_FUSED_MOE_BOUND_H

#include "reference/bound.h"
#include "reference/fused_moe.h"
#include "reference/interval.h"

/*
 * A2 as values. Element (slot, i) at slot * columns + i: a code's value before scaling, or x's
 * dtype where activations are not quantized. Scale (slot, block) at slot * blocks + block; 1 where
 * there is none. Slots that are not on this rank hold zeros.
 */
typedef struct trine_moe_a2 {
    trine_interval *value, *scale;
    int64_t columns, blocks;
} trine_moe_a2;

/*
 * Stage 1: fills `a2` (freed by trine_moe_a2_free) with what a correct kernel may store, and, as
 * the reference has them, the workspace's parts a1 ... a2_scale.
 */
trine_status trine_moe_bound_stage_1(const trine_fused_moe_problem *p,
                                     const trine_bound_options *options, void *workspace,
                                     trine_moe_a2 *a2);
/* `a2` as the points that the workspace holds. */
trine_status trine_moe_a2_of_workspace(const trine_fused_moe_problem *p, void *workspace,
                                       trine_moe_a2 *a2);
void trine_moe_a2_free(trine_moe_a2 *a2);

/*
 * Whether a kernel's stored element is right: the reference's, or another that the interval holds;
 * of smooth random data (typical) at most one step of the format away. Any data can put the
 * reference's value far from both ends of a wide interval, and then a right kernel may be further
 * off. `dtype` is that of the elements; the codes are theirs.
 */
bool trine_moe_a2_allowed(trine_dtype dtype, uint32_t code, uint32_t reference,
                          trine_interval interval, bool typical);

/* Stage 2: value and bound of out, a2 being in `a2` and the reference's own in the workspace. */
void trine_moe_bound_stage_2(const trine_fused_moe_problem *p, const trine_bound_options *options,
                             void *workspace, const trine_moe_a2 *a2, double *value, double *bound);

#endif
