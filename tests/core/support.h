// SPDX-License-Identifier: Apache-2.0
/* Contexts and tensors for the tests of the core. */
#ifndef TRINE_TESTS_CORE_SUPPORT_H
#define TRINE_TESTS_CORE_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>
#include <trine/trine.h>

static inline trine_context *context_with(const char *simulate, const char *mask,
                                          const char *kernel)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context = NULL;
    params.simulate = simulate;
    params.mask = mask;
    params.kernel = kernel;
    params.ignore_environment = params.no_modules = true;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    return context;
}

/* A compact tensor; shape must outlive it. */
static inline DLTensor tensor_of(trine_dtype dtype, DLDevice device, int rank, int64_t *shape,
                                 void *data)
{
    DLTensor t;
    memset(&t, 0, sizeof t);
    t.data = data;
    t.device = device;
    t.ndim = rank;
    t.dtype = trine_dtype_to_dl(dtype);
    t.shape = shape;
    return t;
}

/* A launcher that leaves its mark in the first float of moe_sum's out. */
static inline trine_status launch_mark(const trine_launch *launch, float mark)
{
    *(float *)launch->problem->moe_sum.out.data = mark;
    return TRINE_OK;
}

#endif
