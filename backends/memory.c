// SPDX-License-Identifier: Apache-2.0
/* Memory of any device, for tools and tests (host memory where there is no module), and the module
 * itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ops/context.h"

static trine_context_device *device_of(trine_context *context, DLDevice device)
{
    trine_context_device *own = context ? trine_context_device_find(context, device) : NULL;
    if (!own)
        trine_fail(TRINE_INVALID_DEVICE, "device (%d, %d) is not in this context",
                   device.device_type, device.device_id);
    return own;
}

const trine_module *trine_device_module(trine_context *context, DLDevice device)
{
    trine_context_device *own = device_of(context, device);
    return own ? own->module : NULL;
}

trine_status trine_device_alloc(trine_context *context, DLDevice device, size_t size, void **data)
{
    trine_context_device *own = device_of(context, device);
    if (!own) return TRINE_INVALID_DEVICE;
    if (!data) return trine_fail(TRINE_INVALID_ARGUMENT, "data is NULL");
    if (own->module) return own->module->alloc(own->ordinal, size, data);
    /* Not aligned_alloc, which rounds up: sanitizers shall see where the memory ends. */
    *data = NULL;
    if (size <= PTRDIFF_MAX && posix_memalign(data, TRINE_WORKSPACE_ALIGNMENT, size ? size : 1))
        *data = NULL;
    if (!*data) return trine_fail(TRINE_OUT_OF_MEMORY, "no memory for %zu bytes", size);
    return TRINE_OK;
}

void trine_device_free(trine_context *context, DLDevice device, void *data)
{
    trine_context_device *own = data ? device_of(context, device) : NULL;
    if (!own) return;
    if (own->module)
        own->module->release(own->ordinal, data);
    else
        free(data);
}

trine_status trine_device_copy(trine_context *context, DLDevice device, void *dst, const void *src,
                               size_t size, bool to_device)
{
    trine_context_device *own = device_of(context, device);
    if (!own) return TRINE_INVALID_DEVICE;
    if (size && (!dst || !src))
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL", dst ? "src" : "dst");
    if (own->module) return own->module->copy(own->ordinal, dst, src, size, to_device);
    if (size) memcpy(dst, src, size);
    return TRINE_OK;
}

trine_status trine_device_synchronize(trine_context *context, DLDevice device)
{
    trine_context_device *own = device_of(context, device);
    if (!own) return TRINE_INVALID_DEVICE;
    return own->module ? own->module->synchronize(own->ordinal) : TRINE_OK;
}
