// SPDX-License-Identifier: Apache-2.0
/* fp8_convert: table, validation, cost. */
#include "ops/fp8_convert.h"

#include <inttypes.h>

#include "ops/size.h"

static const trine_tensor_description tensors[] = {
    [TRINE_FP8_CONVERT_W] = {.name = "w",
                             .shape = "N, K; E, N, K; ...",
                             .dtypes = TRINE_DTYPE_BIT(TRINE_E4M3FN),
                             .doc = "weight of an OCP checkpoint",
                             .offset = offsetof(trine_fp8_convert_args, w),
                             .role = TRINE_IN,
                             .domain = TRINE_DOMAIN_CODE},
    [TRINE_FP8_CONVERT_SCALE] = {.name = "scale",
                                 .shape = "S; E, S; ...",
                                 .dtypes = TRINE_DTYPE_BIT(TRINE_F32) | TRINE_DTYPE_BIT(TRINE_U8),
                                 .doc = "its scales; u8 is ue8m0",
                                 .offset = offsetof(trine_fp8_convert_args, scale),
                                 .role = TRINE_IN,
                                 .domain = TRINE_DOMAIN_SCALE},
    [TRINE_FP8_CONVERT_OUT] = {.name = "out",
                               .shape = "rank(w) = 2: N, K; rank(w) = 3: E, N, K; ...",
                               .dtypes = TRINE_DTYPE_BIT(TRINE_E4M3FNUZ),
                               .alias = "w",
                               .doc = "the same weight for FNUZ hardware; may be w itself",
                               .offset = offsetof(trine_fp8_convert_args, out),
                               .role = TRINE_OUT,
                               .domain = TRINE_DOMAIN_CODE},
    [TRINE_FP8_CONVERT_OUT_SCALE] = {.name = "out_scale",
                                     .shape = "rank(scale) = 1: S; rank(scale) = 2: E, S; ...",
                                     .dtypes =
                                         TRINE_DTYPE_BIT(TRINE_F32) | TRINE_DTYPE_BIT(TRINE_U8),
                                     .same_dtype = "scale",
                                     .alias = "scale",
                                     .doc = "scale * 2; may be scale itself",
                                     .offset = offsetof(trine_fp8_convert_args, out_scale),
                                     .role = TRINE_OUT,
                                     .domain = TRINE_DOMAIN_SCALE},
};

/* The table lets tensors of any shape through; what is converted keeps the shape of its source. */
static trine_status shape_check(const char *name, const trine_view *out, const char *source_name,
                                const trine_view *source)
{
    if (out->rank != source->rank)
        return trine_fail(TRINE_INVALID_SHAPE,
                          "fp8_convert: %s has %d dimensions, must have the %d of %s", name,
                          out->rank, source->rank, source_name);
    for (int i = 0; i < out->rank; i++)
        if (out->shape[i] != source->shape[i])
            return trine_fail(TRINE_INVALID_SHAPE,
                              "fp8_convert: %s dimension %d is %" PRId64
                              ", must be that of %s, %" PRId64,
                              name, i, out->shape[i], source_name, source->shape[i]);
    return TRINE_OK;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    trine_fp8_convert_problem *p = &problem->fp8_convert;
    (void)args;
    p->w = t[TRINE_FP8_CONVERT_W];
    p->scale = t[TRINE_FP8_CONVERT_SCALE];
    p->out = t[TRINE_FP8_CONVERT_OUT];
    p->out_scale = t[TRINE_FP8_CONVERT_OUT_SCALE];
    p->elements = trine_view_elements(&p->w);
    p->scale_elements = trine_view_elements(&p->scale);
    trine_status status = shape_check("out", &p->out, "w", &p->w);
    if (!status) status = shape_check("out_scale", &p->out_scale, "scale", &p->scale);
    return status;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_fp8_convert_problem *p = &problem->fp8_convert;
    trine_cost c = {(double)p->elements + (double)p->scale_elements,
                    trine_view_bytes(&p->w) + trine_view_bytes(&p->scale) +
                        trine_view_bytes(&p->out) + trine_view_bytes(&p->out_scale)};
    return c;
}

const trine_op_entry trine_fp8_convert_entry = {
    .description = {.op = TRINE_OP_FP8_CONVERT,
                    .name = "fp8_convert",
                    .doc = "makes an e4m3fn weight usable as e4m3fnuz",
                    .dims = "N rows; K columns; E experts; S scales",
                    .args_size = sizeof(trine_fp8_convert_args),
                    .tensor_count = TRINE_FP8_CONVERT_TENSORS,
                    .param_count = TRINE_FP8_CONVERT_PARAMS,
                    .tensors = tensors},
    .resolve = resolve,
    .cost = cost,
};
