// SPDX-License-Identifier: Apache-2.0
/* Numbers of the rows of ops/rows.h: the index into a module's launcher table. */
#ifndef TRINE_OPS_ROW_IDS_H
#define TRINE_OPS_ROW_IDS_H

enum {
#define ROW(BACKEND, OP, op, row, ...) TRINE_ROW_##BACKEND##_##OP##_##row,
#include "ops/rows.h"
#undef ROW
    TRINE_ROW_COUNT
};

#endif
