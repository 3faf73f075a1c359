// SPDX-License-Identifier: Apache-2.0
/* Devices under test. */
#include "check/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The DLPack slot of a device name; for a simulated one also the string that creates it. */
static trine_status parse_name(trine_target *target, const char *name)
{
    static const char simulated[] = "simulated:";
    char kind[8];
    int ordinal, used = 0;
    trine_caps caps;

    snprintf(target->name, sizeof target->name, "%s", name);
    if (strcmp(name, "cpu") == 0) {
        target->device = trine_host_device;
        return TRINE_OK;
    }
    if (strncmp(name, simulated, sizeof simulated - 1) == 0) {
        const char *model = name + sizeof simulated - 1;
        const trine_status status = trine_known_device_caps(model, &caps);
        if (status) return status;
        const bool hip = caps.backend == TRINE_BACKEND_HIP;
        if (caps.backend == TRINE_BACKEND_HOST)
            return trine_fail(TRINE_INVALID_ARGUMENT, "device \"%s\": the CPU needs no simulation",
                              name);
        target->device = (DLDevice){hip ? kDLROCM : kDLCUDA, 0};
        snprintf(target->simulate, sizeof target->simulate, "%s:0=%.40s", hip ? "rocm" : "cuda",
                 model);
        return TRINE_OK;
    }
    target->modules = true;
    if (sscanf(name, "%7[a-z]:%d%n", kind, &ordinal, &used) == 2 && name[used] == 0 &&
        ordinal >= 0) {
        const bool hip = strcmp(kind, "hip") == 0 || strcmp(kind, "rocm") == 0;
        if (hip || strcmp(kind, "cuda") == 0) {
            target->device = (DLDevice){hip ? kDLROCM : kDLCUDA, ordinal};
            return TRINE_OK;
        }
    }
    return trine_fail(
        TRINE_INVALID_ARGUMENT,
        "device \"%s\": must be cpu, cuda:N, hip:N or simulated:NAME with a NAME that "
        "`trine caps` lists",
        name);
}

static trine_status make_context(const trine_target *target, const char *kernel,
                                 trine_context **context)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_status status;

    params.simulate = target->simulate[0] ? target->simulate : NULL;
    params.no_modules = !target->modules;
    params.kernel = kernel;
    status = trine_context_create(&params, context);
    if (!status && target->added_count)
        status = trine_context_add_rows(*context, target->added, target->added_count);
    if (status) trine_context_destroy(context);
    return status;
}

static trine_status make_oracle(trine_context **oracle)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;

    params.ignore_environment = true;
    params.no_modules = true;
    params.kernel = "reference";
    return trine_context_create(&params, oracle);
}

trine_status trine_target_open(trine_target *target, const char *name, const trine_row *added,
                               size_t added_count)
{
    trine_status status;

    memset(target, 0, sizeof *target);
    target->added = added;
    target->added_count = added_count;
    status = parse_name(target, name);
    if (!status) status = make_oracle(&target->oracle);
    if (!status) status = make_context(target, NULL, &target->context);
    if (!status) {
        target->info = trine_device_find(target->context, target->device);
        if (!target->info)
            status = trine_fail(TRINE_INVALID_DEVICE, "device \"%s\": there is none here", name);
    }
    if (status) trine_target_close(target);
    return status;
}

void trine_target_close(trine_target *target)
{
    for (size_t i = 0; i < target->forced_count; i++)
        trine_context_destroy(&target->forced[i].context);
    free(target->forced);
    trine_context_destroy(&target->context);
    trine_context_destroy(&target->oracle);
    memset(target, 0, sizeof *target);
}

trine_status trine_target_force(trine_target *target, int32_t op, const char *row,
                                trine_context **context)
{
    char kernel[160];
    trine_target_row entry = {.op = op};

    for (size_t i = 0; i < target->forced_count; i++) {
        if (target->forced[i].op == op && strcmp(target->forced[i].row, row) == 0) {
            *context = target->forced[i].context;
            return TRINE_OK;
        }
    }
    snprintf(entry.row, sizeof entry.row, "%s", row);
    snprintf(kernel, sizeof kernel, "%s=%s", trine_op_describe(op)->name, row);
    trine_target_row *grown =
        realloc(target->forced, (target->forced_count + 1) * sizeof *target->forced);
    if (!grown) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    target->forced = grown;
    const trine_status status = make_context(target, kernel, &entry.context);
    if (status) return status;
    target->forced[target->forced_count++] = entry;
    *context = entry.context;
    return TRINE_OK;
}

const trine_row *trine_target_find_row(const trine_target *target, int32_t op,
                                       trine_backend backend, const char *name)
{
    const trine_row *row;

    for (size_t i = 0; (row = trine_row_at(target->context, op, i)) != NULL; i++) {
        if (row->backend == backend && strcmp(row->name, name) == 0) return row;
    }
    return NULL;
}
