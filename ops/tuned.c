// SPDX-License-Identifier: Apache-2.0
#include "ops/tuned.h"

#include <float.h>

const trine_tuned trine_builtin_tuned[] = {
    /* So many bytes are four rounds of each block of an H200, below which the making of the table
     * shows. The row refuses problems without silu: they go where they go without it. */
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "sm_90", "table", 48e6, DBL_MAX},
};

const size_t trine_builtin_tuned_count = sizeof trine_builtin_tuned / sizeof *trine_builtin_tuned;
