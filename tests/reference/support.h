// SPDX-License-Identifier: Apache-2.0
/*
 * Tensors with poisoned surroundings, random values, and number formats re-derived in double from
 * their definition: what the tests of the exact references stand on.
 */
#ifndef TRINE_TESTS_REFERENCE_SUPPORT_H
#define TRINE_TESTS_REFERENCE_SUPPORT_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "reference/reference.h"

#define POISON 0xa5
#define GUARD  64

typedef struct tensor {
    trine_view view;
    unsigned char *base; /* GUARD bytes, the extent, GUARD bytes */
    size_t size;         /* of all that */
} tensor;

static inline int64_t elements(const trine_view *v)
{
    int64_t n = 1;
    for (int32_t d = 0; d < v->rank; d++) n *= v->shape[d];
    return n;
}

/* Offset of row-major element `i`, in elements. */
static inline int64_t offset_of(const trine_view *v, int64_t i)
{
    int64_t offset = 0, rest = elements(v);
    for (int32_t d = 0; d < v->rank; d++) {
        rest /= v->shape[d];
        offset += i / rest * v->stride[d];
        i %= rest;
    }
    return offset;
}

/* A tensor full of poison. stride NULL: contiguous. */
static inline tensor make(trine_dtype dtype, int32_t rank, const int64_t *shape,
                          const int64_t *stride)
{
    tensor t = {.view = {.dtype = dtype, .rank = rank}};
    int64_t next = 1, last = 0;
    for (int32_t d = rank - 1; d >= 0; d--) {
        t.view.shape[d] = shape[d];
        t.view.stride[d] = stride ? stride[d] : next;
        last += (shape[d] - 1) * t.view.stride[d];
        next *= shape[d];
    }
    size_t extent = next > 0 ? (size_t)(last + 1) * trine_dtype_size(dtype) : 0;
    t.size = extent + 2 * GUARD;
    t.base = malloc(t.size);
    cr_assert(t.base);
    memset(t.base, POISON, t.size);
    t.view.data = t.base + GUARD;
    return t;
}

#define MAKE(dtype, rank, ...) make(dtype, rank, (int64_t[]){__VA_ARGS__}, NULL)

static inline trine_view absent(void)
{
    return (trine_view){.rank = -1};
}

static inline uint32_t bits_at(const trine_view *v, int64_t offset)
{
    uint32_t bits = 0;
    size_t size = trine_dtype_size(v->dtype);
    memcpy(&bits, (char *)v->data + (size_t)offset * size, size); /* little-endian hosts */
    return bits;
}

static inline void set_bits_at(const trine_view *v, int64_t offset, uint32_t bits)
{
    size_t size = trine_dtype_size(v->dtype);
    memcpy((char *)v->data + (size_t)offset * size, &bits, size);
}

static inline uint32_t bits_of(const tensor *t, int64_t i)
{
    return bits_at(&t->view, offset_of(&t->view, i));
}

static inline void set_bits(const tensor *t, int64_t i, uint32_t bits)
{
    set_bits_at(&t->view, offset_of(&t->view, i), bits);
}

/* ---------------------------------------------------------------- formats, by definition */

typedef struct format {
    int exponent_bits, mantissa_bits, bias;
    bool infinities; /* the top exponent holds Inf and NaN */
} format;

static inline format format_of(trine_dtype dtype)
{
    switch (dtype) {
    case TRINE_F16:
        return (format){5, 10, 15, true};
    case TRINE_BF16:
        return (format){8, 7, 127, true};
    case TRINE_E4M3FN:
        return (format){4, 3, 7, false};
    case TRINE_E4M3FNUZ:
        return (format){4, 3, 8, false};
    case TRINE_E5M2:
        return (format){5, 2, 15, true};
    default:
        return (format){8, 23, 127, true};
    }
}

static inline double value_of_bits(trine_dtype dtype, uint32_t bits)
{
    if (dtype == TRINE_I32) return (int32_t)bits;
    if (dtype == TRINE_I8) return (int8_t)(uint8_t)bits;
    if (dtype == TRINE_U8) return (uint8_t)bits;
    if (dtype == TRINE_E4M3FNUZ && bits == 0x80) return NAN;
    if (dtype == TRINE_E4M3FN && (bits & 0x7f) == 0x7f) return NAN;
    format f = format_of(dtype);
    uint32_t mantissa = bits & ((1u << f.mantissa_bits) - 1);
    int exponent = (int)(bits >> f.mantissa_bits) & ((1 << f.exponent_bits) - 1);
    double sign = bits >> (f.mantissa_bits + f.exponent_bits) & 1 ? -1.0 : 1.0;
    if (f.infinities && exponent == (1 << f.exponent_bits) - 1)
        return mantissa ? (double)NAN : sign * (double)INFINITY;
    if (!exponent) return sign * ldexp(mantissa, 1 - f.bias - f.mantissa_bits);
    return sign * ldexp((1u << f.mantissa_bits) + mantissa, exponent - f.bias - f.mantissa_bits);
}

