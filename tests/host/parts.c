// SPDX-License-Identifier: Apache-2.0
/* Parts of the fast rows: levels, the shortened conversions, what rows leave to the reference. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "backends/host/gemm_limits.h"
#include "backends/host/host.h"
#include "backends/host/level.h"

#define TRINE_HOST_LEVEL test
#include "backends/host/finite_e4m3.h"

Test(levels, can_only_be_lowered)
{
    trine_host_level best = trine_host_set_level(TRINE_HOST_AVX512);
    cr_assert_leq((int)best, TRINE_HOST_AVX512);
    for (int level = 0; level < TRINE_HOST_LEVEL_COUNT; level++) {
        int want = level < (int)best ? level : (int)best;
        cr_assert_eq((int)trine_host_set_level((trine_host_level)level), want);
        cr_assert_eq((int)trine_host_get_level(), want);
    }
    trine_host_set_level(best);
    cr_assert_str_eq(trine_host_level_name(TRINE_HOST_BASELINE), "baseline");
    cr_assert_str_eq(trine_host_level_name(TRINE_HOST_AVX2), "avx2");
    cr_assert_str_eq(trine_host_level_name(TRINE_HOST_AVX512), "avx512");
    cr_assert_str_eq(trine_host_level_name(TRINE_HOST_LEVEL_COUNT), "?");
}

/* Every f32 up to `largest`, but of the low eight bits only those near 0, the middle and the top:
 * rounding boundaries have zeros there. */
