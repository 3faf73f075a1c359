// SPDX-License-Identifier: Apache-2.0
/* A call from its args to the launcher: one path for every op. */
#include <stdio.h>
#include <string.h>

#include "backends/capabilities.h"
#include "ops/plan.h"
#include "ops/select.h"
#include "ops/tensors.h"

trine_status trine_op_plan_make(int32_t op, const void *args, bool planning, trine_op_plan *p)
{
    p->entry = trine_op_entry_of(op);
    if (!p->entry) return trine_fail(TRINE_INVALID_ARGUMENT, "no op has number %d", op);
    const trine_op_description *d = &p->entry->description;
    p->args = trine_args_complete(d, args, p->scratch.bytes);
    if (!p->args) return args ? TRINE_ABI_MISMATCH : TRINE_INVALID_ARGUMENT;
    trine_status status = trine_params_check(d, p->args);
    if (!status) status = trine_tensors_read(d, p->args, planning, p->views, &p->device);
    if (!status) status = p->entry->resolve(p->views, p->args, &p->problem);
    if (!status && !planning) status = trine_overlap_check(d, p->views);
    return status;
}

bool trine_op_plan_is_empty(const trine_op_plan *p)
{
    const trine_op_description *d = &p->entry->description;
    for (int i = 0; i < d->tensor_count; i++)
        if (d->tensors[i].role == TRINE_OUT && trine_view_elements(&p->views[i])) return false;
    return true;
}

static trine_status exec_read(const trine_exec *exec, trine_exec *full)
{
    *full = (trine_exec)TRINE_EXEC_INIT;
    if (!exec) return TRINE_OK;
    if (exec->struct_size < sizeof(size_t) || exec->struct_size > sizeof *full)
        return trine_fail(TRINE_ABI_MISMATCH,
                          "exec.struct_size is %zu, this version takes up to %zu",
                          exec->struct_size, sizeof *full);
    memcpy(full, exec, exec->struct_size);
    uint32_t known = TRINE_DETERMINISTIC | TRINE_BATCH_INVARIANT | TRINE_VALIDATE_POINTERS;
    if (full->flags & ~known)
        return trine_fail(TRINE_INVALID_ARGUMENT, "exec.flags is 0x%x, known are 0x%x", full->flags,
                          known);
    if (full->flags & TRINE_BATCH_INVARIANT)
        return trine_fail(TRINE_UNSUPPORTED, "exec.flags: batch-invariant is reserved");
    return TRINE_OK;
}

static trine_status workspace_held(const trine_op_plan *p, const trine_exec *exec)
{
    size_t size = p->entry->workspace ? p->entry->workspace(&p->problem) : 0;
    const char *op = p->entry->description.name;
    if (!size) return TRINE_OK;
    if (exec->workspace_size < size || !exec->workspace)
        return trine_fail(TRINE_WORKSPACE_TOO_SMALL,
                          "%s: exec.workspace_size is %zu at %p, must be at least %zu", op,
                          exec->workspace_size, exec->workspace, size);
    if ((uintptr_t)exec->workspace % TRINE_WORKSPACE_ALIGNMENT)
        return trine_fail(TRINE_WORKSPACE_TOO_SMALL,
                          "%s: exec.workspace is at %p, must be a multiple of %d bytes", op,
                          exec->workspace, TRINE_WORKSPACE_ALIGNMENT);
    return trine_workspace_check(&p->entry->description, p->views, exec->workspace, size);
}

/* Asks the driver whose memory a pointer is. */
static trine_status pointer_held(const trine_context_device *device, const char *op,
                                 const char *name, const void *pointer)
{
    int kind = 0, ordinal = -1;
    trine_status status = device->module->pointer_query(pointer, &kind, &ordinal);
    if (status) return status;
    if (kind == 2 || (kind == 1 && ordinal == device->ordinal)) return TRINE_OK;
    if (kind == 1)
        return trine_fail(TRINE_INVALID_DEVICE, "%s: %s at %p belongs to device %d, must be on %s",
                          op, name, pointer, ordinal, device->device.id);
    return trine_fail(TRINE_INVALID_DEVICE, "%s: %s at %p is host memory, must be on %s", op, name,
                      pointer, device->device.id);
}

