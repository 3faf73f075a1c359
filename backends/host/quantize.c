// SPDX-License-Identifier: Apache-2.0
/* Quantization of groups and rows. */
#include "backends/host/quantize.h"

#include "backends/host/finite_e4m3.h"

#define RUN 1024

/* As integers, so that the order is free. */
float trine_amax_run(float amax, const float *x, int64_t count, bool *finite)
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

void trine_scale_groups(const trine_host_quantizer *q, const float *x, int64_t groups, int64_t size,
                        trine_host_group *group)
{
    for (int64_t j = 0; j < groups; j++) {
        group[j].finite = group[j].own = true;
        group[j].amax = trine_amax_run(q->eps, x + j * size, size, &group[j].finite);
    }
    for (int64_t j = 0; j < groups; j++) group[j].s = trine_quantizer_scale(q, group[j].amax);
}

/* Finite groups with the default q_max: the quotient needs no division, no |q| exceeds q_max by
 * more than its last bit, so none needs a clamp. dtype and truncate are constants at every call. */
TRINE_INLINE void quantize_finite_as(uint8_t *restrict codes, const float *restrict x,
                                     int64_t groups, int64_t size, const trine_host_group *group,
                                     trine_dtype dtype, bool truncate)
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

static void quantize_finite(const trine_host_quantizer *q, uint8_t *codes, const float *x,
                            int64_t groups, int64_t size, const trine_host_group *group)
{
    if (q->dtype == TRINE_E4M3FN)
        quantize_finite_as(codes, x, groups, size, group, TRINE_E4M3FN, false);
    else if (q->dtype == TRINE_E4M3FNUZ)
        quantize_finite_as(codes, x, groups, size, group, TRINE_E4M3FNUZ, false);
    else if (q->int_rounding == TRINE_INT_TRUNCATE)
        quantize_finite_as(codes, x, groups, size, group, TRINE_I8, true);
    else
        quantize_finite_as(codes, x, groups, size, group, TRINE_I8, false);
}

/* Any group, as the contract writes it. x is spoiled. */
static void quantize_any(const trine_host_quantizer *q, uint8_t *restrict codes, float *restrict x,
                         int64_t count, const trine_host_group *group)
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

void trine_quantize_groups(const trine_host_quantizer *q, uint8_t *codes, float *x, int64_t groups,
                           int64_t size, const trine_host_group *group)
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
        quantize_finite(q, codes + j * size, x + j * size, end - j, size, group + j);
        if (end < groups) {
            quantize_any(q, codes + end * size, x + end * size, size, group + end);
            end++;
        }
        j = end;
    }
}

void trine_quantize_row_group(const trine_host_quantizer *q, const char *x, trine_dtype dtype,
                              int64_t count, uint8_t *codes, trine_host_group *group)
{
    float run[RUN];
    int64_t size = trine_element_size(dtype);
    int64_t loaded = 0; /* how much of the group's only run is in `run` */
    group->finite = true;
    if (group->own) {
        group->amax = q->eps;
        for (int64_t k = 0; k < count; k += RUN) {
            loaded = count - k < RUN ? count - k : RUN;
            trine_load_run(run, x + k * size, dtype, loaded);
            group->amax = trine_amax_run(group->amax, run, loaded, &group->finite);
        }
        group->s = trine_quantizer_scale(q, group->amax);
    }
    for (int64_t k = 0; k < count; k += RUN) {
        int64_t step = count - k < RUN ? count - k : RUN;
        if (loaded != count) trine_load_run(run, x + k * size, dtype, step);
        trine_quantize_groups(q, codes + k, run, 1, step, group);
    }
}

void trine_quantize_row(const trine_host_quantizer *q, const char *x, trine_dtype dtype, int64_t k,
                        int64_t group_length, uint8_t *codes, trine_float *scales,
                        int64_t scale_step)
{
    int64_t size = trine_element_size(dtype);
    for (int64_t begin = 0; begin < k; begin += group_length) {
        trine_host_group group = {0.0f, 0.0f, true, true};
        int64_t count = k - begin < group_length ? k - begin : group_length;
        trine_quantize_row_group(q, x + begin * size, dtype, count, codes + begin, &group);
        scales[begin / group_length * scale_step] = group.s;
    }
}
