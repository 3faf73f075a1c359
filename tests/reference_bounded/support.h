// SPDX-License-Identifier: Apache-2.0
// Tensors, numbers and rounding for the tests of the matrix ops' references: none of it is shared
// with the code under test but the number formats.
#ifndef TRINE_TESTS_REFERENCE_BOUNDED_SUPPORT_H
#define TRINE_TESTS_REFERENCE_BOUNDED_SUPPORT_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <trine/kernel.h>

/* ---------------------------------------------------------------- random numbers */

typedef struct rng {
    uint64_t state;
} rng;

uint64_t rng_next(rng *r);
/* An integer of [0, count). */
int64_t rng_below(rng *r, int64_t count);
/* Uniform in [lo, hi). */
double rng_uniform(rng *r, double lo, double hi);
/* About normal, mean 0, deviation 1. */
double rng_normal(rng *r);
/* order[0..count) = 0..count-1, shuffled. */
void rng_shuffle(rng *r, int64_t *order, int64_t count);

/* ---------------------------------------------------------------- memory and tensors */

/* Zeroed memory that lives until pool_clear. */
void *pool_alloc(size_t size);
void pool_clear(void);

/* Zeroed. pad > 0: strides longer than the shape needs, in every dimension (inner too). */
trine_view tensor(trine_dtype dtype, int32_t rank, const int64_t *shape, int64_t pad);
trine_view tensor1(trine_dtype dtype, int64_t a);
trine_view tensor2(trine_dtype dtype, int64_t a, int64_t b);
trine_view tensor3(trine_dtype dtype, int64_t a, int64_t b, int64_t c);
trine_view absent(void);

int64_t element_count(const trine_view *v);
/* Offset of the index-th element in row-major order. */
int64_t offset_of(const trine_view *v, int64_t index);
double get(const trine_view *v, int64_t index);
/* Rounds to the dtype, to nearest even. */
void set(const trine_view *v, int64_t index, double value);
void fill_normal(rng *r, const trine_view *v, double deviation);
void fill_uniform(rng *r, const trine_view *v, double lo, double hi);
void fill_integers(rng *r, const trine_view *v, int64_t lo, int64_t hi);
/* Codes of an 8-bit dtype, NaN and Inf excluded. */
void fill_codes(rng *r, const trine_view *v);

/* ---------------------------------------------------------------- rounding */

/* To f32, bf16 or f16, once, from long double; by frexp, not by the library's bit tricks. */
long double round_to(trine_dtype dtype, long double value);
/* The code of an 8-bit dtype nearest to q, ties to the even one, by search; q is in range. */
uint8_t nearest_code(trine_dtype dtype, double q);
double value_of_code(trine_dtype dtype, uint8_t code);
/* Quantizer's maximum: 448, 224, 127. */
double q_max_of(trine_dtype dtype);

#endif
