// SPDX-License-Identifier: Apache-2.0
/* Status names and the calling thread's last error. */
#include <stdio.h>

#include <trine/core.h>

#include "config.h"

static _Thread_local char last_error[512];

const char *trine_version(void)
{
    return TRINE_VERSION;
}

const char *trine_last_error(void)
{
    return last_error;
}

trine_status trine_fail(trine_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    return status;
}

const char *trine_status_name(trine_status status)
{
    static const char *const names[TRINE_STATUS_COUNT] = {
        [TRINE_OK] = "ok",
        [TRINE_INVALID_ARGUMENT] = "invalid_argument",
        [TRINE_INVALID_DTYPE] = "invalid_dtype",
        [TRINE_INVALID_SHAPE] = "invalid_shape",
        [TRINE_INVALID_LAYOUT] = "invalid_layout",
        [TRINE_INVALID_DEVICE] = "invalid_device",
        [TRINE_OVERLAP] = "overlap",
        [TRINE_WORKSPACE_TOO_SMALL] = "workspace_too_small",
        [TRINE_SIZE_OVERFLOW] = "size_overflow",
        [TRINE_UNSUPPORTED] = "unsupported",
        [TRINE_OUT_OF_MEMORY] = "out_of_memory",
        [TRINE_BACKEND_ERROR] = "backend_error",
        [TRINE_DEVICE_LOST] = "device_lost",
        [TRINE_ABI_MISMATCH] = "abi_mismatch",
    };
    if ((unsigned)status >= TRINE_STATUS_COUNT) return "unknown_status";
    return names[status];
}
