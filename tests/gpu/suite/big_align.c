// SPDX-License-Identifier: Apache-2.0
/* moe_align_block_size over millions of slots, against a counting sort: the reference looks through
 * all slots once an expert. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/rng.h"
#include "tests/gpu/suite/big.h"

typedef struct align_call {
    int64_t tokens, k, experts, block, capacity, blocks;
    int32_t *ids;                 /* on the host */
    int32_t *sorted, *expert_ids; /* what must come out */
    int32_t *got;                 /* capacity numbers */
    int32_t padded;               /* num_tokens_post_padded */
    void *memory[4];              /* ids, sorted, expert_ids, padded on the device */
    void *workspace;
} align_call;

/* Slots by expert, ascending; each expert's run padded to whole blocks. */
static bool sort_slots(align_call *c)
{
    const int64_t slots = c->tokens * c->k;
    int64_t *next = calloc((size_t)c->experts + 1, sizeof *next);
    int64_t begin = 0;

    if (!next) return false;
    for (int64_t i = 0; i < slots; i++)
        if (c->ids[i] >= 0 && c->ids[i] < c->experts) next[c->ids[i]]++;
    for (int64_t i = 0; i < c->capacity; i++) c->sorted[i] = (int32_t)slots;
    for (int64_t i = 0; i < c->blocks; i++) c->expert_ids[i] = -1;
    for (int64_t e = 0; e < c->experts; e++) {
        const int64_t length = (next[e] + c->block - 1) / c->block * c->block;
        for (int64_t b = begin / c->block; b < (begin + length) / c->block; b++)
            c->expert_ids[b] = (int32_t)e;
        next[e] = begin;
        begin += length;
    }
    for (int64_t i = 0; i < slots; i++)
        if (c->ids[i] >= 0 && c->ids[i] < c->experts) c->sorted[next[c->ids[i]]++] = (int32_t)i;
    c->padded = (int32_t)begin;
    free(next);
    return true;
}

/* Numbers of an output against what they must be; false with a sentence. */
static bool same(suite *s, align_call *c, const char *name, const void *memory, const int32_t *want,
                 int64_t count, char *reason, size_t size)
{
    if (trine_device_copy(s->target.context, s->target.device, c->got, memory,
                          (size_t)count * sizeof *want, false)) {
        snprintf(reason, size, "%s", trine_last_error());
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        if (c->got[i] == want[i]) continue;
        snprintf(reason, size, "%s[%lld] is %d, must be %d", name, (long long)i, c->got[i],
                 want[i]);
        return false;
    }
    return true;
}

static void run_rows(suite *s, align_call *c)
{
    const int32_t op = TRINE_OP_MOE_ALIGN_BLOCK_SIZE;
    trine_moe_align_block_size_args args = TRINE_MOE_ALIGN_BLOCK_SIZE_ARGS_INIT;
    int64_t shapes[4][2] = {{c->tokens, c->k}, {c->capacity, 0}, {c->blocks, 0}, {1, 0}};
    DLTensor tensors[4];
    trine_exec exec = TRINE_EXEC_INIT;
    trine_context *context;
    const trine_row *row;
    char reason[300];

    for (int i = 0; i < 4; i++) {
        tensors[i] = (DLTensor){.data = c->memory[i],
                                .ndim = i ? 1 : 2,
                                .dtype = trine_dtype_to_dl(TRINE_I32),
                                .shape = shapes[i]};
        tensors[i].device = s->target.device;
    }
    args.topk_ids = &tensors[0];
    args.sorted_token_ids = &tensors[1];
    args.expert_ids = &tensors[2];
    args.num_tokens_post_padded = &tensors[3];
    args.num_experts = (int32_t)c->experts;
    args.block_size = (int32_t)c->block;
    trine_status status =
        trine_op_workspace_size(s->target.context, op, &args, &exec.workspace_size);
    if (!status)
        status = trine_device_alloc(s->target.context, s->target.device, exec.workspace_size,
                                    &c->workspace);
    exec.workspace = c->workspace;
    for (size_t i = 0; !status && (row = trine_row_at(s->target.context, op, i)) != NULL; i++) {
        if (row->backend != s->target.info->caps.backend || !row->launch) continue;
        status = trine_target_force(&s->target, op, row->name, &context);
        if (!status) status = trine_op_run(context, &exec, op, &args);
        if (status == TRINE_UNSUPPORTED) { /* a narrower row */
            status = TRINE_OK;
            continue;
        }
        if (!status) status = trine_device_synchronize(context, s->target.device);
        if (status) break;
        if (same(s, c, "num_tokens_post_padded", c->memory[3], &c->padded, 1, reason,
                 sizeof reason) &&
            same(s, c, "sorted_token_ids", c->memory[1], c->sorted, c->capacity, reason,
                 sizeof reason) &&
            same(s, c, "expert_ids", c->memory[2], c->expert_ids, c->blocks, reason, sizeof reason))
            suite_pass(s);
        else
            suite_fail(s, "moe_align_block_size, %lld slots, block_size %lld, row %s: %s",
                       (long long)(c->tokens * c->k), (long long)c->block, row->name, reason);
    }
    if (status) suite_fail(s, "moe_align_block_size: %s", trine_last_error());
}

