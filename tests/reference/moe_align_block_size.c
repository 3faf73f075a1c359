// SPDX-License-Identifier: Apache-2.0
// moe_align_block_size: the outputs rebuilt by counting.
#include "tests/reference/support.h"

typedef struct align_case {
    tensor ids, map, sorted, experts, padded;
    trine_moe_align_block_size_problem problem;
} align_case;

static align_case align_make(int64_t tokens, int64_t k, int64_t experts, int64_t global,
                             int64_t block, int64_t spare)
{
    int64_t slots = tokens * k, over = slots > experts ? slots - experts : 0;
    int64_t worst = experts + over / block < slots ? experts + over / block : slots;
    int64_t capacity = block * worst + spare, blocks = (capacity + block - 1) / block;
    align_case c = {
        .ids = make(TRINE_I32, 2, (int64_t[]){tokens, k}, (int64_t[]){1, tokens + 1}),
        .map = MAKE(TRINE_I32, 1, global),
        .sorted = make(TRINE_I32, 1, (int64_t[]){capacity}, (int64_t[]){2}),
        .experts = make(TRINE_I32, 1, (int64_t[]){blocks}, (int64_t[]){3}),
        .padded = MAKE(TRINE_I32, 1, 1),
    };
    c.problem = (trine_moe_align_block_size_problem){.topk_ids = c.ids.view,
                                                     .expert_map = global ? c.map.view : absent(),
                                                     .sorted_token_ids = c.sorted.view,
                                                     .expert_ids = c.experts.view,
                                                     .num_tokens_post_padded = c.padded.view,
                                                     .tokens = tokens,
                                                     .k = k,
                                                     .slots = slots,
                                                     .experts = experts,
                                                     .global_experts = global,
                                                     .block_size = block,
                                                     .capacity = capacity,
                                                     .blocks = blocks};
    return c;
}

static void align_release(align_case *c)
{
    release(&c->ids);
    release(&c->map);
    release(&c->sorted);
    release(&c->experts);
    release(&c->padded);
}

static int64_t local_expert(const align_case *c, int64_t slot)
{
    const trine_moe_align_block_size_problem *p = &c->problem;
    double id = value_of(&c->ids, slot);
    if (p->expert_map.rank == 1)
        id = id >= 0 && id < (double)p->global_experts ? value_of(&c->map, (int64_t)id) : -1;
    return id >= 0 && id < (double)p->experts ? (int64_t)id : -1;
}

static void expect_sorted(const align_case *c)
{
    const trine_moe_align_block_size_problem *p = &c->problem;
    int64_t S = p->slots, block = p->block_size;
    int64_t *count = calloc((size_t)p->experts + 1, sizeof *count);
    int64_t *start = calloc((size_t)p->experts + 1, sizeof *start);
    double *sorted = malloc((size_t)(p->capacity + 1) * sizeof *sorted);
    double *experts = malloc((size_t)(p->blocks + 1) * sizeof *experts);
    cr_assert(count && start && sorted && experts);
    for (int64_t s = 0; s < S; s++)
        if (local_expert(c, s) >= 0) count[local_expert(c, s)]++;
    for (int64_t e = 0; e < p->experts; e++)
        start[e + 1] = start[e] + (count[e] + block - 1) / block * block;
    for (int64_t i = 0; i < p->capacity; i++) sorted[i] = (double)S;
    for (int64_t b = 0; b < p->blocks; b++) experts[b] = -1;
    for (int64_t e = 0; e < p->experts; e++) {
        for (int64_t b = start[e] / block; b < start[e + 1] / block; b++) experts[b] = (double)e;
        count[e] = 0;
    }
    for (int64_t s = 0; s < S; s++) {
        int64_t e = local_expert(c, s);
        if (e >= 0) sorted[start[e] + count[e]++] = (double)s;
    }
    for (int64_t i = 0; i < p->capacity; i++)
        cr_assert_eq(value_of(&c->sorted, i), sorted[i], "sorted_token_ids[%d]", (int)i);
    for (int64_t b = 0; b < p->blocks; b++)
        cr_assert_eq(value_of(&c->experts, b), experts[b], "expert_ids[%d]", (int)b);
    cr_assert_eq(value_of(&c->padded, 0), (double)start[p->experts]);
    cr_assert_eq(stray_bytes(&c->sorted) + stray_bytes(&c->experts) + stray_bytes(&c->padded), 0);
    free(count);
    free(start);
    free(sorted);
    free(experts);
}

