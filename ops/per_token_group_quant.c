// SPDX-License-Identifier: Apache-2.0
/* per_token_group_quant: table, validation, cost. */
#include "ops/per_token_group_quant.h"

#include <inttypes.h>

#include "ops/size.h"
#include "ops/words.h"

static const trine_word arithmetic_words[] = {
    {"divide", TRINE_ARITHMETIC_DIVIDE},
    {"reciprocal", TRINE_ARITHMETIC_RECIPROCAL},
    {NULL, 0},
};

static const trine_word int_rounding_words[] = {
    {"nearest", TRINE_INT_NEAREST},
    {"truncate", TRINE_INT_TRUNCATE},
    {NULL, 0},
};

static const trine_word activation_words[] = {
    {"none", TRINE_ACTIVATION_NONE},
    {"silu", TRINE_ACTIVATION_SILU},
    {"gelu_erf", TRINE_ACTIVATION_GELU_ERF},
    {"gelu_tanh", TRINE_ACTIVATION_GELU_TANH},
    {NULL, 0},
};

static const trine_tensor_description tensors[] = {
    [TRINE_PER_TOKEN_GROUP_QUANT_X] =
        {.name = "x",
         .shape = "E, M, activation = none ? K : 2*K; M, activation = none ? K : 2*K",
         .dtypes = TRINE_FLOATS,
         .doc = "what is quantized; with an activation gate columns, then up columns",
         .offset = offsetof(trine_per_token_group_quant_args, x),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_REAL},
    [TRINE_PER_TOKEN_GROUP_QUANT_MASKED_M] =
        {.name = "masked_m",
         .shape = "rank(x) = 3!: E",
         .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
         .doc = "rows in use of each expert, clamped to [0, M]; the others are left alone",
         .offset = offsetof(trine_per_token_group_quant_args, masked_m),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_COUNT,
         .optional = true},
    [TRINE_PER_TOKEN_GROUP_QUANT_Q] =
        {.name = "q",
         .shape = "rank(x) = 3: E, M, K; rank(x) = 2: M, K; rank(x) = 2: up4(M), K",
         .dtypes = TRINE_E4M3 | TRINE_DTYPE_BIT(TRINE_I8),
         .doc = "codes; rows past M are zeroed",
         .offset = offsetof(trine_per_token_group_quant_args, q),
         .role = TRINE_OUT,
         .domain = TRINE_DOMAIN_CODE},
    [TRINE_PER_TOKEN_GROUP_QUANT_SCALE] =
        {.name = "scale",
         .shape = "rank(x) = 3: E, M, (scale_layout > column_aligned ? ceil(K/group_size/4) : "
                  "K/group_size); "
                  "rank(x) = 3 & (scale_layout = column_aligned | scale_layout = packed_ue8m0): E, "
                  "up4(M), (scale_layout > column_aligned ? ceil(K/group_size/4) : K/group_size); "
                  "rank(x) = 2 & (scale_layout != column_aligned | dim0(q) = M): M, (scale_layout "
                  "> column_aligned ? ceil(K/group_size/4) : K/group_size); "
                  "rank(x) = 2 & (scale_layout = column_aligned | scale_layout = packed_ue8m0): "
                  "up4(M), (scale_layout > column_aligned ? ceil(K/group_size/4) : K/group_size)",
         .dtypes = TRINE_DTYPE_BIT(TRINE_F32) | TRINE_DTYPE_BIT(TRINE_I32),
         .doc = "scale of each row and group; i32 words of four bytes when packed",
         .offset = offsetof(trine_per_token_group_quant_args, scale),
         .role = TRINE_OUT,
         .domain = TRINE_DOMAIN_SCALE},
};

