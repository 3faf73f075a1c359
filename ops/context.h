// SPDX-License-Identifier: Apache-2.0
/* What a context holds: devices, rows in order of preference, the caller's wishes. */
#ifndef TRINE_OPS_CONTEXT_H
#define TRINE_OPS_CONTEXT_H

#include <stdatomic.h>

#include "backends/backend.h"
#include "backends/capabilities.h"
#include "ops/registry.h"

#define TRINE_MAX_DEVICES 64

typedef struct trine_context_device {
    trine_device device;
    const trine_module *module; /* NULL: cpu or simulated */
    int ordinal;
    atomic_int lost; /* sticky: 1 while its first thread writes lost_reason, then 2 */
    char lost_reason[256];
} trine_context_device;

/* A row as this context knows it. */
typedef struct trine_context_row {
    trine_row row;
    bool added; /* by the caller: its code is not part of what this build was compiled for */
    trine_status (*prepare)(const trine_row *row, const trine_caps *caps, int32_t ordinal);
} trine_context_row;

/* TRINE_KERNEL: rows forced by name; op -1 means every op. */
typedef struct trine_forced_row {
    int32_t op;
    char row[48];
} trine_forced_row;

struct trine_context {
    trine_log_fn log;
    void *log_cookie;
    trine_log_level log_level;
    trine_mask mask;
    trine_context_device *devices;
    size_t device_count;
    const trine_module *modules[TRINE_BACKEND_COUNT];
    trine_context_row **rows[TRINE_OP_COUNT]; /* in order of preference */
    size_t row_count[TRINE_OP_COUNT];
    trine_tuned *tuned;
    size_t tuned_count;
    trine_forced_row forced[TRINE_OP_COUNT + 1];
    size_t forced_count;
};

/* Takes in the built-in rows, with the launchers of the modules that are open. */
trine_status trine_context_rows_collect(trine_context *context);

void trine_log(const trine_context *context, trine_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

trine_context_device *trine_context_device_find(const trine_context *context, DLDevice device);

/* Adds a device; TRINE_INVALID_ARGUMENT when the table is full. Later ones with the same slot
 * replace earlier ones. */
trine_status trine_context_device_add(trine_context *context, const trine_context_device *device);

#endif
