// SPDX-License-Identifier: Apache-2.0
// What fused_moe's GPU rows leave to each other.
#include "backends/gpu/refuse.h"

/* Whether pairs of out's dtype (single f32) are added by an instruction. */
static bool adds_natively(trine_dtype dtype, const trine_caps *caps)
{
    trine_feature feature = dtype == TRINE_BF16  ? TRINE_FEATURE_ATOMIC_ADD_BF16X2
                            : dtype == TRINE_F16 ? TRINE_FEATURE_ATOMIC_ADD_F16X2
                                                 : TRINE_FEATURE_ATOMIC_ADD_F32;
    return caps->usable[feature] == TRINE_NATIVE;
}

/* Where combine = auto adds atomically. Up to two contributions cost no more one after the other,
 * and are then rounded once. */
const char *trine_gpu_fused_moe_atomic_refuse(const trine_problem *problem, const trine_caps *caps)
{
    const trine_fused_moe_problem *p = &problem->fused_moe;
    if (p->combine != TRINE_COMBINE_AUTO) return NULL;
    if (p->k <= 2) return "combine = auto adds atomically only for k > 2";
    if (p->quantization == TRINE_MOE_INT8_W8A16 || p->quantization == TRINE_MOE_INT4_W4A16)
        return "combine = auto does not add atomically with weights alone quantized";
    if (p->out.dtype != p->x.dtype)
        return "combine = auto adds atomically only into an out of x's dtype";
    return adds_natively(p->out.dtype, caps)
               ? NULL
               : "combine = auto adds atomically only where an instruction does";
}
