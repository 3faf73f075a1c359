// SPDX-License-Identifier: Apache-2.0
// The few primitives on which the number formats and elementary functions stand, in C11, CUDA C++
// and HIP. Everything here gives the same bits on all three, so everything built from it does too.
//
// Compile flags that the promise needs: -ffp-contract=off (host, HIP), -fmad=false (nvcc), no
// fast-math, no flushing of subnormals. -fno-math-errno and -fno-trapping-math change no value; gcc
// needs the latter to vectorize most of these functions for AVX2. HIP's correctly rounded division
// is clang's default
// (-fhip-fp32-correctly-rounded-divide-sqrt) and must not be switched off.
#ifndef TRINE_NUMERICS_PORTABLE_H
#define TRINE_NUMERICS_PORTABLE_H

#include <stdint.h>
#if !defined(__HIP__)
#include <math.h>
#include <string.h>
#endif

#ifdef __FAST_MATH__
#error "numerics/ needs IEEE arithmetic: build without -ffast-math"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "numerics/ needs float arithmetic in float: build with -mfpmath=sse"
#endif

#if defined(__CUDACC__) || defined(__HIP__)
#define TRINE_FN                                                                                   \
    static inline __attribute__((host)) __attribute__((device)) __attribute__((always_inline))
#elif defined(__GNUC__)
#define TRINE_FN static inline __attribute__((always_inline))
#else
#define TRINE_FN static inline
#endif

// Where an approximate reciprocal exists that a division may start from.
#if defined(__CUDA_ARCH__)
#define TRINE_ON_CUDA 1
#elif defined(__HIP_DEVICE_COMPILE__)
#define TRINE_ON_HIP 1
#endif

TRINE_FN uint32_t trine_f32_bits(float x)
{
#if defined(TRINE_ON_CUDA)
    return __float_as_uint(x);
#elif defined(__HIP__)
    return __builtin_bit_cast(uint32_t, x);
#else
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
#endif
}

TRINE_FN float trine_f32_from_bits(uint32_t u)
{
#if defined(TRINE_ON_CUDA)
    return __uint_as_float(u);
#elif defined(__HIP__)
    return __builtin_bit_cast(float, u);
#else
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
#endif
}

// One rounding of a * b + c.
TRINE_FN float trine_fmaf(float a, float b, float c)
{
#if defined(TRINE_ON_CUDA)
    return __fmaf_rn(a, b, c);
#elif defined(__HIP__) || defined(__GNUC__)
    return __builtin_fmaf(a, b, c);
#else
    return fmaf(a, b, c);
#endif
}

// Correctly rounded quotient.
TRINE_FN float trine_divf(float a, float b)
{
#if defined(TRINE_ON_CUDA)
    return __fdiv_rn(a, b);
#else
    return a / b;
#endif
}

TRINE_FN float trine_rintf(float x)
{
#if defined(TRINE_ON_CUDA)
    return rintf(x);
#elif defined(__HIP__) || defined(__GNUC__)
    return __builtin_rintf(x);
#else
    return rintf(x);
#endif
}

TRINE_FN float trine_absf(float x)
{
#if defined(TRINE_ON_CUDA)
    return fabsf(x);
#elif defined(__HIP__) || defined(__GNUC__)
    return __builtin_fabsf(x);
#else
    return fabsf(x);
#endif
}

// The smaller (larger) of x and limit; x when x is NaN. The comparison is written so that x86 needs
// one instruction.
TRINE_FN float trine_min_keep_nan(float x, float limit)
{
#if defined(TRINE_ON_CUDA) && __CUDA_ARCH__ >= 800
    float r;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(x), "f"(limit));
    return r;
#else
    return limit < x ? limit : x;
#endif
}

TRINE_FN float trine_max_keep_nan(float x, float limit)
{
#if defined(TRINE_ON_CUDA) && __CUDA_ARCH__ >= 800
    float r;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(x), "f"(limit));
    return r;
#else
    return limit > x ? limit : x;
#endif
}

// The larger of x and limit; when x is NaN, either. One instruction on more machines than the
// above.
TRINE_FN float trine_max_no_nan(float x, float limit)
{
#if defined(TRINE_ON_CUDA)
    return fmaxf(x, limit);
#elif defined(TRINE_ON_HIP)
    return __builtin_fmaxf(x, limit);
#else
    return limit > x ? limit : x;
#endif
}

TRINE_FN float trine_min_no_nan(float x, float limit)
{
#if defined(TRINE_ON_CUDA)
    return fminf(x, limit);
#elif defined(TRINE_ON_HIP)
    return __builtin_fminf(x, limit);
#else
    return limit < x ? limit : x;
#endif
}

// x if it is NaN, else y: restores a NaN that a faster sequence lost.
TRINE_FN float trine_keep_nan(float x, float y)
{
    return x == x ? y : x;
}

#endif
