// SPDX-License-Identifier: Apache-2.0
/* Calls without output elements: success, nothing launched, no workspace asked for. */
#include "tests/gpu/suite/suite.h"

#include <stdio.h>

static bool is_without_output(const trine_plan *plan)
{
    for (int i = 0; i < plan->op->tensor_count; i++) {
        if (plan->present[i] && plan->op->tensors[i].role == TRINE_OUT &&
            suite_has_elements(plan, i))
            return false;
    }
    return true;
}

/* Runs the call inside a capture, where there is one: the graph must stay without nodes. */
static trine_status run_recorded(suite *s, trine_call *call, void *stream, bool capture,
                                 size_t *nodes)
{
    trine_exec exec = TRINE_EXEC_INIT;
    void *graph = NULL;
    trine_status status;

    exec.stream = stream;
    *nodes = 0;
    if (capture) {
        status = s->module->capture_begin(s->ordinal, stream);
        if (status) return status;
    }
    status = trine_op_run(s->target.context, &exec, call->plan->op->op, &call->args);
    if (capture) {
        const trine_status ended = s->module->capture_end(s->ordinal, stream, &graph);
        if (!status) status = ended;
        if (!status) status = s->module->graph_nodes(s->ordinal, graph, nodes);
        s->module->graph_destroy(s->ordinal, graph);
    }
    return status ? status : s->module->stream_synchronize(s->ordinal, stream);
}

static void run_empty(suite *s, const trine_case *entry, void *stream, bool capture)
{
    trine_data data;
    trine_call call;
    char text[600];
    size_t nodes = 0;

    trine_plan_print(&entry->plan, text, sizeof text);
    trine_status status = trine_generate(&entry->plan, entry->pattern, entry->key, &data);
    if (!status) {
        status = trine_call_create(&call, &entry->plan, &data, s->target.context, s->target.device);
        if (status) trine_data_destroy(&data);
    }
    if (status) {
        suite_fail(s, "%s: %s", text, trine_last_error());
        return;
    }
    status = trine_call_upload(&call, TRINE_POISON_NAN);
    if (!status) status = run_recorded(s, &call, stream, capture, &nodes);
    if (status)
        suite_fail(s, "%s: %s", text, trine_last_error());
    else if (nodes)
        suite_fail(s, "%s: %zu launches for no output", text, nodes);
    else if (!suite_untouched(&call))
        suite_fail(s, "%s: memory changed", text);
    else
        suite_pass(s);
    trine_call_destroy(&call);
    trine_data_destroy(&data);
}

void suite_empty(suite *s)
{
    enum { DRAWS = 400 };
    void *stream = NULL;
    trine_cases cases;
    trine_case entry;

    if (s->module->stream_create(s->ordinal, &stream)) {
        suite_fail(s, "no stream: %s", trine_last_error());
        return;
    }
    if (s->no_graphs) suite_skip(s, "whether anything was launched: %s", s->no_graphs);
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        long found = 0;
        if (!suite_wants_op(s, op) || !suite_has_rows(s, op)) continue;
        if (trine_cases_create(&cases, op, s->seed, s->target.oracle)) {
            suite_fail(s, "%s", trine_last_error());
            continue;
        }
        for (int i = 0; i < DRAWS && found < 6 && trine_cases_next(&cases, &entry); i++) {
            if (!is_without_output(&entry.plan)) continue;
            run_empty(s, &entry, stream, !s->no_graphs);
            found++;
        }
        if (!found)
            suite_note(s, "%s: no drawn call is without output", trine_op_describe(op)->name);
        trine_cases_destroy(&cases);
    }
    s->module->stream_destroy(s->ordinal, stream);
}
