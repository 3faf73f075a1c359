// SPDX-License-Identifier: Apache-2.0
/* fused_moe: table, validation, workspace, cost. */
#include "ops/fused_moe.h"

#include <inttypes.h>

#include "ops/moe_align_block_size.h"

#include "ops/size.h"
#include "ops/words.h"
#include "reference/reference.h"

static const trine_word quantization_words[] = {
    {"none", TRINE_MOE_NONE},
    {"fp8_tensor", TRINE_MOE_FP8_TENSOR},
    {"fp8_channel", TRINE_MOE_FP8_CHANNEL},
    {"fp8_block", TRINE_MOE_FP8_BLOCK},
    {"int8_channel", TRINE_MOE_INT8_CHANNEL},
    {"int8_block", TRINE_MOE_INT8_BLOCK},
    {"int8_w8a16", TRINE_MOE_INT8_W8A16},
    {"int4_w4a16", TRINE_MOE_INT4_W4A16},
    {NULL, 0},
};

static const trine_word combine_words[] = {
    {"auto", TRINE_COMBINE_AUTO},     {"separate", TRINE_COMBINE_SEPARATE},
    {"atomic", TRINE_COMBINE_ATOMIC}, {"atomic_f32", TRINE_COMBINE_ATOMIC_F32},
    {"none", TRINE_COMBINE_NONE},     {NULL, 0},
};

