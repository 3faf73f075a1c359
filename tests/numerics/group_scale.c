// SPDX-License-Identifier: Apache-2.0
// The quantizer's scalar arithmetic: the scales' definitions, and that the quotient without a
// division gives the division's codes.
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

#include "numerics/format.h"
#include "numerics/group_scale.h"

enum { E4M3FN, E4M3FNUZ, I8, CODES };
static const float q_maxima[CODES] = {448.0f, 224.0f, 127.0f};

static int code_of(int format, float q)
{
    float c = trine_group_clamp(q, q_maxima[format]);
    if (format == E4M3FN) return trine_f32_to_e4m3fn(c);
    if (format == E4M3FNUZ) return trine_f32_to_e4m3fnuz(c);
    return trine_f32_to_i8_nearest(c);
}

// One element through both forms. From |q| = 2^-12 on the quotients must be equal, not only their
// codes.
static void expect_same(int format, float x, float s, float r)
{
    float q = trine_group_quotient(x, s);
    float fast = trine_group_quotient_fast(x, s, r);
    float any = trine_group_quotient_any(x, s, r);
    if (fabsf(q) >= 0x1p-12f && trine_f32_bits(q) != trine_f32_bits(fast))
        cr_assert_fail("%a / %a: %a, not %a", (double)x, (double)s, (double)fast, (double)q);
    if (code_of(format, q) != code_of(format, fast) || code_of(format, q) != code_of(format, any))
        cr_assert_fail("%a / %a: code 0x%x, not 0x%x", (double)x, (double)s, code_of(format, fast),
                       code_of(format, q));
}

// All mantissas of a bf16 amax at exponents from the smallest eps to the largest, with every bf16 x
// from 2^-24 amax to amax.
Test(numerics_group_scale, quotient_of_every_bf16_pair)
{
    const int exponents[] = {127 - 66, 127 - 33, 127, 127 + 60, 254};
    uint64_t pairs = 0;
    for (int format = 0; format < CODES; format++)
        for (size_t e = 0; e < 5; e++)
            for (uint32_t m = 0; m < 128; m++) {
                uint32_t top = (uint32_t)exponents[e] << 7 | m;
                float amax = trine_bf16_to_f32((uint16_t)top);
                float s = trine_group_scale_divide(amax, q_maxima[format]);
                float r = trine_divf(1.0f, s);
                for (uint32_t c = top - 24 * 128; c <= top; c++) {
                    expect_same(format, trine_bf16_to_f32((uint16_t)c), s, r);
                    expect_same(format, -trine_bf16_to_f32((uint16_t)c), s, r);
                    pairs += 2;
                }
            }
    cr_assert_eq(pairs, UINT64_C(2) * CODES * 5 * 128 * (24 * 128 + 1));
}

static uint64_t random_state = 0x5eed;
static uint32_t random_bits(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 32);
}

Test(numerics_group_scale, quotient_of_random_f32_pairs)
{
    for (int i = 0; i < 3000000; i++) {
        int format = i % CODES;
        uint32_t exponent = 61 + random_bits() % 194;
        float amax = trine_f32_from_bits(exponent << 23 | random_bits() >> 9);
        float s = trine_group_scale_divide(amax, q_maxima[format]);
        if (i % 5 == 0) s = trine_group_scale_ue8m0(s, 1e-10f);
        uint32_t below = random_bits() % (25u << 23);
        float x = trine_f32_from_bits(trine_f32_bits(amax) - below);
        expect_same(format, i & 1 ? x : -x, s, trine_divf(1.0f, s));
    }
}

// Around every boundary between two codes: the x whose quotient is nearest to it.
Test(numerics_group_scale, quotient_at_code_boundaries)
{
    for (int i = 0; i < 20000; i++) {
        int format = i % CODES;
        float amax = trine_f32_from_bits((100 + random_bits() % 60) << 23 | random_bits() >> 9);
        float s = trine_group_scale_divide(amax, q_maxima[format]);
        float r = trine_divf(1.0f, s);
        for (uint32_t c = 0; c < 126; c++) {
            float boundary =
                format == I8
                    ? (float)c + 0.5f
                    : (trine_e4m3fn_to_f32((uint8_t)c) + trine_e4m3fn_to_f32((uint8_t)(c + 1))) /
                          (format == E4M3FNUZ ? 4 : 2);
            float x = boundary * s;
            if (x > amax) continue;
            expect_same(format, x, s, r);
            expect_same(format, nextafterf(x, 0), s, r);
            expect_same(format, -nextafterf(x, INFINITY), s, r);
        }
    }
}

Test(numerics_group_scale, special_elements)
{
    const float s = trine_group_scale_divide(3.0f, 448.0f), r = trine_divf(1.0f, s);
    // x = -0 keeps its sign, as a division does.
    cr_assert(signbit(trine_group_quotient_fast(-0.0f, s, r)));
    cr_assert(!signbit(trine_group_quotient_fast(0.0f, s, r)));
    const float tiny[] = {1e-45f, -1e-45f, 1e-39f, -1e-39f, 0x1p-126f, -0.0f, 0.0f};
    for (size_t i = 0; i < 7; i++)
        for (int format = 0; format < CODES; format++) expect_same(format, tiny[i], s, r);
    cr_assert_eq(trine_group_clamp(trine_group_quotient_any(INFINITY, s, r), 448.0f), 448.0f);
    cr_assert_eq(trine_group_clamp(trine_group_quotient_any(-INFINITY, s, r), 448.0f), -448.0f);
    cr_assert_eq(trine_group_clamp(trine_group_quotient(-INFINITY, s), 448.0f), -448.0f);
    cr_assert(isnan(trine_group_clamp(trine_group_quotient_any(NAN, s, r), 448.0f)));
    cr_assert(isnan(trine_group_clamp(trine_group_quotient(NAN, s), 448.0f)));
    cr_assert_eq(trine_finite_abs(-2.5f), 2.5f);
    cr_assert_eq(trine_finite_abs(-INFINITY), 0.0f);
    cr_assert_eq(trine_finite_abs(NAN), 0.0f);
    cr_assert_eq(trine_finite_abs(-FLT_MAX), FLT_MAX);
}

Test(numerics_group_scale, scales)
{
    // Exact powers of two from amax = q_max * 2^k, in both arithmetics.
    for (int k = -60; k < 100; k++)
        for (int format = 0; format < CODES; format++)
            cr_assert_eq(trine_group_scale_divide(ldexpf(q_maxima[format], k), q_maxima[format]),
                         ldexpf(1, k));
    cr_assert_eq(trine_group_scale_reciprocal(448.0f, 448.0f), 1.0f);
    cr_assert_eq(trine_group_scale_reciprocal(3.0f, 448.0f), 3.0f * (1.0f / 448.0f));
    cr_assert_eq(trine_group_factor(3.0f, 448.0f), 448.0f / 3.0f);
    // An all-zero group: byte 0x5E with the floor, 0x55 without.
    float zero = trine_group_scale_divide(1e-10f, 448.0f);
    cr_assert_eq(trine_f32_to_ue8m0(trine_group_scale_ue8m0(zero, 1e-10f)), 0x5e);
    cr_assert_eq(trine_f32_to_ue8m0(trine_group_scale_ue8m0(zero, 0.0f)), 0x55);
    cr_assert_eq(trine_group_scale_ue8m0(trine_group_scale_divide(672.0f, 448.0f), 0.0f), 2.0f);
}
