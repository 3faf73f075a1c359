// SPDX-License-Identifier: Apache-2.0
/*
 * Each row's calls as graphs, and on a stream of their own: inputs overwritten in place between
 * launches must be what the next launch sees, and what is deterministic must give its bits again
 * and again.
 */
#include "tests/gpu/suite/suite.h"

#include <stdio.h>

typedef struct replay {
    suite *s;
    suite_item *item;
    trine_call call;
    suite_data data[2];
    int data_count;
    void *stream, *graph;
    uint32_t flags;
    long repeats;
    bool called; /* call is there */
} replay;

static void replay_destroy(replay *r)
{
    if (r->graph) r->s->module->graph_destroy(r->s->ordinal, r->graph);
    if (r->stream) r->s->module->stream_destroy(r->s->ordinal, r->stream);
    if (r->called) trine_call_destroy(&r->call);
    for (int i = 0; i < r->data_count; i++) suite_data_destroy(&r->data[i]);
}

static trine_status replay_create(replay *r, suite *s, suite_item *item, bool graphs)
{
    enum { FEW = 20 };
    trine_status status = TRINE_OK;

    *r = (replay){.s = s, .item = item};
    r->repeats = (graphs && item->deterministic) || s->repeats < FEW ? s->repeats : FEW;
    r->flags = item->deterministic ? TRINE_DETERMINISTIC : 0;
    for (int i = 0; i < 2 && !status; i++) {
        status = suite_data_create(s, item, (uint64_t)i, &r->data[i]);
        r->data_count += !status;
    }
    if (!status) {
        status = trine_call_create(&r->call, &item->entry.plan, &r->data[0].data, item->context,
                                   s->target.device);
        r->called = !status;
    }
    if (!status) status = s->module->stream_create(s->ordinal, &r->stream);
    return status;
}

static bool record(replay *r)
{
    suite *s = r->s;
    size_t nodes = 0;
    trine_status status = trine_prepare(r->item->context, s->target.device, r->item->row->op);

    if (!status) status = trine_call_upload(&r->call, TRINE_POISON_NAN);
    if (!status)
        status = suite_capture(s, r->item->context, &r->call, r->flags, r->stream, &r->graph);
    if (r->item->row->flags & TRINE_ROW_NOT_CAPTURABLE) {
        suite_expect(s, status, TRINE_UNSUPPORTED, "capturing", "capture of %s", r->item->text);
        return false;
    }
    if (!status) status = s->module->graph_nodes(s->ordinal, r->graph, &nodes);
    if (status) {
        suite_fail(s, "capture of %s: %s", r->item->text, trine_last_error());
        return false;
    }
    if (!nodes) {
        suite_fail(s, "the graph of %s has no nodes", r->item->text);
        return false;
    }
    /* Capturing records; it runs nothing. */
    if (!suite_untouched(&r->call)) {
        suite_fail(s, "capturing %s changed memory", r->item->text);
        return false;
    }
    return true;
}

/* First data, then other data in the same memory. */
static bool run_with_changed_inputs(replay *r)
{
    trine_outcome outcome;
    char reason[600];

    for (int i = 0; i < 2; i++) {
        r->call.data = &r->data[i].data;
        if (suite_launch(r->s, r->item, &r->call, r->flags, i, r->stream, r->graph, &outcome)) {
            suite_fail(r->s, "launch %d of %s: %s", i + 1, r->item->text, trine_last_error());
            return false;
        }
        const bool good =
            suite_judge(r->item, &r->data[i], &r->call, &outcome, i, reason, sizeof reason);
        trine_outcome_destroy(&outcome);
        if (!good) {
            suite_fail(r->s, "launch %d of %s: %s", i + 1, r->item->text, reason);
            return false;
        }
    }
    suite_pass(r->s);
    return true;
}

/* One more launch on the second data, held against the first of its kind. False with a sentence. */
static bool repeat_once(replay *r, trine_outcome *first, char *reason, size_t size)
{
    trine_outcome outcome;
    bool good = true;

    if (suite_launch(r->s, r->item, &r->call, r->flags, 1, r->stream, r->graph, &outcome)) {
        snprintf(reason, size, "%s", trine_last_error());
        return false;
    }
    if (!r->item->deterministic) {
        good = suite_judge(r->item, &r->data[1], &r->call, &outcome, 1, reason, size);
    } else if (!first->images[0]) {
        *first = outcome;
        return true;
    } else if (!suite_same(&r->call, first, &outcome)) {
        snprintf(reason, size, "other bits than the first time");
        good = false;
    }
    trine_outcome_destroy(&outcome);
    return good;
}

/* Deterministic: the same bytes each time. Else each run within the bound. */
static void repeat(replay *r)
{
    trine_outcome first = {0};
    char reason[600];
    bool good = true;
    long i;

    for (i = 0; i < r->repeats && good; i++) good = repeat_once(r, &first, reason, sizeof reason);
    trine_outcome_destroy(&first);
    if (good)
        suite_pass(r->s);
    else
        suite_fail(r->s, "repeat %ld of %s: %s", i, r->item->text, reason);
}

static void expect_order_refused(replay *r)
{
    trine_exec exec = trine_call_exec(&r->call, TRINE_DETERMINISTIC);
    trine_status status = trine_call_upload(&r->call, TRINE_POISON_NAN);

    exec.stream = r->stream;
    if (!status) status = trine_op_run(r->item->context, &exec, r->item->row->op, &r->call.args);
    if (suite_expect(r->s, status, TRINE_UNSUPPORTED, "determin", "%s under the deterministic flag",
                     r->item->text) &&
        !suite_untouched(&r->call))
        suite_fail(r->s, "%s: refused, but memory changed", r->item->text);
}

/* Graphs are held to the full number of repeats; plain launches run the same code once more. */
static void replay_items(suite *s, bool graphs)
{
    suite_items items;
    size_t ordered = 0;

    if (suite_find(s, s->cases, 0, &items)) {
        suite_fail(s, "%s", trine_last_error());
        return;
    }
    for (size_t i = 0; i < items.count; i++) {
        suite_item *item = items.items[i];
        replay r;
        ordered += item->deterministic;
        if (replay_create(&r, s, item, graphs))
            suite_fail(s, "%s: %s", item->text, trine_last_error());
        else if (!graphs || record(&r)) {
            if (run_with_changed_inputs(&r)) repeat(&r);
            if (!item->deterministic) expect_order_refused(&r);
        }
        replay_destroy(&r);
    }
    suite_note(s,
               "%zu calls of all rows, %zu of them with repeats (%ld) that must agree to the bit",
               items.count, ordered, graphs || s->repeats < 20 ? s->repeats : 20);
    suite_items_destroy(&items);
}

void suite_graphs(suite *s)
{
    if (s->no_graphs)
        suite_skip(s, "%s", s->no_graphs);
    else
        replay_items(s, true);
}

void suite_streams(suite *s)
{
    replay_items(s, false);
}
