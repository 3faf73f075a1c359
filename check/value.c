// SPDX-License-Identifier: Apache-2.0
/* Elements as numbers, bits and text. */
#include "check/value.h"

#include "numerics/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

uint32_t trine_value_bits(trine_dtype dtype, const void *element)
{
    uint32_t bits = 0;
    uint16_t half;

    switch (trine_dtype_size(dtype)) {
    case 1:
        return *(const uint8_t *)element;
    case 2:
        memcpy(&half, element, 2);
        return half;
    default:
        memcpy(&bits, element, 4);
        return bits;
    }
}

void trine_value_set_bits(trine_dtype dtype, void *element, uint32_t bits)
{
    const uint16_t half = (uint16_t)bits;

    switch (trine_dtype_size(dtype)) {
    case 1:
        *(uint8_t *)element = (uint8_t)bits;
        break;
    case 2:
        memcpy(element, &half, 2);
        break;
    default:
        memcpy(element, &bits, 4);
    }
}

double trine_value_get(trine_dtype dtype, const void *element)
{
    const uint32_t bits = trine_value_bits(dtype, element);

    switch (dtype) {
    case TRINE_F32:
        return trine_f32_from_bits(bits);
    case TRINE_F16:
        return trine_f16_to_f32((uint16_t)bits);
    case TRINE_BF16:
        return trine_bf16_to_f32((uint16_t)bits);
    case TRINE_E4M3FN:
        return trine_e4m3fn_to_f32((uint8_t)bits);
    case TRINE_E4M3FNUZ:
        return trine_e4m3fnuz_to_f32((uint8_t)bits);
    case TRINE_E5M2:
        return trine_e5m2_to_f32((uint8_t)bits);
    case TRINE_I8:
        return (int8_t)(uint8_t)bits;
    case TRINE_I32:
        return (int32_t)bits;
    default:
        return bits;
    }
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

void trine_value_set(trine_dtype dtype, void *element, double value)
{
    const double whole = isnan(value) ? 0 : rint(value);
    uint32_t bits = 0;

    switch (dtype) {
    case TRINE_F32:
        bits = trine_f32_bits((float)value);
        break;
    case TRINE_F16:
        bits = trine_f64_to_f16(value);
        break;
    case TRINE_BF16:
        bits = trine_f64_to_bf16(value);
        break;
    case TRINE_E4M3FN:
        bits = trine_f32_to_e4m3fn((float)value);
        break;
    case TRINE_E4M3FNUZ:
        bits = trine_f32_to_e4m3fnuz((float)value);
        break;
    case TRINE_E5M2:
        bits = trine_f32_to_e5m2((float)value);
        break;
    case TRINE_I8:
        bits = (uint32_t)(int32_t)clamp(whole, -128, 127);
        break;
    case TRINE_U8:
        bits = (uint32_t)clamp(whole, 0, 255);
        break;
    default:
        bits = (uint32_t)(int32_t)clamp(whole, INT32_MIN, INT32_MAX);
        break;
    }
    trine_value_set_bits(dtype, element, bits);
}

bool trine_value_is_float(trine_dtype dtype)
{
    return dtype <= TRINE_E5M2;
}

bool trine_value_same(trine_dtype dtype, const void *a, const void *b)
{
    if (trine_value_bits(dtype, a) == trine_value_bits(dtype, b)) return true;
    return dtype <= TRINE_BF16 && isnan(trine_value_get(dtype, a)) &&
           isnan(trine_value_get(dtype, b));
}

/* Position of a number among all numbers of its format, zeros at 0. */
static int64_t position(trine_dtype dtype, const void *element)
{
    const uint32_t bits = trine_value_bits(dtype, element);
    const uint32_t sign = UINT32_C(1) << (8 * trine_dtype_size(dtype) - 1);

    if (!trine_value_is_float(dtype)) return (int64_t)trine_value_get(dtype, element);
    return bits & sign ? -(int64_t)(bits & (sign - 1)) : (int64_t)bits;
}

int64_t trine_value_distance(trine_dtype dtype, const void *a, const void *b)
{
    if (isnan(trine_value_get(dtype, a)) || isnan(trine_value_get(dtype, b))) return -1;
    const int64_t steps = position(dtype, a) - position(dtype, b);
    return steps < 0 ? -steps : steps;
}

double trine_value_largest(trine_dtype dtype)
{
    switch (dtype) {
    case TRINE_F32:
        return 0x1.fffffep127;
    case TRINE_F16:
        return 65504;
    case TRINE_BF16:
        return 0x1.fep127;
    case TRINE_E4M3FN:
        return 448;
    case TRINE_E4M3FNUZ:
        return 240;
    case TRINE_E5M2:
        return 57344;
    case TRINE_I8:
        return 127;
    case TRINE_U8:
        return 255;
    default:
        return INT32_MAX;
    }
}

double trine_value_smallest(trine_dtype dtype)
{
    switch (dtype) {
    case TRINE_F32:
        return 0x1p-149;
    case TRINE_F16:
        return 0x1p-24;
    case TRINE_BF16:
        return 0x1p-133;
    case TRINE_E4M3FN:
        return 0x1p-9;
    case TRINE_E4M3FNUZ:
        return 0x1p-10;
    case TRINE_E5M2:
        return 0x1p-16;
    default:
        return 1;
    }
}

trine_value_text trine_value_print(trine_dtype dtype, const void *element)
{
    trine_value_text out;

    snprintf(out.text, sizeof out.text, "0x%0*" PRIx32 " (%.9g)",
             (int)(2 * trine_dtype_size(dtype)), trine_value_bits(dtype, element),
             trine_value_get(dtype, element));
    return out;
}

trine_dtype trine_dtype_from_name(const char *name)
{
    for (int i = 0; i < TRINE_DTYPE_COUNT; i++) {
        if (strcmp(name, trine_dtype_name((trine_dtype)i)) == 0) return (trine_dtype)i;
    }
    return TRINE_DTYPE_COUNT;
}
