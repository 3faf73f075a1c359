// SPDX-License-Identifier: Apache-2.0
/*
 * A device under test by name ("cpu", "cuda:0", "hip:0", "simulated:gfx942"), the contexts that
 * force one row each, and the oracle: a context whose every op is the reference on the CPU.
 */
#ifndef TRINE_CHECK_TARGET_H
#define TRINE_CHECK_TARGET_H

#include <trine/trine.h>

typedef struct trine_target_row {
    int32_t op;
    char row[64];
    trine_context *context;
} trine_target_row;

typedef struct trine_target {
    char name[64];
    char simulate[64];
    bool modules;
    DLDevice device;
    trine_context *context; /* selection as for any caller */
    trine_context *oracle;
    const trine_device *info;
    const trine_row *added; /* rows given to every context of the target but the oracle */
    size_t added_count;
    trine_target_row *forced;
    size_t forced_count;
} trine_target;

/* TRINE_INVALID_DEVICE when the name is well formed and there is no such device here. */
trine_status trine_target_open(trine_target *target, const char *name, const trine_row *added,
                               size_t added_count);
void trine_target_close(trine_target *target);

/* The context in which `op` runs by `row` or not at all. Owned by the target. */
trine_status trine_target_force(trine_target *target, int32_t op, const char *row,
                                trine_context **context);

/* A row of the target's backend by name; NULL if there is none. */
const trine_row *trine_target_find_row(const trine_target *target, int32_t op,
                                       trine_backend backend, const char *name);

static const DLDevice trine_host_device = {kDLCPU, 0};

#endif