static const trine_tensor_description tensors[] = {
    [TRINE_FUSED_MOE_X] = {.name = "x",
                           .shape = "M, H",
                           .dtypes = TRINE_FLOATS,
                           .doc = "activations",
                           .offset = offsetof(trine_fused_moe_args, x),
                           .role = TRINE_IN,
                           .domain = TRINE_DOMAIN_REAL},
    [TRINE_FUSED_MOE_W1] = {.name = "w1",
                            .shape = "E, (gated ? 2*I : I), quantization = int4_w4a16 ? H/2 : H",
                            .dtypes = TRINE_FLOATS | TRINE_E4M3 | TRINE_DTYPE_BIT(TRINE_I8) |
                                      TRINE_DTYPE_BIT(TRINE_U8),
                            .doc = "first weight of each expert: gate rows, then up rows",
                            .offset = offsetof(trine_fused_moe_args, w1),
                            .role = TRINE_IN,
                            .domain = TRINE_DOMAIN_CODE},
    [TRINE_FUSED_MOE_W2] = {.name = "w2",
                            .shape = "E, H, quantization = int4_w4a16 ? I/2 : I",
                            .dtypes = TRINE_FLOATS | TRINE_E4M3 | TRINE_DTYPE_BIT(TRINE_I8) |
                                      TRINE_DTYPE_BIT(TRINE_U8),
                            .same_dtype = "w1",
                            .doc = "second weight of each expert",
                            .offset = offsetof(trine_fused_moe_args, w2),
                            .role = TRINE_IN,
                            .domain = TRINE_DOMAIN_CODE},
    [TRINE_FUSED_MOE_TOPK_WEIGHTS] = {.name = "topk_weights",
                                      .shape = "M, k",
                                      .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                      .doc = "router weights",
                                      .offset = offsetof(trine_fused_moe_args, topk_weights),
                                      .role = TRINE_IN,
                                      .domain = TRINE_DOMAIN_PROBABILITY},
    [TRINE_FUSED_MOE_TOPK_IDS] =
        {.name = "topk_ids",
         .shape = "M, k",
         .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
         .doc = "experts of each token; ids that are not on this rank add nothing",
         .offset = offsetof(trine_fused_moe_args, topk_ids),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_EXPERT},
    [TRINE_FUSED_MOE_W1_SCALE] =
        {.name = "w1_scale",
         .shape = "quantization = fp8_tensor!: E; "
                  "quantization = fp8_channel | quantization = int8_channel | quantization = "
                  "int8_w8a16 & group_size = 0!: E, (gated ? 2*I : I); "
                  "quantization = fp8_block | quantization = int8_block!: E, ceil((gated ? 2*I : "
                  "I)/block_n), ceil(H/block_k); "
                  "quantization = int4_w4a16 | quantization = int8_w8a16 & group_size > 0!: E, "
                  "(gated ? 2*I : I), H/group_size",
         .dtypes = TRINE_FLOATS,
         .same_dtype = "x",
         .doc = "scales of w1 by quantization",
         .offset = offsetof(trine_fused_moe_args, w1_scale),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_SCALE,
         .optional = true,
         .or_f32 = true},
    [TRINE_FUSED_MOE_W2_SCALE] = {.name = "w2_scale",
                                  .shape =
                                      "quantization = fp8_tensor!: E; "
                                      "quantization = fp8_channel | quantization = int8_channel | "
                                      "quantization = int8_w8a16 & group_size = 0!: E, H; "
                                      "quantization = fp8_block | quantization = int8_block!: E, "
                                      "ceil(H/block_n), ceil(I/block_k); "
                                      "quantization = int4_w4a16 | quantization = int8_w8a16 & "
                                      "group_size > 0!: E, H, I/group_size",
                                  .dtypes = TRINE_FLOATS,
                                  .same_dtype = "x",
                                  .doc = "scales of w2 by quantization",
                                  .offset = offsetof(trine_fused_moe_args, w2_scale),
                                  .role = TRINE_IN,
                                  .domain = TRINE_DOMAIN_SCALE,
                                  .optional = true,
                                  .or_f32 = true},
    [TRINE_FUSED_MOE_W1_ZERO] =
        {.name = "w1_zero",
         .shape = "quantization = int4_w4a16: E, (gated ? 2*I : I)/2, H/group_size; "
                  "quantization = int8_w8a16 & group_size > 0: E, (gated ? 2*I : I), H/group_size",
         .dtypes = TRINE_DTYPE_BIT(TRINE_U8),
         .doc = "zero points of w1",
         .offset = offsetof(trine_fused_moe_args, w1_zero),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_ZERO,
         .optional = true},
    [TRINE_FUSED_MOE_W2_ZERO] =
        {.name = "w2_zero",
         .shape = "quantization = int4_w4a16: E, H/2, I/group_size; "
                  "quantization = int8_w8a16 & group_size > 0: E, H, I/group_size",
         .dtypes = TRINE_DTYPE_BIT(TRINE_U8),
         .doc = "zero points of w2",
         .offset = offsetof(trine_fused_moe_args, w2_zero),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_ZERO,
         .optional = true},
    [TRINE_FUSED_MOE_A1_SCALE] = {.name = "a1_scale",
                                  .shape = "quantization = fp8_tensor: 1",
                                  .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                  .doc = "static scale of x",
                                  .offset = offsetof(trine_fused_moe_args, a1_scale),
                                  .role = TRINE_IN,
                                  .domain = TRINE_DOMAIN_SCALE,
                                  .optional = true},
    [TRINE_FUSED_MOE_A2_SCALE] = {.name = "a2_scale",
                                  .shape = "quantization = fp8_tensor: 1",
                                  .dtypes = TRINE_DTYPE_BIT(TRINE_F32),
                                  .doc = "static scale of the activations between the products",
                                  .offset = offsetof(trine_fused_moe_args, a2_scale),
                                  .role = TRINE_IN,
                                  .domain = TRINE_DOMAIN_SCALE,
                                  .optional = true},
    [TRINE_FUSED_MOE_B1] = {.name = "b1",
                            .shape = "E, (gated ? 2*I : I)",
                            .dtypes = TRINE_FLOATS,
                            .same_dtype = "x",
                            .doc = "bias of the first product",
                            .offset = offsetof(trine_fused_moe_args, b1),
                            .role = TRINE_IN,
                            .domain = TRINE_DOMAIN_REAL,
                            .optional = true,
                            .or_f32 = true},
    [TRINE_FUSED_MOE_B2] = {.name = "b2",
                            .shape = "E, H",
                            .dtypes = TRINE_FLOATS,
                            .same_dtype = "x",
                            .doc = "bias of the second product",
                            .offset = offsetof(trine_fused_moe_args, b2),
                            .role = TRINE_IN,
                            .domain = TRINE_DOMAIN_REAL,
                            .optional = true,
                            .or_f32 = true},
    [TRINE_FUSED_MOE_EXPERT_MAP] = {.name = "expert_map",
                                    .shape = "Eg",
                                    .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
                                    .doc = "local expert of each global expert, -1 = elsewhere",
                                    .offset = offsetof(trine_fused_moe_args, expert_map),
                                    .role = TRINE_IN,
                                    .domain = TRINE_DOMAIN_EXPERT_MAP,
                                    .optional = true},
    [TRINE_FUSED_MOE_OUT] = {.name = "out",
                             .shape = "combine = none: M, k, H; combine != none: M, H",
                             .dtypes = TRINE_FLOATS,
                             .same_dtype = "x",
                             .doc = "weighted sum over experts, or each contribution",
                             .offset = offsetof(trine_fused_moe_args, out),
                             .role = TRINE_OUT,
                             .domain = TRINE_DOMAIN_REAL,
                             .or_f32 = true},
};

