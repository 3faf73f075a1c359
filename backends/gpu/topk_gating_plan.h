// SPDX-License-Identifier: Apache-2.0
/* How topk_gating's row `wave` spreads a token's experts over lanes: what the refusal and the
 * launcher must agree on. C11 and C++. */
#ifndef TRINE_BACKENDS_GPU_TOPK_GATING_PLAN_H
#define TRINE_BACKENDS_GPU_TOPK_GATING_PLAN_H

#include <trine/kernel.h>

/* A token's team: `lanes` lanes of `width` neighbouring experts each. A group begins on a lane of
 * its own and has 1 << group_shift lanes, of which the last ones may be short or empty. */
typedef struct trine_topk_gating_plan {
    uint32_t lanes, width, group_shift;
} trine_topk_gating_plan;

enum { TRINE_TOPK_GATING_PLANS = 7 };

/* Fewest lanes first: more tokens share a wave, and fewer lanes have to agree on each pick. */
static inline trine_topk_gating_plan trine_topk_gating_plan_at(int i)
{
    const trine_topk_gating_plan plans[TRINE_TOPK_GATING_PLANS] = {
        {8, 1, 0}, {8, 2, 0}, {8, 4, 0}, {8, 8, 0}, {16, 8, 0}, {32, 8, 0}, {32, 16, 0},
    };
    return plans[i];
}

/* False when the experts do not fit. */
static inline bool trine_topk_gating_plan_make(const trine_topk_gating_problem *p,
                                               trine_topk_gating_plan *plan)
{
    if (p->num_groups > 32 || p->experts > 512) return false;
    const uint32_t groups = (uint32_t)p->num_groups, size = (uint32_t)p->experts / groups;
    for (int i = 0; i < TRINE_TOPK_GATING_PLANS; i++) {
        *plan = trine_topk_gating_plan_at(i);
        while ((plan->width << plan->group_shift) < size) plan->group_shift++;
        if (groups << plan->group_shift <= plan->lanes) return true;
    }
    return false;
}

#endif
