// SPDX-License-Identifier: Apache-2.0
/* Plans with memory on a device. */
#include "check/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trine_data_destroy(trine_data *data)
{
    for (int i = 0; i < TRINE_MAX_TENSORS; i++) free(data->values[i]);
    memset(data, 0, sizeof *data);
}

int trine_call_owner(const trine_plan *plan, int tensor)
{
    return plan->in_place[tensor] ? trine_plan_tensor(plan->op, plan->op->tensors[tensor].alias)
                                  : tensor;
}

/* Is the tensor only read? */
static bool is_input(const trine_plan *plan, int tensor)
{
    for (int i = 0; i < plan->op->tensor_count; i++)
        if (plan->op->tensors[i].role == TRINE_OUT && trine_call_owner(plan, i) == tensor)
            return false;
    return true;
}

trine_status trine_call_create(trine_call *call, const trine_plan *plan, const trine_data *data,
                               trine_context *context, DLDevice device)
{
    trine_status status = trine_plan_validate(plan, context, device, &call->workspace_size);

    memset(call->tensors, 0, sizeof call->tensors);
    memset(&call->workspace, 0, sizeof call->workspace);
    call->wild = false;
    call->plan = plan;
    call->data = data;
    call->device = device;
    call->args = plan->args;
    for (int i = 0; i < plan->op->tensor_count && !status; i++) {
        if (plan->present[i] && !plan->in_place[i])
            status = trine_tensor_create(&call->tensors[i], context, device, &plan->layout[i],
                                         is_input(plan, i));
    }
    if (!status && call->workspace_size) {
        trine_layout bytes = {.dtype = TRINE_U8, .rank = 1};
        bytes.shape[0] = (int64_t)call->workspace_size;
        bytes.stride[0] = 1;
        status = trine_tensor_create(&call->workspace, context, device, &bytes, false);
    }
    for (int i = 0; i < plan->op->tensor_count && !status; i++) {
        const DLTensor *tensor = plan->present[i] ? &call->tensors[i].dl : NULL;
        if (plan->in_place[i]) {
            call->in_place[i] = call->tensors[trine_call_owner(plan, i)].dl;
            call->in_place[i].dtype = trine_dtype_to_dl(plan->layout[i].dtype);
            tensor = &call->in_place[i];
        }
        memcpy(call->args.bytes + plan->op->tensors[i].offset, &tensor, sizeof tensor);
    }
    if (status) trine_call_destroy(call);
    return status;
}

void trine_call_destroy(trine_call *call)
{
    for (int i = 0; i < TRINE_MAX_TENSORS; i++) trine_tensor_destroy(&call->tensors[i]);
    trine_tensor_destroy(&call->workspace);
}

void trine_outcome_destroy(trine_outcome *outcome)
{
    for (int i = 0; i < TRINE_MAX_TENSORS; i++) {
        if (!outcome->borrowed[i]) free(outcome->images[i]);
    }
    free(outcome->workspace);
    memset(outcome, 0, sizeof *outcome);
}

const uint8_t *trine_outcome_elements(const trine_outcome *outcome, const trine_call *call,
                                      int tensor)
{
    return outcome->images[tensor] + call->tensors[trine_call_owner(call->plan, tensor)].origin;
}

const uint8_t *trine_outcome_workspace(const trine_outcome *outcome, const trine_call *call)
{
    return outcome->workspace ? outcome->workspace + call->workspace.origin : NULL;
}

trine_status trine_call_upload(trine_call *call, uint8_t poison)
{
    const trine_plan *plan = call->plan;
    trine_status status = TRINE_OK;

    for (int i = 0; i < plan->op->tensor_count && !status; i++) {
        if (!plan->present[i] || plan->in_place[i]) continue;
        trine_tensor_poison(&call->tensors[i], poison);
        if (call->data->values[i]) trine_tensor_scatter(&call->tensors[i], call->data->values[i]);
        status = trine_tensor_upload(&call->tensors[i]);
    }
    if (!status && call->workspace_size) {
        trine_tensor_poison(&call->workspace, call->wild ? TRINE_POISON_INDEX : poison);
        status = trine_tensor_upload(&call->workspace);
    }
    return status;
}

