// SPDX-License-Identifier: Apache-2.0
#include "backends/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capabilities.h"

/* "rocm:0" */
static bool slot_parse(const char *text, size_t length, DLDevice *slot)
{
    static const struct {
        const char *prefix;
        DLDeviceType type;
    } prefixes[] = {{"rocm:", kDLROCM}, {"hip:", kDLROCM}, {"cuda:", kDLCUDA}};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t head = strlen(prefixes[i].prefix);
        if (length <= head || length > head + 3 || strncmp(text, prefixes[i].prefix, head))
            continue;
        int number = 0;
        for (size_t at = head; at < length; at++) {
            if (text[at] < '0' || text[at] > '9') return false;
            number = number * 10 + (text[at] - '0');
        }
        *slot = (DLDevice){prefixes[i].type, number};
        return true;
    }
    return false;
}

static trine_status entry_add(trine_context *context, const char *text, size_t length)
{
    trine_context_device entry = {.device = {.simulated = true}};
    trine_device *device = &entry.device;
    const char *equals = memchr(text, '=', length);
    char name[32];
    if (!equals || !slot_parse(text, (size_t)(equals - text), &device->dl))
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "simulate has \"%.*s\"; the form is rocm:0=gfx942 or cuda:0=sm_90",
                          (int)length, text);
    size_t name_length = length - (size_t)(equals + 1 - text);
    if (name_length >= sizeof name) name_length = sizeof name - 1;
    memcpy(name, equals + 1, name_length);
    name[name_length] = 0;
    trine_status status = trine_capabilities_named(name, &context->mask, &device->caps);
    if (status) return status;
    bool cuda = device->dl.device_type == kDLCUDA;
    if (device->caps.backend != (cuda ? TRINE_BACKEND_CUDA : TRINE_BACKEND_HIP))
        return trine_fail(TRINE_INVALID_ARGUMENT, "simulate has \"%.*s\"; %s is no %s device",
                          (int)length, text, name, cuda ? "cuda" : "rocm");
    snprintf(device->id, sizeof device->id, "%s:%d", cuda ? "cuda" : "hip", device->dl.device_id);
    snprintf(device->product, sizeof device->product, "simulated %s", name);
    return trine_context_device_add(context, &entry);
}

trine_status trine_simulate(trine_context *context, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        trine_status status = entry_add(context, text, length);
        if (status) return status;
        text += length + (text[length] == ',');
    }
    return TRINE_OK;
}
