// SPDX-License-Identifier: Apache-2.0
/* The rows of a context: the built-in ones with their launchers, then those that the caller adds.
 */
#include <stdlib.h>
#include <string.h>

#include "ops/context.h"

/* Adds a row behind the others of its op. */
static trine_status
row_append(trine_context *context, const trine_row *row, bool added, trine_launch_fn launch,
           trine_status (*prepare)(const trine_row *row, const trine_caps *caps, int32_t ordinal))
{
    trine_context_row *entry = calloc(1, sizeof *entry);
    size_t count = context->row_count[row->op];
    trine_context_row **list = realloc(context->rows[row->op], (count + 1) * sizeof *list);
    if (list) context->rows[row->op] = list;
    if (!entry || !list) {
        free(entry);
        return trine_fail(TRINE_OUT_OF_MEMORY, "no memory for the table of rows");
    }
    entry->row = *row;
    entry->row.launch = launch;
    entry->added = added;
    entry->prepare = prepare;
    list[count] = entry;
    context->row_count[row->op] = count + 1;
    return TRINE_OK;
}

trine_status trine_context_rows_collect(trine_context *context)
{
    for (int id = 0; id < TRINE_ROW_COUNT; id++) {
        const trine_row *row = &trine_builtin_rows[id];
        const trine_module *module = context->modules[row->backend];
        trine_status status =
            row_append(context, row, false, module ? module->launch[id] : row->launch,
                       module && module->prepare ? module->prepare[id] : row->prepare);
        if (status) return status;
    }
    return TRINE_OK;
}

static bool same_name(const trine_row *a, const trine_row *b)
{
    return a->op == b->op && a->backend == b->backend && !strcmp(a->name, b->name);
}

static trine_status name_taken(const trine_row *row)
{
    return trine_fail(TRINE_INVALID_ARGUMENT, "rows: %s has a %s row named %s already",
                      trine_op_describe(row->op)->name, trine_backend_name(row->backend),
                      row->name);
}

static trine_status row_check(const trine_context *context, const trine_row *row)
{
    if (!trine_op_entry_of(row->op))
        return trine_fail(TRINE_INVALID_ARGUMENT, "rows: no op has number %d", row->op);
    if ((unsigned)row->backend >= TRINE_BACKEND_COUNT)
        return trine_fail(TRINE_INVALID_ARGUMENT, "rows: no backend has number %d", row->backend);
    if (!row->name || !*row->name)
        return trine_fail(TRINE_INVALID_ARGUMENT, "rows: a row needs a name");
    if (!row->launch)
        return trine_fail(TRINE_INVALID_ARGUMENT, "rows: %s has no launcher", row->name);
    if (row->flags & TRINE_ROW_REFERENCE)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "rows: %s claims to be a reference; each op has its own", row->name);
    for (size_t i = 0; i < context->row_count[row->op]; i++)
        if (same_name(row, &context->rows[row->op][i]->row)) return name_taken(row);
    return TRINE_OK;
}

trine_status trine_context_add_rows(trine_context *context, const trine_row *rows, size_t count)
{
    if (!context || (count && !rows))
        return trine_fail(TRINE_INVALID_ARGUMENT, "context or rows is NULL");
    for (size_t i = 0; i < count; i++) {
        trine_status status = row_check(context, &rows[i]);
        for (size_t j = 0; !status && j < i; j++)
            if (same_name(&rows[i], &rows[j])) status = name_taken(&rows[i]);
        if (status) return status;
    }
    /* From the last to the first, so that each can go to the front. */
    for (size_t i = count; i-- > 0;) {
        trine_status status = row_append(context, &rows[i], true, rows[i].launch, rows[i].prepare);
        if (status) return status;
        trine_context_row **list = context->rows[rows[i].op];
        size_t last = context->row_count[rows[i].op] - 1;
        trine_context_row *entry = list[last];
        memmove(list + 1, list, last * sizeof *list);
        list[0] = entry;
    }
    return TRINE_OK;
}

trine_status trine_context_add_tuned(trine_context *context, const trine_tuned *tuned, size_t count)
{
    if (!context || (count && !tuned))
        return trine_fail(TRINE_INVALID_ARGUMENT, "context or tuned is NULL");
    for (size_t i = 0; i < count; i++)
        if (!trine_op_entry_of(tuned[i].op) || !tuned[i].device || !tuned[i].row)
            return trine_fail(TRINE_INVALID_ARGUMENT,
                              "tuned: entry %zu needs an op, a device and a row", i);
    if (!count) return TRINE_OK;
    trine_tuned *list =
        realloc(context->tuned, (context->tuned_count + count) * sizeof *context->tuned);
    if (!list) return trine_fail(TRINE_OUT_OF_MEMORY, "no memory for tuned entries");
    memcpy(list + context->tuned_count, tuned, count * sizeof *tuned);
    context->tuned = list;
    context->tuned_count += count;
    return TRINE_OK;
}

const trine_row *trine_row_at(const trine_context *context, int32_t op, size_t index)
{
    if (!context || !trine_op_entry_of(op) || index >= context->row_count[op]) return NULL;
    return &context->rows[op][index]->row;
}
