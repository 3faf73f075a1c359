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

#endif
