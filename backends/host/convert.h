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

#include "backends/host/symbol.h"
#include "numerics/format.h"

/* A tensor's address need not be a multiple of its element size. */
#if defined(__GNUC__)
#define TRINE_UNALIGNED __attribute__((aligned(1), may_alias))
#define TRINE_INLINE    static inline __attribute__((always_inline))
#define TRINE_UNUSED    __attribute__((unused))
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

/* `count` elements side by side as f32. */
#define trine_load_run TRINE_HOST_SYMBOL(load_run)
void trine_load_run(float *restrict dst, const void *restrict src, trine_dtype dtype,
                    int64_t count);

/* Every second element, from the first of src on. */
#define trine_load_run_2 TRINE_HOST_SYMBOL(load_run_2)
void trine_load_run_2(float *restrict dst, const void *restrict src, trine_dtype dtype,
                      int64_t count);

/* One rounding to f32, bf16 or f16. */
#define trine_store_run TRINE_HOST_SYMBOL(store_run)
void trine_store_run(void *restrict dst, const float *restrict src, trine_dtype dtype,
                     int64_t count);

/* The same rounding, kept as values. */
#define trine_round_run TRINE_HOST_SYMBOL(round_run)
void trine_round_run(float *x, trine_dtype dtype, int64_t count);

TRINE_INLINE float trine_round_one(float x, trine_dtype dtype)
{
    return dtype == TRINE_BF16 ? trine_round_bf16(x) : dtype == TRINE_F16 ? trine_round_f16(x) : x;
}

#endif