static void check_finite(uint32_t (*fast)(float), uint8_t (*plain)(float), float largest)
{
    static const uint32_t low[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    uint32_t end;
    long compared = 0;
    memcpy(&end, &largest, sizeof end);
    for (uint32_t high = 0; high <= end >> 8; high++) {
        for (int i = 0; i < 10; i++) {
            uint32_t bits = high << 8 | low[i % 5], sign = i < 5 ? 0u : 0x80000000u;
            if (bits > end) continue;
            float x;
            bits |= sign;
            memcpy(&x, &bits, sizeof x);
            uint32_t got = fast(x), want = plain(x);
            if (got != want) cr_assert_fail("%a: 0x%02x, must be 0x%02x", x, got, want);
            compared++;
        }
    }
    cr_assert_gt(compared, 40000000);
}

static uint32_t fast_fn(float x)
{
    return trine_finite_to_e4m3fn(x);
}

static uint8_t plain_fn(float x)
{
    return trine_f32_to_e4m3fn(x);
}

static uint32_t fast_fnuz(float x)
{
    return trine_finite_to_e4m3fnuz(x);
}

static uint8_t plain_fnuz(float x)
{
    return trine_f32_to_e4m3fnuz(x);
}

Test(finite_e4m3, e4m3fn)
{
    check_finite(fast_fn, plain_fn, 448.0f);
    cr_assert_eq(trine_finite_to_e4m3fn(nextafterf(448.0f, 1000.0f)), 0x7eu);
}

Test(finite_e4m3, e4m3fnuz)
{
    check_finite(fast_fnuz, plain_fnuz, 240.0f);
}

/* ---------------------------------------------------------------- refusals */

static trine_view view(int rank, int64_t inner_stride)
{
    trine_view v = {.rank = rank};
    for (int d = 0; d < rank; d++) {
        v.shape[d] = 4;
        v.stride[d] = d == rank - 1 ? inner_stride : 16;
    }
    return v;
}

Test(refusals, inner_strides)
{
    trine_problem p;
    for (int i = 0; i < 5; i++) { /* all packed, then one tensor at a time that is not */
        memset(&p, 0, sizeof p);
        trine_rotary_embedding_problem *q = &p.rotary_embedding;
        q->x = view(4, i == 1 ? 2 : 1);
        q->out = view(4, i == 2 ? 2 : 1);
        q->cos = view(4, i == 3 ? 3 : 2);
        q->sin = view(4, i == 4 ? 0 : 1);
        cr_assert_eq(trine_host_rotary_embedding_vector_refuse(&p, NULL) != NULL, i > 0);
    }
    for (int i = 0; i < 3; i++) {
        memset(&p, 0, sizeof p);
        p.per_token_group_quant.x = view(3, i == 1 ? 2 : 1);
        p.per_token_group_quant.q = view(3, i == 2 ? 2 : 1);
        cr_assert_eq(trine_host_per_token_group_quant_vector_refuse(&p, NULL) != NULL, i > 0);
        memset(&p, 0, sizeof p);
        p.act_and_mul.x = view(2, i == 1 ? 2 : 1);
        p.act_and_mul.out = view(2, i == 2 ? 2 : 1);
        cr_assert_eq(trine_host_act_and_mul_vector_refuse(&p, NULL) != NULL, i > 0);
        memset(&p, 0, sizeof p);
        p.moe_sum.y = view(3, i == 1 ? 2 : 1);
        p.moe_sum.out = view(2, i == 2 ? 2 : 1);
        cr_assert_eq(trine_host_moe_sum_vector_refuse(&p, NULL) != NULL, i > 0);
    }
    for (int i = 0; i < 4; i++) {
        memset(&p, 0, sizeof p);
        p.scaled_mm.a = view(2, i == 1 ? 2 : 1);
        p.scaled_mm.b = view(2, i == 2 ? 2 : 1);
        p.scaled_mm.out = view(2, i == 3 ? 2 : 1);
        cr_assert_eq(trine_host_scaled_mm_tiled_refuse(&p, NULL) != NULL, i > 0);
        memset(&p, 0, sizeof p);
        p.block_scaled_linear.x = view(2, i == 1 ? 2 : 1);
        p.block_scaled_linear.w = view(2, i == 2 ? 2 : 1);
        p.block_scaled_linear.out = view(2, i == 3 ? 2 : 1);
        cr_assert_eq(trine_host_block_scaled_linear_tiled_refuse(&p, NULL) != NULL, i > 0);
    }
    for (int i = 0; i < 5; i++) {
        memset(&p, 0, sizeof p);
        p.fused_moe.x = view(2, i == 1 ? 2 : 1);
        p.fused_moe.w1 = view(3, i == 2 ? 2 : 1);
        p.fused_moe.w2 = view(3, i == 3 ? 2 : 1);
        p.fused_moe.out = view(3, i == 4 ? 2 : 1);
        cr_assert_eq(trine_host_fused_moe_tiled_refuse(&p, NULL) != NULL, i > 0);
    }
}

Test(refusals, i8_sums_that_would_round_too_often)
{
    static const struct {
        int64_t k, blocks, block_k;
        bool refused;
    } cases[] = {{4096, 32, 128, false},
                 {4096, 8, 512, false},
                 {4096, 4, 1024, true},
                 {TRINE_GEMM_EXACT_I8, 1, 128, false},
                 {TRINE_GEMM_EXACT_I8 + 1, 1, 128, true}};
    trine_problem p;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(&p, 0, sizeof p);
        p.scaled_mm.a = p.scaled_mm.b = p.scaled_mm.out = view(2, 1);
        p.scaled_mm.k = cases[i].k;
        p.scaled_mm.blocks = cases[i].blocks;
        p.scaled_mm.block_k = cases[i].block_k;
        cr_assert_eq(trine_host_scaled_mm_tiled_i8_refuse(&p, NULL) != NULL, cases[i].refused);
    }
    memset(&p, 0, sizeof p);
    p.fused_moe.x = view(2, 1);
    p.fused_moe.w1 = p.fused_moe.w2 = p.fused_moe.out = view(3, 1);
    p.fused_moe.hidden = 4096;
    p.fused_moe.intermediate = 512;
    p.fused_moe.block_k = 128;
    p.fused_moe.quantization = TRINE_MOE_INT8_BLOCK;
    cr_assert_null(trine_host_fused_moe_tiled_i8_refuse(&p, NULL));
    p.fused_moe.block_k = 1024; /* w1 has four blocks of it, w2 one */
    cr_assert_not_null(trine_host_fused_moe_tiled_i8_refuse(&p, NULL));
    p.fused_moe.quantization = TRINE_MOE_INT8_CHANNEL;
    cr_assert_null(trine_host_fused_moe_tiled_i8_refuse(&p, NULL));
    p.fused_moe.intermediate = TRINE_GEMM_EXACT_I8 + 1;
    cr_assert_not_null(trine_host_fused_moe_tiled_i8_refuse(&p, NULL));
    p.fused_moe.quantization = TRINE_MOE_FP8_BLOCK;
    cr_assert_not_null(trine_host_fused_moe_tiled_i8_refuse(&p, NULL));
}
