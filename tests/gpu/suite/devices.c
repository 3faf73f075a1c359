// SPDX-License-Identifier: Apache-2.0
/* A second device of the same backend: calls there while the first is current, and mixtures. */
#include "tests/gpu/suite/suite.h"

#include <stdio.h>

/* The next device of the backend in the context, or an id of -1. */
static DLDevice other_device(const suite *s)
{
    const DLDevice own = s->target.device;

    for (size_t i = 0; i < trine_device_count(s->target.context); i++) {
        const trine_device *device = trine_device_at(s->target.context, i);
        if (device->dl.device_type == own.device_type && device->dl.device_id != own.device_id)
            return device->dl;
    }
    return (DLDevice){own.device_type, -1};
}

/* A row's call on the other device, on a stream of that device, while ours is current. */
static void run_there(suite *s, suite_item *item, DLDevice there)
{
    suite other = *s;
    suite_data data;
    trine_call call;
    trine_outcome outcome = {0};
    char reason[600];
    void *stream = NULL;

    other.ordinal = there.device_id;
    if (suite_data_create(s, item, 9, &data)) {
        suite_fail(s, "%s: %s", item->text, trine_last_error());
        return;
    }
    const int before = s->module->device_enter(s->ordinal);
    trine_status status =
        trine_call_create(&call, &item->entry.plan, &data.data, item->context, there);
    if (!status) {
        status = s->module->stream_create(other.ordinal, &stream);
        if (!status) status = suite_launch(&other, item, &call, 0, 0, stream, NULL, &outcome);
        if (!status && s->module->device_enter(s->ordinal) != s->ordinal)
            suite_fail(s, "%s: the caller's current device changed", item->text);
        if (status)
            suite_fail(s, "%s on device %d: %s", item->text, there.device_id, trine_last_error());
        else if (!suite_judge(item, &data, &call, &outcome, 0, reason, sizeof reason))
            suite_fail(s, "%s on device %d: %s", item->text, there.device_id, reason);
        else
            suite_pass(s);
        trine_outcome_destroy(&outcome);
        s->module->stream_destroy(other.ordinal, stream);
        trine_call_destroy(&call);
    } else {
        suite_fail(s, "%s on device %d: %s", item->text, there.device_id, trine_last_error());
    }
    s->module->device_leave(before);
    suite_data_destroy(&data);
}

static void expect_refused(suite *s, suite_item *item, trine_call *call, const trine_exec *exec,
                           const char *says, const char *what)
{
    const trine_status got = trine_op_run(item->context, exec, item->row->op, &call->args);

    if (suite_expect(s, got, TRINE_INVALID_DEVICE, says, "%s, %s", item->text, what) &&
        !suite_untouched(call))
        suite_fail(s, "%s, %s: refused, but memory changed", item->text, what);
}

/* Tensors, memory and streams of two devices in one call. */
static void mix(suite *s, suite_item *item, DLDevice there)
{
    const trine_op_description *op = item->entry.plan.op;
    suite_data data;
    trine_call here, away;
    void *stream = NULL;
    char what[100];

    if (suite_data_create(s, item, 10, &data)) {
        suite_fail(s, "%s: %s", item->text, trine_last_error());
        return;
    }
    trine_status status =
        trine_call_create(&here, &item->entry.plan, &data.data, item->context, s->target.device);
    if (!status) {
        status = trine_call_create(&away, &item->entry.plan, &data.data, item->context, there);
        if (status) trine_call_destroy(&here);
    }
    if (status) {
        suite_fail(s, "%s: %s", item->text, trine_last_error());
        suite_data_destroy(&data);
        return;
    }
    status = trine_call_upload(&here, TRINE_POISON_NAN);
    if (!status) status = s->module->stream_create(there.device_id, &stream);
    for (int i = 0; i < op->tensor_count && !status; i++) {
        trine_exec exec = trine_call_exec(&here, 0);
        DLTensor *dl = &here.tensors[i].dl;
        const DLTensor kept = *dl;
        if (!here.tensors[i].image || !here.tensors[i].count) continue;
        dl->device = there;
        snprintf(what, sizeof what, "%s said to be on device %d", op->tensors[i].name,
                 there.device_id);
        expect_refused(s, item, &here, &exec, "device", what);
        *dl = kept;
        dl->data = away.tensors[i].dl.data;
        exec.flags = TRINE_VALIDATE_POINTERS;
        snprintf(what, sizeof what, "%s in memory of device %d", op->tensors[i].name,
                 there.device_id);
        expect_refused(s, item, &here, &exec, "belongs to device", what);
        *dl = kept;
    }
    if (!status) {
        trine_exec exec = trine_call_exec(&here, TRINE_VALIDATE_POINTERS);
        exec.stream = stream;
        expect_refused(s, item, &here, &exec, "exec.stream belongs to device",
                       "a stream of another device");
    } else {
        suite_fail(s, "%s: %s", item->text, trine_last_error());
    }
    s->module->stream_destroy(there.device_id, stream);
    trine_call_destroy(&away);
    trine_call_destroy(&here);
    suite_data_destroy(&data);
}

void suite_devices(suite *s)
{
    const DLDevice there = other_device(s);
    suite_items items;
    int32_t last = -1;

    if (there.device_id < 0) {
        suite_skip(s, "a call on a second device, a tensor of another device, a stream of another "
                      "device: there is one device here");
        return;
    }
    if (suite_find(s, 1, SUITE_APART, &items)) {
        suite_fail(s, "%s", trine_last_error());
        return;
    }
    for (size_t i = 0; i < items.count; i++) {
        run_there(s, items.items[i], there);
        if (items.items[i]->row->op != last) mix(s, items.items[i], there);
        last = items.items[i]->row->op;
    }
    suite_items_destroy(&items);
}
