// SPDX-License-Identifier: Apache-2.0
/*
 * Cases of an op, drawn so that every pair of (dtype, shape form, optional tensor, param value,
 * size class, layout, pattern) that is legal occurs. Drawing knows the op's table only; validation
 * says what is legal.
 */
#ifndef TRINE_CHECK_CASES_H
#define TRINE_CHECK_CASES_H

#include "check/generate.h"
#include <trine/kernel.h>

#define TRINE_CASE_BYTES  2e6 /* max_bytes, unless said otherwise */
#define TRINE_MAX_FACTORS 56
#define TRINE_MAX_CHOICES 12

typedef enum trine_factor_kind {
    TRINE_FACTOR_SIZE,
    TRINE_FACTOR_LAYOUT,
    TRINE_FACTOR_PATTERN,
    TRINE_FACTOR_IN_PLACE,
    TRINE_FACTOR_DTYPE,
    TRINE_FACTOR_FORM,
    TRINE_FACTOR_HAS,
    TRINE_FACTOR_PARAM
} trine_factor_kind;

typedef struct trine_factor {
    char name[48]; /* "size", "x.dtype", "bias", "group_size" */
    trine_factor_kind kind;
    int index; /* of the tensor or param */
    int count;
    double values[TRINE_MAX_CHOICES]; /* dtypes, numbers of a param */
    int first;                        /* number of its choice 0 among all choices */
} trine_factor;

typedef struct trine_case {
    int64_t number;
    uint8_t choice[TRINE_MAX_FACTORS];
    trine_pattern pattern;
    uint64_t key; /* of its data */
    trine_plan plan;
} trine_case;

typedef struct trine_cases {
    const trine_op_description *op;
    trine_context *context; /* validates; the host */
    uint64_t seed;
    int64_t drawn;
    double max_bytes; /* of a case, as trine_op_cost counts; and twice as many operations */
    trine_factor factors[TRINE_MAX_FACTORS];
    int factor_count, choice_count;
    uint8_t *covered; /* choice_count squared: pairs that occurred */
    uint8_t *tried;   /* how often a pair was asked for in vain */
} trine_cases;

trine_status trine_cases_create(trine_cases *cases, int32_t op, uint64_t seed,
                                trine_context *context);
void trine_cases_destroy(trine_cases *cases);

/* Draws the next case; false when no legal one was found. */
bool trine_cases_next(trine_cases *cases, trine_case *entry);

/*
 * Plain cases: most choices are the default, sizes, dtypes and data are drawn. Narrow rows, which
 * pairs seldom meet, are checked with them: dtypes and params are those that `row` says it takes
 * (NULL: any). Case TRINE_PLAIN_CASES + n is a function of the seed, n and the row, which is the
 * (n / TRINE_PLAIN_TRIES)th one of the device under test; false when it is not legal.
 */
#define TRINE_PLAIN_CASES 1000000
#define TRINE_PLAIN_TRIES 3000
bool trine_cases_plain(const trine_cases *cases, int64_t n, const trine_row *row,
                       trine_case *entry);

typedef struct trine_coverage {
    int64_t pairs;   /* all pairs of choices of different factors */
    int64_t covered; /* occurred in a case */
    int64_t refused; /* asked for often, never legal */
    int64_t open;    /* not asked for often enough */
} trine_coverage;
trine_coverage trine_cases_coverage(const trine_cases *cases);

/* Name of a choice: "bf16", "128", "strided". */
void trine_choice_name(const trine_cases *cases, int factor, int choice, char *text, size_t size);
/* Does a choice of a factor occur at all in covered pairs? How often: cases by choice. */
bool trine_choice_covered(const trine_cases *cases, int factor, int choice);

/* Does the case have name=value (a factor, or a dtype, dim or param of its plan)? */
bool trine_case_matches(const trine_cases *cases, const trine_case *entry, const char *name,
                        const char *value);

#endif
