// SPDX-License-Identifier: Apache-2.0
/* What the fast rows leave to the reference: layouts that no vector load fits. */
#include "backends/host/gemm_limits.h"
#include "backends/host/host.h"

/* The elements of dimension d lie side by side. */
static bool packed(const trine_view *v, int d)
{
    return v->shape[d] <= 1 || v->stride[d] == 1;
}

const char *trine_host_rotary_embedding_vector_refuse(const trine_problem *problem,
                                                      const trine_caps *caps)
{
    (void)caps;
    const trine_rotary_embedding_problem *p = &problem->rotary_embedding;
    if (!packed(&p->x, 3) || !packed(&p->out, 3))
        return "needs x and out with stride 1 in their last dimension";
    bool steps = (packed(&p->cos, 3) || p->cos.stride[3] == 2) &&
                 (packed(&p->sin, 3) || p->sin.stride[3] == 2);
    return steps ? NULL : "needs cos and sin with stride 1 or 2 in their last dimension";
}

const char *trine_host_per_token_group_quant_vector_refuse(const trine_problem *problem,
                                                           const trine_caps *caps)
{
    (void)caps;
    const trine_per_token_group_quant_problem *p = &problem->per_token_group_quant;
    return packed(&p->x, 2) && packed(&p->q, 2)
               ? NULL
               : "needs x and q with stride 1 in their last dimension";
}

const char *trine_host_act_and_mul_vector_refuse(const trine_problem *problem,
                                                 const trine_caps *caps)
{
    (void)caps;
    const trine_act_and_mul_problem *p = &problem->act_and_mul;
    return packed(&p->x, 1) && packed(&p->out, 1)
               ? NULL
               : "needs x and out with stride 1 in their last dimension";
}

const char *trine_host_moe_sum_vector_refuse(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    const trine_moe_sum_problem *p = &problem->moe_sum;
    return packed(&p->y, 2) && packed(&p->out, 1)
               ? NULL
               : "needs y and out with stride 1 in their last dimension";
}

const char *trine_host_scaled_mm_tiled_refuse(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    const trine_scaled_mm_problem *p = &problem->scaled_mm;
    return packed(&p->a, 1) && packed(&p->b, 1) && packed(&p->out, 1)
               ? NULL
               : "needs a, b and out with stride 1 in their last dimension";
}

/* Whether sums of i8 products over k, scaled per block_k columns or once, meet the bound of integer
 * sums: a rounding more per block would not. */
static const char *refuse_i8_sum(int64_t k, int64_t blocks, int64_t block_k)
{
    if (blocks > 1 && block_k > TRINE_GEMM_SEGMENT)
        return "needs blocks of 512 columns or less, or one scale a row";
    return blocks <= 1 && k > TRINE_GEMM_EXACT_I8
               ? "needs 16384 columns or less where no scale is per block"
               : NULL;
}

const char *trine_host_scaled_mm_tiled_i8_refuse(const trine_problem *problem,
                                                 const trine_caps *caps)
{
    const trine_scaled_mm_problem *p = &problem->scaled_mm;
    const char *why = trine_host_scaled_mm_tiled_refuse(problem, caps);
    return why ? why : refuse_i8_sum(p->k, p->blocks, p->block_k);
}

const char *trine_host_block_scaled_linear_tiled_refuse(const trine_problem *problem,
                                                        const trine_caps *caps)
{
    (void)caps;
    const trine_block_scaled_linear_problem *p = &problem->block_scaled_linear;
    return packed(&p->x, 1) && packed(&p->w, 1) && packed(&p->out, 1)
               ? NULL
               : "needs x, w and out with stride 1 in their last dimension";
}

const char *trine_host_fused_moe_tiled_refuse(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    const trine_fused_moe_problem *p = &problem->fused_moe;
    return packed(&p->x, 1) && packed(&p->w1, 2) && packed(&p->w2, 2) &&
                   packed(&p->out, p->out.rank - 1)
               ? NULL
               : "needs x, w1, w2 and out with stride 1 in their last dimension";
}

const char *trine_host_fused_moe_tiled_i8_refuse(const trine_problem *problem,
                                                 const trine_caps *caps)
{
    const trine_fused_moe_problem *p = &problem->fused_moe;
    if (p->quantization != TRINE_MOE_INT8_CHANNEL && p->quantization != TRINE_MOE_INT8_BLOCK)
        return "multiplies i8 by i8 only";
    const char *why = trine_host_fused_moe_tiled_refuse(problem, caps);
    for (int second = 0; second < 2 && !why; second++) {
        int64_t k = second ? p->intermediate : p->hidden;
        bool per_block = p->quantization == TRINE_MOE_INT8_BLOCK && k > p->block_k;
        why = refuse_i8_sum(k, per_block ? 2 : 1, p->block_k);
    }
    return why;
}
