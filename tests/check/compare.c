// SPDX-License-Identifier: Apache-2.0
/* Comparison: bits, bounds, and what is said about the first difference. */
#include "check/compare.h"
#include "check/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

Test(compare, values_of_every_dtype_survive)
{
    for (int d = 0; d < TRINE_DTYPE_COUNT; d++) {
        const trine_dtype dtype = (trine_dtype)d;
        const size_t codes = trine_dtype_size(dtype) == 1 ? 256 : 65536;
        for (size_t code = 0; code < codes; code++) {
            uint8_t a[4], b[4];
            trine_value_set_bits(dtype, a, (uint32_t)(code * (dtype == TRINE_F32 ? 65521 : 1)));
            const double value = trine_value_get(dtype, a);
            trine_value_set(dtype, b, value);
            /* A code may have a twin: NaNs, and what e5m2's infinities saturate to. */
            if (isnan(value) || isinf(value)) continue;
            cr_expect_eq(trine_value_bits(dtype, a), trine_value_bits(dtype, b), "%s 0x%zx",
                         trine_dtype_name(dtype), code);
            cr_expect_eq(trine_value_distance(dtype, a, b), 0);
            cr_expect(trine_value_same(dtype, a, b));
        }
        uint8_t largest[4];
        trine_value_set(dtype, largest, trine_value_largest(dtype));
        cr_expect_eq(trine_value_get(dtype, largest), trine_value_largest(dtype));
        trine_value_set(dtype, largest, trine_value_smallest(dtype));
        cr_expect_gt(trine_value_get(dtype, largest), 0);
        cr_expect_eq(trine_dtype_from_name(trine_dtype_name(dtype)), dtype);
    }
    cr_expect_eq(trine_dtype_from_name("f8"), TRINE_DTYPE_COUNT);
}

Test(compare, distance_counts_steps)
{
    uint8_t a[4], b[4];

    trine_value_set(TRINE_BF16, a, 1);
    trine_value_set(TRINE_BF16, b, 1 + 0x1p-7);
    cr_expect_eq(trine_value_distance(TRINE_BF16, a, b), 1);
    trine_value_set(TRINE_F32, a, 0x1p-149);
    trine_value_set(TRINE_F32, b, -0x1p-149);
    cr_expect_eq(trine_value_distance(TRINE_F32, a, b), 2);
    trine_value_set(TRINE_F32, b, NAN);
    cr_expect_eq(trine_value_distance(TRINE_F32, a, b), -1);
    trine_value_set(TRINE_I8, a, -128);
    trine_value_set(TRINE_I8, b, 127);
    cr_expect_eq(trine_value_distance(TRINE_I8, a, b), 255);
}

Test(compare, any_nan_equals_any_nan_but_in_codes)
{
    const uint32_t quiet = 0x7FC00000, other = 0xFFC12345;
    const uint8_t ocp = 0x7F, negative = 0xFF;
    const float plus = 0.0f, minus = -0.0f;

    cr_expect(trine_value_same(TRINE_F32, &quiet, &other));
    cr_expect_not(trine_value_same(TRINE_E4M3FN, &ocp, &negative));
    cr_expect_not(trine_value_same(TRINE_F32, &plus, &minus));
}

Test(compare, bound_rule)
{
    static const struct {
        double y, value, bound;
        bool good;
    } rules[] = {
        {1, 1, 0, true},
        {1.5, 1, 0.5, true},
        {1.5, 1, 0.49, false},
        {NAN, NAN, 0, true},
        {NAN, 1, 1e30, false},
        {1, NAN, 1e30, false},
        {INFINITY, INFINITY, 0, true},
        {-INFINITY, INFINITY, 0, false},
        {INFINITY, 65504, 16, true}, /* the next step above the largest */
        {INFINITY, 65000, 16, false},
        {-INFINITY, -65504, 16, true},
        {INFINITY, -65504, 16, false},
        {65504, INFINITY, 16, false},
        {1, 1, NAN, false},
        {1e4, 0, INFINITY, true},
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        double used;
        cr_expect_eq(
            trine_within_bound(TRINE_F16, rules[i].y, rules[i].value, rules[i].bound, &used),
            rules[i].good, "y %g, v %g, B %g", rules[i].y, rules[i].value, rules[i].bound);
    }
}

Test(compare, first_difference_is_told_with_its_place)
{
    const uint16_t got[] = {0x3F80, 0xFFFF, 0x3F80, 0x3F81},
                   want[] = {0x3F80, 0x3F80, 0x3F80, 0x3F80};
    const int64_t shape[] = {2, 2}, apart[] = {2, 1};
    trine_comparison comparison = {0};

    trine_compare_exact(&comparison, "out", TRINE_BF16, 2, shape,
                        (trine_elements){(const uint8_t *)got, apart},
                        (trine_elements){(const uint8_t *)want, NULL});
    cr_expect_eq(comparison.compared, 4);
    cr_expect_eq(comparison.wrong, 2);
    cr_expect(strstr(comparison.first, "out[0, 1] is 0xffff"), "%s", comparison.first);
    cr_expect(strstr(comparison.first, "must be 0x3f80 (1)"), "%s", comparison.first);
    cr_expect_eq(comparison.histogram[TRINE_ULP_NAN], 1);
    cr_expect_eq(comparison.histogram[TRINE_ULP_1], 1);
    char text[120];
    trine_comparison_histogram(&comparison, text, sizeof text);
    cr_expect_str_eq(text, "0: 2, 1: 1, NaN: 1");
}

Test(compare, bounded_uses_and_place)
{
    const float got[] = {1, 2, 5};
    const double value[] = {1, 2.5, 3}, bound[] = {0, 1, 1};
    const int64_t shape[] = {3};
    trine_comparison comparison = {0};

    trine_compare_bounded(&comparison, "out", TRINE_F32, 1, shape,
                          (trine_elements){(const uint8_t *)got, NULL}, value, bound);
    cr_expect_eq(comparison.wrong, 1);
    cr_expect(strstr(comparison.first, "out[2]"), "%s", comparison.first);
    cr_expect(isinf(comparison.used));
}
