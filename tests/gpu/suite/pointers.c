// SPDX-License-Identifier: Apache-2.0
/* Bad input that only a real device can be given: memory, alignment and capture that do not fit. */
#include "tests/gpu/suite/suite.h"

#include "check/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs the call as it is; it must be refused and nothing written. */
static void expect_refused(suite *s, suite_item *item, trine_call *call, trine_exec exec,
                           trine_status status, const char *says, const char *what)
{
    const trine_status got = trine_op_run(item->context, &exec, item->row->op, &call->args);

    if (suite_expect(s, got, status, says, "%s, %s", item->text, what) && !suite_untouched(call))
        suite_fail(s, "%s, %s: refused, but memory changed", item->text, what);
}

/* One tensor at a time is said to be the CPU's, then is the host's without saying so. */
static void tensors_elsewhere(suite *s, suite_item *item, trine_call *call)
{
    const trine_op_description *op = call->plan->op;
    void *host = NULL;
    char what[100];

    for (int i = 0; i < op->tensor_count; i++) {
        trine_tensor *tensor = &call->tensors[i];
        DLTensor *dl = &tensor->dl;
        const DLTensor kept = *dl;
        if (!tensor->image || !tensor->count) continue;
        dl->device = trine_host_device;
        snprintf(what, sizeof what, "%s on the cpu", op->tensors[i].name);
        expect_refused(s, item, call, trine_call_exec(call, 0), TRINE_INVALID_DEVICE, "device",
                       what);
        *dl = kept;
        if (posix_memalign(&host, 256, tensor->size)) break;
        memcpy(host, tensor->image, tensor->size);
        dl->data = host;
        dl->byte_offset = 0;
        snprintf(what, sizeof what, "%s in host memory", op->tensors[i].name);
        expect_refused(s, item, call, trine_call_exec(call, TRINE_VALIDATE_POINTERS),
                       TRINE_INVALID_DEVICE, "is host memory", what);
        if (memcmp(host, tensor->image, tensor->size) != 0)
            suite_fail(s, "%s, %s: refused, but host memory changed", item->text, what);
        free(host);
        *dl = kept;
    }
}

static void workspace_flaws(suite *s, suite_item *item, trine_call *call)
{
    const trine_exec good = trine_call_exec(call, 0);
    trine_exec exec = good;
    void *host = NULL;

    exec.workspace = NULL;
    expect_refused(s, item, call, exec, TRINE_WORKSPACE_TOO_SMALL, "exec.workspace_size",
                   "no workspace");
    exec = good;
    exec.workspace_size--;
    expect_refused(s, item, call, exec, TRINE_WORKSPACE_TOO_SMALL, "must be at least",
                   "a byte too little workspace");
    exec = good;
    exec.workspace_size += 64;
    exec.workspace = (char *)exec.workspace + 64;
    expect_refused(s, item, call, exec, TRINE_WORKSPACE_TOO_SMALL, "must be a multiple of 256",
                   "workspace off its alignment");
    exec = good;
    exec.flags = TRINE_VALIDATE_POINTERS;
    if (posix_memalign(&host, 256, exec.workspace_size)) return;
    exec.workspace = host;
    expect_refused(s, item, call, exec, TRINE_INVALID_DEVICE, "exec.workspace",
                   "workspace in host memory");
    free(host);
}

static trine_status item_call(suite *s, suite_item *item, suite_data *data, trine_call *call)
{
    trine_status status = suite_data_create(s, item, 7, data);

    if (status) return status;
    status =
        trine_call_create(call, &item->entry.plan, &data->data, item->context, s->target.device);
    if (!status) {
        status = trine_call_upload(call, TRINE_POISON_NAN);
        if (status) trine_call_destroy(call);
    }
    if (status) suite_data_destroy(data);
    return status;
}

/* Asking the driver about pointers must not spoil a capture. */
static void flag_captures(suite *s, suite_item *item, trine_call *call, void *stream)
{
    void *graph = NULL;

    if (s->no_graphs || item->row->flags & TRINE_ROW_NOT_CAPTURABLE) return;
    suite_expect(s, suite_capture(s, item->context, call, TRINE_VALIDATE_POINTERS, stream, &graph),
                 TRINE_OK, NULL, "capture of %s under the validate-pointers flag", item->text);
    if (graph) s->module->graph_destroy(s->ordinal, graph);
}

