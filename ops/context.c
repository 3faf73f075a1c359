// SPDX-License-Identifier: Apache-2.0
/* Contexts: the environment is read here, once; devices and rows are collected. */
#include "ops/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capabilities.h"
#include "backends/loader.h"
#include "backends/simulate.h"
#include "ops/shape.h"

void trine_log(const trine_context *context, trine_log_level level, const char *format, ...)
{
    if (!context->log || level > context->log_level) return;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    context->log(context->log_cookie, level, message);
}

/* Where messages go when only the TRINE_LOG variable asks for them. */
static void log_to_stderr(void *cookie, trine_log_level level, const char *message)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    (void)cookie;
    fprintf(stderr, "trine %s: %s\n", names[level], message);
}

static trine_status log_level_parse(const char *text, trine_log_level *level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(text, names[i])) {
            *level = (trine_log_level)i;
            return TRINE_OK;
        }
    return trine_fail(TRINE_INVALID_ARGUMENT,
                      "TRINE_LOG is \"%s\", must be error, warn, info or debug", text);
}

/* "fused_moe=reference,moe_sum=rows" or "reference" for every op. */
static trine_status forced_rows_parse(trine_context *context, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ","), head = strcspn(text, "=,");
        trine_forced_row forced = {.op = -1};
        const char *row = text;
        if (text[head] == '=') {
            char op[64];
            if (head >= sizeof op)
                return trine_fail(TRINE_INVALID_ARGUMENT, "kernel: no op is named \"%.*s\"",
                                  (int)head, text);
            memcpy(op, text, head);
            op[head] = 0;
            row = text + head + 1;
            if (strcmp(op, "*")) {
                forced.op = trine_op_from_name(op);
                if (forced.op < 0)
                    return trine_fail(TRINE_INVALID_ARGUMENT, "kernel: no op is named \"%s\"", op);
            }
        }
        size_t row_length = length - (size_t)(row - text);
        if (!row_length || row_length >= sizeof forced.row)
            return trine_fail(TRINE_INVALID_ARGUMENT,
                              "kernel: \"%.*s\" names no row; the form is op=row,op=row",
                              (int)length, text);
        memcpy(forced.row, row, row_length);
        if (context->forced_count == sizeof context->forced / sizeof *context->forced)
            return trine_fail(TRINE_INVALID_ARGUMENT, "kernel: more entries than there are ops");
        context->forced[context->forced_count++] = forced;
        text += length + (text[length] == ',');
    }
    return TRINE_OK;
}

trine_context_device *trine_context_device_find(const trine_context *context, DLDevice device)
{
    for (size_t i = 0; i < context->device_count; i++) {
        const DLDevice *dl = &context->devices[i].device.dl;
        if (dl->device_type == device.device_type && dl->device_id == device.device_id)
            return &context->devices[i];
    }
    return NULL;
}

trine_status trine_context_device_add(trine_context *context, const trine_context_device *device)
{
    trine_context_device *slot = trine_context_device_find(context, device->device.dl);
    if (slot) {
        trine_log(context, TRINE_LOG_WARN, "%s: simulated %s replaces %s", device->device.id,
                  device->device.caps.name, slot->device.caps.name);
    } else {
        if (context->device_count == TRINE_MAX_DEVICES)
            return trine_fail(TRINE_INVALID_ARGUMENT, "more than %d devices", TRINE_MAX_DEVICES);
        slot = &context->devices[context->device_count++];
    }
    memcpy(slot, device, sizeof *slot);
    trine_log(context, TRINE_LOG_INFO, "device %s: %s (%s)%s%s", device->device.id,
              device->device.caps.name, device->device.caps.family,
              device->device.simulated ? ", simulated" : "",
              device->device.caps.known ? "" : ", unknown: generic kernels only");
    return TRINE_OK;
}

static trine_status cpu_add(trine_context *context)
{
    trine_context_device cpu = {.device = {.dl = {kDLCPU, 0}, .id = "cpu"}};
    cpu.device.caps = *trine_capabilities_find("cpu");
    trine_status status = trine_capabilities_finalize(&cpu.device.caps, "cpu", &context->mask);
    return status ? status : trine_context_device_add(context, &cpu);
}

