// SPDX-License-Identifier: Apache-2.0
/* Filling in what a caller left open: dtypes, optional tensors, shapes from letters. */
#ifndef TRINE_CHECK_SETTLE_H
#define TRINE_CHECK_SETTLE_H

#include "check/dims.h"

/* Gives the tensors marked `open` the first dtypes, by likelihood, with which the call is legal.
 * `fp8` is the encoding to try first. Returns validation's last status. */
trine_status trine_plan_settle(trine_plan *plan, const bool open[TRINE_MAX_TENSORS],
                               trine_dtype fp8, trine_context *context, DLDevice device);

/* A call in words, as a command line has it. */
typedef struct trine_request {
    const char *op;
    const char *shape; /* "M=8192,K=7168"; NULL: none */
    const char *dtype; /* "x=bf16,q=e4m3fn"; NULL: likely ones */
    const char *with;  /* "bias,expert_map": optional tensors to have */
    const char *names[2 * TRINE_MAX_PARAMS], *values[2 * TRINE_MAX_PARAMS]; /* params */
    size_t param_count;
} trine_request;

trine_status trine_plan_from_request(trine_plan *plan, const trine_request *request,
                                     trine_dtype fp8, trine_context *context, DLDevice device);

#endif
