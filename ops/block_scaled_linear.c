// SPDX-License-Identifier: Apache-2.0
/* block_scaled_linear: table, validation, workspace, cost. */
#include "ops/block_scaled_linear.h"

#include <inttypes.h>

#include "ops/size.h"
#include "ops/words.h"
#include "reference/reference.h"

static const trine_tensor_description tensors[] = {
    [TRINE_BLOCK_SCALED_LINEAR_X] = {.name = "x",
                                     .shape = "M, K",
                                     .dtypes = TRINE_HALVES,
                                     .doc = "activations",
                                     .offset = offsetof(trine_block_scaled_linear_args, x),
                                     .role = TRINE_IN,
                                     .domain = TRINE_DOMAIN_REAL},
    [TRINE_BLOCK_SCALED_LINEAR_W] = {.name = "w",
                                     .shape = "N, K",
                                     .dtypes = TRINE_E4M3,
                                     .doc = "weight as stored",
                                     .offset = offsetof(trine_block_scaled_linear_args, w),
                                     .role = TRINE_IN,
                                     .domain = TRINE_DOMAIN_CODE,
                                     .inner_contiguous = true},
    [TRINE_BLOCK_SCALED_LINEAR_W_SCALE] = {.name = "w_scale",
                                           .shape = "ceil(N/128), ceil(K/128)",
                                           .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                           .doc = "per block of 128 by 128",
                                           .offset =
                                               offsetof(trine_block_scaled_linear_args, w_scale),
                                           .role = TRINE_IN,
                                           .domain = TRINE_DOMAIN_SCALE},
    [TRINE_BLOCK_SCALED_LINEAR_BIAS] = {.name = "bias",
                                        .shape = "N",
                                        .dtypes = TRINE_FLOATS,
                                        .same_dtype = "x",
                                        .doc = "added to each row of the product",
                                        .offset = offsetof(trine_block_scaled_linear_args, bias),
                                        .role = TRINE_IN,
                                        .domain = TRINE_DOMAIN_REAL,
                                        .optional = true,
                                        .or_f32 = true},
    [TRINE_BLOCK_SCALED_LINEAR_OUT] = {.name = "out",
                                       .shape = "M, N",
                                       .dtypes = TRINE_HALVES,
                                       .same_dtype = "x",
                                       .doc = "x times w, transposed",
                                       .offset = offsetof(trine_block_scaled_linear_args, out),
                                       .role = TRINE_OUT,
                                       .domain = TRINE_DOMAIN_REAL},
};

static const trine_param_description params[] = {
    [TRINE_BLOCK_SCALED_LINEAR_BIAS_ROUNDING] =
        {.name = "bias_rounding",
         .doc = "bias added after the product was rounded, or before",
         .words = trine_bias_rounding_words,
         .offset = offsetof(trine_block_scaled_linear_args, bias_rounding),
         .type = TRINE_PARAM_ENUM},
};

static trine_status workspace_plan(trine_block_scaled_linear_problem *p)
{
    int64_t align = TRINE_WORKSPACE_ALIGNMENT;
    int64_t q = trine_size_align(trine_size_mul(p->aligned_m, p->k), align);
    int64_t scale = trine_size_mul(trine_size_mul(p->aligned_m, p->blocks), 4);
    int64_t size = trine_size_add(q, trine_size_align(scale, align));
    if (size < 0)
        return trine_fail(TRINE_SIZE_OVERFLOW,
                          "block_scaled_linear: workspace for x of %" PRId64 " by %" PRId64
                          " does not fit 63 bits",
                          p->m, p->k);
    p->q_offset = 0;
    p->scale_offset = (size_t)q;
    p->workspace_size = (size_t)size;
    return TRINE_OK;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_block_scaled_linear_args *a = args;
    trine_block_scaled_linear_problem *p = &problem->block_scaled_linear;
    p->x = t[TRINE_BLOCK_SCALED_LINEAR_X];
    p->w = t[TRINE_BLOCK_SCALED_LINEAR_W];
    p->w_scale = t[TRINE_BLOCK_SCALED_LINEAR_W_SCALE];
    p->bias = t[TRINE_BLOCK_SCALED_LINEAR_BIAS];
    p->out = t[TRINE_BLOCK_SCALED_LINEAR_OUT];
    p->m = p->x.shape[0];
    p->n = p->w.shape[0];
    p->k = p->x.shape[1];
    p->aligned_m = trine_size_align(p->m, 4);
    p->blocks = trine_ceil_div(p->k, 128);
    p->bias_rounding = (trine_bias_rounding)a->bias_rounding;
    return workspace_plan(p);
}

static size_t workspace(const trine_problem *problem)
{
    return problem->block_scaled_linear.workspace_size;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_block_scaled_linear_problem *p = &problem->block_scaled_linear;
    trine_cost c = {2.0 * (double)p->m * (double)p->n * (double)p->k,
                    trine_view_bytes(&p->x) + trine_view_bytes(&p->w) +
                        trine_view_bytes(&p->w_scale) + trine_view_bytes(&p->bias) +
                        trine_view_bytes(&p->out)};
    return c;
}

static trine_status bound(const trine_problem *problem, const trine_bound_options *options,
                          double *value, double *limit)
{
    return trine_bound_block_scaled_linear(&problem->block_scaled_linear, options, value, limit);
}

const trine_op_entry trine_block_scaled_linear_entry = {
    .description = {.op = TRINE_OP_BLOCK_SCALED_LINEAR,
                    .name = "block_scaled_linear",
                    .doc =
                        "linear layer with an fp8 block-scaled weight; x is quantized on the way",
                    .dims = "M rows; N columns; K inner size",
                    .args_size = sizeof(trine_block_scaled_linear_args),
                    .bounded = true,
                    .tensor_count = TRINE_BLOCK_SCALED_LINEAR_TENSORS,
                    .param_count = TRINE_BLOCK_SCALED_LINEAR_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .workspace = workspace,
    .cost = cost,
    .bound = bound,
};
