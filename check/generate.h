// SPDX-License-Identifier: Apache-2.0
/* Values of a call's tensors: by what a tensor means, its dtype and a pattern. */
#ifndef TRINE_CHECK_GENERATE_H
#define TRINE_CHECK_GENERATE_H

#include "check/call.h"

typedef enum trine_pattern {
    TRINE_PATTERN_NORMAL = 0,   /* smooth random data */
    TRINE_PATTERN_EDGES = 1,    /* stretches of zeros, extremes, subnormals, alternations, ... */
    TRINE_PATTERN_CONSTANT = 2, /* one value throughout */
    TRINE_PATTERN_EXACT = 3,    /* bounded ops: every order and width of summation agrees */
    TRINE_PATTERN_TIES = 4,     /* quotients half-way between codes */
    TRINE_PATTERN_WIDE = 5,     /* magnitudes from the smallest to the largest */
    TRINE_PATTERN_SPECIAL = 6, /* NaN, Inf and -0 among ordinary values, and whole blocks of them */
    TRINE_PATTERN_COUNT = 7
} trine_pattern;

const char *trine_pattern_name(trine_pattern pattern);
/* Does the pattern make sense for an op? */
bool trine_pattern_fits(const trine_op_description *op, trine_pattern pattern);

/* Fills data with values for every input of the plan (and outputs that are read). */
trine_status trine_generate(const trine_plan *plan, trine_pattern pattern, uint64_t key,
                            trine_data *data);

/* Can exact data be made for this call? */
bool trine_exact_possible(const trine_plan *plan);
/* Element `index` of a tensor in exact data. */
double trine_exact_value(const trine_plan *plan, int tensor, const int64_t *index, uint64_t key);

#endif
