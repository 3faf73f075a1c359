// SPDX-License-Identifier: Apache-2.0
/* What results of other kernels are held to: an op's bound, and its check in stages. */
#include <string.h>

#include "ops/plan.h"

static trine_status options_read(const trine_bound_options *options, trine_bound_options *full)
{
    *full =
        (trine_bound_options){sizeof *full, TRINE_ACCUMULATE_F32, TRINE_COMBINE_CLASS_F32, false};
    if (!options) return TRINE_OK;
    if (options->struct_size < sizeof(size_t) || options->struct_size > sizeof *full)
        return trine_fail(TRINE_ABI_MISMATCH,
                          "options.struct_size is %zu, this version takes up to %zu",
                          options->struct_size, sizeof *full);
    memcpy(full, options, options->struct_size);
    return TRINE_OK;
}

static trine_status on_host(const trine_context *context, const trine_op_plan *p)
{
    trine_context_device *device = trine_op_plan_device(context, p);
    if (!device) return TRINE_INVALID_DEVICE;
    if (device->module)
        return trine_fail(TRINE_INVALID_DEVICE,
                          "%s: a bound is computed from host tensors, these are on %s",
                          p->entry->description.name, device->device.id);
    return TRINE_OK;
}

trine_status trine_op_bound(trine_context *context, int32_t op, const void *args,
                            const trine_bound_options *options, double *value, double *bound)
{
    trine_op_plan p;
    trine_bound_options full;
    if (!context || !value || !bound)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL",
                          !context ? "context"
                          : !value ? "value"
                                   : "bound");
    trine_status status = options_read(options, &full);
    if (!status) status = trine_op_plan_make(op, args, false, &p);
    if (status) return status;
    if (!p.entry->bound)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is exact and has no bound",
                          p.entry->description.name);
    status = on_host(context, &p);
    if (status || trine_op_plan_is_empty(&p)) return status;
    return p.entry->bound(&p.problem, &full, value, bound);
}

trine_status trine_op_staged(trine_context *context, int32_t op, const void *args,
                             const trine_bound_options *options, const void *workspace,
                             size_t workspace_size, trine_staged_report *report, double *value,
                             double *bound)
{
    trine_op_plan p;
    trine_bound_options full;
    trine_staged_report made = TRINE_STAGED_REPORT_INIT;
    if (!context || !report || !value || !bound)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL",
                          !context  ? "context"
                          : !report ? "report"
                          : !value  ? "value"
                                    : "bound");
    const size_t report_size = report->struct_size;
    if (report_size < sizeof(size_t) || report_size > sizeof made)
        return trine_fail(TRINE_ABI_MISMATCH,
                          "report.struct_size is %zu, this version takes up to %zu", report_size,
                          sizeof made);
    trine_status status = options_read(options, &full);
    if (!status) status = trine_op_plan_make(op, args, false, &p);
    if (status) return status;
    if (!p.entry->staged)
        return trine_fail(TRINE_UNSUPPORTED, "%s has no stages to check",
                          p.entry->description.name);
    status = on_host(context, &p);
    if (status) return status;
    size_t size = p.entry->workspace(&p.problem);
    if (!workspace || workspace_size < size)
        return trine_fail(TRINE_WORKSPACE_TOO_SMALL,
                          "%s: workspace_size is %zu at %p, must be at least %zu",
                          p.entry->description.name, workspace_size, workspace, size);
    if (!trine_op_plan_is_empty(&p))
        status = p.entry->staged(&p.problem, &full, workspace, &made, value, bound);
    made.struct_size = report_size;
    if (!status) memcpy(report, &made, report_size);
    return status;
}
