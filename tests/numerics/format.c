// SPDX-License-Identifier: Apache-2.0
// Every code of every format to f32 and back, and f32 and f64 to every format at every rounding
// boundary, against values computed here in double from the format's definition.
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "numerics/format.h"

struct format {
    const char *name;
    int bits, mantissa, bias;
    uint32_t max_code; // largest finite, positive
    uint32_t nan_code; // what a NaN becomes
    bool infinite;     // overflow gives Inf, the code after max_code; else max_code
    bool signed_zero;
    uint32_t (*encode)(float);
    uint32_t (*encode_f64)(double); // NULL where there is none
    float (*decode)(uint32_t);
};

#define WRAP(name)                                                                                 \
    static uint32_t encode_##name(float x)                                                         \
    {                                                                                              \
        return trine_f32_to_##name(x);                                                             \
    }
WRAP(bf16)
WRAP(f16)
WRAP(e4m3fn)
WRAP(e4m3fnuz)
WRAP(e5m2)
static uint32_t encode64_bf16(double x)
{
    return trine_f64_to_bf16(x);
}
static uint32_t encode64_f16(double x)
{
    return trine_f64_to_f16(x);
}
static float decode_bf16(uint32_t c)
{
    return trine_bf16_to_f32((uint16_t)c);
}
static float decode_f16(uint32_t c)
{
    return trine_f16_to_f32((uint16_t)c);
}
static float decode_e4m3fn(uint32_t c)
{
    return trine_e4m3fn_to_f32((uint8_t)c);
}
static float decode_e4m3fnuz(uint32_t c)
{
    return trine_e4m3fnuz_to_f32((uint8_t)c);
}
static float decode_e5m2(uint32_t c)
{
    return trine_e5m2_to_f32((uint8_t)c);
}

static const struct format formats[] = {
    {"bf16", 16, 7, 127, 0x7f7f, 0x7fff, true, true, encode_bf16, encode64_bf16, decode_bf16},
    {"f16", 16, 10, 15, 0x7bff, 0x7fff, true, true, encode_f16, encode64_f16, decode_f16},
    {"e4m3fn", 8, 3, 7, 0x7e, 0x7f, false, true, encode_e4m3fn, NULL, decode_e4m3fn},
    {"e4m3fnuz", 8, 3, 8, 0x7f, 0x80, false, false, encode_e4m3fnuz, NULL, decode_e4m3fnuz},
    {"e5m2", 8, 2, 15, 0x7b, 0x7f, false, true, encode_e5m2, NULL, decode_e5m2},
};
#define FORMATS (sizeof formats / sizeof formats[0])

// The value of a positive code up to max_code + 1; that one stands for the step after the largest
// finite value.
static double value_of(const struct format *f, uint32_t code)
{
    uint32_t e = code >> f->mantissa;
    double m = (double)(code & ((1u << f->mantissa) - 1));
    double one = (double)(1u << f->mantissa);
    return e == 0 ? ldexp(m / one, 1 - f->bias) : ldexp(1 + m / one, (int)e - f->bias);
}

static uint32_t sign_bit(const struct format *f)
{
    return 1u << (f->bits - 1);
}

static bool same_f32(float a, float b)
{
    return trine_f32_bits(a) == trine_f32_bits(b) || (a != a && b != b);
}

Test(numerics_format, every_code_to_f32_and_back)
{
    for (size_t i = 0; i < FORMATS; i++) {
        const struct format *f = &formats[i];
        uint32_t codes = 0;
        for (uint32_t c = 0; c < 1u << f->bits; c++) {
            uint32_t a = c & (sign_bit(f) - 1);
            bool negative = c & sign_bit(f);
            float got = f->decode(c);
            float want;
            uint32_t back = c;
            if (a <= f->max_code && !(c == sign_bit(f) && !f->signed_zero)) {
                want = (float)(negative ? -value_of(f, a) : value_of(f, a));
            } else if (a == f->max_code + 1 && a != 0 && f->bits != 8) {
                want = negative ? -INFINITY : INFINITY;
            } else if (a == 0x7c && f->mantissa == 2) {
                want = negative ? -INFINITY : INFINITY;
                back = c - 1; // saturates
            } else {
                want = NAN;
                back = f->nan_code;
            }
            cr_assert(same_f32(got, want), "%s 0x%x: %a, not %a", f->name, c, (double)got,
                      (double)want);
            cr_assert_eq(f->encode(got), back, "%s 0x%x back: 0x%x", f->name, c, f->encode(got));
            codes++;
        }
        cr_assert_eq(codes, 1u << f->bits);
    }
}

