// SPDX-License-Identifier: Apache-2.0
/* act_and_mul: table, validation, cost. */
#include "ops/act_and_mul.h"

#include "ops/size.h"
#include "ops/words.h"
#include "reference/bound.h"

static const trine_tensor_description tensors[] = {
    [TRINE_ACT_AND_MUL_X] = {.name = "x",
                             .shape = "M, gated ? 2*I : I",
                             .dtypes = TRINE_FLOATS,
                             .doc = "gate and up columns",
                             .offset = offsetof(trine_act_and_mul_args, x),
                             .role = TRINE_IN,
                             .domain = TRINE_DOMAIN_REAL},
    [TRINE_ACT_AND_MUL_OUT] = {.name = "out",
                               .shape = "M, I",
                               .dtypes = TRINE_FLOATS,
                               .same_dtype = "x",
                               .doc = "activation of gate, times up",
                               .offset = offsetof(trine_act_and_mul_args, out),
                               .role = TRINE_OUT,
                               .domain = TRINE_DOMAIN_REAL},
};

static const trine_param_description params[] = {
    [TRINE_ACT_AND_MUL_ACTIVATION] = {.name = "activation",
                                      .doc = "the activation",
                                      .words = trine_activation_words,
                                      .default_value = TRINE_ACTIVATION_SILU,
                                      .offset = offsetof(trine_act_and_mul_args, activation),
                                      .type = TRINE_PARAM_ENUM},
    [TRINE_ACT_AND_MUL_GATED] = {.name = "gated",
                                 .doc = "x has up columns to multiply by",
                                 .default_value = 1,
                                 .maximum = 1,
                                 .offset = offsetof(trine_act_and_mul_args, gated),
                                 .type = TRINE_PARAM_BOOL},
    [TRINE_ACT_AND_MUL_GATE_LAYOUT] = {.name = "gate_layout",
                                       .doc = "gate columns then up columns, or alternating",
                                       .words = trine_gate_layout_words,
                                       .offset = offsetof(trine_act_and_mul_args, gate_layout),
                                       .type = TRINE_PARAM_ENUM},
    [TRINE_ACT_AND_MUL_ALPHA] = {.name = "alpha",
                                 .doc = "of swiglu_oai",
                                 .default_value = 1.702f,
                                 .minimum = -TRINE_FLOAT_MAX,
                                 .maximum = TRINE_FLOAT_MAX,
                                 .offset = offsetof(trine_act_and_mul_args, alpha),
                                 .type = TRINE_PARAM_FLOAT},
    [TRINE_ACT_AND_MUL_LIMIT] = {.name = "limit",
                                 .doc = "clamps gate from above and up from both sides; 0 for none",
                                 .maximum = TRINE_FLOAT_MAX,
                                 .offset = offsetof(trine_act_and_mul_args, limit),
                                 .type = TRINE_PARAM_FLOAT},
    [TRINE_ACT_AND_MUL_INTERMEDIATE_ROUNDING] = {.name = "intermediate_rounding",
                                                 .doc = "round once, or the activation too",
                                                 .words = trine_intermediate_rounding_words,
                                                 .offset = offsetof(trine_act_and_mul_args,
                                                                    intermediate_rounding),
                                                 .type = TRINE_PARAM_ENUM},
};

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_act_and_mul_args *a = args;
    trine_act_and_mul_problem *p = &problem->act_and_mul;
    *p = (trine_act_and_mul_problem){
        .x = t[TRINE_ACT_AND_MUL_X],
        .out = t[TRINE_ACT_AND_MUL_OUT],
        .rows = t[TRINE_ACT_AND_MUL_OUT].shape[0],
        .columns = t[TRINE_ACT_AND_MUL_OUT].shape[1],
        .activation = (trine_activation)a->activation,
        .gated = a->gated,
        .gate_layout = (trine_gate_layout)a->gate_layout,
        .alpha = a->alpha,
        .limit = a->limit,
        .intermediate_rounding = (trine_intermediate_rounding)a->intermediate_rounding,
    };
    if (p->activation == TRINE_ACTIVATION_SWIGLU_OAI && !p->gated)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "act_and_mul: gated is 0, must be 1 with activation swiglu_oai");
    return TRINE_OK;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_act_and_mul_problem *p = &problem->act_and_mul;
    trine_cost c = {(double)p->rows * (double)p->columns * 16.0,
                    trine_view_bytes(&p->x) + trine_view_bytes(&p->out)};
    return c;
}

/* For out that something else computed: the op itself is exact. */
static trine_status bound(const trine_problem *problem, const trine_bound_options *options,
                          double *value, double *limit)
{
    (void)options;
    return trine_bound_act_and_mul(&problem->act_and_mul, value, limit);
}

const trine_op_entry trine_act_and_mul_entry = {
    .description = {.op = TRINE_OP_ACT_AND_MUL,
                    .name = "act_and_mul",
                    .doc = "activation of the gate half times the up half",
                    .dims = "M rows; I columns of out",
                    .args_size = sizeof(trine_act_and_mul_args),
                    .tensor_count = TRINE_ACT_AND_MUL_TENSORS,
                    .param_count = TRINE_ACT_AND_MUL_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .cost = cost,
    .bound = bound,
};
