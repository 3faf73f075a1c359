// SPDX-License-Identifier: Apache-2.0
/* topk_gating: table, validation, cost. */
#include "ops/topk_gating.h"

#include <inttypes.h>

#include "ops/size.h"
#include "reference/bound.h"

static const trine_word score_words[] = {
    {"softmax", TRINE_SCORE_SOFTMAX},
    {"sigmoid", TRINE_SCORE_SIGMOID},
    {NULL, 0},
};

static const trine_word group_score_words[] = {
    {"max", TRINE_GROUP_MAX},
    {"top2_sum", TRINE_GROUP_TOP2_SUM},
    {NULL, 0},
};

static const trine_tensor_description tensors[] = {
    [TRINE_TOPK_GATING_LOGITS] = {.name = "logits",
                                  .shape = "M, E",
                                  .dtypes = TRINE_FLOATS,
                                  .doc = "router logits",
                                  .offset = offsetof(trine_topk_gating_args, logits),
                                  .role = TRINE_IN,
                                  .domain = TRINE_DOMAIN_REAL},
    [TRINE_TOPK_GATING_CORRECTION_BIAS] = {.name = "correction_bias",
                                           .shape = "E",
                                           .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                           .doc = "added to the scores for selection only",
                                           .offset =
                                               offsetof(trine_topk_gating_args, correction_bias),
                                           .role = TRINE_IN,
                                           .domain = TRINE_DOMAIN_REAL,
                                           .optional = true},
    [TRINE_TOPK_GATING_TOPK_WEIGHTS] = {.name = "topk_weights",
                                        .shape = "M, k",
                                        .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                        .doc = "weights of the chosen experts",
                                        .offset = offsetof(trine_topk_gating_args, topk_weights),
                                        .role = TRINE_OUT,
                                        .domain = TRINE_DOMAIN_PROBABILITY},
    [TRINE_TOPK_GATING_TOPK_IDS] = {.name = "topk_ids",
                                    .shape = "M, k",
                                    .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
                                    .doc = "ids of the chosen experts",
                                    .offset = offsetof(trine_topk_gating_args, topk_ids),
                                    .role = TRINE_OUT,
                                    .domain = TRINE_DOMAIN_INDEX},
};

static const trine_param_description params[] = {
    [TRINE_TOPK_GATING_K] = {.name = "k",
                             .doc = "experts of a token",
                             .minimum = 1,
                             .maximum = INT32_MAX,
                             .offset = offsetof(trine_topk_gating_args, k),
                             .type = TRINE_PARAM_INT,
                             .required = true},
    [TRINE_TOPK_GATING_SCORE] = {.name = "score",
                                 .doc = "how a logit becomes a score",
                                 .words = score_words,
                                 .offset = offsetof(trine_topk_gating_args, score),
                                 .type = TRINE_PARAM_ENUM},
    [TRINE_TOPK_GATING_RENORMALIZE] = {.name = "renormalize",
                                       .doc = "divide the weights by their sum",
                                       .default_value = 1,
                                       .maximum = 1,
                                       .offset = offsetof(trine_topk_gating_args, renormalize),
                                       .type = TRINE_PARAM_BOOL},
    [TRINE_TOPK_GATING_NUM_GROUPS] = {.name = "num_groups",
                                      .doc = "groups of experts; divides E",
                                      .default_value = 1,
                                      .minimum = 1,
                                      .maximum = INT32_MAX,
                                      .offset = offsetof(trine_topk_gating_args, num_groups),
                                      .type = TRINE_PARAM_INT},
    [TRINE_TOPK_GATING_TOPK_GROUPS] = {.name = "topk_groups",
                                       .doc = "groups that a token chooses from",
                                       .default_value = 1,
                                       .minimum = 1,
                                       .maximum = INT32_MAX,
                                       .offset = offsetof(trine_topk_gating_args, topk_groups),
                                       .type = TRINE_PARAM_INT},
    [TRINE_TOPK_GATING_GROUP_SCORE] = {.name = "group_score",
                                       .doc = "what a group is judged by",
                                       .words = group_score_words,
                                       .offset = offsetof(trine_topk_gating_args, group_score),
                                       .type = TRINE_PARAM_ENUM},
    [TRINE_TOPK_GATING_SCALING_FACTOR] = {.name = "scaling_factor",
                                          .doc = "multiplies the weights",
                                          .default_value = 1,
                                          .minimum = -TRINE_FLOAT_MAX,
                                          .maximum = TRINE_FLOAT_MAX,
                                          .offset =
                                              offsetof(trine_topk_gating_args, scaling_factor),
                                          .type = TRINE_PARAM_FLOAT},
    [TRINE_TOPK_GATING_SOFTCAP] = {.name = "softcap",
                                   .doc = "logit = softcap * tanh(logit / softcap); 0 for none",
                                   .maximum = TRINE_FLOAT_MAX,
                                   .offset = offsetof(trine_topk_gating_args, softcap),
                                   .type = TRINE_PARAM_FLOAT},
};

