// SPDX-License-Identifier: Apache-2.0
/* The table of rows, as the core keeps it. */
#ifndef TRINE_OPS_REGISTRY_H
#define TRINE_OPS_REGISTRY_H

#include "ops/op.h"
#include "ops/row_ids.h"

extern const trine_row trine_builtin_rows[TRINE_ROW_COUNT];

/* The oracle's row of an op: every op has one. */
const trine_row *trine_reference_row(int32_t op);

#endif
