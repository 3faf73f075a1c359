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

} // namespace trine_gpu

#endif
