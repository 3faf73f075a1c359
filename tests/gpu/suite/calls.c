// SPDX-License-Identifier: Apache-2.0
/* Drawn calls for every row, and running them in other ways than the checker does. */
#include "tests/gpu/suite/suite.h"

#include "check/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool suite_wants_op(const suite *s, int32_t op)
{
    const char *name = trine_op_describe(op)->name;
    const size_t length = strlen(name);

    for (const char *at = s->ops; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length])) return true;
    return !s->ops;
}

/* The rows that the device could run: those of its backend whose code is loaded. */
static bool row_runs(const suite *s, const trine_row *row)
{
    return row->backend == s->target.info->caps.backend && row->launch != NULL;
}

bool suite_has_rows(const suite *s, int32_t op)
{
    const trine_row *row;

    for (size_t i = 0; (row = trine_row_at(s->target.context, op, i)) != NULL; i++)
        if (row_runs(s, row)) return true;
    return false;
}

/* ---------------------------------------------------------------- finding calls */

bool suite_has_elements(const trine_plan *plan, int tensor)
{
    for (int32_t d = 0; d < plan->layout[tensor].rank; d++)
        if (plan->layout[tensor].shape[d] == 0) return false;
    return true;
}

/* Empty tensors may leave a row nothing to launch: the part `empty` has such calls. */
static bool has_empty_tensor(const trine_plan *plan)
{
    for (int i = 0; i < plan->op->tensor_count; i++)
        if (plan->present[i] && !suite_has_elements(plan, i)) return true;
    return false;
}

static bool plan_fits(suite *s, const trine_plan *plan, unsigned properties)
{
    size_t workspace = 0;

    if (has_empty_tensor(plan)) return false;
    if (properties & SUITE_APART) {
        if (trine_plan_reads_outputs(plan)) return false;
        for (int i = 0; i < plan->op->tensor_count; i++)
            if (plan->in_place[i]) return false;
    }
    return !(properties & SUITE_WORKSPACE) ||
           (!trine_plan_validate(plan, s->target.context, s->target.device, &workspace) &&
            workspace > 0);
}

static bool takes(const trine_explanation *entries, size_t count, const trine_row *row)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].backend == row->backend && strcmp(entries[i].row, row->name) == 0)
            return entries[i].accepts;
    return false;
}

static trine_status add_item(suite *s, suite_items *items, const trine_row *row,
                             const trine_case *entry, bool deterministic)
{
    suite_item **grown = realloc(items->items, (items->count + 1) * sizeof *grown);
    suite_item *item = malloc(sizeof *item);

    if (grown) items->items = grown;
    if (!grown || !item) {
        free(item);
        return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    }
    *item = (suite_item){.row = row, .entry = *entry, .deterministic = deterministic};
    const int used = snprintf(item->text, sizeof item->text, "%s: ", row->name);
    trine_plan_print(&entry->plan, item->text + used, sizeof item->text - (size_t)used);
    const trine_status status = trine_target_force(&s->target, row->op, row->name, &item->context);
    if (status) {
        free(item);
        return status;
    }
    grown[items->count++] = item;
    return TRINE_OK;
}

enum { MOST_ROWS = 256, PAIR_CASES = 150, PLAIN_CASES = 3000 };

/* Offers one drawn call to the rows that still want one. */
static trine_status offer(suite *s, const trine_case *entry, unsigned properties,
                          const trine_row **rows, long *wanted, size_t row_count,
                          suite_items *items)
{
    static trine_explanation any[MOST_ROWS], ordered[MOST_ROWS];
    size_t any_count = 0, ordered_count = 0;
    trine_status status = TRINE_OK;

    if (!plan_fits(s, &entry->plan, properties) ||
        trine_plan_explain(&entry->plan, s->target.context, s->target.device, NULL, 0, any,
                           MOST_ROWS, &any_count) ||
        trine_plan_explain(&entry->plan, s->target.context, s->target.device, NULL,
                           TRINE_DETERMINISTIC, ordered, MOST_ROWS, &ordered_count))
        return TRINE_OK;
    for (size_t i = 0; i < row_count && !status; i++) {
        if (wanted[i] <= 0 || !takes(any, any_count, rows[i])) continue;
        wanted[i]--;
        status = add_item(s, items, rows[i], entry, takes(ordered, ordered_count, rows[i]));
    }
    return status;
}

