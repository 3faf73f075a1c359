// SPDX-License-Identifier: Apache-2.0
/* scaled_mm: table, validation, cost. */
#include "ops/scaled_mm.h"

#include "ops/size.h"
#include "ops/words.h"
#include "reference/reference.h"

static const trine_tensor_description tensors[] = {
    [TRINE_SCALED_MM_A] = {.name = "a",
                           .shape = "M, K",
                           .dtypes =
                               TRINE_E4M3 | TRINE_DTYPE_BIT(TRINE_E5M2) | TRINE_DTYPE_BIT(TRINE_I8),
                           .doc = "left operand, quantized",
                           .offset = offsetof(trine_scaled_mm_args, a),
                           .role = TRINE_IN,
                           .domain = TRINE_DOMAIN_CODE,
                           .inner_contiguous = true},
    [TRINE_SCALED_MM_B] = {.name = "b",
                           .shape = "N, K",
                           .dtypes =
                               TRINE_E4M3 | TRINE_DTYPE_BIT(TRINE_E5M2) | TRINE_DTYPE_BIT(TRINE_I8),
                           .same_dtype = "a",
                           .doc = "right operand, a weight as stored",
                           .offset = offsetof(trine_scaled_mm_args, b),
                           .role = TRINE_IN,
                           .domain = TRINE_DOMAIN_CODE,
                           .inner_contiguous = true},
    [TRINE_SCALED_MM_A_SCALE] = {.name = "a_scale",
                                 .shape = "M, ceil(K/block_k); "
                                          "M, 1; "
                                          "1; "
                                          "up4(M), ceil(K/block_k); "
                                          "dim0(a_scale) > M: dim0(a_scale), ceil(K/block_k)",
                                 .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                 .doc =
                                     "per row and block, per row, or one; rows past M are ignored",
                                 .offset = offsetof(trine_scaled_mm_args, a_scale),
                                 .role = TRINE_IN,
                                 .domain = TRINE_DOMAIN_SCALE},
    [TRINE_SCALED_MM_B_SCALE] = {.name = "b_scale",
                                 .shape = "ceil(N/block_n), ceil(K/block_k); N, 1; 1",
                                 .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                 .doc = "per block, per row of b, or one",
                                 .offset = offsetof(trine_scaled_mm_args, b_scale),
                                 .role = TRINE_IN,
                                 .domain = TRINE_DOMAIN_SCALE},
    [TRINE_SCALED_MM_BIAS] = {.name = "bias",
                              .shape = "N",
                              .dtypes = TRINE_FLOATS,
                              .same_dtype = "out",
                              .doc = "added to each row of the product",
                              .offset = offsetof(trine_scaled_mm_args, bias),
                              .role = TRINE_IN,
                              .domain = TRINE_DOMAIN_REAL,
                              .optional = true,
                              .or_f32 = true},
    [TRINE_SCALED_MM_OUT] = {.name = "out",
                             .shape = "M, N",
                             .dtypes = TRINE_FLOATS,
                             .doc = "scaled product",
                             .offset = offsetof(trine_scaled_mm_args, out),
                             .role = TRINE_OUT,
                             .domain = TRINE_DOMAIN_REAL},
};

static const trine_param_description params[] = {
    [TRINE_SCALED_MM_BLOCK_N] = {.name = "block_n",
                                 .doc = "rows of b that share a scale",
                                 .default_value = 128,
                                 .minimum = 1,
                                 .maximum = INT32_MAX,
                                 .offset = offsetof(trine_scaled_mm_args, block_n),
                                 .type = TRINE_PARAM_INT},
    [TRINE_SCALED_MM_BLOCK_K] = {.name = "block_k",
                                 .doc = "columns that share a scale",
                                 .default_value = 128,
                                 .minimum = 1,
                                 .maximum = INT32_MAX,
                                 .offset = offsetof(trine_scaled_mm_args, block_k),
                                 .type = TRINE_PARAM_INT},
    [TRINE_SCALED_MM_BIAS_ROUNDING] = {.name = "bias_rounding",
                                       .doc = "bias added after the product was rounded, or before",
                                       .words = trine_bias_rounding_words,
                                       .offset = offsetof(trine_scaled_mm_args, bias_rounding),
                                       .type = TRINE_PARAM_ENUM},
};

/* Scales of b: per block, per row, or one. */
static void b_scale_resolve(trine_scaled_mm_problem *p, int64_t block_n, int64_t groups)
{
    const trine_view *scale = &p->b_scale;
    p->b_scale_rows_per = p->n > 0 ? p->n : 1;
    if (scale->rank == 1) return;
    p->b_scale_row = scale->stride[0];
    bool per_block = scale->shape[0] == trine_ceil_div(p->n, block_n) && scale->shape[1] == groups;
    p->b_scale_block = per_block ? scale->stride[1] : 0;
    p->b_scale_rows_per = per_block ? block_n : 1;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_scaled_mm_args *a = args;
    trine_scaled_mm_problem *p = &problem->scaled_mm;
    *p = (trine_scaled_mm_problem){
        .a = t[TRINE_SCALED_MM_A],
        .b = t[TRINE_SCALED_MM_B],
        .a_scale = t[TRINE_SCALED_MM_A_SCALE],
        .b_scale = t[TRINE_SCALED_MM_B_SCALE],
        .bias = t[TRINE_SCALED_MM_BIAS],
        .out = t[TRINE_SCALED_MM_OUT],
        .m = t[TRINE_SCALED_MM_A].shape[0],
        .n = t[TRINE_SCALED_MM_B].shape[0],
        .k = t[TRINE_SCALED_MM_A].shape[1],
        .block_n = a->block_n,
        .block_k = a->block_k,
        .bias_rounding = (trine_bias_rounding)a->bias_rounding,
    };
    int64_t groups = trine_ceil_div(p->k, p->block_k);
    bool a_blocks = p->a_scale.rank == 2 && p->a_scale.shape[1] == groups;
    if (p->a_scale.rank == 2) p->a_scale_row = p->a_scale.stride[0];
    if (a_blocks) p->a_scale_block = p->a_scale.stride[1];
    b_scale_resolve(p, p->block_n, groups);
    bool b_blocks = p->b_scale.rank == 2 && p->b_scale.shape[1] == groups;
    p->blocks = groups;
    if (!a_blocks && !b_blocks) {
        p->blocks = 1;
        p->block_k = p->k > 0 ? p->k : 1;
    }
    return TRINE_OK;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_scaled_mm_problem *p = &problem->scaled_mm;
    trine_cost c = {2.0 * (double)p->m * (double)p->n * (double)p->k,
                    trine_view_bytes(&p->a) + trine_view_bytes(&p->b) +
                        trine_view_bytes(&p->a_scale) + trine_view_bytes(&p->b_scale) +
                        trine_view_bytes(&p->bias) + trine_view_bytes(&p->out)};
    return c;
}

static trine_status bound(const trine_problem *problem, const trine_bound_options *options,
                          double *value, double *limit)
{
    return trine_bound_scaled_mm(&problem->scaled_mm, options, value, limit);
}

const trine_op_entry trine_scaled_mm_entry = {
    .description = {.op = TRINE_OP_SCALED_MM,
                    .name = "scaled_mm",
                    .doc = "product of two quantized matrices with their scales",
                    .dims = "M rows; N columns; K inner size",
                    .args_size = sizeof(trine_scaled_mm_args),
                    .bounded = true,
                    .tensor_count = TRINE_SCALED_MM_TENSORS,
                    .param_count = TRINE_SCALED_MM_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .cost = cost,
    .bound = bound,
};