// Nearest of the two neighbours low = code and code + 1, ties to the even one.
static uint32_t nearest(const struct format *f, uint32_t code, double x)
{
    double below = x - value_of(f, code);
    double above = value_of(f, code + 1) - x;
    uint32_t r = below < above ? code : above < below ? code + 1 : code + (code & 1);
    return r > f->max_code && !f->infinite ? f->max_code : r;
}

static uint32_t with_sign(const struct format *f, uint32_t code)
{
    return code == 0 && !f->signed_zero ? 0 : code | sign_bit(f);
}

static long expect_f32(const struct format *f, uint32_t low, float x)
{
    uint32_t want = nearest(f, low, (double)x);
    cr_assert_eq(f->encode(x), want, "%s of %a: 0x%x, not 0x%x", f->name, (double)x, f->encode(x),
                 want);
    cr_assert_eq(f->encode(-x), with_sign(f, want), "%s of %a: 0x%x, not 0x%x", f->name, -(double)x,
                 f->encode(-x), with_sign(f, want));
    return 2;
}

Test(numerics_format, f32_at_every_boundary)
{
    for (size_t i = 0; i < FORMATS; i++) {
        const struct format *f = &formats[i];
        long checked = 0;
        for (uint32_t c = 0; c <= f->max_code; c++) {
            double low = value_of(f, c), high = value_of(f, c + 1);
            float middle = (float)((low + high) / 2);
            cr_assert((double)middle == (low + high) / 2);
            checked += expect_f32(f, c, (float)low);
            checked += expect_f32(f, c, nextafterf((float)low, INFINITY));
            checked += expect_f32(f, c, nextafterf(middle, 0));
            checked += expect_f32(f, c, middle);
            checked += expect_f32(f, c, nextafterf(middle, INFINITY));
            if (high <= FLT_MAX) checked += expect_f32(f, c, nextafterf((float)high, 0));
        }
        cr_assert_geq(checked, (long)f->max_code * 12);
    }
}

Test(numerics_format, f32_beyond_the_largest)
{
    for (size_t i = 0; i < FORMATS; i++) {
        const struct format *f = &formats[i];
        float beyond = (float)fmin(value_of(f, f->max_code + 1), 0x1.fffffep127);
        uint32_t want = f->infinite ? f->max_code + 1 : f->max_code;
        const float large[] = {beyond, 1e30f, FLT_MAX, INFINITY};
        for (size_t j = 0; j < 4; j++) {
            if (large[j] < beyond) continue;
            cr_assert_eq(f->encode(large[j]), want, "%s of %a", f->name, (double)large[j]);
            cr_assert_eq(f->encode(-large[j]), want | sign_bit(f), "%s of %a", f->name,
                         -(double)large[j]);
        }
        const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7f800001,
                                 0xff800001, 0x7fffffff, 0xffffffff};
        for (size_t j = 0; j < 6; j++)
            cr_assert_eq(f->encode(trine_f32_from_bits(nans[j])), f->nan_code, "%s of NaN 0x%x",
                         f->name, nans[j]);
    }
}

static long expect_f64(const struct format *f, uint32_t low, double x)
{
    uint32_t want = nearest(f, low, x);
    cr_assert_eq(f->encode_f64(x), want, "%s of %a: 0x%x, not 0x%x", f->name, x, f->encode_f64(x),
                 want);
    cr_assert_eq(f->encode_f64(-x), with_sign(f, want), "%s of %a", f->name, -x);
    return 2;
}

