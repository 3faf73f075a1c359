// SPDX-License-Identifier: Apache-2.0
/* Enum words that several op tables share. */
#ifndef TRINE_OPS_WORDS_H
#define TRINE_OPS_WORDS_H

#include <trine/describe.h>

static const trine_word trine_scale_layout_words[] = {
    {"row", TRINE_SCALE_ROW},
    {"column", TRINE_SCALE_COLUMN},
    {"column_aligned", TRINE_SCALE_COLUMN_ALIGNED},
    {"packed_ue8m0", TRINE_SCALE_PACKED_UE8M0},
    {"row_packed_ue8m0", TRINE_SCALE_ROW_PACKED_UE8M0},
    {NULL, 0},
};

static const trine_word trine_scale_format_words[] = {
    {"f32", TRINE_SCALE_F32},
    {"ue8m0", TRINE_SCALE_UE8M0},
    {NULL, 0},
};

static const trine_word trine_bias_rounding_words[] = {
    {"after", TRINE_BIAS_AFTER},
    {"before", TRINE_BIAS_BEFORE},
    {NULL, 0},
};

/* What act_and_mul and fused_moe take. */
static const trine_word trine_activation_words[] = {
    {"silu", TRINE_ACTIVATION_SILU},
    {"gelu_erf", TRINE_ACTIVATION_GELU_ERF},
    {"gelu_tanh", TRINE_ACTIVATION_GELU_TANH},
    {"relu2", TRINE_ACTIVATION_RELU2},
    {"swiglu_oai", TRINE_ACTIVATION_SWIGLU_OAI},
    {NULL, 0},
};

static const trine_word trine_gate_layout_words[] = {
    {"halves", TRINE_GATE_HALVES},
    {"interleaved", TRINE_GATE_INTERLEAVED},
    {NULL, 0},
};

static const trine_word trine_intermediate_rounding_words[] = {
    {"once", TRINE_ROUND_ONCE},
    {"each", TRINE_ROUND_EACH},
    {NULL, 0},
};

#endif