static const trine_param_description params[] = {
    [TRINE_PER_TOKEN_GROUP_QUANT_GROUP_SIZE] =
        {.name = "group_size",
         .doc = "columns that share a scale: 16 to 512, or K; divides K",
         .default_value = 128,
         .minimum = 1,
         .maximum = INT32_MAX,
         .offset = offsetof(trine_per_token_group_quant_args, group_size),
         .type = TRINE_PARAM_INT},
    [TRINE_PER_TOKEN_GROUP_QUANT_SCALE_LAYOUT] = {.name = "scale_layout",
                                                  .doc = "where the scale of a row and group lies",
                                                  .words = trine_scale_layout_words,
                                                  .offset =
                                                      offsetof(trine_per_token_group_quant_args,
                                                               scale_layout),
                                                  .type = TRINE_PARAM_ENUM},
    [TRINE_PER_TOKEN_GROUP_QUANT_SCALE_FORMAT] =
        {.name = "scale_format",
         .doc = "any f32, or powers of two; packed layouts imply ue8m0",
         .words = trine_scale_format_words,
         .offset = offsetof(trine_per_token_group_quant_args, scale_format),
         .type = TRINE_PARAM_ENUM},
    [TRINE_PER_TOKEN_GROUP_QUANT_ARITHMETIC] =
        {.name = "arithmetic",
         .doc = "how scale and code are formed from the group maximum",
         .words = arithmetic_words,
         .offset = offsetof(trine_per_token_group_quant_args, arithmetic),
         .type = TRINE_PARAM_ENUM},
    [TRINE_PER_TOKEN_GROUP_QUANT_EPS] = {.name = "eps",
                                         .doc = "floor of the group maximum",
                                         .default_value = 1e-10,
                                         .minimum = 1e-20,
                                         .maximum = TRINE_FLOAT_MAX,
                                         .offset = offsetof(trine_per_token_group_quant_args, eps),
                                         .type = TRINE_PARAM_FLOAT},
    [TRINE_PER_TOKEN_GROUP_QUANT_UE8M0_FLOOR] =
        {.name = "ue8m0_floor",
         .doc = "floor of a ue8m0 scale before it is rounded up; 0 for none",
         .default_value = 1e-10,
         .maximum = TRINE_FLOAT_MAX,
         .offset = offsetof(trine_per_token_group_quant_args, ue8m0_floor),
         .type = TRINE_PARAM_FLOAT},
    [TRINE_PER_TOKEN_GROUP_QUANT_Q_MAX] =
        {.name = "q_max",
         .doc = "largest code value; -1: 448 for e4m3fn, 224 for e4m3fnuz, 127 for i8",
         .default_value = TRINE_Q_MAX_OF_DTYPE,
         .minimum = 1.401298464e-45,
         .maximum = 448,
         .offset = offsetof(trine_per_token_group_quant_args, q_max),
         .type = TRINE_PARAM_FLOAT},
    [TRINE_PER_TOKEN_GROUP_QUANT_INT_ROUNDING] = {.name = "int_rounding",
                                                  .doc = "how i8 codes are rounded",
                                                  .words = int_rounding_words,
                                                  .offset =
                                                      offsetof(trine_per_token_group_quant_args,
                                                               int_rounding),
                                                  .type = TRINE_PARAM_ENUM},
    [TRINE_PER_TOKEN_GROUP_QUANT_ACTIVATION] =
        {.name = "activation",
         .doc = "applied to x and multiplied by its up half first",
         .words = activation_words,
         .offset = offsetof(trine_per_token_group_quant_args, activation),
         .type = TRINE_PARAM_ENUM},
    [TRINE_PER_TOKEN_GROUP_QUANT_INTERMEDIATE_ROUNDING] =
        {.name = "intermediate_rounding",
         .doc = "where the activation is rounded",
         .words = trine_intermediate_rounding_words,
         .offset = offsetof(trine_per_token_group_quant_args, intermediate_rounding),
         .type = TRINE_PARAM_ENUM},
};

/* Finds q_max: the caller's, or the one that engines use with the format. */
static trine_status q_max_resolve(trine_per_token_group_quant_problem *p, float q_max)
{
    float usual = p->q.dtype == TRINE_I8 ? 127.0f : p->q.dtype == TRINE_E4M3FN ? 448.0f : 224.0f;
    float largest = p->q.dtype == TRINE_E4M3FNUZ ? 240.0f : usual;
    p->q_max = q_max == TRINE_Q_MAX_OF_DTYPE ? usual : q_max;
    p->default_q_max = p->q_max == usual;
    if (p->q_max > largest)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "per_token_group_quant: q_max is %g, must be at most %g for q of %s",
                          (double)p->q_max, (double)largest, trine_dtype_name(p->q.dtype));
    return TRINE_OK;
}

/* The strides that the layout prescribes. They are kept in the problem even where a dimension of
 * size 1 leaves the caller's free: padding rows are addressed by them. */
static trine_status layout_resolve(trine_per_token_group_quant_problem *p)
{
    const trine_view *scale = &p->scale;
    int row = scale->rank - 2;
    bool by_row = p->layout == TRINE_SCALE_ROW || p->layout == TRINE_SCALE_ROW_PACKED_UE8M0;
    bool aligned = p->layout == TRINE_SCALE_COLUMN_ALIGNED || p->layout == TRINE_SCALE_PACKED_UE8M0;
    int64_t pitch = aligned ? p->aligned_rows : p->rows;
    p->scale_row_stride = by_row ? p->scale_columns : 1;
    p->scale_column_stride = by_row ? 1 : pitch;
    p->scale_expert_stride = trine_size_mul(p->scale_columns, pitch);
    if (p->aligned_rows < 0 || p->scale_expert_stride < 0)
        return trine_fail(TRINE_SIZE_OVERFLOW,
                          "per_token_group_quant: scale of %" PRId64 " rows and %" PRId64
                          " columns does not fit 63 bits",
                          p->rows, p->scale_columns);
    if (!trine_view_elements(scale)) return TRINE_OK;
    const int64_t want[3] = {p->scale_expert_stride, p->scale_row_stride, p->scale_column_stride};
    for (int i = 0; i < scale->rank; i++)
        if (!trine_stride_is(scale, i, want[i + 1 - row]))
            return trine_fail(TRINE_INVALID_LAYOUT,
                              "per_token_group_quant: scale stride %d is %" PRId64
                              ", must be %" PRId64 " with scale_layout %s",
                              i, scale->stride[i], want[i + 1 - row],
                              trine_scale_layout_words[p->layout].name);
    return TRINE_OK;
}

