// SPDX-License-Identifier: Apache-2.0
/* The launchers of the fast rows: each hands its problem to the kernel of the level in use. */
#include "backends/host/host.h"
#include "backends/host/kernels.h"
#include "backends/host/level.h"

/* Kernel of every level, by trine_host_level. */
#ifdef TRINE_HOST_X86
#define BY_LEVEL(op)                                                                               \
    {                                                                                              \
        trine_host_##op##_baseline, trine_host_##op##_avx2, trine_host_##op##_avx512               \
    }
#else
#define BY_LEVEL(op)                                                                               \
    {                                                                                              \
        trine_host_##op##_baseline                                                                 \
    }
#endif

trine_status trine_host_rotary_embedding_vector(const trine_launch *launch)
{
    static void (*const kernel[])(const trine_rotary_embedding_problem *) =
        BY_LEVEL(rotary_embedding);
    kernel[trine_host_get_level()](&launch->problem->rotary_embedding);
    return TRINE_OK;
}

trine_status trine_host_per_token_group_quant_vector(const trine_launch *launch)
{
    static void (*const kernel[])(const trine_per_token_group_quant_problem *) =
        BY_LEVEL(per_token_group_quant);
    kernel[trine_host_get_level()](&launch->problem->per_token_group_quant);
    return TRINE_OK;
}

trine_status trine_host_act_and_mul_vector(const trine_launch *launch)
{
    static void (*const kernel[])(const trine_act_and_mul_problem *) = BY_LEVEL(act_and_mul);
    kernel[trine_host_get_level()](&launch->problem->act_and_mul);
    return TRINE_OK;
}

trine_status trine_host_moe_sum_vector(const trine_launch *launch)
{
    static void (*const kernel[])(const trine_moe_sum_problem *) = BY_LEVEL(moe_sum);
    kernel[trine_host_get_level()](&launch->problem->moe_sum);
    return TRINE_OK;
}

trine_status trine_host_scaled_mm_tiled(const trine_launch *launch)
{
    static void (*const kernel[])(const trine_scaled_mm_problem *) = BY_LEVEL(scaled_mm);
    kernel[trine_host_get_level()](&launch->problem->scaled_mm);
    return TRINE_OK;
}

/* The same kernel under the tighter bound of integer sums. */
trine_status trine_host_scaled_mm_tiled_i8(const trine_launch *launch)
{
    return trine_host_scaled_mm_tiled(launch);
}

trine_status trine_host_block_scaled_linear_tiled(const trine_launch *launch)
{
    static void (*const kernel[])(const trine_block_scaled_linear_problem *, void *) =
        BY_LEVEL(block_scaled_linear);
    kernel[trine_host_get_level()](&launch->problem->block_scaled_linear, launch->workspace);
    return TRINE_OK;
}

trine_status trine_host_fused_moe_tiled(const trine_launch *launch)
{
    static void (*const kernel[])(const trine_fused_moe_problem *, void *) = BY_LEVEL(fused_moe);
    kernel[trine_host_get_level()](&launch->problem->fused_moe, launch->workspace);
    return TRINE_OK;
}

trine_status trine_host_fused_moe_tiled_i8(const trine_launch *launch)
{
    return trine_host_fused_moe_tiled(launch);
}
