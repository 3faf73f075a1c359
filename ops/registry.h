// SPDX-License-Identifier: Apache-2.0
/* The table of rows, as the core keeps it. */
#ifndef TRINE_OPS_REGISTRY_H
#define TRINE_OPS_REGISTRY_H

#include "ops/op.h"
#include "ops/row_ids.h"

extern const trine_row trine_builtin_rows[TRINE_ROW_COUNT];

#endif