static const trine_param_description params[] = {
    [TRINE_FUSED_MOE_QUANTIZATION] = {.name = "quantization",
                                      .doc = "how weights and activations are quantized",
                                      .words = quantization_words,
                                      .offset = offsetof(trine_fused_moe_args, quantization),
                                      .type = TRINE_PARAM_ENUM},
    [TRINE_FUSED_MOE_BLOCK_N] = {.name = "block_n",
                                 .doc = "weight rows that share a scale (block modes)",
                                 .default_value = 128,
                                 .minimum = 1,
                                 .maximum = INT32_MAX,
                                 .offset = offsetof(trine_fused_moe_args, block_n),
                                 .type = TRINE_PARAM_INT},
    [TRINE_FUSED_MOE_BLOCK_K] = {.name = "block_k",
                                 .doc = "columns that share a scale (block modes)",
                                 .default_value = 128,
                                 .minimum = 1,
                                 .maximum = INT32_MAX,
                                 .offset = offsetof(trine_fused_moe_args, block_k),
                                 .type = TRINE_PARAM_INT},
    [TRINE_FUSED_MOE_GROUP_SIZE] =
        {.name = "group_size",
         .doc = "columns that share a scale (weight-only modes); int8_w8a16: 0 = one scale a row",
         .maximum = INT32_MAX,
         .offset = offsetof(trine_fused_moe_args, group_size),
         .type = TRINE_PARAM_INT},
    [TRINE_FUSED_MOE_ACTIVATION] = {.name = "activation",
                                    .doc = "the activation",
                                    .words = trine_activation_words,
                                    .default_value = TRINE_ACTIVATION_SILU,
                                    .offset = offsetof(trine_fused_moe_args, activation),
                                    .type = TRINE_PARAM_ENUM},
    [TRINE_FUSED_MOE_GATED] = {.name = "gated",
                               .doc = "w1 has up rows to multiply by",
                               .default_value = 1,
                               .maximum = 1,
                               .offset = offsetof(trine_fused_moe_args, gated),
                               .type = TRINE_PARAM_BOOL},
    [TRINE_FUSED_MOE_GATE_LAYOUT] = {.name = "gate_layout",
                                     .doc = "gate rows then up rows, or alternating",
                                     .words = trine_gate_layout_words,
                                     .offset = offsetof(trine_fused_moe_args, gate_layout),
                                     .type = TRINE_PARAM_ENUM},
    [TRINE_FUSED_MOE_ALPHA] = {.name = "alpha",
                               .doc = "of swiglu_oai",
                               .default_value = 1.702f,
                               .minimum = -TRINE_FLOAT_MAX,
                               .maximum = TRINE_FLOAT_MAX,
                               .offset = offsetof(trine_fused_moe_args, alpha),
                               .type = TRINE_PARAM_FLOAT},
    [TRINE_FUSED_MOE_LIMIT] = {.name = "limit",
                               .doc = "clamps gate from above and up from both sides; 0 for none",
                               .maximum = TRINE_FLOAT_MAX,
                               .offset = offsetof(trine_fused_moe_args, limit),
                               .type = TRINE_PARAM_FLOAT},
    [TRINE_FUSED_MOE_INTERMEDIATE_ROUNDING] = {.name = "intermediate_rounding",
                                               .doc = "round once, or every intermediate",
                                               .words = trine_intermediate_rounding_words,
                                               .offset = offsetof(trine_fused_moe_args,
                                                                  intermediate_rounding),
                                               .type = TRINE_PARAM_ENUM},
    [TRINE_FUSED_MOE_COMBINE] = {.name = "combine",
                                 .doc = "how contributions are summed",
                                 .words = combine_words,
                                 .offset = offsetof(trine_fused_moe_args, combine),
                                 .type = TRINE_PARAM_ENUM},
    [TRINE_FUSED_MOE_ROUTER_WEIGHT_ON_INPUT] =
        {.name = "router_weight_on_input",
         .doc = "multiply by the router weight after the first product",
         .maximum = 1,
         .offset = offsetof(trine_fused_moe_args, router_weight_on_input),
         .type = TRINE_PARAM_BOOL},
    [TRINE_FUSED_MOE_ROUTED_SCALING_FACTOR] = {.name = "routed_scaling_factor",
                                               .doc = "multiplies the sum",
                                               .default_value = 1,
                                               .minimum = -TRINE_FLOAT_MAX,
                                               .maximum = TRINE_FLOAT_MAX,
                                               .offset = offsetof(trine_fused_moe_args,
                                                                  routed_scaling_factor),
                                               .type = TRINE_PARAM_FLOAT},
    [TRINE_FUSED_MOE_ACCUMULATE] = {.name = "accumulate",
                                    .doc = "add onto what out holds",
                                    .maximum = 1,
                                    .offset = offsetof(trine_fused_moe_args, accumulate),
                                    .type = TRINE_PARAM_BOOL},
};