static trine_status module_devices_add(trine_context *context, const trine_module *module)
{
    int count = module->device_count();
    for (int i = 0; i < count; i++) {
        trine_module_device found = {0};
        trine_context_device entry = {.module = module, .ordinal = i};
        bool cuda = module->backend == TRINE_BACKEND_CUDA;
        trine_status status = module->device_query(i, &found);
        if (status) {
            trine_log(context, TRINE_LOG_WARN, "%s device %d left out: %s",
                      trine_backend_name(module->backend), i, trine_last_error());
            continue;
        }
        entry.device.dl = (DLDevice){cuda ? kDLCUDA : kDLROCM, i};
        snprintf(entry.device.id, sizeof entry.device.id, "%s:%d",
                 trine_backend_name(module->backend), i);
        memcpy(entry.device.product, found.product, sizeof entry.device.product);
        const trine_caps *known = trine_capabilities_find(found.name);
        if (known)
            entry.device.caps = *known;
        else
            trine_capabilities_unknown(module->backend, found.name, &found.limits,
                                       &entry.device.caps);
        trine_capabilities_limits(&entry.device.caps.limits, &found.limits);
        status = trine_capabilities_finalize(&entry.device.caps, module->targets, &context->mask);
        if (!status) status = trine_context_device_add(context, &entry);
        if (status) return status;
    }
    return TRINE_OK;
}

static trine_status context_fill(trine_context *context, const trine_context_params *params)
{
    bool environment = !params->ignore_environment;
    const char *log = environment ? getenv("TRINE_LOG") : NULL;
    const char *mask = params->mask, *kernel = params->kernel, *simulate = params->simulate;
    const char *directory = params->backend_dir;
    context->log = params->log;
    context->log_cookie = params->log_cookie;
    context->log_level = params->log_level;
    if (environment) {
        if (!mask) mask = getenv("TRINE_MASK");
        if (!kernel) kernel = getenv("TRINE_KERNEL");
        if (!simulate) simulate = getenv("TRINE_SIMULATE");
        if (!directory) directory = getenv("TRINE_BACKEND_DIR");
    }
    trine_status status = TRINE_OK;
    if (log && *log) {
        status = log_level_parse(log, &context->log_level);
        if (!context->log) context->log = log_to_stderr;
    }
    context->devices = calloc(TRINE_MAX_DEVICES, sizeof *context->devices);
    if (!context->devices)
        status = trine_fail(TRINE_OUT_OF_MEMORY, "no memory for the table of devices");
    if (!status && mask) status = trine_capabilities_mask_parse(mask, &context->mask);
    if (!status && kernel) status = forced_rows_parse(context, kernel);
    if (!status) status = cpu_add(context);
    if (!status && !params->no_modules) status = trine_modules_load(context, directory);
    for (int b = 0; !status && b < TRINE_BACKEND_COUNT; b++)
        if (context->modules[b]) status = module_devices_add(context, context->modules[b]);
    if (!status && simulate) status = trine_simulate(context, simulate);
    if (!status) status = trine_context_rows_collect(context);
    return status;
}

trine_status trine_context_create(const trine_context_params *params, trine_context **context)
{
    trine_context_params full = TRINE_CONTEXT_PARAMS_INIT;
    if (!context)
        return trine_fail(TRINE_INVALID_ARGUMENT, "context is NULL, must say where to put it");
    *context = NULL;
    if (params) {
        if (params->struct_size < sizeof(size_t) || params->struct_size > sizeof full)
            return trine_fail(TRINE_ABI_MISMATCH,
                              "params.struct_size is %zu, this version takes up to %zu",
                              params->struct_size, sizeof full);
        memcpy(&full, params, params->struct_size);
    }
    trine_status status = trine_shape_compile_all();
    if (status) return trine_fail(status, "the op tables do not compile");
    trine_context *made = calloc(1, sizeof *made);
    if (!made) return trine_fail(TRINE_OUT_OF_MEMORY, "no memory for a context");
    status = context_fill(made, &full);
    if (status) trine_context_destroy(&made);
    *context = made;
    return status;
}

void trine_context_destroy(trine_context **context)
{
    if (!context || !*context) return;
    for (int op = 0; op < TRINE_OP_COUNT; op++) {
        for (size_t i = 0; i < (*context)->row_count[op]; i++) free((*context)->rows[op][i]);
        free((*context)->rows[op]);
    }
    free((*context)->tuned);
    free((*context)->devices);
    free(*context);
    *context = NULL;
}

size_t trine_device_count(const trine_context *context)
{
    return context ? context->device_count : 0;
}

const trine_device *trine_device_at(const trine_context *context, size_t index)
{
    return index < trine_device_count(context) ? &context->devices[index].device : NULL;
}

const trine_device *trine_device_find(const trine_context *context, DLDevice device)
{
    trine_context_device *found = context ? trine_context_device_find(context, device) : NULL;
    return found ? &found->device : NULL;
}
