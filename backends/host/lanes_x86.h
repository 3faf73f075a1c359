// SPDX-License-Identifier: Apache-2.0
/* x86 only: the lanes of lanes.h as AVX-512 and AVX registers. */
#ifndef TRINE_BACKENDS_HOST_LANES_X86_H
#define TRINE_BACKENDS_HOST_LANES_X86_H

#include <immintrin.h>

#include "backends/host/convert.h"

#if defined(TRINE_HOST_AVX512)
#define TRINE_LANES_WIDTH 16
#define TRINE_TILE_N      4 /* 24 accumulators of 32 registers */
typedef __m512 trine_lanes;

TRINE_INLINE trine_lanes trine_lanes_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

TRINE_INLINE void trine_lanes_store(float *p, trine_lanes x)
{
    _mm512_storeu_ps(p, x);
}

TRINE_INLINE trine_lanes trine_lanes_all(float x)
{
    return _mm512_set1_ps(x);
}

TRINE_INLINE trine_lanes trine_lanes_fma(trine_lanes a, trine_lanes b, trine_lanes c)
{
    return _mm512_fmadd_ps(a, b, c);
}

#else
#define TRINE_LANES_WIDTH 8
#define TRINE_TILE_N      2 /* 12 accumulators of 16 registers */
typedef __m256 trine_lanes;

TRINE_INLINE trine_lanes trine_lanes_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

TRINE_INLINE void trine_lanes_store(float *p, trine_lanes x)
{
    _mm256_storeu_ps(p, x);
}

TRINE_INLINE trine_lanes trine_lanes_all(float x)
{
    return _mm256_set1_ps(x);
}

TRINE_INLINE trine_lanes trine_lanes_fma(trine_lanes a, trine_lanes b, trine_lanes c)
{
    return _mm256_fmadd_ps(a, b, c);
}
#endif

/* Products are never rounded on their own here. */
TRINE_INLINE trine_lanes trine_lanes_fma_exact(trine_lanes a, trine_lanes b, trine_lanes c)
{
    return trine_lanes_fma(a, b, c);
}

#endif