/* Index of the first byte in [begin, end) that differs; end if none does. */
static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t begin, size_t end)
{
    if (memcmp(a + begin, b + begin, end - begin) == 0) return end;
    while (begin < end && a[begin] == b[begin]) begin++;
    return begin;
}

/* Stray writes: inputs must be untouched, outputs outside their extent as well. */
static void inspect(const trine_tensor *tensor, const char *name, bool writable,
                    const uint8_t *image, char *damage, size_t size)
{
    const size_t end =
        tensor->origin + (size_t)tensor->extent * trine_dtype_size(tensor->layout.dtype);
    size_t at;

    if (damage[0]) return;
    at = first_difference(tensor->image, image, 0, tensor->origin);
    if (at < tensor->origin) {
        snprintf(damage, size, "wrote %zu bytes before the first element of %s",
                 tensor->origin - at, name);
        return;
    }
    at = first_difference(tensor->image, image, end, tensor->size);
    if (at < tensor->size) {
        snprintf(damage, size, "wrote byte %zu behind the last element of %s", at - end, name);
        return;
    }
    if (writable) return;
    at = first_difference(tensor->image, image, tensor->origin, end);
    if (at < end)
        snprintf(damage, size, "changed the input %s at byte %zu", name, at - tensor->origin);
}

trine_status trine_call_fetch(trine_call *call, trine_outcome *outcome)
{
    const trine_op_description *op = call->plan->op;
    bool writable[TRINE_MAX_TENSORS] = {false};
    trine_status status = TRINE_OK;

    for (int i = 0; i < op->tensor_count; i++) {
        if (call->plan->present[i] && op->tensors[i].role == TRINE_OUT)
            writable[trine_call_owner(call->plan, i)] = true;
    }
    for (int i = 0; i < op->tensor_count && !status; i++) {
        const trine_tensor *tensor = &call->tensors[i];
        if (!call->plan->present[i] || call->plan->in_place[i]) continue;
        outcome->images[i] = malloc(tensor->size);
        if (!outcome->images[i]) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
        status = trine_tensor_download(tensor, outcome->images[i]);
        if (!status)
            inspect(tensor, op->tensors[i].name, writable[i], outcome->images[i], outcome->damage,
                    sizeof outcome->damage);
    }
    for (int i = 0; i < op->tensor_count && !status; i++) {
        if (!call->plan->in_place[i]) continue;
        outcome->images[i] = outcome->images[trine_call_owner(call->plan, i)];
        outcome->borrowed[i] = true;
    }
    if (!status && call->workspace_size) {
        outcome->workspace = malloc(call->workspace.size);
        if (!outcome->workspace) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
        status = trine_tensor_download(&call->workspace, outcome->workspace);
        if (!status)
            inspect(&call->workspace, "the workspace", true, outcome->workspace, outcome->damage,
                    sizeof outcome->damage);
    }
    return status;
}

trine_exec trine_call_exec(const trine_call *call, uint32_t flags)
{
    trine_exec exec = TRINE_EXEC_INIT;

    exec.workspace = call->workspace_size ? call->workspace.dl.data : NULL;
    exec.workspace_size = call->workspace_size;
    exec.flags = flags;
    return exec;
}

trine_status trine_call_run(trine_call *call, trine_context *context, uint8_t poison,
                            uint32_t flags, trine_outcome *outcome)
{
    const trine_exec exec = trine_call_exec(call, flags);
    trine_status status = trine_call_upload(call, poison);

    memset(outcome, 0, sizeof *outcome);
    if (status) return status;
    outcome->status = trine_op_run(context, &exec, call->plan->op->op, &call->args);
    if (!outcome->status) outcome->status = trine_device_synchronize(context, call->device);
    if (outcome->status) snprintf(outcome->error, sizeof outcome->error, "%s", trine_last_error());
    status = trine_call_fetch(call, outcome);
    if (status) trine_outcome_destroy(outcome);
    return status;
}