static bool weight_only(trine_moe_quantization quantization)
{
    return quantization == TRINE_MOE_INT8_W8A16 || quantization == TRINE_MOE_INT4_W4A16;
}

static bool per_block(trine_moe_quantization quantization)
{
    return quantization == TRINE_MOE_FP8_BLOCK || quantization == TRINE_MOE_INT8_BLOCK;
}

static bool per_channel(trine_moe_quantization quantization)
{
    return quantization == TRINE_MOE_FP8_CHANNEL || quantization == TRINE_MOE_INT8_CHANNEL;
}

/* Dtypes of w1 and w2 that a quantization takes. */
static uint32_t weight_dtypes(const trine_fused_moe_problem *p)
{
    switch (p->quantization) {
    case TRINE_MOE_NONE:
        return TRINE_DTYPE_BIT(p->x.dtype);
    case TRINE_MOE_FP8_TENSOR:
    case TRINE_MOE_FP8_CHANNEL:
    case TRINE_MOE_FP8_BLOCK:
        return TRINE_E4M3;
    case TRINE_MOE_INT8_CHANNEL:
    case TRINE_MOE_INT8_BLOCK:
        return TRINE_DTYPE_BIT(TRINE_I8);
    case TRINE_MOE_INT8_W8A16:
        return TRINE_DTYPE_BIT(p->group_size ? TRINE_U8 : TRINE_I8);
    default: /* TRINE_MOE_INT4_W4A16 */
        return TRINE_DTYPE_BIT(TRINE_U8);
    }
}

