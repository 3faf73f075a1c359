// SPDX-License-Identifier: Apache-2.0
/* The fields of problems that mutants change. */
#include "check/mutants.h"

#define FIELD(OP, op, kind, member)                                                                \
    {                                                                                              \
        TRINE_OP_##OP, TRINE_FIELD_##kind, #member, offsetof(trine_##op##_problem, member),        \
            sizeof(((trine_##op##_problem *)NULL)->member)                                         \
    }

#define ROTARY(kind, member)  FIELD(ROTARY_EMBEDDING, rotary_embedding, kind, member)
#define QUANT(kind, member)   FIELD(PER_TOKEN_GROUP_QUANT, per_token_group_quant, kind, member)
#define DEQUANT(kind, member) FIELD(DEQUANTIZE, dequantize, kind, member)
#define CONVERT(kind, member) FIELD(FP8_CONVERT, fp8_convert, kind, member)
#define SCALED(kind, member)  FIELD(SCALED_MM, scaled_mm, kind, member)
#define LINEAR(kind, member)  FIELD(BLOCK_SCALED_LINEAR, block_scaled_linear, kind, member)
#define GATING(kind, member)  FIELD(TOPK_GATING, topk_gating, kind, member)
#define ALIGN(kind, member)   FIELD(MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, kind, member)
#define ACT(kind, member)     FIELD(ACT_AND_MUL, act_and_mul, kind, member)
#define SUM(kind, member)     FIELD(MOE_SUM, moe_sum, kind, member)
#define MOE(kind, member)     FIELD(FUSED_MOE, fused_moe, kind, member)

const trine_problem_field trine_problem_fields[] = {
    ROTARY(VIEW, x),
    ROTARY(VIEW, cos),
    ROTARY(VIEW, sin),
    ROTARY(VIEW, out),
    ROTARY(SIZE, batch),
    ROTARY(SIZE, tokens),
    ROTARY(SIZE, heads),
    ROTARY(SIZE, pairs),
    ROTARY(CHOICE, pairing),
    ROTARY(CHOICE, rounding),
    ROTARY(CHOICE, inverse),

    QUANT(VIEW, x),
    QUANT(VIEW, masked_m),
    QUANT(VIEW, q),
    QUANT(FLAT, scale),
    QUANT(SIZE, experts),
    QUANT(SIZE, groups),
    QUANT(SIZE, q_rows),
    QUANT(STRIDE, scale_row_stride),
    QUANT(STRIDE, scale_column_stride),
    QUANT(STRIDE, scale_expert_stride),
    QUANT(CHOICE, scale_has_tail),
    QUANT(CHOICE, format),
    QUANT(CHOICE, arithmetic),
    QUANT(CHOICE, int_rounding),
    QUANT(FORM, activation),
    QUANT(CHOICE, intermediate_rounding),
    QUANT(NUMBER, q_max),

    DEQUANT(VIEW, q),
    DEQUANT(FLAT, scale),
    DEQUANT(VIEW, out),
    DEQUANT(SIZE, rows),
    DEQUANT(SIZE, columns),
    DEQUANT(STRIDE, scale_row_stride),
    DEQUANT(STRIDE, scale_column_stride),

    CONVERT(VIEW, w),
    CONVERT(VIEW, scale),
    CONVERT(VIEW, out),
    CONVERT(VIEW, out_scale),

    SCALED(VIEW, a),
    SCALED(VIEW, b),
    SCALED(FLAT, a_scale),
    SCALED(FLAT, b_scale),
    SCALED(VIEW, bias),
    SCALED(VIEW, out),
    SCALED(SIZE, m),
    SCALED(SIZE, n),
    SCALED(SIZE, k),
    SCALED(STRIDE, a_scale_row),
    SCALED(STRIDE, a_scale_block),
    SCALED(STRIDE, b_scale_row),
    SCALED(STRIDE, b_scale_block),
    SCALED(CHOICE, bias_rounding),

    LINEAR(VIEW, x),
    LINEAR(VIEW, w),
    LINEAR(VIEW, w_scale),
    LINEAR(VIEW, bias),
    LINEAR(VIEW, out),
    LINEAR(SIZE, m),
    LINEAR(SIZE, n),
    LINEAR(SIZE, k),
    LINEAR(CHOICE, bias_rounding),

    GATING(VIEW, logits),
    GATING(VIEW, correction_bias),
    GATING(VIEW, topk_weights),
    GATING(VIEW, topk_ids),
    GATING(SIZE, tokens),
    GATING(SIZE, experts),
    GATING(SIZE, k),
    GATING(CHOICE, score),
    GATING(CHOICE, group_score),
    GATING(CHOICE, renormalize),
    GATING(NUMBER, scaling_factor),
    GATING(NUMBER, softcap),

    ALIGN(VIEW, topk_ids),
    ALIGN(VIEW, expert_map),
    ALIGN(VIEW, sorted_token_ids),
    ALIGN(VIEW, expert_ids),
    ALIGN(VIEW, num_tokens_post_padded),
    ALIGN(SIZE, experts),
    ALIGN(SIZE, capacity),
    ALIGN(SIZE, blocks),

    ACT(VIEW, x),
    ACT(VIEW, out),
    ACT(SIZE, rows),
    ACT(CHOICE, activation),
    ACT(CHOICE, gate_layout),
    ACT(CHOICE, intermediate_rounding),
    ACT(NUMBER, alpha),
    ACT(NUMBER, limit),

    SUM(VIEW, y),
    SUM(VIEW, out),
    SUM(SIZE, tokens),
    SUM(SIZE, k),
    SUM(SIZE, columns),
    SUM(NUMBER, scaling_factor),
    SUM(CHOICE, accumulate),

    MOE(VIEW, x),
    MOE(VIEW, w1),
    MOE(VIEW, w2),
    MOE(VIEW, topk_weights),
    MOE(VIEW, topk_ids),
    MOE(NEEDED, w1_scale),
    MOE(NEEDED, w2_scale),
    MOE(VIEW, w1_zero),
    MOE(VIEW, w2_zero),
    MOE(VIEW, a1_scale),
    MOE(VIEW, a2_scale),
    MOE(VIEW, b1),
    MOE(VIEW, b2),
    MOE(VIEW, expert_map),
    MOE(VIEW, out),
    MOE(SIZE, tokens),
    MOE(SIZE, experts),
    MOE(CHOICE, gate_layout),
    MOE(CHOICE, activation),
    MOE(CHOICE, intermediate_rounding),
    MOE(CHOICE, router_weight_on_input),
    MOE(CHOICE, accumulate),
    MOE(NUMBER, routed_scaling_factor),
};

const size_t trine_problem_field_count = sizeof trine_problem_fields / sizeof *trine_problem_fields;
