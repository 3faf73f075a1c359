// SPDX-License-Identifier: Apache-2.0
// The reciprocal of a denominator in [1, 2], as HIP devices form it: the correction must reach
// RN(1/d) for every d from every start that an instruction with a relative error of at most 2^-23
// may return. A million cases short of a proof would be no proof: these are all.
#include <criterion/criterion.h>
#include <math.h>

#include "numerics/elementary.h"

Test(numerics_reciprocal, every_start_of_every_denominator)
{
    uint64_t starts = 0;
    for (uint32_t m = 0; m <= 1u << 23; m++) {
        float d = trine_f32_from_bits(0x3f800000u + m);
        float want = 1.0f / d;
        uint32_t begin = trine_f32_bits(want);
        int of_this = 0;
        for (int k = -4; k <= 4; k++) {
            float r = trine_f32_from_bits(begin + (uint32_t)k);
            // r * d is exact in double, so this is |r - 1/d| <= 2^-23 / d without an error.
            if (fabs((double)r * (double)d - 1.0) > 0x1p-23) continue;
            float got = trine_rcp_unit_correct(r, d);
            if (trine_f32_bits(got) != begin)
                cr_assert_fail("1 / %a from %a: %a, not %a", (double)d, (double)r, (double)got,
                               (double)want);
            of_this++;
        }
        if (of_this < 2) cr_assert_fail("only %d starts for %a", of_this, (double)d);
        starts += (uint64_t)of_this;
    }
    cr_assert_gt(starts, UINT64_C(2) << 23);
}

Test(numerics_reciprocal, host_form_is_the_quotient)
{
    for (uint32_t m = 0; m <= 1u << 23; m += 251) {
        float d = trine_f32_from_bits(0x3f800000u + m);
        cr_assert_eq(trine_rcp_unit(d), 1.0f / d);
    }
}
