// SPDX-License-Identifier: Apache-2.0
/*
 * The shape language of op tables (grammar in <trine/describe.h>): compiled once, then matched
 * against the tensors of a call, or evaluated for given letters.
 */
#ifndef TRINE_OPS_SHAPE_H
#define TRINE_OPS_SHAPE_H

#include <trine/describe.h>
#include <trine/kernel.h>

/* Compiles the shapes of every op. Called under pthread_once; a table that does not parse is a
 * programming error that the tests catch. */
trine_status trine_shape_compile_all(void);

/*
 * Binds the letters of the table from the present tensors and holds every dimension against it.
 * A refusal names tensor, dimension, its size and the expression it should equal. Allocates
 * nothing.
 */
trine_status trine_shape_match(const trine_op_description *description, const void *args,
                               const trine_view *tensors);

#endif
