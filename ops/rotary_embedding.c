// SPDX-License-Identifier: Apache-2.0
/* rotary_embedding: table, validation, cost. */
#include "ops/rotary_embedding.h"

#include <inttypes.h>

#include "ops/size.h"

static const trine_word pairing_words[] = {
    {"adjacent", TRINE_PAIRING_ADJACENT},
    {"half", TRINE_PAIRING_HALF},
    {NULL, 0},
};

static const trine_word rounding_words[] = {
    {"f32_fma", TRINE_ROUNDING_F32_FMA},
    {"f32_2mul", TRINE_ROUNDING_F32_2MUL},
    {"low_mul_f32_add", TRINE_ROUNDING_LOW_MUL_F32_ADD},
    {"all_low", TRINE_ROUNDING_ALL_LOW},
    {NULL, 0},
};

static const trine_tensor_description tensors[] = {
    [TRINE_ROTARY_EMBEDDING_X] = {.name = "x",
                                  .shape = "B, T, H, D; T, H, D",
                                  .dtypes = TRINE_FLOATS,
                                  .doc = "what is rotated",
                                  .offset = offsetof(trine_rotary_embedding_args, x),
                                  .role = TRINE_IN,
                                  .domain = TRINE_DOMAIN_REAL},
    [TRINE_ROTARY_EMBEDDING_COS] =
        {.name = "cos",
         .shape = "T, r; rank(x) = 4: B, T, r; rank(x) = 4: B, T, H, r; rank(x) = 3: T, H, r",
         .dtypes = TRINE_FLOATS,
         .doc = "cosine of each pair",
         .offset = offsetof(trine_rotary_embedding_args, cos),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_ANGLE},
    [TRINE_ROTARY_EMBEDDING_SIN] =
        {.name = "sin",
         .shape = "T, r; rank(x) = 4: B, T, r; rank(x) = 4: B, T, H, r; rank(x) = 3: T, H, r",
         .dtypes = TRINE_FLOATS,
         .same_dtype = "cos",
         .doc = "sine of each pair",
         .offset = offsetof(trine_rotary_embedding_args, sin),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_ANGLE},
    [TRINE_ROTARY_EMBEDDING_OUT] = {.name = "out",
                                    .shape = "rank(x) = 4: B, T, H, D; rank(x) = 3: T, H, D",
                                    .dtypes = TRINE_FLOATS,
                                    .same_dtype = "x",
                                    .alias = "x",
                                    .doc = "rotated x; may be x itself",
                                    .offset = offsetof(trine_rotary_embedding_args, out),
                                    .role = TRINE_OUT,
                                    .domain = TRINE_DOMAIN_REAL},
};

static const trine_param_description params[] = {
    [TRINE_ROTARY_EMBEDDING_PAIRING] = {.name = "pairing",
                                        .doc = "which columns form a pair",
                                        .words = pairing_words,
                                        .offset = offsetof(trine_rotary_embedding_args, pairing),
                                        .type = TRINE_PARAM_ENUM},
    [TRINE_ROTARY_EMBEDDING_ROUNDING] = {.name = "rounding",
                                         .doc = "where products and sums are rounded",
                                         .words = rounding_words,
                                         .offset = offsetof(trine_rotary_embedding_args, rounding),
                                         .type = TRINE_PARAM_ENUM},
    [TRINE_ROTARY_EMBEDDING_INVERSE] = {.name = "inverse",
                                        .doc = "negate sin",
                                        .maximum = 1,
                                        .offset = offsetof(trine_rotary_embedding_args, inverse),
                                        .type = TRINE_PARAM_BOOL},
};

/* A table seen as [B, T, H, r]: dimensions that it lacks repeat. `x` is [B, T, H, D] already,
 * `lead` tells that its B was added. */
static trine_view table_view(const trine_view *table, const trine_view *x, bool lead)
{
    trine_view view = {.data = table->data, .dtype = table->dtype, .rank = 4};
    bool has_batch = table->rank == 4 || (table->rank == 3 && !lead);
    bool has_heads = table->rank == 4 || (table->rank == 3 && lead);
    int dim = 0;
    for (int i = 0; i < 3; i++) view.shape[i] = x->shape[i];
    view.shape[3] = table->shape[table->rank - 1];
    if (has_batch) view.stride[0] = table->stride[dim++];
    view.stride[1] = table->stride[dim++];
    if (has_heads) view.stride[2] = table->stride[dim];
    view.stride[3] = table->stride[table->rank - 1];
    return view;
}

/* The 16-bit roundings multiply in x's own dtype. */
static trine_status rounding_check(const trine_rotary_embedding_problem *p)
{
    if (p->rounding != TRINE_ROUNDING_LOW_MUL_F32_ADD && p->rounding != TRINE_ROUNDING_ALL_LOW)
        return TRINE_OK;
    const char *word = rounding_words[p->rounding].name;
    if (p->x.dtype == TRINE_F32)
        return trine_fail(TRINE_INVALID_DTYPE,
                          "rotary_embedding: x is f32, must be bf16 or f16 with rounding %s", word);
    if (p->cos.dtype != p->x.dtype)
        return trine_fail(
            TRINE_INVALID_DTYPE,
            "rotary_embedding: cos is %s, must be as x, which is %s, with rounding %s",
            trine_dtype_name(p->cos.dtype), trine_dtype_name(p->x.dtype), word);
    return TRINE_OK;
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_rotary_embedding_args *a = args;
    trine_rotary_embedding_problem *p = &problem->rotary_embedding;
    const trine_view *x = &t[TRINE_ROTARY_EMBEDDING_X], *out = &t[TRINE_ROTARY_EMBEDDING_OUT];
    bool lead = x->rank == 3;
    p->x = lead ? trine_view_lead(x) : *x;
    p->out = lead ? trine_view_lead(out) : *out;
    p->cos = table_view(&t[TRINE_ROTARY_EMBEDDING_COS], &p->x, lead);
    p->sin = table_view(&t[TRINE_ROTARY_EMBEDDING_SIN], &p->x, lead);
    p->batch = p->x.shape[0];
    p->tokens = p->x.shape[1];
    p->heads = p->x.shape[2];
    p->head_size = p->x.shape[3];
    p->pairs = p->cos.shape[3];
    p->pairing = (trine_pairing)a->pairing;
    p->rounding = (trine_rotary_rounding)a->rounding;
    p->inverse = a->inverse;
    if (p->pairs > p->head_size / 2)
        return trine_fail(TRINE_INVALID_SHAPE,
                          "rotary_embedding: cos has r = %" PRId64
                          " pairs, 2 r must be at most D, which is %" PRId64,
                          p->pairs, p->head_size);
    return rounding_check(p);
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_rotary_embedding_problem *p = &problem->rotary_embedding;
    double heads = (double)p->batch * (double)p->tokens * (double)p->heads;
    trine_cost c = {6.0 * heads * (double)p->pairs,
                    trine_view_bytes(&p->x) + trine_view_bytes(&p->cos) +
                        trine_view_bytes(&p->sin) + trine_view_bytes(&p->out)};
    return c;
}

const trine_op_entry trine_rotary_embedding_entry = {
    .description = {.op = TRINE_OP_ROTARY_EMBEDDING,
                    .name = "rotary_embedding",
                    .doc = "rotates pairs of x by tables of cosines and sines",
                    .dims = "B batch; T tokens; H heads; D head size; r pairs, at most D/2",
                    .args_size = sizeof(trine_rotary_embedding_args),
                    .tensor_count = TRINE_ROTARY_EMBEDDING_TENSORS,
                    .param_count = TRINE_ROTARY_EMBEDDING_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .cost = cost,
};