static trine_status groups_check(const trine_topk_gating_problem *p)
{
    if (p->experts % p->num_groups)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "topk_gating: num_groups is %" PRId64 ", must divide E = %" PRId64,
                          p->num_groups, p->experts);
    if (p->topk_groups > p->num_groups)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "topk_gating: topk_groups is %" PRId64
                          ", must be at most num_groups = %" PRId64,
                          p->topk_groups, p->num_groups);
    int64_t group = p->experts / p->num_groups;
    if (p->group_score == TRINE_GROUP_TOP2_SUM && group < 2)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "topk_gating: group_score top2_sum needs two experts a group, E / "
                          "num_groups is %" PRId64,
                          group);
    if (p->k > p->topk_groups * group)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "topk_gating: k is %" PRId64 ", must be at most the %" PRId64
                          " experts of topk_groups groups",
                          p->k, p->topk_groups * group);
    return TRINE_OK;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_topk_gating_args *a = args;
    trine_topk_gating_problem *p = &problem->topk_gating;
    *p = (trine_topk_gating_problem){
        .logits = t[TRINE_TOPK_GATING_LOGITS],
        .correction_bias = t[TRINE_TOPK_GATING_CORRECTION_BIAS],
        .topk_weights = t[TRINE_TOPK_GATING_TOPK_WEIGHTS],
        .topk_ids = t[TRINE_TOPK_GATING_TOPK_IDS],
        .tokens = t[TRINE_TOPK_GATING_LOGITS].shape[0],
        .experts = t[TRINE_TOPK_GATING_LOGITS].shape[1],
        .k = a->k,
        .num_groups = a->num_groups,
        .topk_groups = a->topk_groups,
        .group_score = (trine_group_score)a->group_score,
        .score = (trine_gating_score)a->score,
        .renormalize = a->renormalize,
        .scaling_factor = a->scaling_factor,
        .softcap = a->softcap,
    };
    if (p->experts > INT32_MAX)
        return trine_fail(TRINE_SIZE_OVERFLOW,
                          "topk_gating: logits have E = %" PRId64 " experts, ids are 32 bits wide",
                          p->experts);
    if (p->k > p->experts)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "topk_gating: k is %" PRId64 ", must be at most E = %" PRId64, p->k,
                          p->experts);
    return groups_check(p);
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_topk_gating_problem *p = &problem->topk_gating;
    trine_cost c = {(double)p->tokens * (double)p->experts * (16.0 + (double)p->k),
                    trine_view_bytes(&p->logits) + trine_view_bytes(&p->correction_bias) +
                        trine_view_bytes(&p->topk_weights) + trine_view_bytes(&p->topk_ids)};
    return c;
}

/* For topk_weights that something else computed: the op itself is exact. */
static trine_status bound(const trine_problem *problem, const trine_bound_options *options,
                          double *value, double *limit)
{
    (void)options;
    return trine_bound_topk_gating(&problem->topk_gating, value, limit);
}

const trine_op_entry trine_topk_gating_entry = {
    .description = {.op = TRINE_OP_TOPK_GATING,
                    .name = "topk_gating",
                    .doc = "the k best experts of each token and their weights",
                    .dims = "M tokens; E experts",
                    .args_size = sizeof(trine_topk_gating_args),
                    .tensor_count = TRINE_TOPK_GATING_TENSORS,
                    .param_count = TRINE_TOPK_GATING_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .cost = cost,
    .bound = bound,
};