/* With the flag and everything in place the call runs, and is right. */
static void flag_accepts(suite *s, suite_item *item, suite_data *data, trine_call *call)
{
    trine_outcome outcome;
    char reason[600];
    void *stream = NULL;
    trine_status status = s->module->stream_create(s->ordinal, &stream);

    if (!status)
        status = suite_launch(s, item, call, TRINE_VALIDATE_POINTERS, 0, stream, NULL, &outcome);
    if (status) {
        suite_fail(s, "%s under the validate-pointers flag: %s", item->text, trine_last_error());
    } else {
        if (suite_judge(item, data, call, &outcome, 0, reason, sizeof reason))
            suite_pass(s);
        else
            suite_fail(s, "%s under the validate-pointers flag: %s", item->text, reason);
        trine_outcome_destroy(&outcome);
    }
    if (!status) flag_captures(s, item, call, stream);
    s->module->stream_destroy(s->ordinal, stream);
}

static void bad_memory(suite *s)
{
    suite_items items;
    suite_data data;
    trine_call call;
    int32_t last = -1;

    if (suite_find(s, 1, SUITE_APART, &items)) {
        suite_fail(s, "%s", trine_last_error());
        return;
    }
    for (size_t i = 0; i < items.count; i++) {
        if (items.items[i]->row->op == last) continue; /* the same for every row */
        last = items.items[i]->row->op;
        if (item_call(s, items.items[i], &data, &call)) {
            suite_fail(s, "%s: %s", items.items[i]->text, trine_last_error());
            continue;
        }
        tensors_elsewhere(s, items.items[i], &call);
        if (call.workspace_size) workspace_flaws(s, items.items[i], &call);
        flag_accepts(s, items.items[i], &data, &call);
        trine_call_destroy(&call);
        suite_data_destroy(&data);
    }
    suite_items_destroy(&items);
}

/* ---------------------------------------------------------------- alignment */

typedef struct alignment_counts {
    size_t ran, refused;
} alignment_counts;

/* The call with one tensor an element off its alignment, everything else as aligned as can be. */
static void shift_tensor(suite *s, suite_item *item, suite_data *data, int tensor,
                         alignment_counts *counts)
{
    const size_t width = trine_dtype_size(item->entry.plan.layout[tensor].dtype);
    const bool must_refuse = item->row->alignment && width % item->row->alignment;
    trine_plan plan = item->entry.plan;
    trine_exec exec;
    trine_call call;
    trine_outcome outcome = {0};
    char reason[600];

    for (int i = 0; i < TRINE_MAX_TENSORS; i++) plan.layout[i].misalignment = 0;
    plan.layout[tensor].misalignment = width;
    trine_status status =
        trine_call_create(&call, &plan, &data->data, item->context, s->target.device);
    if (status) {
        suite_fail(s, "%s: %s", item->text, trine_last_error());
        return;
    }
    exec = trine_call_exec(&call, 0);
    status = trine_call_upload(&call, TRINE_POISON_NAN);
    if (!status) status = trine_op_run(item->context, &exec, item->row->op, &call.args);
    if (status == TRINE_UNSUPPORTED) {
        counts->refused++;
        if (strlen(trine_last_error()) < 20)
            suite_fail(s, "%s: refused without a reason", item->text);
        else if (!suite_untouched(&call))
            suite_fail(s, "%s: refused, but memory changed", item->text);
        else
            suite_pass(s);
    } else {
        counts->ran++;
        if (!status) status = trine_device_synchronize(item->context, s->target.device);
        if (!status) status = trine_call_fetch(&call, &outcome);
        const char *name = plan.op->tensors[tensor].name;
        if (status || must_refuse)
            suite_fail(s, "%s with %s off by %zu bytes: %s", item->text, name, width,
                       status ? trine_last_error() : "taken, though the row needs its alignment");
        else if (!suite_judge(item, data, &call, &outcome, 0, reason, sizeof reason))
            suite_fail(s, "%s with %s off by %zu bytes: %s", item->text, name, width, reason);
        else
            suite_pass(s);
        trine_outcome_destroy(&outcome);
    }
    trine_call_destroy(&call);
}