static trine_status sizes_resolve(trine_per_token_group_quant_problem *p, bool masked)
{
    p->experts = p->x.shape[0];
    p->rows = p->x.shape[1];
    p->columns = p->q.shape[2];
    p->q_rows = p->q.shape[1];
    p->aligned_rows = trine_size_align(p->rows, 4);
    p->groups = p->columns / p->group_size;
    p->scale_rows = p->scale.shape[p->scale.rank - 2];
    p->scale_columns = p->packed ? trine_ceil_div(p->groups, 4) : p->groups;
    /* With masked_m rows past it, and so all padding rows, stay as they are. */
    p->scale_has_tail = !masked && (p->layout == TRINE_SCALE_COLUMN_ALIGNED ||
                                    p->layout == TRINE_SCALE_PACKED_UE8M0);
    if ((p->group_size < 16 || p->group_size > 512) && p->group_size != p->columns)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "per_token_group_quant: group_size is %" PRId64
                          ", must be 16 to 512, or K = %" PRId64,
                          p->group_size, p->columns);
    trine_dtype dtype = p->packed ? TRINE_I32 : TRINE_F32;
    if (p->scale.dtype != dtype)
        return trine_fail(TRINE_INVALID_DTYPE,
                          "per_token_group_quant: scale is %s, must be %s with scale_layout %s",
                          trine_dtype_name(p->scale.dtype), trine_dtype_name(dtype),
                          trine_scale_layout_words[p->layout].name);
    return TRINE_OK;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_per_token_group_quant_args *a = args;
    trine_per_token_group_quant_problem *p = &problem->per_token_group_quant;
    const trine_view *x = &t[TRINE_PER_TOKEN_GROUP_QUANT_X];
    const trine_view *q = &t[TRINE_PER_TOKEN_GROUP_QUANT_Q];
    bool masked = x->rank == 3;
    p->x = masked ? *x : trine_view_lead(x);
    p->q = masked ? *q : trine_view_lead(q);
    p->masked_m = t[TRINE_PER_TOKEN_GROUP_QUANT_MASKED_M];
    p->scale = t[TRINE_PER_TOKEN_GROUP_QUANT_SCALE];
    p->group_size = a->group_size;
    p->layout = (trine_scale_layout)a->scale_layout;
    p->packed = p->layout == TRINE_SCALE_PACKED_UE8M0 || p->layout == TRINE_SCALE_ROW_PACKED_UE8M0;
    p->format = p->packed ? TRINE_SCALE_UE8M0 : (trine_scale_format)a->scale_format;
    p->arithmetic = (trine_quant_arithmetic)a->arithmetic;
    p->eps = a->eps;
    p->ue8m0_floor = a->ue8m0_floor;
    p->int_rounding = (trine_int_rounding)a->int_rounding;
    p->activation = (trine_activation)a->activation;
    p->intermediate_rounding = (trine_intermediate_rounding)a->intermediate_rounding;
    trine_status status = sizes_resolve(p, masked);
    if (!status) status = layout_resolve(p);
    if (!status) status = q_max_resolve(p, a->q_max);
    return status;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_per_token_group_quant_problem *p = &problem->per_token_group_quant;
    double elements = (double)p->experts * (double)p->rows * (double)p->columns;
    trine_cost c = {elements * (p->activation == TRINE_ACTIVATION_NONE ? 4.0 : 16.0),
                    trine_view_bytes(&p->x) + trine_view_bytes(&p->masked_m) +
                        trine_view_bytes(&p->q) + trine_view_bytes(&p->scale)};
    return c;
}

const trine_op_entry trine_per_token_group_quant_entry = {
    .description = {.op = TRINE_OP_PER_TOKEN_GROUP_QUANT,
                    .name = "per_token_group_quant",
                    .doc = "quantizes each row of x in groups of columns",
                    .dims = "M rows; K columns; E experts of the masked form",
                    .args_size = sizeof(trine_per_token_group_quant_args),
                    .tensor_count = TRINE_PER_TOKEN_GROUP_QUANT_TENSORS,
                    .param_count = TRINE_PER_TOKEN_GROUP_QUANT_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .cost = cost,
};
