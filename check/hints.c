// SPDX-License-Identifier: Apache-2.0
/* Sizes and values worth trying. */
#include "check/hints.h"

#include <string.h>

#include <trine/ops.h>

#define VALUES(...) {__VA_ARGS__}, (int32_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double))

static const trine_size_hint sizes[] = {
    {TRINE_OP_ROTARY_EMBEDDING, "B", NULL, NULL, 1, {1, 2, 3}},
    {TRINE_OP_ROTARY_EMBEDDING, "T", NULL, NULL, 1, {1, 2, 3, 5, 16, 17, 33, 64, 131, 400}},
    {TRINE_OP_ROTARY_EMBEDDING, "H", NULL, NULL, 1, {1, 2, 3, 5, 8, 24, 25}},
    {TRINE_OP_ROTARY_EMBEDDING, "D", NULL, NULL, 1, {2, 3, 8, 17, 40, 64, 80, 96, 128, 256, 2112}},
    {TRINE_OP_ROTARY_EMBEDDING, "r", NULL, "D", 2, {1, 4, 7, 20, 32, 33, 40, 48, 64, 128, 1056}},
    {TRINE_OP_PER_TOKEN_GROUP_QUANT,
     "K",
     "group_size",
     NULL,
     1,
     {1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 65537}},
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "E", NULL, NULL, 1, {1, 2, 3, 5}},
    {TRINE_OP_PER_TOKEN_GROUP_QUANT,
     "M",
     NULL,
     NULL,
     1,
     {1, 2, 3, 4, 5, 7, 8, 13, 31, 33, 64, 127}},
    {TRINE_OP_DEQUANTIZE,
     "K",
     NULL,
     NULL,
     1,
     {1, 3, 16, 64, 127, 128, 129, 144, 256, 272, 300, 640, 641, 1152}},
    {TRINE_OP_FP8_CONVERT, "K", NULL, NULL, 1, {1, 3, 16, 64, 127, 128, 129, 144, 272, 641}},
    {TRINE_OP_ACT_AND_MUL, "I", NULL, NULL, 1, {1, 3, 8, 17, 64, 72, 127, 128, 136, 264}},
    {TRINE_OP_SCALED_MM, "M", NULL, NULL, 1, {1, 2, 3, 5, 8, 16, 17, 33, 64, 65, 130}},
    {TRINE_OP_SCALED_MM, "N", NULL, NULL, 1, {1, 3, 8, 17, 64, 96, 127, 128, 129, 257}},
    /* 1168: more than all waves of a block take at once; 524304: sums that 32 bits don't hold. */
    {TRINE_OP_SCALED_MM,
     "K",
     NULL,
     NULL,
     1,
     {1, 16, 31, 64, 127, 128, 129, 256, 300, 384, 640, 1168, 524304}},
    {TRINE_OP_BLOCK_SCALED_LINEAR, "M", NULL, NULL, 1, {1, 2, 3, 5, 8, 16, 17, 33, 64, 65}},
    {TRINE_OP_BLOCK_SCALED_LINEAR, "N", NULL, NULL, 1, {1, 3, 8, 17, 64, 96, 127, 128, 129, 257}},
    {TRINE_OP_BLOCK_SCALED_LINEAR, "K", NULL, NULL, 1, {1, 16, 31, 127, 128, 129, 256, 300, 384}},
    {TRINE_OP_TOPK_GATING, "E", NULL, NULL, 1, {1, 2, 4, 6, 8, 12, 16, 60, 64, 128, 160, 256, 384}},
    {TRINE_OP_MOE_ALIGN_BLOCK_SIZE,
     "M",
     NULL,
     NULL,
     1,
     {1, 2, 5, 16, 33, 64, 127, 400, 1500, 6000, 70000}},
    {TRINE_OP_MOE_ALIGN_BLOCK_SIZE, "k", NULL, NULL, 1, {1, 2, 4, 6, 8, 9}},
    {TRINE_OP_MOE_SUM, "k", NULL, NULL, 1, {1, 2, 3, 4, 6, 8, 9}},
    {TRINE_OP_MOE_SUM, "H", NULL, NULL, 1, {1, 3, 8, 17, 64, 127, 128, 264, 512, 1031}},
    {TRINE_OP_FUSED_MOE, "M", NULL, NULL, 1, {1, 2, 3, 5, 8, 17, 33, 70}},
    {TRINE_OP_FUSED_MOE, "H", NULL, NULL, 1, {16, 32, 33, 48, 50, 64, 96, 128, 136, 160, 256, 528}},
    /* The last: whole k-blocks of any power of two, and more than a block of threads activates at
     * once. */
    {TRINE_OP_FUSED_MOE,
     "I",
     NULL,
     NULL,
     1,
     {16, 32, 48, 50, 63, 64, 72, 96, 128, 192, 256, 512, 1024, 4608}},
    {TRINE_OP_FUSED_MOE, "E", NULL, NULL, 1, {1, 2, 3, 4, 8, 16}},
    {TRINE_OP_FUSED_MOE, "k", NULL, NULL, 1, {1, 2, 3, 4, 6, 8}},
    {-1, "Eg", NULL, NULL, 1, {1, 2, 4, 8, 16, 32}},
    {-1, "E", NULL, NULL, 1, {1, 2, 3, 5}},
};

