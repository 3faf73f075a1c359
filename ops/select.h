// SPDX-License-Identifier: Apache-2.0
/*
 * Selection: which row takes a problem on a device. A pure function of rows, capabilities, tuned
 * table, problem and options; it needs neither the device nor its module.
 */
#ifndef TRINE_OPS_SELECT_H
#define TRINE_OPS_SELECT_H

#include "ops/context.h"

/* What selection looks at. */
typedef struct trine_selection_query {
    const trine_op_entry *entry;
    const void *args;        /* complete */
    const trine_view *views; /* table order */
    const trine_problem *problem;
    const trine_caps *caps;
    bool simulated; /* the reference may stand in for rows that are not written yet */
    bool absent;    /* the device is only named: no module need be loaded for it */
    uint32_t flags; /* of exec */
} trine_selection_query;

/* Whether a row takes the query; why not goes to reason (size bytes; NULL: not wanted). */
bool trine_row_accepts(const trine_context *context, const trine_context_row *row,
                       const trine_selection_query *query, char *reason, size_t size);

/* The row that runs, or NULL with the last error saying why each candidate was refused. */
const trine_context_row *trine_select(const trine_context *context,
                                      const trine_selection_query *query);

/* All rows with their reasons, for trine_op_explain; returns how many there are. */
size_t trine_select_explain(const trine_context *context, const trine_selection_query *query,
                            trine_explanation *entries, size_t capacity);

#endif
