// SPDX-License-Identifier: Apache-2.0
// topk_gating: the k best experts of each token. Nothing is remembered between the rounds of a
// selection but the last pick: the next one is the best of those that rank behind it.
#include <float.h>
#include <math.h>

#include "numerics/elementary.h"
#include "numerics/fp_env.h"
#include "reference/element.h"
#include "reference/reference.h"

typedef struct router_row {
    const trine_topk_gating_problem *p;
    int64_t token;
    float max, denominator; /* softmax: of the capped logits */
} router_row;

/* A candidate; descending key, ties to the lower id. id -1 is "none": behind every candidate. */
typedef struct candidate {
    float key;
    int64_t id;
} candidate;

static bool ranks_before(candidate a, candidate b)
{
    if (b.id < 0) return true;
    return a.key > b.key || (a.key == b.key && a.id < b.id);
}

/* A NaN counts as -Inf. */
static float ordered(float key)
{
    return isnan(key) ? -INFINITY : key;
}

static float logit_of(const router_row *row, int64_t expert)
{
    const trine_view *logits = &row->p->logits;
    float l = ordered(trine_load(logits, trine_at2(logits, row->token, expert)));
    return l > FLT_MAX ? FLT_MAX : l;
}

static float capped_logit_of(const router_row *row, int64_t expert)
{
    float l = logit_of(row, expert), cap = row->p->softcap;
    return cap == 0.0f || isinf(l) ? l : cap * trine_tanhf(trine_divf(l, cap));
}

static float score_of(const router_row *row, int64_t expert)
{
    float l = capped_logit_of(row, expert);
    if (row->p->score == TRINE_SCORE_SIGMOID) return trine_sigmoidf(l);
    return trine_divf(trine_expf(l - row->max), row->denominator);
}

static float key_of(const router_row *row, int64_t expert)
{
    const trine_topk_gating_problem *p = row->p;
    bool biased = p->correction_bias.rank >= 0;
    if (!biased && p->group_score == TRINE_GROUP_MAX) return logit_of(row, expert);
    float key = score_of(row, expert);
    if (biased)
        key = key + trine_load_f32(&p->correction_bias, trine_at1(&p->correction_bias, expert));
    return ordered(key);
}

static float group_key_of(const router_row *row, int64_t group)
{
    int64_t size = row->p->experts / row->p->num_groups;
    candidate first = {0.0f, -1}, second = {0.0f, -1};
    for (int64_t e = group * size; e < (group + 1) * size; e++) {
        candidate c = {key_of(row, e), e};
        if (ranks_before(c, first)) {
            second = first;
            first = c;
        } else if (ranks_before(c, second)) {
            second = c;
        }
    }
    if (row->p->group_score == TRINE_GROUP_MAX) return first.key;
    return ordered(first.key + second.key);
}

/* The topk_groups-th best group: it and those before it are kept. */
static candidate last_group_of(const router_row *row)
{
    candidate last = {0.0f, -1};
    for (int64_t i = 0; i < row->p->topk_groups; i++) {
        candidate best = {0.0f, -1};
        for (int64_t g = 0; g < row->p->num_groups; g++) {
            candidate c = {group_key_of(row, g), g};
            if ((last.id < 0 || ranks_before(last, c)) && ranks_before(c, best)) best = c;
        }
        last = best;
    }
    return last;
}

/* The best expert of the kept groups that ranks behind `last`. */
static candidate next_expert(const router_row *row, candidate last_group, candidate last)
{
    const trine_topk_gating_problem *p = row->p;
    int64_t size = p->experts / p->num_groups;
    candidate best = {0.0f, -1};
    for (int64_t g = 0; g < p->num_groups; g++) {
        candidate group = {p->num_groups > 1 ? group_key_of(row, g) : 0.0f, g};
        if (p->num_groups > 1 && ranks_before(last_group, group)) continue;
        for (int64_t e = g * size; e < (g + 1) * size; e++) {
            candidate c = {key_of(row, e), e};
            if ((last.id < 0 || ranks_before(last, c)) && ranks_before(c, best)) best = c;
        }
    }
    return best;
}

/* Fills max and denominator; false when no logit is finite. */
static bool summarize(router_row *row)
{
    const trine_topk_gating_problem *p = row->p;
    row->max = -INFINITY;
    for (int64_t e = 0; e < p->experts; e++) {
        float l = capped_logit_of(row, e);
        if (l > row->max) row->max = l;
    }
    if (isinf(row->max)) return false;
    /* A sum of integers is the same in any order; 2^40 keeps more than f32 can hold. */
    uint64_t sum = 0;
    for (int64_t e = 0; e < p->experts; e++) {
        float exponential = trine_expf(capped_logit_of(row, e) - row->max);
        sum += (uint64_t)trine_rintf(exponential * 0x1p40f);
    }
    row->denominator = (float)sum * 0x1p-40f;
    return true;
}

static void route(const trine_topk_gating_problem *p, int64_t token)
{
    const trine_view *weights = &p->topk_weights, *ids = &p->topk_ids;
    router_row row = {p, token, 0.0f, 0.0f};
    if (!summarize(&row)) {
        for (int64_t j = 0; j < p->k; j++) {
            trine_store_i32(ids, trine_at2(ids, token, j), (int32_t)j);
            trine_store_f32(weights, trine_at2(weights, token, j), 0.0f);
        }
        return;
    }
    candidate last_group = {0.0f, -1}, last = {0.0f, -1};
    if (p->num_groups > 1) last_group = last_group_of(&row);
    float sum = 0.0f;
    for (int64_t j = 0; j < p->k; j++) {
        last = next_expert(&row, last_group, last);
        float weight = score_of(&row, last.id);
        sum = sum + weight;
        trine_store_i32(ids, trine_at2(ids, token, j), (int32_t)last.id);
        trine_store_f32(weights, trine_at2(weights, token, j), weight);
    }
    for (int64_t j = 0; j < p->k; j++) {
        int64_t at = trine_at2(weights, token, j);
        float weight = trine_load_f32(weights, at);
        if (p->renormalize) weight = trine_divf(weight, sum + 1e-20f);
        trine_store_f32(weights, at, weight * p->scaling_factor);
    }
}

void trine_reference_topk_gating(const trine_topk_gating_problem *p)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for
        for (int64_t t = 0; t < p->tokens; t++) route(p, t);
        trine_fp_leave(env);
    }
}
