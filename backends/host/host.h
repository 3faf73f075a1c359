// SPDX-License-Identifier: Apache-2.0
/* Launchers and refusals of the host rows, as ops/rows.h names them. */
#ifndef TRINE_BACKENDS_HOST_HOST_H
#define TRINE_BACKENDS_HOST_HOST_H

#include <trine/kernel.h>

trine_status trine_host_rotary_embedding_reference(const trine_launch *launch);
trine_status trine_host_per_token_group_quant_reference(const trine_launch *launch);
trine_status trine_host_dequantize_reference(const trine_launch *launch);
trine_status trine_host_fp8_convert_reference(const trine_launch *launch);
trine_status trine_host_scaled_mm_reference(const trine_launch *launch);
trine_status trine_host_block_scaled_linear_reference(const trine_launch *launch);
trine_status trine_host_topk_gating_reference(const trine_launch *launch);
trine_status trine_host_moe_align_block_size_reference(const trine_launch *launch);
trine_status trine_host_act_and_mul_reference(const trine_launch *launch);
trine_status trine_host_moe_sum_reference(const trine_launch *launch);
trine_status trine_host_fused_moe_reference(const trine_launch *launch);

/* Fast rows: every vector level gives the same bits. */
trine_status trine_host_rotary_embedding_vector(const trine_launch *launch);
trine_status trine_host_per_token_group_quant_vector(const trine_launch *launch);
trine_status trine_host_act_and_mul_vector(const trine_launch *launch);
trine_status trine_host_moe_sum_vector(const trine_launch *launch);
trine_status trine_host_scaled_mm_tiled(const trine_launch *launch);
trine_status trine_host_scaled_mm_tiled_i8(const trine_launch *launch);
trine_status trine_host_block_scaled_linear_tiled(const trine_launch *launch);
trine_status trine_host_fused_moe_tiled(const trine_launch *launch);
trine_status trine_host_fused_moe_tiled_i8(const trine_launch *launch);

const char *trine_host_rotary_embedding_vector_refuse(const trine_problem *problem,
                                                      const trine_caps *caps);
const char *trine_host_per_token_group_quant_vector_refuse(const trine_problem *problem,
                                                           const trine_caps *caps);
const char *trine_host_act_and_mul_vector_refuse(const trine_problem *problem,
                                                 const trine_caps *caps);
const char *trine_host_moe_sum_vector_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_host_scaled_mm_tiled_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_host_scaled_mm_tiled_i8_refuse(const trine_problem *problem,
                                                 const trine_caps *caps);
const char *trine_host_block_scaled_linear_tiled_refuse(const trine_problem *problem,
                                                        const trine_caps *caps);
const char *trine_host_fused_moe_tiled_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_host_fused_moe_tiled_i8_refuse(const trine_problem *problem,
                                                 const trine_caps *caps);

#endif
