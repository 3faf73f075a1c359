// SPDX-License-Identifier: Apache-2.0
/*
 * Size arithmetic of the op tables: every result fits 63 bits or is TRINE_SIZE_BAD, which sticks,
 * so that a chain of sizes is checked once at its end.
 */
#ifndef TRINE_OPS_SIZE_H
#define TRINE_OPS_SIZE_H

#include "ops/op.h"
#include "ops/tensors.h"

#define TRINE_SIZE_BAD (-1)

static inline int64_t trine_size_add(int64_t a, int64_t b)
{
    int64_t sum;
    return a < 0 || b < 0 || __builtin_add_overflow(a, b, &sum) ? TRINE_SIZE_BAD : sum;
}

static inline int64_t trine_size_mul(int64_t a, int64_t b)
{
    int64_t product;
    return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product) ? TRINE_SIZE_BAD : product;
}

/* a rounded up to a multiple of a power of two. */
static inline int64_t trine_size_align(int64_t a, int64_t to)
{
    int64_t up = trine_size_add(a, to - 1);
    return up < 0 ? up : up & ~(to - 1);
}

static inline int64_t trine_ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* Dimension i of a view whose dimension i is absent or repeated counts one element a step. */
static inline double trine_view_bytes(const trine_view *view)
{
    if (!trine_view_present(view)) return 0.0;
    double bytes = (double)trine_dtype_size(view->dtype);
    for (int i = 0; i < view->rank; i++)
        bytes *= view->stride[i] || !view->shape[i] ? (double)view->shape[i] : 1.0;
    return bytes;
}

static inline bool trine_is_fp8(trine_dtype dtype)
{
    return dtype == TRINE_E4M3FN || dtype == TRINE_E4M3FNUZ || dtype == TRINE_E5M2;
}

/* A dimension of size 1 has no use for its stride. */
static inline bool trine_stride_is(const trine_view *view, int dim, int64_t stride)
{
    return view->shape[dim] <= 1 || view->stride[dim] == stride;
}

/* Adds a leading dimension of size 1 that repeats. */
static inline trine_view trine_view_lead(const trine_view *view)
{
    trine_view led = {.data = view->data, .dtype = view->dtype, .rank = view->rank + 1};
    led.shape[0] = 1;
    for (int i = 0; i < view->rank; i++) {
        led.shape[i + 1] = view->shape[i];
        led.stride[i + 1] = view->stride[i];
    }
    return led;
}

/* Float params: as large as any finite number, and anything finite. */
#define TRINE_FLOAT_MAX 3.402823466e38

/* Dtype masks of the tables. */
#define TRINE_HALVES (TRINE_DTYPE_BIT(TRINE_BF16) | TRINE_DTYPE_BIT(TRINE_F16))
#define TRINE_FLOATS (TRINE_HALVES | TRINE_DTYPE_BIT(TRINE_F32))
#define TRINE_E4M3   (TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ))

#define TRINE_TABLE_SIZE(table) (sizeof(table) / sizeof((table)[0]))

#endif