Test(moe_align_block_size, random_ids_maps_and_sizes)
{
    uint64_t state = 5;
    int cases = 0;
    for (int round = 0; round < 300; round++) {
        int64_t experts = 1 + random_below(&state, 9);
        int64_t global = round % 3 ? 0 : experts + random_below(&state, 6);
        align_case c = align_make(random_below(&state, 12), 1 + random_below(&state, 4), experts,
                                  global, 1 + random_below(&state, 7), random_below(&state, 9));
        for (int64_t s = 0; s < c.problem.slots; s++)
            set_value(&c.ids, s,
                      (double)(random_below(&state, (global ? global : experts) + 3) - 1));
        for (int64_t g = 0; g < global; g++)
            set_value(&c.map, g, (double)(random_below(&state, experts + 2) - 1));
        use_threads(thread_counts[round % 3]);
        trine_reference_moe_align_block_size(&c.problem, NULL);
        expect_sorted(&c);
        align_release(&c);
        cases++;
    }
    cr_assert_eq(cases, 300);
}

Test(moe_align_block_size, worst_case_fills_the_capacity)
{
    /* Each expert gets one slot more than whole blocks: the least capacity is used to the end. */
    align_case c = align_make(6, 2, 3, 0, 4, 0);
    int64_t ids[] = {0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    for (int64_t s = 0; s < 12; s++) set_value(&c.ids, s, (double)ids[s]);
    trine_reference_moe_align_block_size(&c.problem, NULL);
    expect_sorted(&c);
    cr_assert_eq(value_of(&c.padded, 0), (double)c.problem.capacity);
    align_release(&c);
}

Test(moe_align_block_size, extreme_ids_are_nowhere)
{
    align_case c = align_make(2, 2, 4, 0, 2, 0);
    int32_t ids[] = {INT32_MAX, INT32_MIN, 4, -1};
    for (int64_t s = 0; s < 4; s++) set_bits(&c.ids, s, (uint32_t)ids[s]);
    trine_reference_moe_align_block_size(&c.problem, NULL);
    cr_assert_eq(value_of(&c.padded, 0), 0);
    for (int64_t i = 0; i < c.problem.capacity; i++) cr_assert_eq(value_of(&c.sorted, i), 4);
    for (int64_t b = 0; b < c.problem.blocks; b++) cr_assert_eq(value_of(&c.experts, b), -1);
    align_release(&c);
}

Test(moe_align_block_size, nothing_beside_the_map_is_read)
{
    align_case c = align_make(4, 2, 3, 5, 2, 0);
    tensor wide = MAKE(TRINE_I32, 1, 9); /* an expert on either side of the map's five entries */
    static const int32_t around[9] = {0, 1, 2, 1, 0, -1, 7, 0, 1};
    static const int64_t ids[8] = {-1, -2, 5, 6, 0, 4, 3, 2};
    for (int64_t i = 0; i < 9; i++) set_bits(&wide, i, (uint32_t)around[i]);
    for (int64_t i = 0; i < 5; i++) set_bits(&c.map, i, (uint32_t)around[i + 2]);
    for (int64_t s = 0; s < 8; s++) set_value(&c.ids, s, (double)ids[s]);
    c.problem.expert_map.data = (char *)wide.view.data + 2 * sizeof(int32_t);
    trine_reference_moe_align_block_size(&c.problem, NULL);
    expect_sorted(&c);
    cr_assert_eq(value_of(&c.padded, 0), 4);
    release(&wide);
    align_release(&c);
}

Test(moe_align_block_size, no_slots_still_writes_everything)
{
    align_case c = align_make(0, 2, 4, 0, 4, 10);
    trine_reference_moe_align_block_size(&c.problem, NULL);
    expect_sorted(&c);
    cr_assert_eq(value_of(&c.padded, 0), 0);
    cr_assert_eq(c.problem.blocks, 3);
    align_release(&c);
}