static trine_status dtypes_check(const trine_fused_moe_problem *p)
{
    const char *mode = quantization_words[p->quantization].name;
    if (!(weight_dtypes(p) & TRINE_DTYPE_BIT(p->w1.dtype)))
        return trine_fail(TRINE_INVALID_DTYPE,
                          "fused_moe: w1 is %s, which quantization %s with group_size %" PRId64
                          " and x of %s does not take",
                          trine_dtype_name(p->w1.dtype), mode, p->group_size,
                          trine_dtype_name(p->x.dtype));
    const trine_view *scales[2] = {&p->w1_scale, &p->w2_scale};
    bool groups = weight_only(p->quantization) && p->group_size > 0;
    for (int i = 0; i < 2; i++)
        if (trine_view_present(scales[i]) && !groups && scales[i]->dtype != TRINE_F32)
            return trine_fail(TRINE_INVALID_DTYPE,
                              "fused_moe: w%d_scale is %s, must be f32 with quantization %s", i + 1,
                              trine_dtype_name(scales[i]->dtype), mode);
    return TRINE_OK;
}

static trine_status params_check(const trine_fused_moe_problem *p)
{
    if (p->activation == TRINE_ACTIVATION_SWIGLU_OAI && !p->gated)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "fused_moe: gated is 0, must be 1 with activation swiglu_oai");
    if (p->combine == TRINE_COMBINE_NONE && p->accumulate)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "fused_moe: accumulate is 1, must be 0 with combine none");
    if (p->combine == TRINE_COMBINE_ATOMIC && p->out.dtype != p->x.dtype)
        return trine_fail(TRINE_INVALID_DTYPE,
                          "fused_moe: out is %s, must be as x, which is %s, with combine atomic",
                          trine_dtype_name(p->out.dtype), trine_dtype_name(p->x.dtype));
    return TRINE_OK;
}

/* Rows of one block of sorted slots: near what an expert gets, so that little is padding. */
static int64_t align_block_size(int64_t slots, int64_t experts)
{
    int64_t each = experts > 0 ? slots / experts : slots;
    return each <= 16 ? 16 : each <= 32 ? 32 : each <= 64 ? 64 : 128;
}

/* Appends a part to the workspace: its offset, with *size grown; *size sticks at TRINE_SIZE_BAD. */
static size_t part(int64_t *size, int64_t count, int64_t element)
{
    size_t offset = *size < 0 ? 0 : (size_t)*size;
    int64_t bytes = trine_size_align(trine_size_mul(count, element), TRINE_WORKSPACE_ALIGNMENT);
    *size = trine_size_add(*size, bytes);
    return offset;
}

/* Scales of `rows` quantized rows of `columns` columns. */
static int64_t scale_count(const trine_fused_moe_problem *p, int64_t rows, int64_t columns)
{
    if (per_block(p->quantization))
        return trine_size_mul(rows, trine_ceil_div(columns, p->block_k));
    return per_channel(p->quantization) ? rows : 1;
}

/* A function of the problem alone: every row, and the reference, finds room in it whatever it
 * keeps. The sum's part holds the larger of its two forms while combine is not `none`, because a
 * row may sum in a better way than its mode's name says. */