static bool any_wanted(const long *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (wanted[i] > 0) return true;
    return false;
}

static trine_status find_for_op(suite *s, int32_t op, long count, unsigned properties,
                                suite_items *items)
{
    const trine_row *rows[MOST_ROWS];
    long wanted[MOST_ROWS];
    const trine_row *row;
    size_t row_count = 0;
    trine_cases cases;
    trine_case entry;
    trine_status status;

    for (size_t i = 0; (row = trine_row_at(s->target.context, op, i)) != NULL; i++) {
        if (!row_runs(s, row) || row_count == MOST_ROWS) continue;
        wanted[row_count] = count;
        rows[row_count++] = row;
    }
    if (!row_count) return TRINE_OK;
    status = trine_cases_create(&cases, op, s->seed, s->target.oracle);
    if (status) return status;
    /* Pairs first: they are the more peculiar calls. Plain ones for the rows that take few. */
    for (int i = 0; i < PAIR_CASES && !status && any_wanted(wanted, row_count); i++) {
        if (!trine_cases_next(&cases, &entry)) break;
        status = offer(s, &entry, properties, rows, wanted, row_count, items);
    }
    for (int64_t i = 0; i < PLAIN_CASES && !status && any_wanted(wanted, row_count); i++)
        if (trine_cases_plain(&cases, i, rows[(size_t)i % row_count], &entry))
            status = offer(s, &entry, properties, rows, wanted, row_count, items);
    trine_cases_destroy(&cases);
    for (size_t i = 0; i < row_count && !properties; i++)
        if (wanted[i] == count)
            suite_skip(s, "%s: no call was drawn that the row %s takes on %s",
                       trine_op_describe(op)->name, rows[i]->name, s->target.info->caps.name);
    return status;
}

trine_status suite_find(suite *s, long count, unsigned properties, suite_items *items)
{
    trine_status status = TRINE_OK;

    *items = (suite_items){0};
    for (int32_t op = 0; op < TRINE_OP_COUNT && !status; op++)
        if (suite_wants_op(s, op)) status = find_for_op(s, op, count, properties, items);
    if (status) suite_items_destroy(items);
    return status;
}

void suite_items_destroy(suite_items *items)
{
    for (size_t i = 0; i < items->count; i++) free(items->items[i]);
    free(items->items);
    *items = (suite_items){0};
}

/* ---------------------------------------------------------------- data and verdicts */

trine_status suite_data_create(suite *s, suite_item *item, uint64_t part, suite_data *data)
{
    memset(data, 0, sizeof *data);
    trine_status status = trine_generate(&item->entry.plan, item->entry.pattern,
                                         trine_rng_key(item->entry.key, part), &data->data);
    if (!status)
        status = trine_oracle_create(&data->oracle, &s->target, &item->entry.plan, &data->data);
    if (status) {
        trine_data_destroy(&data->data);
        return status;
    }
    data->oracle.typical = item->entry.pattern == TRINE_PATTERN_NORMAL;
    data->oracle.exact = item->entry.pattern == TRINE_PATTERN_EXACT;
    return TRINE_OK;
}

void suite_data_destroy(suite_data *data)
{
    trine_oracle_destroy(&data->oracle);
    trine_data_destroy(&data->data);
}

