// SPDX-License-Identifier: Apache-2.0
// What topk_gating's row `wave` does not take.
#include "backends/gpu/refuse.h"
#include "backends/gpu/topk_gating_plan.h"

const char *trine_gpu_topk_gating_wave_refuse(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    const trine_topk_gating_problem *p = &problem->topk_gating;
    trine_topk_gating_plan plan;
    if (!trine_topk_gating_plan_make(p, &plan))
        return "more than 512 experts, or groups that do not fit in 32 lanes";
    if (p->logits.stride[1] != 1 && p->experts > 1) return "logits need dense rows";
    return NULL;
}