static trine_status pointers_held(const trine_op_plan *p, const trine_context_device *device,
                                  const trine_exec *exec)
{
    const trine_op_description *d = &p->entry->description;
    if (!device->module || !(exec->flags & TRINE_VALIDATE_POINTERS)) return TRINE_OK;
    for (int i = 0; i < d->tensor_count; i++) {
        if (!trine_view_elements(&p->views[i])) continue;
        trine_status status = pointer_held(device, d->name, d->tensors[i].name, p->views[i].data);
        if (status) return status;
    }
    if (p->entry->workspace && p->entry->workspace(&p->problem)) {
        trine_status status = pointer_held(device, d->name, "exec.workspace", exec->workspace);
        if (status) return status;
    }
    int ordinal = -1;
    bool capturing = false;
    trine_status status = device->module->stream_query(exec->stream, &ordinal, &capturing);
    if (!status && ordinal >= 0 && ordinal != device->ordinal)
        return trine_fail(TRINE_INVALID_DEVICE,
                          "%s: exec.stream belongs to device %d, the tensors are on %s", d->name,
                          ordinal, device->device.id);
    return status;
}

static trine_status launch_held(trine_context_device *device, const trine_context_row *row,
                                trine_launch *launch)
{
    const trine_row *runs = &row->row;
    if (device->device.simulated) {
        /* Nothing GPU-like is there to run a GPU kernel: the reference does its work. */
        if (runs->backend != TRINE_BACKEND_HOST && !(runs->flags & TRINE_ROW_HOST_CALLABLE))
            runs = trine_reference_row(runs->op);
        launch->row = runs;
        return runs->launch(launch);
    }
    launch->row = runs;
    if (!device->module) return runs->launch(launch);
    int previous = device->module->device_enter(device->ordinal);
    if (previous < 0)
        return trine_fail(TRINE_BACKEND_ERROR, "%s can't be made current", device->device.id);
    trine_status status = runs->launch(launch);
    int held = 0;
    if (status == TRINE_DEVICE_LOST && atomic_compare_exchange_strong(&device->lost, &held, 1)) {
        snprintf(device->lost_reason, sizeof device->lost_reason, "%.255s", trine_last_error());
        atomic_store(&device->lost, 2);
    }
    device->module->device_leave(previous);
    return status;
}

static trine_status capture_held(const trine_context_device *device, const trine_row *row,
                                 void *stream)
{
    int ordinal;
    bool capturing = false;
    if (!device->module || !(row->flags & TRINE_ROW_NOT_CAPTURABLE)) return TRINE_OK;
    trine_status status = device->module->stream_query(stream, &ordinal, &capturing);
    if (!status && capturing)
        return trine_fail(TRINE_UNSUPPORTED, "%s can't run while exec.stream is capturing",
                          row->name);
    return status;
}

trine_context_device *trine_op_plan_device(const trine_context *context, const trine_op_plan *p)
{
    trine_context_device *device = trine_context_device_find(context, p->device);
    if (!device)
        trine_fail(TRINE_INVALID_DEVICE,
                   "%s: the tensors are on device (%d, %d), which this context does not have",
                   p->entry->description.name, p->device.device_type, p->device.device_id);
    return device;
}

static trine_status determinism_held(const trine_op_plan *p, uint32_t flags)
{
    if (!(flags & TRINE_DETERMINISTIC) || !p->entry->nondeterministic) return TRINE_OK;
    const char *why = p->entry->nondeterministic(&p->problem);
    if (why)
        return trine_fail(TRINE_UNSUPPORTED, "%s: %s, which exec.flags' deterministic rules out",
                          p->entry->description.name, why);
    return TRINE_OK;
}

/* What a launch learnt of the device holds for every later call of the context. */
static trine_status device_held(trine_context_device *device)
{
    if (atomic_load(&device->lost) < 2) return TRINE_OK;
    return trine_fail(TRINE_DEVICE_LOST, "%s is lost: %s", device->device.id, device->lost_reason);
}