static const trine_size_hint any_size = {
    -1, "", NULL, NULL, 1, {1, 2, 3, 5, 7, 8, 16, 17, 31, 33, 64, 65, 127, 128, 129}};

static const trine_value_hint values[] = {
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "group_size", VALUES(128, 64, 32, 16, 24, 256, 512, 7, 1536)},
    {TRINE_OP_DEQUANTIZE, "group_size", VALUES(128, 64, 32, 16, 1, 100)},
    {TRINE_OP_DEQUANTIZE, "block_rows", VALUES(1, 128, 16, 3)},
    {TRINE_OP_FUSED_MOE, "group_size", VALUES(0, 16, 32, 64, 128)},
    {TRINE_OP_FUSED_MOE, "block_k", VALUES(128, 64, 256, 512, 16, 48)},
    /* The first is what plain cases mostly have; the last are more than a team has lanes and a
     * block has threads. */
    {TRINE_OP_TOPK_GATING, "k", VALUES(4, 1, 2, 6, 8, 9, 40, 130)},
    {TRINE_OP_TOPK_GATING, "num_groups", VALUES(1, 2, 4, 8, 192)},
    {TRINE_OP_TOPK_GATING, "topk_groups", VALUES(1, 2, 4)},
    /* 50 and 1650: with some numbers of chunks, what is written past their counters leaves the
     * workspace. */
    {TRINE_OP_MOE_ALIGN_BLOCK_SIZE, "num_experts", VALUES(1, 2, 4, 8, 50, 256, 300, 1024, 1650)},
    {TRINE_OP_MOE_ALIGN_BLOCK_SIZE, "block_size", VALUES(1, 4, 16, 32, 64, 128, 7, 600)},
    {TRINE_OP_SCALED_MM, "block_k", VALUES(128, 256, 64, 16, 48)},
    /* The last leaves the range in which short divisions are exact. */
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "eps", VALUES(1e-10, 1e-20, 1e-5, 2, 4.5e33)},
    {-1, "block_n", VALUES(128, 64, 16, 48)},
    {-1, "block_k", VALUES(128, 64, 16, 48)},
    {-1, "eps", VALUES(1e-10, 1e-20, 1e-5, 2)},
    {-1, "ue8m0_floor", VALUES(1e-10, 0, 0.001)},
    {-1, "q_max", VALUES(TRINE_Q_MAX_OF_DTYPE, 100, 1.5, 127)},
    {-1, "alpha", VALUES(1.702, 1, 0.5)},
    {-1, "limit", VALUES(0, 7, 0.5)},
    {-1, "scaling_factor", VALUES(1, 2.5, -0.3, 0)},
    {-1, "routed_scaling_factor", VALUES(1, 2.5, 0.3)},
    {-1, "softcap", VALUES(0, 30, 1)},
};

const trine_size_hint *trine_size_hint_of(int32_t op, const char *letter)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if ((sizes[i].op == op || sizes[i].op < 0) && strcmp(sizes[i].letter, letter) == 0)
            return &sizes[i];
    }
    return &any_size;
}

const trine_value_hint *trine_value_hint_of(int32_t op, const char *param)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if ((values[i].op == op || values[i].op < 0) && strcmp(values[i].param, param) == 0)
            return &values[i];
    }
    return NULL;
}
