// SPDX-License-Identifier: Apache-2.0
/* From the caller's DLTensors to checked views. */
#ifndef TRINE_OPS_TENSORS_H
#define TRINE_OPS_TENSORS_H

#include "ops/op.h"

/*
 * Completes an args struct of an older caller with defaults: returns `args` itself when it is of
 * this version, `scratch` (args_size bytes) otherwise, NULL (and the last error) when it can't be
 * used.
 */
const void *trine_args_complete(const trine_op_description *description, const void *args,
                                void *scratch);

/* Holds every param against its table: range, words, booleans, NaN. */
trine_status trine_params_check(const trine_op_description *description, const void *args);

/*
 * Reads the tensors of complete args into views and holds them against the table. planning: data
 * pointers may be NULL. *device is that of all tensors.
 */
trine_status trine_tensors_read(const trine_op_description *description, const void *args,
                                bool planning, trine_view *views, DLDevice *device);

/* Refuses outputs that share memory with another tensor, or with themselves. */
trine_status trine_overlap_check(const trine_op_description *description, const trine_view *views);

/* Refuses a workspace that shares memory with a tensor. */
trine_status trine_workspace_check(const trine_op_description *description, const trine_view *views,
                                   const void *workspace, size_t size);

/* Elements of a view (0 when absent); sizes were checked when it was read. */
int64_t trine_view_elements(const trine_view *view);

#endif