// A double just off the middle would become the middle in f32: rounding twice fails here.
Test(numerics_format, f64_rounds_once)
{
    for (size_t i = 0; i < FORMATS; i++) {
        const struct format *f = &formats[i];
        if (f->encode_f64 == NULL) continue;
        long checked = 0;
        for (uint32_t c = 0; c <= f->max_code; c++) {
            double low = value_of(f, c), high = value_of(f, c + 1), middle = (low + high) / 2;
            checked += expect_f64(f, c, low);
            checked += expect_f64(f, c, nextafter(low, INFINITY));
            checked += expect_f64(f, c, nextafter(middle, 0));
            checked += expect_f64(f, c, middle);
            checked += expect_f64(f, c, nextafter(middle, INFINITY));
            checked += expect_f64(f, c, middle + (high - low) * 0x1p-30);
            checked += expect_f64(f, c, nextafter(high, 0));
        }
        cr_assert_geq(checked, (long)f->max_code * 14);
        cr_assert_eq(f->encode_f64(1e300), f->max_code + 1);
        cr_assert_eq(f->encode_f64(-INFINITY), (f->max_code + 1) | sign_bit(f));
        cr_assert_eq(f->encode_f64((double)NAN), f->nan_code);
        cr_assert_eq(f->encode_f64(-5e-324), sign_bit(f));
    }
    cr_assert_eq(trine_f64_to_f32(1 + 0x1p-24 + 0x1p-50), 1 + 0x1p-23f);
}

Test(numerics_format, rounding_helpers)
{
    cr_assert_eq(trine_round_bf16(1 + 0x1p-8f), 1.0f);
    cr_assert_eq(trine_round_bf16(1 + 0x1.8p-8f), 1 + 0x1p-7f);
    cr_assert_eq(trine_round_f16(1 + 0x1p-11f), 1.0f);
    cr_assert_eq(trine_round_f16(1 + 0x1.8p-11f), 1 + 0x1p-10f);
    cr_assert_eq(trine_round_f16(70000.0f), INFINITY);
}

Test(numerics_format, ue8m0)
{
    for (int c = 0; c < 255; c++) {
        float v = trine_ue8m0_to_f32((uint8_t)c);
        cr_assert((double)v == ldexp(1.0, c - 127), "byte %d is %a", c, (double)v);
        cr_assert_eq(trine_f32_to_ue8m0(v), c);
        if (c > 0) cr_assert_eq(trine_f32_to_ue8m0(nextafterf(v, 0)), c, "below byte %d", c);
        cr_assert_eq(trine_f32_to_ue8m0(nextafterf(v, INFINITY)), c + 1, "above byte %d", c);
        if (c > 0) {
            cr_assert_eq(trine_ceil_pow2(v), v);
            cr_assert_eq(trine_ceil_pow2(nextafterf(v, INFINITY)), c < 254 ? 2 * v : INFINITY);
        }
    }
    cr_assert(isnan(trine_ue8m0_to_f32(255)));
    cr_assert_eq(trine_f32_to_ue8m0(0.0f), 0);
    const float none[] = {NAN, INFINITY, FLT_MAX, -1.0f};
    for (size_t i = 0; i < 4; i++) cr_assert_eq(trine_f32_to_ue8m0(none[i]), 255);
}

Test(numerics_format, int8)
{
    for (int h = -2 * 127; h <= 2 * 127; h++) {
        float middle = (float)h / 2;
        const float xs[] = {nextafterf(middle, -INFINITY), middle, nextafterf(middle, INFINITY)};
        for (size_t i = 0; i < 3; i++) {
            float x = xs[i];
            if (fabsf(x) > 127) continue;
            cr_assert_eq(trine_f32_to_i8_nearest(x), (int)rint((double)x), "%a", (double)x);
            cr_assert_eq(trine_f32_to_i8_truncate(x), (int)trunc((double)x), "%a", (double)x);
        }
    }
    cr_assert_eq(trine_f32_to_i8_nearest(-128.0f), -128);
    cr_assert_eq(trine_f32_to_i8_truncate(-128.0f), -128);
    cr_assert_eq(trine_f32_to_i8_nearest(-0.0f), 0);
    const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7f8000a5, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(trine_f32_to_i8_nearest(trine_f32_from_bits(nans[i])), 0);
        cr_assert_eq(trine_f32_to_i8_truncate(trine_f32_from_bits(nans[i])), 0);
    }
}