static trine_status workspace_plan(trine_fused_moe_problem *p)
{
    trine_fused_moe_workspace *w = &p->workspace;
    bool quantized = p->quantization != TRINE_MOE_NONE && !weight_only(p->quantization);
    int64_t x_size = (int64_t)trine_dtype_size(p->x.dtype);
    p->align_block_size = align_block_size(p->slots, p->experts);
    int64_t capacity = trine_moe_align_capacity(p->slots, p->experts, p->align_block_size);
    if (p->slots < 0 || capacity < 0 || capacity > INT32_MAX)
        return trine_fail(TRINE_SIZE_OVERFLOW,
                          "fused_moe: topk_ids of %" PRId64 " by %" PRId64
                          " can need more positions than 32 bits can number",
                          p->tokens, p->k);
    int64_t size = 0;
    w->sorted_token_ids = part(&size, capacity, 4);
    w->expert_ids = part(&size, trine_ceil_div(capacity, p->align_block_size), 4);
    w->num_tokens_post_padded = part(&size, 1, 4);
    w->align_scratch = part(&size, trine_moe_align_workspace(p->slots, p->experts), 1);
    w->a1 = part(&size, quantized ? trine_size_mul(p->tokens, p->hidden) : 0, 1);
    w->a1_scale = part(&size, quantized ? scale_count(p, p->tokens, p->hidden) : 0, 4);
    w->h = part(&size, trine_size_mul(p->slots, p->n1), 4);
    w->a2 = part(&size, trine_size_mul(p->slots, p->intermediate), quantized ? 1 : x_size);
    w->a2_scale = part(&size, quantized ? scale_count(p, p->slots, p->intermediate) : 0, 4);
    int64_t separate = trine_size_mul(trine_size_mul(p->slots, p->hidden), x_size);
    int64_t atomic = trine_size_mul(trine_size_mul(p->tokens, p->hidden), 4);
    bool fits = separate >= 0 && atomic >= 0;
    int64_t sum = !fits ? TRINE_SIZE_BAD : separate > atomic ? separate : atomic;
    w->c = part(&size, p->combine == TRINE_COMBINE_NONE ? 0 : sum, 1);
    if (size < 0)
        return trine_fail(TRINE_SIZE_OVERFLOW,
                          "fused_moe: workspace for x of %" PRId64 " by %" PRId64
                          " and k = %" PRId64 " does not fit 63 bits",
                          p->tokens, p->hidden, p->k);
    w->size = (size_t)size;
    return TRINE_OK;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_fused_moe_args *a = args;
    trine_fused_moe_problem *p = &problem->fused_moe;
    p->x = t[TRINE_FUSED_MOE_X];
    p->w1 = t[TRINE_FUSED_MOE_W1];
    p->w2 = t[TRINE_FUSED_MOE_W2];
    p->topk_weights = t[TRINE_FUSED_MOE_TOPK_WEIGHTS];
    p->topk_ids = t[TRINE_FUSED_MOE_TOPK_IDS];
    p->w1_scale = t[TRINE_FUSED_MOE_W1_SCALE];
    p->w2_scale = t[TRINE_FUSED_MOE_W2_SCALE];
    p->w1_zero = t[TRINE_FUSED_MOE_W1_ZERO];
    p->w2_zero = t[TRINE_FUSED_MOE_W2_ZERO];
    p->a1_scale = t[TRINE_FUSED_MOE_A1_SCALE];
    p->a2_scale = t[TRINE_FUSED_MOE_A2_SCALE];
    p->b1 = t[TRINE_FUSED_MOE_B1];
    p->b2 = t[TRINE_FUSED_MOE_B2];
    p->expert_map = t[TRINE_FUSED_MOE_EXPERT_MAP];
    p->out = t[TRINE_FUSED_MOE_OUT];
    p->quantization = (trine_moe_quantization)a->quantization;
    p->block_n = a->block_n;
    p->block_k = a->block_k;
    p->group_size = a->group_size;
    p->activation = (trine_activation)a->activation;
    p->gated = a->gated;
    p->gate_layout = (trine_gate_layout)a->gate_layout;
    p->alpha = a->alpha;
    p->limit = a->limit;
    p->intermediate_rounding = (trine_intermediate_rounding)a->intermediate_rounding;
    p->combine = (trine_moe_combine)a->combine; /* `auto` is decided with the row */
    p->router_weight_on_input = a->router_weight_on_input;
    p->accumulate = a->accumulate;
    p->routed_scaling_factor = a->routed_scaling_factor;
    p->tokens = p->x.shape[0];
    p->hidden = p->x.shape[1];
    p->experts = p->w1.shape[0];
    p->n1 = p->w1.shape[1];
    p->intermediate = p->gated ? p->n1 / 2 : p->n1;
    p->k = p->topk_ids.shape[1];
    p->slots = trine_size_mul(p->tokens, p->k);
    p->global_experts = trine_view_present(&p->expert_map) ? p->expert_map.shape[0] : p->experts;
    trine_status status = dtypes_check(p);
    if (!status) status = params_check(p);
    if (!status) status = workspace_plan(p);
    return status;
}