static inline double value_of(const tensor *t, int64_t i)
{
    return value_of_bits(t->view.dtype, bits_of(t, i));
}

/* x rounded to nearest even into f32, f16 or bf16; x must be exact. */
static inline double nearest(trine_dtype dtype, double x)
{
    format f = format_of(dtype);
    if (isnan(x) || isinf(x) || x == 0) return x;
    int lowest = 1 - f.bias - f.mantissa_bits;
    int unit = ilogb(x) - f.mantissa_bits > lowest ? ilogb(x) - f.mantissa_bits : lowest;
    double r = ldexp(nearbyint(ldexp(x, -unit)), unit);
    double limit = ldexp(2.0 - ldexp(1, -f.mantissa_bits), f.bias);
    return fabs(r) > limit ? copysign(INFINITY, x) : r;
}

/* Stores a value that the dtype can hold exactly, or its nearest. */
static inline void set_value(const tensor *t, int64_t i, double x)
{
    trine_dtype dtype = t->view.dtype;
    if (dtype == TRINE_I32 || dtype == TRINE_I8 || dtype == TRINE_U8) {
        set_bits(t, i, (uint32_t)(int32_t)x);
        return;
    }
    format f = format_of(dtype);
    int width = 1 + f.exponent_bits + f.mantissa_bits;
    uint32_t sign = signbit(x) ? 1u << (width - 1) : 0;
    uint32_t top = (1u << f.exponent_bits) - 1;
    double a = fabs(nearest(dtype, x));
    uint32_t bits;
    if (isnan(x)) {
        bits = top << f.mantissa_bits | 1u << (f.mantissa_bits - 1);
    } else if (isinf(a)) {
        bits = top << f.mantissa_bits;
    } else if (a < ldexp(1, 1 - f.bias)) {
        bits = (uint32_t)ldexp(a, f.bias - 1 + f.mantissa_bits);
    } else {
        int e = ilogb(a);
        bits = (uint32_t)(e + f.bias) << f.mantissa_bits |
               ((uint32_t)ldexp(a, f.mantissa_bits - e) - (1u << f.mantissa_bits));
    }
    set_bits(t, i, sign | bits);
}

/* ---------------------------------------------------------------- random numbers */

static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline int64_t random_below(uint64_t *state, int64_t n)
{
    return (int64_t)(random_next(state) % (uint64_t)n);
}

/* A multiple of 2^-20 in (-4, 4): a product of two, and the sum of two such products, is exact in
 * double. */
static inline double random_value(uint64_t *state)
{
    return ldexp((double)random_below(state, 1 << 23) - (1 << 22), -20);
}

static inline void fill_random(const tensor *t, uint64_t seed)
{
    uint64_t state = seed;
    for (int64_t i = 0; i < elements(&t->view); i++) set_value(t, i, random_value(&state));
}

/* ---------------------------------------------------------------- comparisons */

/* Equal values with equal signs, or both NaN. */
static inline bool same_value(double a, double b)
{
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b && signbit(a) == signbit(b);
}

/* The number of bytes outside the elements of the view that are no longer poison. */
static inline size_t stray_bytes(const tensor *t)
{
    size_t stray = 0, size = trine_dtype_size(t->view.dtype);
    unsigned char *mine = calloc(t->size, 1);
    cr_assert(mine);
    for (int64_t i = 0; i < elements(&t->view); i++)
        memset(mine + GUARD + (size_t)offset_of(&t->view, i) * size, 1, size);
    for (size_t i = 0; i < t->size; i++) stray += !mine[i] && t->base[i] != POISON;
    free(mine);
    return stray;
}

static inline void release(tensor *t)
{
    free(t->base);
    t->base = NULL;
}

/* ---------------------------------------------------------------- threads */

static const int thread_counts[] = {1, 2, 5};

static inline void use_threads(int count)
{
#ifdef _OPENMP
    omp_set_num_threads(count);
#else
    (void)count;
#endif
}

#endif
