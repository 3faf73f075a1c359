// SPDX-License-Identifier: Apache-2.0
/* moe_align_block_size: table, validation, workspace, cost. */
#include "ops/moe_align_block_size.h"

#include <inttypes.h>

#include "ops/size.h"

static const trine_tensor_description tensors[] = {
    [TRINE_MOE_ALIGN_BLOCK_SIZE_TOPK_IDS] = {.name = "topk_ids",
                                             .shape = "M, k",
                                             .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
                                             .doc = "experts of each token",
                                             .offset = offsetof(trine_moe_align_block_size_args,
                                                                topk_ids),
                                             .role = TRINE_IN,
                                             .domain = TRINE_DOMAIN_EXPERT},
    [TRINE_MOE_ALIGN_BLOCK_SIZE_EXPERT_MAP] =
        {.name = "expert_map",
         .shape = "Eg",
         .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
         .doc = "local expert of each global expert, -1 = elsewhere",
         .offset = offsetof(trine_moe_align_block_size_args, expert_map),
         .role = TRINE_IN,
         .domain = TRINE_DOMAIN_EXPERT_MAP,
         .optional = true},
    [TRINE_MOE_ALIGN_BLOCK_SIZE_SORTED_TOKEN_IDS] =
        {.name = "sorted_token_ids",
         .shape = "block_size*min(M*k, num_experts + floor(max(M*k - num_experts, 0)/block_size)); "
                  "cap",
         .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
         .doc = "slots by expert, each run padded to block_size with M*k",
         .offset = offsetof(trine_moe_align_block_size_args, sorted_token_ids),
         .role = TRINE_OUT,
         .domain = TRINE_DOMAIN_INDEX},
    [TRINE_MOE_ALIGN_BLOCK_SIZE_EXPERT_IDS] = {.name = "expert_ids",
                                               .shape = "ceil(dim0(sorted_token_ids)/block_size)",
                                               .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
                                               .doc = "expert of each block, -1 past the last",
                                               .offset = offsetof(trine_moe_align_block_size_args,
                                                                  expert_ids),
                                               .role = TRINE_OUT,
                                               .domain = TRINE_DOMAIN_INDEX},
    [TRINE_MOE_ALIGN_BLOCK_SIZE_NUM_TOKENS_POST_PADDED] = {.name = "num_tokens_post_padded",
                                                           .shape = "1",
                                                           .dtypes = TRINE_DTYPE_BIT(TRINE_I32),
                                                           .doc = "entries in use",
                                                           .offset = offsetof(
                                                               trine_moe_align_block_size_args,
                                                               num_tokens_post_padded),
                                                           .role = TRINE_OUT,
                                                           .domain = TRINE_DOMAIN_COUNT},
};

static const trine_param_description params[] = {
    [TRINE_MOE_ALIGN_BLOCK_SIZE_NUM_EXPERTS] = {.name = "num_experts",
                                                .doc = "experts on this rank",
                                                .minimum = 1,
                                                .maximum = INT32_MAX,
                                                .offset = offsetof(trine_moe_align_block_size_args,
                                                                   num_experts),
                                                .type = TRINE_PARAM_INT,
                                                .required = true},
    [TRINE_MOE_ALIGN_BLOCK_SIZE_BLOCK_SIZE] = {.name = "block_size",
                                               .doc = "each run is padded to a multiple of this",
                                               .minimum = 1,
                                               .maximum = INT32_MAX,
                                               .offset = offsetof(trine_moe_align_block_size_args,
                                                                  block_size),
                                               .type = TRINE_PARAM_INT,
                                               .required = true},
};

int64_t trine_moe_align_capacity(int64_t slots, int64_t num_experts, int64_t block_size)
{
    if (slots < 0 || num_experts < 0 || block_size < 1) return -1;
    /* Blocks: one for each slot, or the full ones and a short one for each expert. */
    int64_t more = slots > num_experts ? (slots - num_experts) / block_size : 0;
    int64_t blocks = trine_size_add(num_experts, more);
    if (blocks < 0 || blocks > slots) blocks = slots;
    return trine_size_mul(block_size, blocks);
}

