// SPDX-License-Identifier: Apache-2.0
/*
 * Work on one stream without a wait between: a kernel that writes a call's inputs, the call,
 * another call on the same workspace, kernels that save and overwrite what the first one used. A
 * kernel that starts early and touches memory too soon reads or destroys what belongs to its
 * neighbours.
 */
#include "tests/gpu/suite/suite.h"

#include <stdio.h>
#include <string.h>

/* The calls of a row: the same tensors five times. */
enum {
    SOURCE_0, /* data 0, as before a run; only read */
    SOURCE_1, /* data 1 */
    FIRST,    /* gets data 0, runs, is saved, gets data 1, runs again */
    SECOND,   /* gets data 1, runs on FIRST's workspace */
    SAVED,    /* FIRST's memory after its first run */
    CALLS
};

typedef struct order {
    suite *s;
    suite_item *item;
    suite_data data[2];
    int data_count;
    trine_call calls[CALLS];
    int call_count;
    void *stream;
} order;

static void order_destroy(order *o)
{
    for (int i = 0; i < o->call_count; i++) trine_call_destroy(&o->calls[i]);
    for (int i = 0; i < o->data_count; i++) suite_data_destroy(&o->data[i]);
    if (o->stream) o->s->module->stream_destroy(o->s->ordinal, o->stream);
}

static trine_status order_create(order *o, suite *s, suite_item *item)
{
    static const int data_of[CALLS] = {0, 1, 1, 1, 0};
    trine_status status = s->module->stream_create(s->ordinal, &o->stream);

    o->s = s;
    o->item = item;
    for (int i = 0; i < 2 && !status; i++) {
        status = suite_data_create(s, item, 20 + (uint64_t)i, &o->data[i]);
        o->data_count += !status;
    }
    for (int i = 0; i < CALLS && !status; i++) {
        status = trine_call_create(&o->calls[i], &item->entry.plan, &o->data[data_of[i]].data,
                                   item->context, s->target.device);
        o->call_count += !status;
    }
    return status ? status : trine_prepare(item->context, s->target.device, item->row->op);
}

/* What every tensor must hold before the sequence: none of FIRST, SECOND and SAVED may be right by
 * chance. */
static trine_status order_upload(order *o)
{
    trine_status status = TRINE_OK;

    for (int i = 0; i < CALLS && !status; i++)
        status = trine_call_upload(&o->calls[i], TRINE_POISON_NAN);
    return status;
}

/* All tensors of a call, by kernels on the stream, each of which lets the next one start before it
 * copies: a call that starts early and does not wait finds what was there before, or is written
 * over. */
static trine_status copy_tensors(order *o, int to, int from)
{
    trine_status status = TRINE_OK;

    for (int i = 0; i < TRINE_MAX_TENSORS && !status; i++) {
        const trine_tensor *a = &o->calls[to].tensors[i], *b = &o->calls[from].tensors[i];
        if (a->image)
            status = o->s->module->late_copy_kernel(o->s->ordinal, o->stream, a->base, b->base,
                                                    (a->size + 15) / 16 * 16);
    }
    return status;
}

static trine_status run_call(order *o, int which)
{
    trine_exec exec =
        trine_call_exec(&o->calls[FIRST], o->item->deterministic ? TRINE_DETERMINISTIC : 0);

    exec.stream = o->stream;
    return trine_op_run(o->item->context, &exec, o->item->row->op, &o->calls[which].args);
}

static trine_status enqueue(order *o)
{
    trine_status status = copy_tensors(o, SECOND, SOURCE_1);

    if (!status) status = copy_tensors(o, FIRST, SOURCE_0);
    if (!status) status = run_call(o, FIRST);
    if (!status) status = run_call(o, SECOND);
    if (!status) status = copy_tensors(o, SAVED, FIRST);
    if (!status) status = copy_tensors(o, FIRST, SOURCE_1);
    if (!status) status = run_call(o, FIRST);
    return status;
}

static bool judge(order *o, const char *how)
{
    static const struct {
        int call, data;
        const char *what;
    } results[] = {
        {SAVED, 0, "the first call"}, {SECOND, 1, "the second"}, {FIRST, 1, "the third"}};
    trine_outcome outcome;
    char reason[600];

    for (int i = 0; i < 3; i++) {
        trine_call *call = &o->calls[results[i].call];
        memset(&outcome, 0, sizeof outcome);
        bool good = !trine_call_fetch(call, &outcome);
        if (!good)
            snprintf(reason, sizeof reason, "%s", trine_last_error());
        else
            good = suite_judge_outputs(o->item, &o->data[results[i].data], call, &outcome, 0,
                                       reason, sizeof reason);
        trine_outcome_destroy(&outcome);
        if (good) continue;
        suite_fail(o->s, "%s, %s of %s: %s", how, results[i].what, o->item->text, reason);
        return false;
    }
    suite_pass(o->s);
    return true;
}

static void run_plainly(order *o)
{
    trine_status status = order_upload(o);

    if (!status) status = enqueue(o);
    if (!status) status = o->s->module->stream_synchronize(o->s->ordinal, o->stream);
    if (status)
        suite_fail(o->s, "%s: %s", o->item->text, trine_last_error());
    else
        judge(o, "on a stream");
}

/* The whole sequence as one graph, launched twice. */
static void run_as_graph(order *o)
{
    suite *s = o->s;
    void *graph = NULL;
    char sentence[300] = "";
    trine_status status = s->module->capture_begin(s->ordinal, o->stream);

    if (!status) {
        status = enqueue(o);
        snprintf(sentence, sizeof sentence, "%s", status ? trine_last_error() : "");
        const trine_status ended = s->module->capture_end(s->ordinal, o->stream, &graph);
        if (!status) status = ended;
    }
    for (int i = 0; i < 2 && !status; i++) {
        status = order_upload(o);
        if (!status) status = s->module->graph_launch(s->ordinal, graph, o->stream);
        if (!status) status = s->module->stream_synchronize(s->ordinal, o->stream);
        if (!status && !judge(o, "as a graph")) break;
    }
    if (status)
        suite_fail(s, "%s as a graph: %s", o->item->text,
                   sentence[0] ? sentence : trine_last_error());
    if (graph) s->module->graph_destroy(s->ordinal, graph);
}

void suite_order(suite *s)
{
    suite_items items;

    if (suite_find(s, s->cases, SUITE_APART, &items)) {
        suite_fail(s, "%s", trine_last_error());
        return;
    }
    for (size_t i = 0; i < items.count; i++) {
        order o = {0};
        if (order_create(&o, s, items.items[i])) {
            suite_fail(s, "%s: %s", items.items[i]->text, trine_last_error());
        } else {
            run_plainly(&o);
            if (!s->no_graphs && !(items.items[i]->row->flags & TRINE_ROW_NOT_CAPTURABLE))
                run_as_graph(&o);
        }
        o.s = s;
        order_destroy(&o);
    }
    if (s->no_graphs) suite_skip(s, "the sequences as graphs: %s", s->no_graphs);
    suite_items_destroy(&items);
}