/* `skew`: nearly all slots go to one expert. */
static void align(suite *s, int64_t tokens, int64_t k, int64_t experts, int64_t block, bool skew)
{
    const int64_t slots = tokens * k;
    align_call c = {.tokens = tokens, .k = k, .experts = experts, .block = block};
    trine_status status = TRINE_OK;

    c.capacity = trine_moe_align_capacity(slots, experts, block);
    c.blocks = (c.capacity + block - 1) / block;
    const size_t counts[4] = {(size_t)slots, (size_t)c.capacity, (size_t)c.blocks, 1};
    c.ids = malloc((size_t)slots * sizeof *c.ids);
    c.sorted = malloc((size_t)c.capacity * sizeof *c.sorted);
    c.expert_ids = malloc((size_t)c.blocks * sizeof *c.expert_ids);
    c.got = malloc((size_t)c.capacity * sizeof *c.got);
    bool made = c.ids && c.sorted && c.expert_ids && c.got;
    for (int64_t i = 0; made && i < slots; i++) {
        const uint64_t draw = trine_rng_at(s->seed, (uint64_t)i);
        /* One in 64 is not on this rank. */
        c.ids[i] = draw % 64 == 0             ? -1
                   : skew && draw >> 8 & 0xff ? 3
                                              : (int32_t)(draw % (uint64_t)experts);
    }
    made = made && sort_slots(&c);
    for (int i = 0; made && i < 4 && !status; i++)
        status = trine_device_alloc(s->target.context, s->target.device,
                                    counts[i] * sizeof(int32_t), &c.memory[i]);
    if (made && !status)
        status = trine_device_copy(s->target.context, s->target.device, c.memory[0], c.ids,
                                   counts[0] * sizeof(int32_t), true);
    if (!made || status)
        suite_fail(s, "moe_align_block_size: %s", made ? trine_last_error() : "out of memory");
    else
        run_rows(s, &c);
    for (int i = 0; i < 4; i++) trine_device_free(s->target.context, s->target.device, c.memory[i]);
    trine_device_free(s->target.context, s->target.device, c.workspace);
    free(c.ids);
    free(c.sorted);
    free(c.expert_ids);
    free(c.got);
}

void big_align(suite *s, int64_t divide)
{
    const double begin = big_now();
    const int64_t tokens = ((INT64_C(1) << 19) + 5) / divide;

    align(s, tokens, 8, 1024, 16, false);
    align(s, tokens, 8, 1024, 128, true);
    align(s, 8 * tokens, 1, 1000, 64, false);
    suite_note(s, "moe_align_block_size, %lld slots, 1024 experts (%.1f s)",
               (long long)(8 * tokens), big_now() - begin);
}