int64_t trine_moe_align_chunks(int64_t slots)
{
    int64_t chunks = trine_ceil_div(slots, 1024);
    return chunks < 512 ? chunks : 512;
}

int64_t trine_moe_align_workspace(int64_t slots, int64_t experts)
{
    int64_t entries = trine_size_mul(trine_size_add(experts, 1), trine_moe_align_chunks(slots) + 1);
    return trine_size_align(trine_size_mul(entries, 4), TRINE_WORKSPACE_ALIGNMENT);
}

static trine_status resolve(const trine_view *t, const void *args, trine_problem *problem)
{
    const trine_moe_align_block_size_args *a = args;
    trine_moe_align_block_size_problem *p = &problem->moe_align_block_size;
    p->topk_ids = t[TRINE_MOE_ALIGN_BLOCK_SIZE_TOPK_IDS];
    p->expert_map = t[TRINE_MOE_ALIGN_BLOCK_SIZE_EXPERT_MAP];
    p->sorted_token_ids = t[TRINE_MOE_ALIGN_BLOCK_SIZE_SORTED_TOKEN_IDS];
    p->expert_ids = t[TRINE_MOE_ALIGN_BLOCK_SIZE_EXPERT_IDS];
    p->num_tokens_post_padded = t[TRINE_MOE_ALIGN_BLOCK_SIZE_NUM_TOKENS_POST_PADDED];
    p->tokens = p->topk_ids.shape[0];
    p->k = p->topk_ids.shape[1];
    p->slots = trine_size_mul(p->tokens, p->k);
    p->experts = a->num_experts;
    p->global_experts = trine_view_present(&p->expert_map) ? p->expert_map.shape[0] : p->experts;
    p->block_size = a->block_size;
    p->capacity = p->sorted_token_ids.shape[0];
    p->blocks = p->expert_ids.shape[0];
    int64_t needed = trine_moe_align_capacity(p->slots, p->experts, p->block_size);
    if (needed < 0 || needed > INT32_MAX)
        return trine_fail(TRINE_SIZE_OVERFLOW,
                          "moe_align_block_size: topk_ids of %" PRId64 " by %" PRId64
                          " can need more entries than 32-bit positions can number",
                          p->tokens, p->k);
    if (p->capacity < needed)
        return trine_fail(TRINE_INVALID_SHAPE,
                          "moe_align_block_size: sorted_token_ids dimension 0 is %" PRId64
                          ", must be at least trine_moe_align_capacity(%" PRId64 ", %" PRId64
                          ", %" PRId64 ") = %" PRId64,
                          p->capacity, p->slots, p->experts, p->block_size, needed);
    p->workspace_size = (size_t)trine_moe_align_workspace(p->slots, p->experts);
    return TRINE_OK;
}

static size_t workspace(const trine_problem *problem)
{
    return problem->moe_align_block_size.workspace_size;
}

static trine_cost cost(const trine_problem *problem)
{
    const trine_moe_align_block_size_problem *p = &problem->moe_align_block_size;
    trine_cost c = {(double)p->slots + (double)p->capacity,
                    trine_view_bytes(&p->topk_ids) + trine_view_bytes(&p->expert_map) +
                        trine_view_bytes(&p->sorted_token_ids) + trine_view_bytes(&p->expert_ids) +
                        trine_view_bytes(&p->num_tokens_post_padded)};
    return c;
}

const trine_op_entry trine_moe_align_block_size_entry = {
    .description = {.op = TRINE_OP_MOE_ALIGN_BLOCK_SIZE,
                    .name = "moe_align_block_size",
                    .doc = "sorts slots by expert and pads each run",
                    .dims = "M tokens; k experts of a token; Eg global experts; cap entries, at "
                            "least trine_moe_align_capacity()",
                    .args_size = sizeof(trine_moe_align_block_size_args),
                    .tensor_count = TRINE_MOE_ALIGN_BLOCK_SIZE_TENSORS,
                    .param_count = TRINE_MOE_ALIGN_BLOCK_SIZE_PARAMS,
                    .tensors = tensors,
                    .params = params},
    .resolve = resolve,
    .workspace = workspace,
    .cost = cost,
};
