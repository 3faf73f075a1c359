// SPDX-License-Identifier: Apache-2.0
// Special values of the elementary functions and activations, and the activations against their
// definitions.
#include <criterion/criterion.h>
#include <math.h>

#include "numerics/activation.h"
#include "numerics/bf16.h"

static void expect_bits(float got, float want, const char *what)
{
    cr_assert_eq(trine_f32_bits(got), trine_f32_bits(want), "%s: %a, not %a", what, (double)got,
                 (double)want);
}

Test(numerics_activation, special_values)
{
    expect_bits(trine_expf(0.0f), 1.0f, "exp(0)");
    expect_bits(trine_expf(-0.0f), 1.0f, "exp(-0)");
    expect_bits(trine_expf(INFINITY), INFINITY, "exp(inf)");
    expect_bits(trine_expf(-INFINITY), 0.0f, "exp(-inf)");
    expect_bits(trine_expf(88.8f), INFINITY, "exp(88.8)");
    expect_bits(trine_expf(-103.0f), 0x1p-149f, "exp(-103), subnormal");
    expect_bits(trine_sigmoidf(0.0f), 0.5f, "sigmoid(0)");
    expect_bits(trine_sigmoidf(-0.0f), 0.5f, "sigmoid(-0)");
    expect_bits(trine_sigmoidf(INFINITY), 1.0f, "sigmoid(inf)");
    expect_bits(trine_sigmoidf(-INFINITY), 0.0f, "sigmoid(-inf)");
    const float odd[] = {0.0f, 1e-45f, 0x1p-126f};
    for (int i = 0; i < 3; i++) {
        expect_bits(trine_tanhf(odd[i]), odd[i], "tanh");
        expect_bits(trine_tanhf(-odd[i]), -odd[i], "tanh");
    }
    expect_bits(trine_tanhf(-INFINITY), -1.0f, "tanh(-inf)");
    expect_bits(trine_tanhf(20.0f), 1.0f, "tanh(20)");
    expect_bits(trine_erff(-0.0f), -0.0f, "erf(-0)");
    expect_bits(trine_erff(INFINITY), 1.0f, "erf(inf)");
    expect_bits(trine_erff(-4.0f), -1.0f, "erf(-4)");
    const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7fffffff, 0xffffffff, 0x7fd5aaaa};
    for (int i = 0; i < 5; i++) {
        float n = trine_f32_from_bits(nans[i]);
        cr_assert(isnan(trine_expf(n)) && isnan(trine_sigmoidf(n)) && isnan(trine_tanhf(n)));
        cr_assert(isnan(trine_erff(n)) && isnan(trine_silu(n)) && isnan(trine_gelu_erf(n)));
        cr_assert(isnan(trine_gelu_tanh(n)) && isnan(trine_relu2(n)));
        cr_assert(isnan(trine_swiglu_oai(n, 1.0f, 1.702f, 7.0f)));
        cr_assert(isnan(trine_swiglu_oai(1.0f, n, 1.702f, 7.0f)));
    }
}

// Exact-data cases of the matrix ops stand on these two ranges.
Test(numerics_activation, silu_saturates_exactly)
{
    cr_assert(isnan(trine_silu(-INFINITY)));
    expect_bits(trine_silu(INFINITY), INFINITY, "silu(inf)");
    uint32_t from = trine_f32_bits(38.0f), checked = 0;
    for (uint32_t u = from; u < 0x7f800000u; u += 1009) {
        float g = trine_f32_from_bits(u);
        expect_bits(trine_silu(g), g, "silu(g >= 38)");
        checked++;
    }
    for (uint32_t u = trine_f32_bits(150.0f); u < 0x7f800000u; u += 1009) {
        expect_bits(trine_silu(-trine_f32_from_bits(u)), -0.0f, "silu(g <= -150)");
        checked++;
    }
    cr_assert_gt(checked, 2000000u);
}

Test(numerics_activation, definitions)
{
    uint32_t checked = 0;
    for (uint32_t c = 0; c < 1u << 16; c++) {
        float g = trine_bf16_to_f32((uint16_t)c);
        if (g != g || isinf(g)) continue;
        volatile float half = 0.5f * g;
        volatile float scaled = g * 0.70710678f;
        volatile float one_erf = 1.0f + trine_erff(scaled);
        expect_bits(trine_gelu_erf(g), half * one_erf, "gelu_erf");
        volatile float square = g * g;
        volatile float cube = square * g;
        volatile float small = 0.044715f * cube;
        volatile float sum = g + small;
        volatile float inner = 0.79788456f * sum;
        volatile float one_tanh = 1.0f + trine_tanhf(inner);
        volatile float product = half * one_tanh;
        if (product == product) expect_bits(trine_gelu_tanh(g), product, "gelu_tanh");
        expect_bits(trine_relu2(g), g > 0 ? square : 0.0f, "relu2");
        expect_bits(trine_silu(g), g * trine_sigmoidf(g), "silu");
        volatile float limited = g > 7.0f ? 7.0f : g;
        volatile float alpha_g = 1.702f * limited;
        volatile float gate = limited * trine_sigmoidf(alpha_g);
        volatile float up = g > 7.0f ? 7.0f : g < -7.0f ? -7.0f : g;
        volatile float up_one = up + 1.0f;
        expect_bits(trine_swiglu_oai(g, g, 1.702f, 7.0f), gate * up_one, "swiglu_oai");
        checked++;
    }
    cr_assert_gt(checked, 65000u);
    // limit 0 is none; -Inf as gate is bounded by nothing.
    expect_bits(trine_swiglu_oai(100.0f, 99.0f, 1.702f, 0.0f), 10000.0f, "no limit");
    expect_bits(trine_swiglu_oai(100.0f, 99.0f, 1.702f, 7.0f),
                7.0f * trine_sigmoidf(1.702f * 7.0f) * 8.0f, "limit");
}
