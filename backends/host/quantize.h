// SPDX-License-Identifier: Apache-2.0
/*
 * Quantization of f32 values group by group; per_token_group_quant's arithmetic. Groups lie side
 * by side, and each step runs over all of them before the next one, so that their latencies
 * overlap.
 */
#ifndef TRINE_BACKENDS_HOST_QUANTIZE_H
#define TRINE_BACKENDS_HOST_QUANTIZE_H

#include "backends/host/convert.h"
#include "numerics/group_scale.h"

typedef struct trine_host_quantizer {
    trine_dtype dtype; /* e4m3fn, e4m3fnuz or i8 */
    float q_max, eps, ue8m0_floor;
    bool default_q_max;
    bool reciprocal, ue8m0;
    trine_int_rounding int_rounding;
} trine_host_quantizer;

/* A group's scale and how it came about. */
typedef struct trine_host_group {
    float amax, s;
    bool finite; /* neither NaN nor Inf in the group */
    bool own;    /* s comes from this amax, which no finite |x| exceeds */
} trine_host_group;

/* per_token_group_quant's defaults. */
TRINE_INLINE trine_host_quantizer trine_default_quantizer(trine_dtype dtype)
{
    float q_max = dtype == TRINE_E4M3FN ? 448.0f : dtype == TRINE_E4M3FNUZ ? 224.0f : 127.0f;
    trine_host_quantizer q = {dtype, q_max, 1e-10f, 1e-10f, true, false, false, TRINE_INT_NEAREST};
    return q;
}

/* The larger of amax and every finite |x|. As integers, so that the order is free. Clears *finite
 * when there is a NaN or an Inf. */
TRINE_RUN static float trine_amax_run(float amax, const float *x, int64_t count, bool *finite)
{
    int32_t largest = (int32_t)trine_f32_bits(amax), floor = largest;
    for (int64_t i = 0; i < count; i++) {
        int32_t a = (int32_t)(trine_f32_bits(x[i]) & 0x7fffffffu);
        largest = a > largest ? a : largest;
    }
    if (largest >= 0x7f800000) {
        *finite = false;
        largest = floor;
        for (int64_t i = 0; i < count; i++) {
            int32_t a = (int32_t)trine_f32_bits(trine_finite_abs(x[i]));
            largest = a > largest ? a : largest;
        }
    }
    return trine_f32_from_bits((uint32_t)largest);
}

/* The scale of a group whose amax is floored at eps already. */
TRINE_INLINE float trine_quantizer_scale(const trine_host_quantizer *q, float amax)
{
    float s = q->reciprocal ? trine_group_scale_reciprocal(amax, q->q_max)
                            : trine_group_scale_divide(amax, q->q_max);
    return q->ue8m0 ? trine_group_scale_ue8m0(s, q->ue8m0_floor) : s;
}

/* Scales of groups of x. */
TRINE_UNUSED static void trine_scale_groups(const trine_host_quantizer *q, const float *x,
                                            int64_t groups, int64_t size, trine_host_group *group)
{
    for (int64_t j = 0; j < groups; j++) {
        group[j].finite = group[j].own = true;
        group[j].amax = trine_amax_run(q->eps, x + j * size, size, &group[j].finite);
    }
    for (int64_t j = 0; j < groups; j++) group[j].s = trine_quantizer_scale(q, group[j].amax);
}

/* The e4m3 code of a finite q that rounds to no more than the format's largest value; `lowest` is
 * the exponent of the smallest normal, where f32 has it. Adding 2^(e+20) leaves the multiple of
 * 2^(e-3) in the low bits, rounded by the addition itself; 8 of them make the hidden bit. */
TRINE_INLINE uint32_t trine_e4m3_magnitude(float q, int32_t lowest)
{
    int32_t a = (int32_t)(trine_f32_bits(q) & 0x7fffffffu);
    int32_t e = a & 0x7f800000;
    e = e > lowest ? e : lowest;
    int32_t magic = e + (20 << 23);
    float sum = trine_f32_from_bits((uint32_t)a) + trine_f32_from_bits((uint32_t)magic);
    return trine_f32_bits(sum) - (uint32_t)magic + ((uint32_t)(e - lowest) >> 20);
}

/* trine_f32_to_e4m3fn for |q| up to 464, trine_f32_to_e4m3fnuz up to 248, NaN excluded. */
TRINE_INLINE uint32_t trine_finite_to_e4m3fn(float q)
{
    uint32_t sign = trine_f32_bits(q) >> 24 & 0x80u;
    return trine_e4m3_magnitude(q, 121 << 23) | sign;
}