trine_status trine_op_run(trine_context *context, const trine_exec *exec, int32_t op,
                          const void *args)
{
    trine_op_plan p;
    trine_exec full;
    if (!context) return trine_fail(TRINE_INVALID_ARGUMENT, "context is NULL");
    trine_status status = exec_read(exec, &full);
    if (!status) status = trine_op_plan_make(op, args, false, &p);
    if (status) return status;
    trine_context_device *device = trine_op_plan_device(context, &p);
    if (!device) return TRINE_INVALID_DEVICE;
    status = device_held(device);
    if (!status) status = determinism_held(&p, full.flags);
    if (status || trine_op_plan_is_empty(&p)) return status;
    status = workspace_held(&p, &full);
    if (!status) status = pointers_held(&p, device, &full);
    if (status) return status;

    trine_selection_query query = {.entry = p.entry,
                                   .args = p.args,
                                   .views = p.views,
                                   .problem = &p.problem,
                                   .caps = &device->device.caps,
                                   .simulated = device->device.simulated,
                                   .flags = full.flags};
    const trine_context_row *row = trine_select(context, &query);
    if (!row) return TRINE_UNSUPPORTED;
    if (context->log_level >= TRINE_LOG_DEBUG)
        trine_log(context, TRINE_LOG_DEBUG, "%s on %s: %s", p.entry->description.name,
                  device->device.id, row->row.name);
    status = capture_held(device, &row->row, full.stream);
    if (status) return status;
    trine_launch launch = {.problem = &p.problem,
                           .caps = &device->device.caps,
                           .ordinal = device->ordinal,
                           .stream = full.stream,
                           .workspace = full.workspace,
                           .workspace_size = full.workspace_size,
                           .flags = full.flags};
    return launch_held(device, row, &launch);
}

trine_status trine_op_workspace_size(trine_context *context, int32_t op, const void *args,
                                     size_t *size)
{
    trine_op_plan p;
    if (!context || !size)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL", context ? "size" : "context");
    trine_status status = trine_op_plan_make(op, args, true, &p);
    if (status) return status;
    *size = p.entry->workspace ? p.entry->workspace(&p.problem) : 0;
    return TRINE_OK;
}

trine_status trine_op_cost(trine_context *context, int32_t op, const void *args, trine_cost *cost)
{
    trine_op_plan p;
    if (!context || !cost)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL", context ? "cost" : "context");
    trine_status status = trine_op_plan_make(op, args, true, &p);
    if (!status) *cost = p.entry->cost(&p.problem);
    return status;
}

trine_status trine_op_explain(trine_context *context, const trine_exec *exec, int32_t op,
                              const void *args, const char *device, trine_explanation *entries,
                              size_t capacity, size_t *count)
{
    trine_op_plan p;
    trine_exec full;
    trine_caps named;
    if (!context || !count || (capacity && !entries))
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL",
                          !context ? "context"
                          : !count ? "count"
                                   : "entries");
    trine_status status = exec_read(exec, &full);
    if (!status) status = trine_op_plan_make(op, args, true, &p);
    if (status) return status;
    trine_selection_query query = {.entry = p.entry,
                                   .args = p.args,
                                   .views = p.views,
                                   .problem = &p.problem,
                                   .caps = &named,
                                   .absent = device != NULL,
                                   .flags = full.flags};
    if (device) {
        status = trine_capabilities_named(device, &context->mask, &named);
        if (status) return status;
    } else {
        trine_context_device *own = trine_op_plan_device(context, &p);
        if (!own) return TRINE_INVALID_DEVICE;
        query.caps = &own->device.caps;
        query.simulated = own->device.simulated;
    }
    *count = trine_select_explain(context, &query, entries, capacity);
    return TRINE_OK;
}

trine_status trine_prepare(trine_context *context, DLDevice device, int32_t op)
{
    trine_context_device *own = context ? trine_context_device_find(context, device) : NULL;
    if (!own)
        return trine_fail(TRINE_INVALID_DEVICE, "device (%d, %d) is not in this context",
                          device.device_type, device.device_id);
    if (op < -1 || op >= TRINE_OP_COUNT)
        return trine_fail(TRINE_INVALID_ARGUMENT, "op is %d, must be -1 to %d", op,
                          TRINE_OP_COUNT - 1);
    if (!own->module) return TRINE_OK;
    trine_status status = device_held(own);
    if (status) return status;
    int previous = own->module->device_enter(own->ordinal);
    if (previous < 0)
        return trine_fail(TRINE_BACKEND_ERROR, "%s can't be made current", own->device.id);
    for (int32_t i = 0; i < TRINE_OP_COUNT && !status; i++) {
        if (op >= 0 && op != i) continue;
        for (size_t j = 0; j < context->row_count[i] && !status; j++) {
            const trine_context_row *row = context->rows[i][j];
            if (row->row.backend == own->device.caps.backend && row->prepare)
                status = row->prepare(&row->row, &own->device.caps, own->ordinal);
        }
    }
    own->module->device_leave(previous);
    return status;
}
