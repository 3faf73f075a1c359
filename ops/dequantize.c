// SPDX-License-Identifier: Apache-2.0
/* dequantize: table, validation, cost. */
#include "ops/dequantize.h"

#include <inttypes.h>

#include "ops/size.h"
#include "ops/words.h"

static const trine_tensor_description tensors[] = {
    [TRINE_DEQUANTIZE_Q] = {.name = "q",
                            .shape = "M, K",
                            .dtypes = TRINE_E4M3 | TRINE_DTYPE_BIT(TRINE_E5M2) |
                                      TRINE_DTYPE_BIT(TRINE_I8),
                            .doc = "codes",
                            .offset = offsetof(trine_dequantize_args, q),
                            .role = TRINE_IN,
                            .domain = TRINE_DOMAIN_CODE},
    [TRINE_DEQUANTIZE_SCALE] =
        {.name = "scale",
         .shape = "scale_layout = row: ceil(M/block_rows), ceil(K/group_size); "
                  "scale_layout = row: M, 1; "
                  "scale_layout = row: 1; "
                  "scale_layout = column | scale_layout = column_aligned: M, ceil(K/group_size); "
                  "scale_layout = column_aligned: up4(M), ceil(K/group_size); "
                  "scale_layout > column_aligned: M, ceil(ceil(K/group_size)/4); "
                  "scale_layout = packed_ue8m0: up4(M), ceil(ceil(K/group_size)/4)",
         .dtypes = TRINE_DTYPE_BIT(TRINE_F32) | TRINE_DTYPE_BIT(TRINE_I32),
         .doc = "scale of each row and group, of each block, of each row, or one; i32 words when "
                "packed",
         .offset = offsetof(trine_dequantize_args, scale),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_SCALE},
    [TRINE_DEQUANTIZE_OUT] = {.name = "out",
                              .shape = "M, K",
                              .dtypes = TRINE_FLOATS,
                              .doc = "values",
                              .offset = offsetof(trine_dequantize_args, out),
                              .role = TRINE_OUT,
                              .domain = TRINE_DOMAIN_REAL},
};

static const trine_param_description params[] = {
    [TRINE_DEQUANTIZE_GROUP_SIZE] = {.name = "group_size",
                                     .doc =
                                         "columns that share a scale; the last group may be short",
                                     .default_value = 128,
                                     .minimum = 1,
                                     .maximum = INT32_MAX,
                                     .offset = offsetof(trine_dequantize_args, group_size),
                                     .type = TRINE_PARAM_INT},
    [TRINE_DEQUANTIZE_BLOCK_ROWS] =
        {.name = "block_rows",
         .doc = "rows that share a scale; other than 1 only with scale_layout row",
         .default_value = 1,
         .minimum = 1,
         .maximum = INT32_MAX,
         .offset = offsetof(trine_dequantize_args, block_rows),
         .type = TRINE_PARAM_INT},
    [TRINE_DEQUANTIZE_SCALE_LAYOUT] = {.name = "scale_layout",
                                       .doc = "where the scale of a row and group lies",
                                       .words = trine_scale_layout_words,
                                       .offset = offsetof(trine_dequantize_args, scale_layout),
                                       .type = TRINE_PARAM_ENUM},
    [TRINE_DEQUANTIZE_SCALE_FORMAT] = {.name = "scale_format",
                                       .doc =
                                           "any f32, or powers of two; packed layouts imply ue8m0",
                                       .words = trine_scale_format_words,
                                       .offset = offsetof(trine_dequantize_args, scale_format),
                                       .type = TRINE_PARAM_ENUM},
};

static trine_status scale_check(const trine_dequantize_problem *p, const trine_dequantize_args *a)
{
    const char *layout = trine_scale_layout_words[a->scale_layout].name;
    trine_dtype dtype = p->packed ? TRINE_I32 : TRINE_F32;
    if (p->scale.dtype != dtype)
        return trine_fail(TRINE_INVALID_DTYPE,
                          "dequantize: scale is %s, must be %s with scale_layout %s",
                          trine_dtype_name(p->scale.dtype), trine_dtype_name(dtype), layout);
    if (a->block_rows != 1 && a->scale_layout != TRINE_SCALE_ROW)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "dequantize: block_rows is %d, must be 1 with scale_layout %s",
                          a->block_rows, layout);
    return TRINE_OK;
}

/* Named layouts other than row prescribe their strides; row, and blocks, take any. */
static trine_status strides_resolve(trine_dequantize_problem *p, trine_scale_layout layout)
{
    const trine_view *scale = &p->scale;
    p->scale_row_stride = scale->rank == 2 ? scale->stride[0] : 0;
    p->scale_column_stride = scale->rank == 2 ? scale->stride[1] : 0;
    if (layout == TRINE_SCALE_ROW) return TRINE_OK;
    int64_t want[2] = {1, layout == TRINE_SCALE_COLUMN ? p->rows : trine_size_align(p->rows, 4)};
    if (layout == TRINE_SCALE_ROW_PACKED_UE8M0) {
        want[0] = scale->shape[1];
        want[1] = 1;
    }
    for (int i = 0; i < 2 && trine_view_elements(scale); i++)
        if (!trine_stride_is(scale, i, want[i]))
            return trine_fail(TRINE_INVALID_LAYOUT,
                              "dequantize: scale stride %d is %" PRId64 ", must be %" PRId64
                              " with scale_layout %s",
                              i, scale->stride[i], want[i], trine_scale_layout_words[layout].name);
    return TRINE_OK;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_dequantize_args *a = args;
    trine_dequantize_problem *p = &problem->dequantize;
    p->q = t[TRINE_DEQUANTIZE_Q];
    p->scale = t[TRINE_DEQUANTIZE_SCALE];
    p->out = t[TRINE_DEQUANTIZE_OUT];
    p->rows = p->q.shape[0];
    p->columns = p->q.shape[1];
    p->group_size = a->group_size;
    p->groups = trine_ceil_div(p->columns, p->group_size);
    p->block_rows = a->block_rows;
    p->packed = a->scale_layout == TRINE_SCALE_PACKED_UE8M0 ||
                a->scale_layout == TRINE_SCALE_ROW_PACKED_UE8M0;
    trine_status status = scale_check(p, a);
    if (!status) status = strides_resolve(p, (trine_scale_layout)a->scale_layout);
    if (status || p->packed || p->scale.rank == 1) return status;
    /* One scale a row, where it is not one a block. */
    if (p->scale.shape[1] == 1 &&
        (p->groups != 1 || p->scale.shape[0] != trine_ceil_div(p->rows, p->block_rows))) {
        p->scale_column_stride = 0;
        p->block_rows = 1;
    }
    return TRINE_OK;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_dequantize_problem *p = &problem->dequantize;
    trine_cost c = {(double)p->rows * (double)p->columns, trine_view_bytes(&p->q) +
                                                              trine_view_bytes(&p->scale) +
                                                              trine_view_bytes(&p->out)};
    return c;
}

const trine_op_entry trine_dequantize_entry = {
    .description = {.op = TRINE_OP_DEQUANTIZE,
                    .name = "dequantize",
                    .doc = "multiplies codes by their scales",
                    .dims = "M rows; K columns",
                    .args_size = sizeof(trine_dequantize_args),
                    .tensor_count = TRINE_DEQUANTIZE_TENSORS,
                    .param_count = TRINE_DEQUANTIZE_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .cost = cost,
};
