// SPDX-License-Identifier: Apache-2.0
/* All cases of an op on a device, by every row that takes them. */
#ifndef TRINE_CHECK_SUITE_H
#define TRINE_CHECK_SUITE_H

#include "check/cases.h"
#include "check/judge.h"

typedef struct trine_row_score {
    char name[64];
    trine_backend backend;
    long passed, failed, empty; /* cases; empty: no output elements, nothing to compare */
    trine_comparison comparison;
    trine_staged staged;
} trine_row_score;

/* What the device's own rows did with calls of certain dtypes: "bf16", "bf16 e4m3fn". */
typedef struct trine_dtype_score {
    char name[48];
    long passed, failed;
    trine_comparison comparison;
} trine_dtype_score;

typedef struct trine_failure {
    int32_t op;
    int64_t number; /* of the case */
    char row[64];
    char call[1024];
    char reason[768];
    char command[256]; /* runs this case alone */
} trine_failure;

#define TRINE_SUITE_ROWS    192
#define TRINE_SUITE_DTYPES  48
#define TRINE_SUITE_FILTERS 8
#define TRINE_SUITE_REASONS 8

typedef struct trine_suite {
    trine_target *target;
    int32_t op;
    uint64_t seed;
    long case_limit;      /* at most so many cases */
    long case_minimum;    /* after so many, all pairs being covered is enough */
    long row_minimum;     /* a row with fewer cases than this gets plain ones as well */
    int64_t only;         /* the number of the one case to run; -1: all */
    int64_t from;         /* the first case to run */
    double max_bytes;     /* of trine_cases */
    const char *row;      /* the one row to run; NULL: all */
    bool stop_at_failure; /* of a row: enough is known */
    bool mutants_only;    /* run only rows of check/mutants.h */
    struct {
        char name[48], value[48];
    } filters[TRINE_SUITE_FILTERS];
    int filter_count;
    void (*failed)(void *cookie, const trine_failure *failure);
    void (*progress)(void *cookie, int32_t op, long done);
    bool (*enough)(void *cookie); /* stop before the next case; NULL: never */
    /* NULL, or told each verdict of case `number`: true runs the same call by the row again. */
    bool (*again)(void *cookie, int64_t number, const trine_result *result);
    void *cookie;

    /* Results. */
    trine_row_score rows[TRINE_SUITE_ROWS];
    size_t row_count;
    trine_dtype_score dtypes[TRINE_SUITE_DTYPES];
    size_t dtype_count;
    long cases, passed, failures, skipped, filtered;
    struct {
        char text[160];
        long count;
    } reasons[TRINE_SUITE_REASONS]; /* why cases were skipped */
    trine_coverage coverage;
} trine_suite;

void trine_suite_init(trine_suite *suite, trine_target *target, int32_t op);
/* "x.dtype=bf16,size=odd" */
trine_status trine_suite_filter(trine_suite *suite, const char *text);
/* Runs; fails only when memory does. `cases` (may be NULL) gets the drawn cases for their coverage;
 * the caller destroys them. */
trine_status trine_suite_run(trine_suite *suite, trine_cases *cases);

#endif
