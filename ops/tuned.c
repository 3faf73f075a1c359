// SPDX-License-Identifier: Apache-2.0
#include "ops/tuned.h"

#include <float.h>

const trine_tuned trine_builtin_tuned[] = {
    /* Below, the time to make the table shows. Problems without silu, which the row refuses, go to
     * the next. */
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "sm_90", "table", 48e6, DBL_MAX},
};

const size_t trine_builtin_tuned_count = sizeof trine_builtin_tuned / sizeof *trine_builtin_tuned;