static size_t workspace(const trine_problem *problem)
{
    return problem->fused_moe.workspace.size;
}

static const char *nondeterministic(const trine_problem *problem)
{
    trine_moe_combine combine = problem->fused_moe.combine;
    return combine == TRINE_COMBINE_ATOMIC || combine == TRINE_COMBINE_ATOMIC_F32
               ? "combine atomic and atomic_f32 add in no fixed order"
               : NULL;
}

/* Weights are read for as many experts as there are slots, at most; which, only the ids tell. */
static trine_cost cost(const trine_problem *problem)
{
    const trine_fused_moe_problem *p = &problem->fused_moe;
    double slots = (double)p->slots, hidden = (double)p->hidden;
    double columns = (double)p->n1 + (double)p->intermediate;
    double used = p->slots < p->experts ? slots / (double)p->experts : 1.0;
    double weights = trine_view_bytes(&p->w1) + trine_view_bytes(&p->w2) +
                     trine_view_bytes(&p->w1_scale) + trine_view_bytes(&p->w2_scale) +
                     trine_view_bytes(&p->w1_zero) + trine_view_bytes(&p->w2_zero) +
                     trine_view_bytes(&p->b1) + trine_view_bytes(&p->b2);
    double rest = trine_view_bytes(&p->x) + trine_view_bytes(&p->topk_weights) +
                  trine_view_bytes(&p->topk_ids) + trine_view_bytes(&p->a1_scale) +
                  trine_view_bytes(&p->a2_scale) + trine_view_bytes(&p->expert_map) +
                  trine_view_bytes(&p->out) * (1 + p->accumulate);
    trine_cost c = {slots *
                        (2.0 * hidden * columns + 16.0 * (double)p->intermediate + 2.0 * hidden),
                    used * weights + rest};
    return c;
}

static trine_status bound(const trine_problem *problem, const trine_bound_options *options,
                          double *value, double *limit)
{
    return trine_bound_fused_moe(&problem->fused_moe, options, value, limit);
}

static trine_status staged(const trine_problem *problem, const trine_bound_options *options,
                           const void *kernel_workspace, trine_staged_report *report, double *value,
                           double *limit)
{
    const trine_fused_moe_problem *p = &problem->fused_moe;
    if (p->quantization == TRINE_MOE_NONE || weight_only(p->quantization))
        return trine_fail(TRINE_UNSUPPORTED,
                          "fused_moe: quantization is %s, a staged check needs one that quantizes "
                          "activations",
                          quantization_words[p->quantization].name);
    return trine_staged_fused_moe(p, options, kernel_workspace, report, value, limit);
}

const trine_op_entry trine_fused_moe_entry = {
    .description = {.op = TRINE_OP_FUSED_MOE,
                    .name = "fused_moe",
                    .doc = "the whole expert layer: two products, the activation, the weighted sum",
                    .dims = "M tokens; H hidden size; I intermediate size; E experts on this rank; "
                            "k experts of a token; Eg global experts",
                    .args_size = sizeof(trine_fused_moe_args),
                    .bounded = true,
                    .tensor_count = TRINE_FUSED_MOE_TENSORS,
                    .param_count = TRINE_FUSED_MOE_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .workspace = workspace,
    .cost = cost,
    .nondeterministic = nondeterministic,
    .bound = bound,
    .staged = staged,
};
