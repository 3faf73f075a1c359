// SPDX-License-Identifier: Apache-2.0
/* The dimension letters of an op: their names, their values in a call, shapes from values. */
#ifndef TRINE_CHECK_DIMS_H
#define TRINE_CHECK_DIMS_H

#include "check/plan.h"

/* Letters of the op's table, with value -1. */
void trine_dims_of_op(const trine_op_description *op, trine_dims *dims);
int64_t trine_dims_get(const trine_dims *dims, const char *name);

/* Binds the letters that the shapes of the plan's present tensors give. */
void trine_dims_bind(const trine_plan *plan, trine_dims *dims);

/* Must, may or must not the tensor be there? */
trine_status trine_dims_need(const trine_plan *plan, const trine_dims *dims, int tensor,
                             trine_need *need);

/* The shape of a tensor's `alternative`-th shape into its layout (row-major). False: none such. */
bool trine_dims_shape(trine_plan *plan, const trine_dims *dims, int tensor, size_t alternative);

#endif
