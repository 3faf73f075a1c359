// SPDX-License-Identifier: Apache-2.0
/* Comparing outputs: to the bit, or within a bound per element. */
#ifndef TRINE_CHECK_COMPARE_H
#define TRINE_CHECK_COMPARE_H

#include "check/tensor.h"

enum {
    TRINE_ULP_0,    /* the same bits, or NaN and NaN */
    TRINE_ULP_1,    /* one step apart */
    TRINE_ULP_2,    /* two */
    TRINE_ULP_4,    /* up to four */
    TRINE_ULP_16,   /* up to 16 */
    TRINE_ULP_64,   /* up to 64 */
    TRINE_ULP_MORE, /* more */
    TRINE_ULP_NAN,  /* one of them is NaN */
    TRINE_ULP_CLASSES
};

/* What several tensors and runs came to. Start with zeros. */
typedef struct trine_comparison {
    int64_t compared;
    int64_t wrong; /* exact: bits differ; bounded: outside the bound */
    int64_t histogram[TRINE_ULP_CLASSES];
    double used;     /* largest part of a bound that was used */
    char first[400]; /* the first wrong element, as a sentence */
} trine_comparison;

/* Elements with their strides; the shape is the region that is compared. */
typedef struct trine_elements {
    const uint8_t *bytes;  /* element 0 */
    const int64_t *stride; /* elements; NULL: packed row-major over the region */
} trine_elements;

void trine_compare_exact(trine_comparison *comparison, const char *name, trine_dtype dtype,
                         int32_t rank, const int64_t *shape, trine_elements got,
                         trine_elements want);

/* value and bound run over the region in row-major order. */
void trine_compare_bounded(trine_comparison *comparison, const char *name, trine_dtype dtype,
                           int32_t rank, const int64_t *shape, trine_elements got,
                           const double *value, const double *bound);

/* Does y lie within the bound? The rule of docs/ops.md; *used gets |y - v| / b. */
bool trine_within_bound(trine_dtype dtype, double y, double value, double bound, double *used);

/* "0: 912, 1: 3, NaN: 1"; only classes that occur. */
void trine_comparison_histogram(const trine_comparison *comparison, char *text, size_t size);

#endif