TRINE_INLINE uint32_t trine_finite_to_e4m3fnuz(float q)
{
    uint32_t m = trine_e4m3_magnitude(q, 120 << 23);
    uint32_t sign = trine_f32_bits(q) >> 24 & 0x80u;
    return m != 0u ? m | sign : m;
}

/* Finite groups with the default q_max: the quotient needs no division, no |q| exceeds q_max by
 * more than its last bit, so none needs a clamp. dtype and truncate are constants at every call. */
TRINE_INLINE void trine_quantize_finite_as(uint8_t *restrict codes, const float *restrict x,
                                           int64_t groups, int64_t size,
                                           const trine_host_group *group, trine_dtype dtype,
                                           bool truncate)
{
    /* Codes are formed as words and narrowed afterwards: compilers that narrow on the way do so
     * several times per code. */
    uint32_t words[128];
    for (int64_t j = 0; j < groups; j++) {
        float s = group[j].s, r = trine_divf(1.0f, s);
        for (int64_t done = 0; done < size; done += 128) {
            int64_t count = size - done < 128 ? size - done : 128;
            for (int64_t i = 0; i < count; i++) {
                float q = trine_group_quotient_fast(x[i], s, r);
                words[i] = dtype == TRINE_E4M3FN     ? trine_finite_to_e4m3fn(q)
                           : dtype == TRINE_E4M3FNUZ ? trine_finite_to_e4m3fnuz(q)
                           : truncate                ? (uint32_t)(int32_t)q
                                                     : trine_f32_bits(q + 12582912.0f);
            }
            for (int64_t i = 0; i < count; i++) codes[i] = (uint8_t)words[i];
            codes += count;
            x += count;
        }
    }
}

TRINE_RUN static void trine_quantize_finite(const trine_host_quantizer *q, uint8_t *codes,
                                            const float *x, int64_t groups, int64_t size,
                                            const trine_host_group *group)
{
    if (q->dtype == TRINE_E4M3FN)
        trine_quantize_finite_as(codes, x, groups, size, group, TRINE_E4M3FN, false);
    else if (q->dtype == TRINE_E4M3FNUZ)
        trine_quantize_finite_as(codes, x, groups, size, group, TRINE_E4M3FNUZ, false);
    else if (q->int_rounding == TRINE_INT_TRUNCATE)
        trine_quantize_finite_as(codes, x, groups, size, group, TRINE_I8, true);
    else
        trine_quantize_finite_as(codes, x, groups, size, group, TRINE_I8, false);
}

/* Any group, as the contract writes it. x is spoiled. */
TRINE_RUN static void trine_quantize_any(const trine_host_quantizer *q, uint8_t *restrict codes,
                                         float *restrict x, int64_t count,
                                         const trine_host_group *group)
{
    float q_max = q->q_max, s = group->s;
    if (q->reciprocal && !q->ue8m0) {
        float factor = trine_group_factor(group->amax, q_max);
        for (int64_t i = 0; i < count; i++) x[i] = trine_group_clamp(x[i] * factor, q_max);
    } else {
        for (int64_t i = 0; i < count; i++)
            x[i] = trine_group_clamp(trine_group_quotient(x[i], s), q_max);
    }
    if (q->dtype == TRINE_E4M3FN)
        for (int64_t i = 0; i < count; i++) codes[i] = trine_f32_to_e4m3fn(x[i]);
    else if (q->dtype == TRINE_E4M3FNUZ)
        for (int64_t i = 0; i < count; i++) codes[i] = trine_f32_to_e4m3fnuz(x[i]);
    else if (q->int_rounding == TRINE_INT_TRUNCATE)
        for (int64_t i = 0; i < count; i++) codes[i] = (uint8_t)trine_f32_to_i8_truncate(x[i]);
    else
        for (int64_t i = 0; i < count; i++) codes[i] = (uint8_t)trine_f32_to_i8_nearest(x[i]);
}

/* Codes of groups of x, which is spoiled. */
TRINE_UNUSED static void trine_quantize_groups(const trine_host_quantizer *q, uint8_t *codes,
                                               float *x, int64_t groups, int64_t size,
                                               const trine_host_group *group)
{
#if defined(TRINE_HOST_FMA)
    bool fast = q->default_q_max && (!q->reciprocal || q->ue8m0);
#else
    bool fast = false; /* without an fma instruction the division is the faster one */
#endif
    int64_t j = 0;
    while (j < groups) {
        int64_t end = j;
        while (fast && end < groups && group[end].finite && group[end].own) end++;
        trine_quantize_finite(q, codes + j * size, x + j * size, end - j, size, group + j);
        if (end < groups) {
            trine_quantize_any(q, codes + end * size, x + end * size, size, group + end);
            end++;
        }
        j = end;
    }
}

#endif
