// SPDX-License-Identifier: Apache-2.0
// backends/gpu/per_token_group_quant.h divides 16-bit elements by a group's scale with two
// operations. Their result may be a unit in the last place away from the IEEE quotient; what it is
// rounded to is the same as long as both lie on the same side of every boundary between two codes.
// The second part is never negative, which keeps the sign of a zero.
// This tries, for each of the 2^23 mantissas of a scale and each boundary there is (an odd number
// of up to 8 bits times a power of two: halves between codes of e4m3, halves and integers of int8),
// the one element of each format whose quotient comes near: the others miss it by far more than any
// rounding. Powers of two change nothing while all is normal.
#include <criterion/criterion.h>

#include "numerics/portable.h"

// x to so many significant bits; x in [1, 512).
static float rounded(float x, int bits)
{
    const uint32_t unit = 1u << (24 - bits), half = unit >> 1;
    return trine_f32_from_bits((trine_f32_bits(x) + half) & ~(unit - 1));
}

static int side(float q, float boundary)
{
    return (q > boundary) - (q < boundary);
}

typedef struct tally {
    long near, wrong, negative;
} tally;

static tally try_all(int bits)
{
    long near = 0, wrong = 0, negative = 0;
    for (uint32_t m = 0; m < 1u << 23; m++) {
        const float s = trine_f32_from_bits(127u << 23 | m), r = 1.0f / s;
        const float d = trine_f32_from_bits(trine_f32_bits(r) - 1);
        const float e = trine_fmaf(-s, d, 1.0f) * r;
        negative += !(e > 0.0f);
        for (int odd = 1; odd < 256; odd += 2) {
            const float boundary = (float)odd, x = rounded(s * boundary, bits);
            const float exact = x / s, two = trine_fmaf(x, d, x * e);
            near += trine_absf(exact - boundary) < 0x1p-18f * boundary;
            wrong += side(exact, boundary) != side(two, boundary);
        }
    }
    return (tally){near, wrong, negative};
}

Test(group_quotient, lies_as_the_quotient_does)
{
    static const int bits[] = {8, 11}; // of bf16 and f16
    for (int i = 0; i < 2; i++) {
        const tally t = try_all(bits[i]);
        cr_assert_gt(t.near, 1000000);
        cr_assert_eq(t.negative, 0);
        cr_assert_eq(t.wrong, 0, "%d bits: %ld of %ld quotients lie differently", bits[i], t.wrong,
                     t.near);
    }
}
