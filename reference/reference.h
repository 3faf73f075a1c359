// SPDX-License-Identifier: Apache-2.0
/*
 * The oracle: one function per op, on host memory, for any legal problem. Short, naive, OpenMP over
 * the outer loop, the same bits at any thread count. Nothing here allocates; what must be kept
 * between passes lives in the caller's workspace.
 */
#ifndef TRINE_REFERENCE_REFERENCE_H
#define TRINE_REFERENCE_REFERENCE_H

#include <trine/kernel.h>

/* Exact ops. */
void trine_reference_rotary_embedding(const trine_rotary_embedding_problem *p);
void trine_reference_per_token_group_quant(const trine_per_token_group_quant_problem *p);
void trine_reference_dequantize(const trine_dequantize_problem *p);
void trine_reference_fp8_convert(const trine_fp8_convert_problem *p);
void trine_reference_topk_gating(const trine_topk_gating_problem *p);
void trine_reference_moe_align_block_size(const trine_moe_align_block_size_problem *p,
                                          void *workspace);
void trine_reference_act_and_mul(const trine_act_and_mul_problem *p);
void trine_reference_moe_sum(const trine_moe_sum_problem *p);

/* Bounded ops: v rounded once to out. */
void trine_reference_scaled_mm(const trine_scaled_mm_problem *p);
void trine_reference_block_scaled_linear(const trine_block_scaled_linear_problem *p,
                                         void *workspace);
void trine_reference_fused_moe(const trine_fused_moe_problem *p, void *workspace);

/* Their bounds: see trine_op_bound. Return TRINE_OUT_OF_MEMORY through trine_fail. */
trine_status trine_bound_scaled_mm(const trine_scaled_mm_problem *p,
                                   const trine_bound_options *options, double *value,
                                   double *bound);
trine_status trine_bound_block_scaled_linear(const trine_block_scaled_linear_problem *p,
                                             const trine_bound_options *options, double *value,
                                             double *bound);
trine_status trine_bound_fused_moe(const trine_fused_moe_problem *p,
                                   const trine_bound_options *options, double *value,
                                   double *bound);

/* trine_op_staged, for a problem that quantizes activations. */
trine_status trine_staged_fused_moe(const trine_fused_moe_problem *p,
                                    const trine_bound_options *options, const void *workspace,
                                    trine_staged_report *report, double *value, double *bound);

#endif
