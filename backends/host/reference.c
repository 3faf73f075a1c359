// SPDX-License-Identifier: Apache-2.0
/* The launchers of the reference rows: they hand the oracle its problem. */
#include "reference/reference.h"
#include "backends/host/host.h"

trine_status trine_host_rotary_embedding_reference(const trine_launch *launch)
{
    trine_reference_rotary_embedding(&launch->problem->rotary_embedding);
    return TRINE_OK;
}

trine_status trine_host_per_token_group_quant_reference(const trine_launch *launch)
{
    trine_reference_per_token_group_quant(&launch->problem->per_token_group_quant);
    return TRINE_OK;
}

trine_status trine_host_dequantize_reference(const trine_launch *launch)
{
    trine_reference_dequantize(&launch->problem->dequantize);
    return TRINE_OK;
}

trine_status trine_host_fp8_convert_reference(const trine_launch *launch)
{
    trine_reference_fp8_convert(&launch->problem->fp8_convert);
    return TRINE_OK;
}

trine_status trine_host_scaled_mm_reference(const trine_launch *launch)
{
    trine_reference_scaled_mm(&launch->problem->scaled_mm);
    return TRINE_OK;
}

trine_status trine_host_block_scaled_linear_reference(const trine_launch *launch)
{
    trine_reference_block_scaled_linear(&launch->problem->block_scaled_linear, launch->workspace);
    return TRINE_OK;
}

trine_status trine_host_topk_gating_reference(const trine_launch *launch)
{
    trine_reference_topk_gating(&launch->problem->topk_gating);
    return TRINE_OK;
}

trine_status trine_host_moe_align_block_size_reference(const trine_launch *launch)
{
    trine_reference_moe_align_block_size(&launch->problem->moe_align_block_size, launch->workspace);
    return TRINE_OK;
}

trine_status trine_host_act_and_mul_reference(const trine_launch *launch)
{
    trine_reference_act_and_mul(&launch->problem->act_and_mul);
    return TRINE_OK;
}

trine_status trine_host_moe_sum_reference(const trine_launch *launch)
{
    trine_reference_moe_sum(&launch->problem->moe_sum);
    return TRINE_OK;
}

trine_status trine_host_fused_moe_reference(const trine_launch *launch)
{
    trine_reference_fused_moe(&launch->problem->fused_moe, launch->workspace);
    return TRINE_OK;
}
