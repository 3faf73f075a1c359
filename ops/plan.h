// SPDX-License-Identifier: Apache-2.0
/* A call that has passed every check: what each function that takes an op's args starts from. */
#ifndef TRINE_OPS_PLAN_H
#define TRINE_OPS_PLAN_H

#include "ops/context.h"
#include "ops/op.h"

#define TRINE_MAX_ARGS_SIZE 256

typedef struct trine_op_plan {
    const trine_op_entry *entry;
    const void *args;
    DLDevice device;
    trine_view views[TRINE_MAX_TENSORS];
    trine_problem problem;
    union {
        char bytes[TRINE_MAX_ARGS_SIZE];
        void *align;
    } scratch;
} trine_op_plan;

/* `planning`: data pointers may be NULL. */
trine_status trine_op_plan_make(int32_t op, const void *args, bool planning, trine_op_plan *p);

/* No output has elements. */
bool trine_op_plan_is_empty(const trine_op_plan *p);

/* The context's device on which the tensors are; NULL, with the reason told, if it has none. */
trine_context_device *trine_op_plan_device(const trine_context *context, const trine_op_plan *p);

#endif
