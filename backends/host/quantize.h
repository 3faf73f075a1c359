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

/* The larger of amax and every finite |x|. Clears *finite when there is a NaN or an Inf. */
#define trine_amax_run TRINE_HOST_SYMBOL(amax_run)
float trine_amax_run(float amax, const float *x, int64_t count, bool *finite);

/* The scale of a group whose amax is floored at eps already. */
TRINE_INLINE float trine_quantizer_scale(const trine_host_quantizer *q, float amax)
{
    float s = q->reciprocal ? trine_group_scale_reciprocal(amax, q->q_max)
                            : trine_group_scale_divide(amax, q->q_max);
    return q->ue8m0 ? trine_group_scale_ue8m0(s, q->ue8m0_floor) : s;
}

/* Scales of groups of x. */
#define trine_scale_groups TRINE_HOST_SYMBOL(scale_groups)
void trine_scale_groups(const trine_host_quantizer *q, const float *x, int64_t groups, int64_t size,
                        trine_host_group *group);

/* Codes of groups of x, which is spoiled. */
#define trine_quantize_groups TRINE_HOST_SYMBOL(quantize_groups)
void trine_quantize_groups(const trine_host_quantizer *q, uint8_t *codes, float *x, int64_t groups,
                           int64_t size, const trine_host_group *group);

/* One group of any length, of any dtype: sets its amax and scale, unless group->own is false: then
 * its scale is given. */
#define trine_quantize_row_group TRINE_HOST_SYMBOL(quantize_row_group)
void trine_quantize_row_group(const trine_host_quantizer *q, const char *x, trine_dtype dtype,
                              int64_t count, uint8_t *codes, trine_host_group *group);

/* Row x of k columns, a scale for each group_length of them (the last may be short); the scale of
 * group j goes to scales[j * scale_step]. */
#define trine_quantize_row TRINE_HOST_SYMBOL(quantize_row)
void trine_quantize_row(const trine_host_quantizer *q, const char *x, trine_dtype dtype, int64_t k,
                        int64_t group_length, uint8_t *codes, trine_float *scales,
                        int64_t scale_step);

#endif
