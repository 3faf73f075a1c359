// SPDX-License-Identifier: Apache-2.0
/*
 * One call, judged: the oracle's answer for two poisons, the bound of each class, and the verdict
 * on any row that takes the call.
 */
#ifndef TRINE_CHECK_JUDGE_H
#define TRINE_CHECK_JUDGE_H

#include "check/call.h"
#include "check/compare.h"
#include "check/target.h"

/* 0xFF is NaN in f32, f16, bf16 and e4m3fn and -1 as an integer; 0x4C is a number, of four bytes
 * one that is larger than a call's own: it shows in a maximum, too. */
enum { TRINE_POISON_NAN = 0xFF, TRINE_POISON_NUMBER = 0x4C };

#define TRINE_MAX_BOUNDS 8

typedef struct trine_bounds {
    trine_bound_options options;
    double *value, *bound;
} trine_bounds;

/* What staged checks came to. */
typedef struct trine_staged {
    long calls; /* checked so */
    int64_t codes, codes_moved, codes_wrong;
    int64_t scales, scales_moved, scales_wrong;
    trine_comparison out; /* against stage 2's bound */
} trine_staged;

typedef struct trine_oracle {
    trine_target *target;
    const trine_plan *plan;
    const trine_data *data;
    trine_plan apart; /* the plan without in-place outputs */
    trine_call call;
    trine_outcome outcome[2]; /* by poison */
    bool typical;             /* data is smooth: the tight bound holds */
    bool exact;               /* bounded op on exact data: no bit may differ */
    double bound_scale;
    int bounded; /* index of the output that a bound judges; -1: all exact */
    trine_bounds bounds[TRINE_MAX_BOUNDS];
    size_t bound_count;
} trine_oracle;

/* Runs the reference. Fails when it refuses the call, or writes where it must not. */
trine_status trine_oracle_create(trine_oracle *oracle, trine_target *target, const trine_plan *plan,
                                 const trine_data *data);
void trine_oracle_destroy(trine_oracle *oracle);

/* Value and bound of every element of the bounded output. */
trine_status trine_oracle_bound(trine_oracle *oracle, trine_accumulation accumulation,
                                trine_combine_class combine, const trine_bounds **bounds);

/* The oracle's tensors as before a run: bounds read old values from outputs. */
trine_status trine_oracle_restore(trine_oracle *oracle);

typedef enum trine_verdict { TRINE_PASSED, TRINE_FAILED, TRINE_SKIPPED } trine_verdict;

typedef struct trine_result {
    trine_verdict verdict;
    char row[64];
    trine_backend backend;
    bool selected; /* the row that selection chose */
    char reason[768];
    trine_comparison comparison;
    trine_staged staged;
} trine_result;

/* Runs the call by one row: twice poisoned, with several thread counts, repeated. `context` is the
 * one to run in; NULL: the one that forces the row. */
void trine_judge_row(trine_oracle *oracle, const trine_row *row, trine_context *context,
                     uint32_t flags, trine_result *result);

/* Holds one run's outputs against the oracle, of a call that the caller ran on memory poisoned with
 * TRINE_POISON_NAN (poison 0) or TRINE_POISON_NUMBER (1). Adds to result, which starts as passed.
 */
void trine_judge_outcome(trine_oracle *oracle, const trine_row *row, const trine_call *call,
                         const trine_outcome *outcome, int poison, trine_result *result);

/* What the row left in the workspace, and out given that: rows with TRINE_ROW_STAGED, calls that
 * have stages. False, with a sentence in `reason`, when something is wrong. check/staged.c */
bool trine_judge_staged(trine_oracle *oracle, const trine_row *row, const trine_call *call,
                        const trine_outcome *outcome, trine_staged *staged, char *reason,
                        size_t reason_size);
/* Adds `part` to `sum`. */
void trine_staged_add(trine_staged *sum, const trine_staged *part);
/* "staged: 96 codes, 1 one step off, 0 wrong; ..."; "" when nothing was checked so. */
void trine_staged_print(const trine_staged *staged, char *text, size_t size);

/* Rows that take the call on the target's device, in order of preference; *selected is the index
 * of the one that would run, -1 when none would: then `reason` says why not. */
trine_status trine_accepting_rows(trine_target *target, const trine_plan *plan, uint32_t flags,
                                  const trine_row **rows, size_t capacity, size_t *count,
                                  int *selected, char *reason, size_t reason_size);

/* The class by which an expected tensor of a file is judged: by the operands that are multiplied.
 */
trine_accumulation trine_expected_accumulation(const trine_plan *plan);

#endif
