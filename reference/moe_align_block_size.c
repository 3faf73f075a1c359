// SPDX-License-Identifier: Apache-2.0
// moe_align_block_size: slots sorted by expert, each expert's run padded to whole blocks.
#include "reference/element.h"
#include "reference/reference.h"

/* The local expert of a slot; a number outside [0,E) when it is not on this rank. */
static int64_t expert_of(const trine_moe_align_block_size_problem *p, int64_t slot)
{
    int64_t id = trine_load_i32(&p->topk_ids, trine_at2(&p->topk_ids, slot / p->k, slot % p->k));
    if (p->expert_map.rank >= 0) {
        if (id < 0 || id >= p->global_experts) return -1;
        id = trine_load_i32(&p->expert_map, trine_at1(&p->expert_map, id));
    }
    return id;
}

/* Needs no workspace, and no threads: it looks through all slots once per expert. */
void trine_reference_moe_align_block_size(const trine_moe_align_block_size_problem *p,
                                          void *workspace)
{
    (void)workspace;
    const trine_view *sorted = &p->sorted_token_ids, *experts = &p->expert_ids;
    int64_t end = 0; /* a multiple of block_size between experts */
    for (int64_t e = 0; e < p->experts; e++) {
        int64_t begin = end;
        for (int64_t slot = 0; slot < p->slots; slot++)
            if (expert_of(p, slot) == e)
                trine_store_i32(sorted, trine_at1(sorted, end++), (int32_t)slot);
        while (end % p->block_size != 0)
            trine_store_i32(sorted, trine_at1(sorted, end++), (int32_t)p->slots);
        for (int64_t b = begin / p->block_size; b < end / p->block_size; b++)
            trine_store_i32(experts, trine_at1(experts, b), (int32_t)e);
    }
    for (int64_t i = end; i < p->capacity; i++)
        trine_store_i32(sorted, trine_at1(sorted, i), (int32_t)p->slots);
    for (int64_t b = end / p->block_size; b < p->blocks; b++)
        trine_store_i32(experts, trine_at1(experts, b), -1);
    trine_store_i32(&p->num_tokens_post_padded, 0, (int32_t)end);
}
