// SPDX-License-Identifier: Apache-2.0
/*
 * A call as data: op, params, and dtype, shape and strides of each tensor. What a file, a command
 * line or the case generator makes, and what can be run on any device.
 */
#ifndef TRINE_CHECK_PLAN_H
#define TRINE_CHECK_PLAN_H

#include "check/tensor.h"

/* Room for any op's args struct. */
typedef union trine_args {
    max_align_t align;
    size_t struct_size;
    unsigned char bytes[512];
} trine_args;

typedef struct trine_plan {
    const trine_op_description *op;
    trine_args args; /* params; the tensors are set when it is bound */
    bool present[TRINE_MAX_TENSORS];
    trine_layout layout[TRINE_MAX_TENSORS];
    bool in_place[TRINE_MAX_TENSORS]; /* the output is its alias input's memory */
} trine_plan;

trine_status trine_plan_init(trine_plan *plan, int32_t op);

/* Index of a tensor or param of the op's table; -1 if there is none. */
int trine_plan_tensor(const trine_op_description *op, const char *name);
int trine_plan_param(const trine_op_description *op, const char *name);

/* A param as a number; 0 when the op has none of that name. */
double trine_plan_number(const trine_plan *plan, const char *name);
/* Does the param, if the op has it, have this word? */
bool trine_plan_is(const trine_plan *plan, const char *name, const char *word);
/* Outputs are read before they are written (accumulate). */
bool trine_plan_reads_outputs(const trine_plan *plan);

/* Lays out the tensors whose strides a param decides (scale_layout), the others row-major. */
void trine_plan_arrange(trine_plan *plan);

/* Args with tensors at NULL, as planning functions take them. `storage` lives as long as args. */
void trine_plan_bind(const trine_plan *plan, DLDevice device, DLTensor storage[TRINE_MAX_TENSORS],
                     trine_args *args);
/* Validates the call without data; *workspace (may be NULL) gets its bytes. */
trine_status trine_plan_validate(const trine_plan *plan, trine_context *context, DLDevice device,
                                 size_t *workspace);

/* Rows of the call on a device, in order of preference. Fills at most `capacity`. */
trine_status trine_plan_explain(const trine_plan *plan, trine_context *context, DLDevice device,
                                const char *named, uint32_t flags, trine_explanation *entries,
                                size_t capacity, size_t *count);

/* "op --param value ... --shape tensor=... --dtype ...", of params that are not the default. */
void trine_plan_print(const trine_plan *plan, char *text, size_t size);

#endif