static void bad_alignment(suite *s)
{
    alignment_counts counts = {0, 0};
    suite_items items;
    suite_data data;

    if (suite_find(s, 1, SUITE_APART, &items)) {
        suite_fail(s, "%s", trine_last_error());
        return;
    }
    for (size_t i = 0; i < items.count; i++) {
        const trine_plan *plan = &items.items[i]->entry.plan;
        if (suite_data_create(s, items.items[i], 8, &data)) {
            suite_fail(s, "%s: %s", items.items[i]->text, trine_last_error());
            continue;
        }
        for (int t = 0; t < plan->op->tensor_count; t++)
            if (plan->present[t]) shift_tensor(s, items.items[i], &data, t, &counts);
        suite_data_destroy(&data);
    }
    suite_note(s, "misaligned by an element, forced: %zu calls refused, %zu ran and were right",
               counts.refused, counts.ran);
    if (!counts.refused)
        suite_skip(s, "no row here refuses a misaligned pointer: the refusal was not seen");
    suite_items_destroy(&items);
}

/* ---------------------------------------------------------------- capture */

static int host_steps;

/* A row that does its work at once, on the host: nothing that a graph could hold. */
static trine_status host_step(const trine_launch *launch)
{
    (void)launch;
    host_steps++;
    return TRINE_OK;
}

static void capture_refused(suite *s, trine_context *context, trine_call *call, void *stream)
{
    trine_exec exec = trine_call_exec(call, 0);
    void *graph = NULL;

    exec.stream = stream;
    host_steps = 0;
    suite_expect(s, trine_op_run(context, &exec, call->plan->op->op, &call->args), TRINE_OK, NULL,
                 "a row that can't be captured, outside of capture");
    if (s->no_graphs) {
        suite_skip(s, "capture with a row that can't be captured: %s", s->no_graphs);
        return;
    }
    if (s->module->capture_begin(s->ordinal, stream)) {
        suite_fail(s, "capture: %s", trine_last_error());
        return;
    }
    const trine_status status = trine_op_run(context, &exec, call->plan->op->op, &call->args);
    suite_expect(s, status, TRINE_UNSUPPORTED, "suite_host_step can't run while exec.stream is",
                 "a row that can't be captured, in capture");
    if (host_steps != 1) suite_fail(s, "the row was launched %d times, must be once", host_steps);
    if (s->module->capture_end(s->ordinal, stream, &graph))
        suite_fail(s, "the refusal broke the capture: %s", trine_last_error());
    s->module->graph_destroy(s->ordinal, graph);
    suite_expect(s, trine_op_run(context, &exec, call->plan->op->op, &call->args), TRINE_OK, NULL,
                 "the same stream after the refusal");
}

static void bad_capture(suite *s)
{
    const trine_row row = {.op = TRINE_OP_MOE_SUM,
                           .backend = s->target.info->caps.backend,
                           .name = "suite_host_step",
                           .doc = "does nothing, at once",
                           .flags = TRINE_ROW_NOT_CAPTURABLE | TRINE_ROW_DETERMINISTIC,
                           .accumulation = TRINE_ACCUMULATE_EXACT,
                           .launch = host_step};
    const trine_request request = {.op = "moe_sum", .shape = "M=4,k=2,H=32"};
    trine_target target;
    trine_context *context = NULL;
    trine_plan plan;
    trine_data data = {0};
    trine_call call;
    void *stream = NULL;
    trine_status status = trine_target_open(&target, s->device, &row, 1);

    if (status) {
        suite_fail(s, "a context with a row of one's own: %s", trine_last_error());
        return;
    }
    status = trine_target_force(&target, row.op, row.name, &context);
    if (!status)
        status = trine_plan_from_request(&plan, &request, TRINE_E4M3FN, context, target.device);
    if (!status) status = trine_generate(&plan, TRINE_PATTERN_NORMAL, s->seed, &data);
    if (!status) status = s->module->stream_create(s->ordinal, &stream);
    if (!status) status = trine_call_create(&call, &plan, &data, context, target.device);
    if (status) {
        suite_fail(s, "capture with a row that can't be captured: %s", trine_last_error());
    } else {
        capture_refused(s, context, &call, stream);
        trine_call_destroy(&call);
    }
    s->module->stream_destroy(s->ordinal, stream);
    trine_data_destroy(&data);
    trine_target_close(&target);
}

void suite_pointers(suite *s)
{
    bad_memory(s);
    bad_alignment(s);
    bad_capture(s);
}
