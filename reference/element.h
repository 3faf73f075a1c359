// SPDX-License-Identifier: Apache-2.0
// Elements of a view, whatever their dtype and strides: read as f32, written with one rounding.
#ifndef TRINE_REFERENCE_ELEMENT_H
#define TRINE_REFERENCE_ELEMENT_H

#include <string.h>
#include <trine/kernel.h>

#include "numerics/format.h"

/* Offset in elements of an index into the leading dimensions of a view. */
static inline int64_t trine_at1(const trine_view *v, int64_t i)
{
    return i * v->stride[0];
}

static inline int64_t trine_at2(const trine_view *v, int64_t i, int64_t j)
{
    return i * v->stride[0] + j * v->stride[1];
}

static inline int64_t trine_at3(const trine_view *v, int64_t i, int64_t j, int64_t k)
{
    return i * v->stride[0] + j * v->stride[1] + k * v->stride[2];
}

static inline int64_t trine_at4(const trine_view *v, int64_t i, int64_t j, int64_t k, int64_t l)
{
    return i * v->stride[0] + j * v->stride[1] + k * v->stride[2] + l * v->stride[3];
}

/* Offset of element `index` in row-major order, for a view of any rank. */
static inline int64_t trine_at_linear(const trine_view *v, int64_t index)
{
    int64_t offset = 0;
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        offset += index % v->shape[d] * v->stride[d];
        index /= v->shape[d];
    }
    return offset;
}

/* memcpy, because a tensor's address need not be a multiple of its element size. */
static inline uint8_t trine_load_u8(const trine_view *v, int64_t offset)
{
    return ((const uint8_t *)v->data)[offset];
}

static inline void trine_store_u8(const trine_view *v, int64_t offset, uint8_t value)
{
    ((uint8_t *)v->data)[offset] = value;
}

static inline uint16_t trine_load_u16(const trine_view *v, int64_t offset)
{
    uint16_t value;
    memcpy(&value, (const char *)v->data + offset * 2, sizeof value);
    return value;
}

static inline void trine_store_u16(const trine_view *v, int64_t offset, uint16_t value)
{
    memcpy((char *)v->data + offset * 2, &value, sizeof value);
}

static inline int32_t trine_load_i32(const trine_view *v, int64_t offset)
{
    int32_t value;
    memcpy(&value, (const char *)v->data + offset * 4, sizeof value);
    return value;
}

static inline void trine_store_i32(const trine_view *v, int64_t offset, int32_t value)
{
    memcpy((char *)v->data + offset * 4, &value, sizeof value);
}

static inline float trine_load_f32(const trine_view *v, int64_t offset)
{
    float value;
    memcpy(&value, (const char *)v->data + offset * 4, sizeof value);
    return value;
}

static inline void trine_store_f32(const trine_view *v, int64_t offset, float value)
{
    memcpy((char *)v->data + offset * 4, &value, sizeof value);
}

/* The element as f32, exactly; for the floating dtypes and i8. */
static inline float trine_load(const trine_view *v, int64_t offset)
{
    switch (v->dtype) {
    case TRINE_F32:
        return trine_load_f32(v, offset);
    case TRINE_F16:
        return trine_f16_to_f32(trine_load_u16(v, offset));
    case TRINE_BF16:
        return trine_bf16_to_f32(trine_load_u16(v, offset));
    case TRINE_E4M3FN:
        return trine_e4m3fn_to_f32(trine_load_u8(v, offset));
    case TRINE_E4M3FNUZ:
        return trine_e4m3fnuz_to_f32(trine_load_u8(v, offset));
    case TRINE_E5M2:
        return trine_e5m2_to_f32(trine_load_u8(v, offset));
    default: /* TRINE_I8 */
        return (float)(int8_t)trine_load_u8(v, offset);
    }
}

/* RN to f32, bf16 or f16, as a value. */
static inline float trine_round_to(trine_dtype dtype, float value)
{
    return dtype == TRINE_BF16  ? trine_round_bf16(value)
           : dtype == TRINE_F16 ? trine_round_f16(value)
                                : value;
}

/* One rounding to f32, bf16 or f16. */
static inline void trine_store(const trine_view *v, int64_t offset, float value)
{
    if (v->dtype == TRINE_BF16)
        trine_store_u16(v, offset, trine_f32_to_bf16(value));
    else if (v->dtype == TRINE_F16)
        trine_store_u16(v, offset, trine_f32_to_f16(value));
    else
        trine_store_f32(v, offset, value);
}

/* One rounding from double to f32, bf16 or f16. */
static inline void trine_store_f64(const trine_view *v, int64_t offset, double value)
{
    if (v->dtype == TRINE_BF16)
        trine_store_u16(v, offset, trine_f64_to_bf16(value));
    else if (v->dtype == TRINE_F16)
        trine_store_u16(v, offset, trine_f64_to_f16(value));
    else
        trine_store_f32(v, offset, trine_f64_to_f32(value));
}

#endif
