// SPDX-License-Identifier: Apache-2.0
// How a product leaves: bias, roundings, store. The same for every row of the ops that multiply
// matrices.
#ifndef TRINE_BACKENDS_GPU_GEMM_OUTPUT_H
#define TRINE_BACKENDS_GPU_GEMM_OUTPUT_H

#include "backends/gpu/format.h"
#include "backends/gpu/memory.h"
#include <trine/kernel.h>

namespace trine_gpu
{

struct gemm_output {
    void *out;
    const void *bias;                 // NULL: none
    int64_t row, column, bias_stride; // strides in elements
    trine_dtype dtype, bias_dtype;
    bool after; // the bias is added to the rounded product
};

static inline gemm_output gemm_output_of(const trine_view *out, const trine_view *bias,
                                         trine_bias_rounding rounding)
{
    gemm_output o = {};
    o.out = out->data;
    o.row = out->stride[0], o.column = out->stride[1];
    o.dtype = o.bias_dtype = out->dtype;
    if (bias->data) {
        o.bias = bias->data;
        o.bias_stride = bias->stride[0];
        o.bias_dtype = bias->dtype;
    }
    o.after = rounding == TRINE_BIAS_AFTER;
    return o;
}

TRINE_DEVICE float round_output(float x, trine_dtype dtype)
{
    if (dtype == TRINE_BF16) return bf16::round(x);
    return dtype == TRINE_F16 ? f16::round(x) : x;
}

// What is stored, but for the last rounding.
TRINE_DEVICE float add_bias(const gemm_output &o, float value, int64_t n)
{
    if (!o.bias) return value;
    if (o.after) value = round_output(value, o.dtype);
    return value + load_real(o.bias, o.bias_dtype, n * o.bias_stride);
}

TRINE_DEVICE void store_output(const gemm_output &o, int64_t m, int64_t n, float value)
{
    value = add_bias(o, value, n);
    const int64_t at = m * o.row + n * o.column;
    if (o.dtype == TRINE_F32)
        static_cast<float *>(o.out)[at] = value;
    else
        static_cast<uint16_t *>(o.out)[at] =
            (uint16_t)(o.dtype == TRINE_BF16 ? bf16::pack(value, 0.0f) : f16::pack(value, 0.0f));
}

// Formats of results. f32 is not rounded.
struct output_f32 {
    static constexpr uint32_t bytes = 4;
    TRINE_DEVICE float round(float x) { return x; }
    TRINE_DEVICE float load(const void *data, int64_t i)
    {
        return static_cast<const float *>(data)[i];
    }
    TRINE_DEVICE void store(void *to, float x) { *static_cast<float *>(to) = x; }
    TRINE_DEVICE void store_8(void *to, const float (&x)[8])
    {
#pragma unroll
        for (uint32_t i = 0; i < 8; i += 4) {
            const uint32_t words[4] = {trine_f32_bits(x[i]), trine_f32_bits(x[i + 1]),
                                       trine_f32_bits(x[i + 2]), trine_f32_bits(x[i + 3])};
            store_words(static_cast<float *>(to) + i, words);
        }
    }
};

// Half is bf16 or f16 of format.h.
template <class Half>
struct output_half {
    static constexpr uint32_t bytes = 2;
    TRINE_DEVICE float round(float x) { return Half::round(x); }
    TRINE_DEVICE float load(const void *data, int64_t i)
    {
        return Half::from_bits(static_cast<const uint16_t *>(data)[i]);
    }
    TRINE_DEVICE void store(void *to, float x)
    {
        *static_cast<uint16_t *>(to) = (uint16_t)Half::pack(x, 0.0f);
    }
    TRINE_DEVICE void store_8(void *to, const float (&x)[8])
    {
        uint32_t words[4];
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) words[i] = Half::pack(x[2 * i], x[2 * i + 1]);
        store_words(to, words);
    }
};

template <class Format>
TRINE_DEVICE void store_run_of(const gemm_output &o, int64_t m, int64_t n, uint32_t count,
                               bool wide, const float (&values)[8])
{
    float v[8];
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) v[i] = values[i];
    if (o.bias) {
#pragma unroll
        for (uint32_t i = 0; i < 8; i++) {
            if (i >= count) break;
            const int64_t at = (n + i) * o.bias_stride;
            const float bias =
                o.bias_dtype == TRINE_F32 ? output_f32::load(o.bias, at) : Format::load(o.bias, at);
            v[i] = (o.after ? Format::round(v[i]) : v[i]) + bias;
        }
    }
    uint8_t *to = static_cast<uint8_t *>(o.out) + (m * o.row + n) * Format::bytes;
    if (wide && count == 8) {
        Format::store_8(to, v);
    } else {
#pragma unroll
        for (uint32_t i = 0; i < 8; i++)
            if (i < count) Format::store(to + i * Format::bytes, v[i]);
    }
}

// `count` results of a row whose elements lie side by side, at most 8; `wide`: they begin at a
// multiple of 16 bytes.
TRINE_DEVICE void store_run(const gemm_output &o, int64_t m, int64_t n, uint32_t count, bool wide,
                            const float (&values)[8])
{
    if (o.dtype == TRINE_BF16)
        store_run_of<output_half<bf16>>(o, m, n, count, wide, values);
    else if (o.dtype == TRINE_F16)
        store_run_of<output_half<f16>>(o, m, n, count, wide, values);
    else
        store_run_of<output_f32>(o, m, n, count, wide, values);
}

} // namespace trine_gpu

#endif
