// SPDX-License-Identifier: Apache-2.0
/*
 * Runs of elements: from a tensor to f32 and back, with one rounding. Loops without branches over
 * the one-source conversions, so the compiler turns them into vectors of whatever width the level
 * allows, and the bits cannot depend on it.
 */
#ifndef TRINE_BACKENDS_HOST_CONVERT_H
#define TRINE_BACKENDS_HOST_CONVERT_H

#include <string.h>
#include <trine/kernel.h>

#include "numerics/format.h"

/* A tensor's address need not be a multiple of its element size. */
#if defined(__GNUC__)
#define TRINE_UNALIGNED __attribute__((aligned(1), may_alias))
#define TRINE_INLINE    static inline __attribute__((always_inline))
#define TRINE_UNUSED    __attribute__((unused))
#define TRINE_RUN       __attribute__((unused, noinline)) /* many loops inside: one copy is enough */
#else
#error "the fast CPU rows need gcc or clang"
#endif
typedef uint16_t TRINE_UNALIGNED trine_u16;
typedef uint32_t TRINE_UNALIGNED trine_u32;
typedef float TRINE_UNALIGNED trine_float;

/* Bytes of an element, for the dtypes that appear here. */
TRINE_INLINE int64_t trine_element_size(trine_dtype dtype)
{
    return dtype == TRINE_F32 || dtype == TRINE_I32    ? 4
           : dtype == TRINE_BF16 || dtype == TRINE_F16 ? 2
                                                       : 1;
}

TRINE_INLINE const char *trine_element(const trine_view *v, int64_t offset)
{
    return (const char *)v->data + offset * trine_element_size(v->dtype);
}

TRINE_INLINE char *trine_element_out(const trine_view *v, int64_t offset)
{
    return (char *)v->data + offset * trine_element_size(v->dtype);
}

TRINE_UNUSED static float trine_read_f32(const void *base, int64_t index)
{
    return ((const trine_float *)base)[index];
}

/* Elements 0, step, 2 step ... of src as f32; step is a constant 1 or 2 at every call. */
TRINE_INLINE void trine_load_run_step(float *restrict dst, const void *restrict src,
                                      trine_dtype dtype, int64_t count, int64_t step)
{
    const uint8_t *b = src;
    const trine_u16 *h = src;
    const trine_float *f = src;
    switch (dtype) {
    case TRINE_BF16:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_bf16_to_f32(h[step * i]);
        break;
    case TRINE_F16:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_f16_to_f32(h[step * i]);
        break;
    case TRINE_E4M3FN:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_e4m3fn_to_f32(b[step * i]);
        break;
    case TRINE_E4M3FNUZ:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_e4m3fnuz_to_f32(b[step * i]);
        break;
    case TRINE_E5M2:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_e5m2_to_f32(b[step * i]);
        break;
    case TRINE_I8:
        for (int64_t i = 0; i < count; i++) dst[i] = (float)(int8_t)b[step * i];
        break;
    case TRINE_U8:
        for (int64_t i = 0; i < count; i++) dst[i] = (float)b[step * i];
        break;
    default:
        for (int64_t i = 0; i < count; i++) dst[i] = f[step * i];
        break;
    }
}

TRINE_RUN static void trine_load_run(float *restrict dst, const void *restrict src,
                                     trine_dtype dtype, int64_t count)
{
    trine_load_run_step(dst, src, dtype, count, 1);
}

/* Every second element, from the first of src on. */
TRINE_RUN static void trine_load_run_2(float *restrict dst, const void *restrict src,
                                       trine_dtype dtype, int64_t count)
{
    trine_load_run_step(dst, src, dtype, count, 2);
}

/* One rounding to f32, bf16 or f16. */
TRINE_RUN static void trine_store_run(void *restrict dst, const float *restrict src,
                                      trine_dtype dtype, int64_t count)
{
    trine_u16 *h = dst;
    trine_float *f = dst;
    if (dtype == TRINE_BF16)
        for (int64_t i = 0; i < count; i++) h[i] = trine_f32_to_bf16(src[i]);
    else if (dtype == TRINE_F16)
        for (int64_t i = 0; i < count; i++) h[i] = trine_f32_to_f16(src[i]);
    else
        for (int64_t i = 0; i < count; i++) f[i] = src[i];
}

/* The same rounding, kept as values. */
TRINE_RUN static void trine_round_run(float *x, trine_dtype dtype, int64_t count)
{
    if (dtype == TRINE_BF16)
        for (int64_t i = 0; i < count; i++) x[i] = trine_round_bf16(x[i]);
    else if (dtype == TRINE_F16)
        for (int64_t i = 0; i < count; i++) x[i] = trine_round_f16(x[i]);
}

TRINE_INLINE float trine_round_one(float x, trine_dtype dtype)
{
    return dtype == TRINE_BF16 ? trine_round_bf16(x) : dtype == TRINE_F16 ? trine_round_f16(x) : x;
}

#endif
