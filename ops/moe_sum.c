// SPDX-License-Identifier: Apache-2.0
/* moe_sum: table, validation, cost. */
#include "ops/moe_sum.h"

#include "ops/size.h"

static const trine_tensor_description tensors[] = {
    [TRINE_MOE_SUM_Y] = {.name = "y",
                         .shape = "M, k, H",
                         .dtypes = TRINE_FLOATS,
                         .doc = "contributions of each token's k experts",
                         .offset = offsetof(trine_moe_sum_args, y),
                         .role = TRINE_IN,
                         .domain = TRINE_DOMAIN_REAL},
    [TRINE_MOE_SUM_OUT] = {.name = "out",
                           .shape = "M, H",
                           .dtypes = TRINE_FLOATS,
                           .same_dtype = "y",
                           .doc = "their sum",
                           .offset = offsetof(trine_moe_sum_args, out),
                           .role = TRINE_OUT,
                           .domain = TRINE_DOMAIN_REAL},
};

static const trine_param_description params[] = {
    [TRINE_MOE_SUM_SCALING_FACTOR] = {.name = "scaling_factor",
                                      .doc = "multiplies the sum",
                                      .default_value = 1,
                                      .minimum = -TRINE_FLOAT_MAX,
                                      .maximum = TRINE_FLOAT_MAX,
                                      .offset = offsetof(trine_moe_sum_args, scaling_factor),
                                      .type = TRINE_PARAM_FLOAT},
    [TRINE_MOE_SUM_ACCUMULATE] = {.name = "accumulate",
                                  .doc = "add onto what out holds",
                                  .maximum = 1,
                                  .offset = offsetof(trine_moe_sum_args, accumulate),
                                  .type = TRINE_PARAM_BOOL},
};

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_moe_sum_args *a = args;
    trine_moe_sum_problem *p = &problem->moe_sum;
    *p = (trine_moe_sum_problem){
        .y = t[TRINE_MOE_SUM_Y],
        .out = t[TRINE_MOE_SUM_OUT],
        .tokens = t[TRINE_MOE_SUM_Y].shape[0],
        .k = t[TRINE_MOE_SUM_Y].shape[1],
        .columns = t[TRINE_MOE_SUM_Y].shape[2],
        .scaling_factor = a->scaling_factor,
        .accumulate = a->accumulate,
    };
    return TRINE_OK;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_moe_sum_problem *p = &problem->moe_sum;
    double outputs = (double)p->tokens * (double)p->columns;
    trine_cost c = {outputs * ((double)p->k + p->accumulate),
                    trine_view_bytes(&p->y) + trine_view_bytes(&p->out) * (1 + p->accumulate)};
    return c;
}

const trine_op_entry trine_moe_sum_entry = {
    .description = {.op = TRINE_OP_MOE_SUM,
                    .name = "moe_sum",
                    .doc = "sum over the k contributions of each token, in order, in f32",
                    .dims = "M tokens; k experts of a token; H columns",
                    .args_size = sizeof(trine_moe_sum_args),
                    .tensor_count = TRINE_MOE_SUM_TENSORS,
                    .param_count = TRINE_MOE_SUM_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .cost = cost,
};
