// SPDX-License-Identifier: Apache-2.0
/* Elements of any dtype as numbers, bits and text. Pointers may be unaligned. */
#ifndef TRINE_CHECK_VALUE_H
#define TRINE_CHECK_VALUE_H

#include <trine/trine.h>

double trine_value_get(trine_dtype dtype, const void *element);
/* Nearest even; formats without infinity saturate; integers saturate. */
void trine_value_set(trine_dtype dtype, void *element, double value);

uint32_t trine_value_bits(trine_dtype dtype, const void *element);
void trine_value_set_bits(trine_dtype dtype, void *element, uint32_t bits);

bool trine_value_is_float(trine_dtype dtype);
/* Equal bits; in f32, f16 and bf16 any NaN equals any NaN. */
bool trine_value_same(trine_dtype dtype, const void *a, const void *b);
/* Steps between two numbers of the format; -1 when one is NaN (or both are). */
int64_t trine_value_distance(trine_dtype dtype, const void *a, const void *b);

/* Largest finite value; the integer types' maximum. */
double trine_value_largest(trine_dtype dtype);
/* Smallest positive value. */
double trine_value_smallest(trine_dtype dtype);

/* "0x3f80 (1)" */
typedef struct trine_value_text {
    char text[48];
} trine_value_text;
trine_value_text trine_value_print(trine_dtype dtype, const void *element);

/* TRINE_DTYPE_COUNT if there is none of that name ("bf16"). */
trine_dtype trine_dtype_from_name(const char *name);

#endif