bool suite_judge_outputs(suite_item *item, suite_data *data, const trine_call *call,
                         const trine_outcome *outcome, int poison, char *reason, size_t size)
{
    trine_result result = {.verdict = TRINE_PASSED};

    if (outcome->damage[0]) {
        snprintf(reason, size, "%s", outcome->damage);
        return false;
    }
    trine_judge_outcome(&data->oracle, item->row, call, outcome, poison, &result);
    snprintf(reason, size, "%s", result.reason);
    return result.verdict == TRINE_PASSED;
}

bool suite_judge(suite_item *item, suite_data *data, const trine_call *call,
                 const trine_outcome *outcome, int poison, char *reason, size_t size)
{
    trine_staged staged = {0};

    return suite_judge_outputs(item, data, call, outcome, poison, reason, size) &&
           trine_judge_staged(&data->oracle, item->row, call, outcome, &staged, reason, size);
}

bool suite_same(const trine_call *call, const trine_outcome *a, const trine_outcome *b)
{
    for (int i = 0; i < call->plan->op->tensor_count; i++)
        if (a->images[i] && call->tensors[i].image &&
            memcmp(a->images[i], b->images[i], call->tensors[i].size) != 0)
            return false;
    return true;
}

bool suite_untouched(trine_call *call)
{
    trine_outcome outcome = {0};
    bool still = true;

    if (trine_call_fetch(call, &outcome)) return false;
    for (int i = 0; i < call->plan->op->tensor_count; i++)
        if (outcome.images[i] && call->tensors[i].image)
            still = still &&
                    memcmp(outcome.images[i], call->tensors[i].image, call->tensors[i].size) == 0;
    trine_outcome_destroy(&outcome);
    return still;
}

/* ---------------------------------------------------------------- running */

trine_status suite_try_capture(suite *s)
{
    static char reason[300];
    void *stream = NULL, *graph = NULL;
    trine_status status = s->module->stream_create(s->ordinal, &stream);

    if (status) return status;
    if (s->module->capture_begin(s->ordinal, stream)) {
        snprintf(reason, sizeof reason, "this runtime captures no graphs: %s", trine_last_error());
        s->no_graphs = reason;
    } else {
        status = s->module->capture_end(s->ordinal, stream, &graph);
        if (!status) s->module->graph_destroy(s->ordinal, graph);
    }
    s->module->stream_destroy(s->ordinal, stream);
    return status;
}

trine_status suite_capture(suite *s, trine_context *context, trine_call *call, uint32_t flags,
                           void *stream, void **graph)
{
    trine_exec exec = trine_call_exec(call, flags);
    char sentence[300];

    *graph = NULL;
    exec.stream = stream;
    trine_status status = s->module->capture_begin(s->ordinal, stream);
    if (status) return status;
    status = trine_op_run(context, &exec, call->plan->op->op, &call->args);
    snprintf(sentence, sizeof sentence, "%s", status ? trine_last_error() : "");
    const trine_status ended = s->module->capture_end(s->ordinal, stream, graph);
    if (!status) return ended;
    /* The stream must be usable again, whatever the call came to. */
    if (!ended) s->module->graph_destroy(s->ordinal, *graph);
    *graph = NULL;
    return trine_fail(status, "%s", sentence);
}

trine_status suite_launch(suite *s, suite_item *item, trine_call *call, uint32_t flags, int poison,
                          void *stream, void *graph, trine_outcome *outcome)
{
    trine_exec exec = trine_call_exec(call, flags);

    memset(outcome, 0, sizeof *outcome);
    exec.stream = stream;
    trine_status status = trine_call_upload(call, poison ? TRINE_POISON_NUMBER : TRINE_POISON_NAN);
    if (status) return status;
    status = graph ? s->module->graph_launch(s->ordinal, graph, stream)
                   : trine_op_run(item->context, &exec, item->row->op, &call->args);
    if (!status) status = s->module->stream_synchronize(s->ordinal, stream);
    if (!status) status = trine_call_fetch(call, outcome);
    if (status) trine_outcome_destroy(outcome);
    return status;
}
