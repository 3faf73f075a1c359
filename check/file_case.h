// SPDX-License-Identifier: Apache-2.0
/* A safetensors file as a call: its op, params and inputs, and what its outputs must be. */
#ifndef TRINE_CHECK_FILE_CASE_H
#define TRINE_CHECK_FILE_CASE_H

#include "check/judge.h"
#include "check/safetensors.h"

typedef struct trine_file_case {
    trine_file *file;
    trine_plan plan;
    trine_data data;
    const trine_file_tensor *expected[TRINE_MAX_TENSORS]; /* by output; NULL: none */
    bool has_expected;
    bool bounded; /* compare: bounded */
    double bound_scale;
} trine_file_case;

/* Reads op, params, inputs and expected outputs; everything the file says is checked against the
 * op's table. */
trine_status trine_file_case_open(const char *path, trine_file_case *entry);
/* The same from bytes, which outlive the case. */
trine_status trine_file_case_parse(const void *bytes, size_t size, trine_file_case *entry);
void trine_file_case_close(trine_file_case *entry);

/* Outputs that no expected tensor fixes get a shape and the first dtype that the device takes.
 * Then the call is validated for the target. */
trine_status trine_file_case_plan(trine_file_case *entry, trine_target *target);

/* Holds the expected tensors against the oracle's bound (compare: bounded). One result. */
void trine_file_case_judge_expected(const trine_file_case *entry, trine_oracle *oracle,
                                    trine_result *result);

/* Holds one row's outputs against the expected tensors; call after trine_judge_row passed. */
void trine_file_case_judge_row(const trine_file_case *entry, trine_oracle *oracle,
                               const trine_row *row, trine_context *context, trine_result *result);

/* Writes what went into a call and what came out, as a file that can be run with --expect. */
trine_status trine_call_write(const trine_call *call, const trine_outcome *outcome,
                              const char *source, const char *path);

/* Sets a param from JSON {"name": value, ...}. */
trine_status trine_plan_read_params(trine_plan *plan, const char *json);
/* The params that differ from their defaults, as JSON; the caller frees it. NULL: no memory. */
char *trine_plan_write_params(const trine_plan *plan);

#endif
