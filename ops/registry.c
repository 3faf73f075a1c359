// SPDX-License-Identifier: Apache-2.0
/* The table of ops and the table of rows: everything Trine can do, and everything that does it. */
#include "ops/registry.h"

#include <string.h>

#include "backends/gpu/refuse.h"
#include "backends/host/host.h"
#include "ops/fused_moe.h"
#include "ops/per_token_group_quant.h"

static const trine_op_entry *const entries[TRINE_OP_COUNT] = {
#define OP_ENTRY(OP, op) [TRINE_OP_##OP] = &trine_##op##_entry,
    TRINE_OPS(OP_ENTRY)
#undef OP_ENTRY
};

/* Host launchers are linked in; those of the modules arrive with the module. */
#define ROW_LAUNCHER_HOST(op, row) trine_host_##op##_##row
#define ROW_LAUNCHER_CUDA(op, row) NULL
#define ROW_LAUNCHER_HIP(op, row)  NULL

#define DECLARE_HOST(op, row) trine_status trine_host_##op##_##row(const trine_launch *launch);
#define DECLARE_CUDA(op, row)
#define DECLARE_HIP(op, row)
#define ROW(BACKEND, OP, op, row, ...) DECLARE_##BACKEND(op, row)
#include "ops/rows.h"
#undef ROW

const trine_row trine_builtin_rows[TRINE_ROW_COUNT] = {
#define ROW(BACKEND, OP, op_name, row_name, ...)                                                   \
    [TRINE_ROW_##BACKEND##_##OP##_##                                                               \
        row_name] = {.op = TRINE_OP_##OP,                                                          \
                     .backend = TRINE_BACKEND_##BACKEND,                                           \
                     .name = #row_name,                                                            \
                     .launch = ROW_LAUNCHER_##BACKEND(op_name, row_name),                          \
                     __VA_ARGS__},
#include "ops/rows.h"
#undef ROW
};

const trine_op_entry *trine_op_entry_of(int32_t op)
{
    return op >= 0 && op < TRINE_OP_COUNT ? entries[op] : NULL;
}

const trine_op_description *trine_op_describe(int32_t op)
{
    const trine_op_entry *entry = trine_op_entry_of(op);
    return entry ? &entry->description : NULL;
}

int32_t trine_op_from_name(const char *name)
{
    for (int32_t op = 0; name && op < TRINE_OP_COUNT; op++)
        if (!strcmp(entries[op]->description.name, name)) return op;
    return -1;
}

const trine_row *trine_reference_row(int32_t op)
{
    static const trine_row *const references[TRINE_OP_COUNT] = {
#define OP_REFERENCE(OP, op) [TRINE_OP_##OP] = &trine_builtin_rows[TRINE_ROW_HOST_##OP##_reference],
        TRINE_OPS(OP_REFERENCE)
#undef OP_REFERENCE
    };
    return references[op];
}
