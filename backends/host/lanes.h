// SPDX-License-Identifier: Apache-2.0
/*
 * A few f32 side by side. A dot product is summed in TRINE_LANES partial sums, element i in sum
 * i % TRINE_LANES, whatever the registers' width: that is what makes the bits the same everywhere.
 */
#ifndef TRINE_BACKENDS_HOST_LANES_H
#define TRINE_BACKENDS_HOST_LANES_H

#include "backends/host/convert.h"

#define TRINE_LANES 16

#if defined(TRINE_HOST_AVX512) || defined(TRINE_HOST_AVX2)
#include "backends/host/lanes_x86.h"
#else
#define TRINE_LANES_WIDTH 4
#define TRINE_TILE_N      2
typedef float trine_lanes __attribute__((vector_size(16)));

TRINE_INLINE trine_lanes trine_lanes_load(const float *p)
{
    trine_lanes x;
    memcpy(&x, p, sizeof x);
    return x;
}

TRINE_INLINE void trine_lanes_store(float *p, trine_lanes x)
{
    memcpy(p, &x, sizeof x);
}

TRINE_INLINE trine_lanes trine_lanes_all(float x)
{
    trine_lanes v = {x, x, x, x};
    return v;
}

TRINE_INLINE trine_lanes trine_lanes_fma(trine_lanes a, trine_lanes b, trine_lanes c)
{
    trine_lanes v = {trine_fmaf(a[0], b[0], c[0]), trine_fmaf(a[1], b[1], c[1]),
                     trine_fmaf(a[2], b[2], c[2]), trine_fmaf(a[3], b[3], c[3])};
    return v;
}

/* Where a b is exact, the product and the sum are the fma; without an fma instruction they are many
 * times faster. */
TRINE_INLINE trine_lanes trine_lanes_fma_exact(trine_lanes a, trine_lanes b, trine_lanes c)
{
#if defined(__FP_FAST_FMAF) || defined(__aarch64__)
    return trine_lanes_fma(a, b, c);
#else
    return a * b + c;
#endif
}
#endif

/* The sum of the TRINE_LANES partial sums, in double: exact or nearly so, always in this order. */
TRINE_INLINE float trine_lanes_sum(const float *c)
{
    double d[8];
    for (int i = 0; i < 8; i++) d[i] = (double)c[i] + (double)c[i + 8];
    for (int i = 0; i < 4; i++) d[i] = d[i] + d[i + 4];
    return (float)((d[0] + d[2]) + (d[1] + d[3]));
}

#endif
