// SPDX-License-Identifier: Apache-2.0
/*
 * Exact data for the bounded ops: every product and partial sum is a small integer times one power
 * of two, every scale a power of two, and every quantization group holds q_max * 2^n, so any order
 * and width of summation gives the same bits. What a worst-case bound would let pass (a dropped
 * block, a wrong index or scale, a tail) must show here.
 *
 * fused_moe. x holds 1, 2 and -4; each gate column takes 64 of one element of x, so a gate is at
 * least 38, where silu(g) is g, or at most -150, where it rounds to -0. In the modes that quantize,
 * the first element of each group of x is the maximum (7, or 127 for i8), the second is 1, and the
 * first column of each group of h is made from them alone: it is the largest of its group, and
 * q_max times a power of two.
 */
#include "check/generate.h"

#include "check/rng.h"

#include <math.h>
#include <string.h>

typedef struct recipe {
    const trine_plan *plan;
    uint64_t key;
    const int64_t *index;
    int tensor;
} recipe;

static uint64_t hash(const recipe *r, uint64_t salt, uint64_t a, uint64_t b)
{
    return trine_rng_key(trine_rng_key(r->key, salt * 1000003 + a), b);
}

static bool is_tensor(const recipe *r, const char *name)
{
    return strcmp(r->plan->op->tensors[r->tensor].name, name) == 0;
}

static const trine_layout *layout_of(const trine_plan *plan, const char *name)
{
    const int index = trine_plan_tensor(plan->op, name);

    return index >= 0 && plan->present[index] ? &plan->layout[index] : NULL;
}

/* An integer in [-limit, limit] by the element's place. */
static double small(const recipe *r, int limit)
{
    uint64_t place = 0;

    for (int32_t d = 0; d < r->plan->layout[r->tensor].rank; d++)
        place = trine_rng_key(place, (uint64_t)r->index[d]);
    return (double)(hash(r, 1, place, 0) % (uint64_t)(2 * limit + 1)) - limit;
}

static double power(const recipe *r, int low, int high)
{
    return ldexp(1, low + (int)(small(r, 1000) + 1000) % (high - low + 1));
}

static double scaled_mm(const recipe *r)
{
    if (is_tensor(r, "a") || is_tensor(r, "b")) return small(r, 2);
    /* Large: where it cancels a product that was rounded first, the rounding shows. */
    if (is_tensor(r, "bias")) return 32 * small(r, 8);
    return power(r, -2, 2);
}

static double block_scaled_linear(const recipe *r)
{
    const trine_layout *w = layout_of(r->plan, "w");

    if (!is_tensor(r, "x")) {
        if (is_tensor(r, "w")) return small(r, 2);
        return is_tensor(r, "bias") ? small(r, 8) : power(r, -1, 1);
    }
    const int64_t columns = r->plan->layout[r->tensor].shape[1];
    const uint64_t row = (uint64_t)r->index[0], group = (uint64_t)r->index[1] / 128;
    const int64_t left = columns - (int64_t)group * 128;
    const uint64_t length = (uint64_t)(left < 128 ? left : 128);
    const double unit = ldexp(1, (int)(hash(r, 2, row, group) % 5) - 2);
    const double q_max = w && w->dtype == TRINE_E4M3FNUZ ? 224 : 448;

    if ((uint64_t)r->index[1] % 128 == hash(r, 3, row, group) % length)
        return (hash(r, 4, row, group) & 1 ? -1 : 1) * q_max * unit;
    return small(r, 3) * unit;
}

/* ---------------------------------------------------------------- fused_moe */

typedef struct moe {
    bool quantized, i8, int4, weight_only, on_input, swiglu, gated, interleaved;
    int64_t hidden, intermediate;
    int64_t group_x, group_h; /* elements that share an activation scale */
} moe;

static moe moe_of(const trine_plan *plan)
{
    moe m = {0};
    const trine_layout *x = layout_of(plan, "x");
    const trine_layout *w1 = layout_of(plan, "w1");
    const bool block = trine_plan_is(plan, "quantization", "fp8_block") ||
                       trine_plan_is(plan, "quantization", "int8_block");

    m.int4 = trine_plan_is(plan, "quantization", "int4_w4a16");
    m.weight_only = m.int4 || trine_plan_is(plan, "quantization", "int8_w8a16");
    m.quantized = !m.weight_only && !trine_plan_is(plan, "quantization", "none");
    m.i8 = trine_plan_is(plan, "quantization", "int8_block") ||
           trine_plan_is(plan, "quantization", "int8_channel");
    m.on_input = trine_plan_number(plan, "router_weight_on_input") != 0;
    m.swiglu = trine_plan_is(plan, "activation", "swiglu_oai");
    m.gated = trine_plan_number(plan, "gated") != 0;
    m.interleaved = trine_plan_is(plan, "gate_layout", "interleaved");
    m.hidden = x->shape[1];
    m.intermediate = m.gated ? w1->shape[1] / 2 : w1->shape[1];
    m.group_x = block ? (int64_t)trine_plan_number(plan, "block_k") : m.hidden;
    m.group_h = block ? (int64_t)trine_plan_number(plan, "block_k") : m.intermediate;
    return m;
}

/* Is place p of x free for ordinary values? */
static bool ordinary(const moe *m, int64_t p)
{
    return !m->quantized || p % m->group_x > 1;
}

/* An ordinary place of x for weight row (expert, n). */
static int64_t place_of(const recipe *r, const moe *m, uint64_t salt, uint64_t expert, uint64_t n)
{
    int64_t place = (int64_t)(hash(r, salt, expert, n) % (uint64_t)m->hidden);

    for (int64_t i = 0; i < m->hidden && !ordinary(m, place); i++) place = (place + 1) % m->hidden;
    return place;
}

static double moe_x(const recipe *r, const moe *m)
{
    static const double values[] = {1, 2, -4};
    const int64_t p = r->index[1] % m->group_x;

    if (m->quantized && p == 0) return m->i8 ? 127 : 7;
    if (m->quantized && p == 1) return 1;
    return values[hash(r, 5, (uint64_t)r->index[0], (uint64_t)r->index[1]) % 3];
}

/* Entry of w1's row for gate (or up) column i of h, at place p of x, as a number of x's scale. */
static double moe_w1(const recipe *r, const moe *m, bool gate, int64_t i, int64_t p)
{
    const uint64_t expert = (uint64_t)r->index[0];
    const double unit = m->int4 ? 16 : 1; /* int4 holds -8 to 7: its scale is 16 */

    if (m->quantized && i % m->group_h == 0) {
        const double up = m->i8 ? 1 : 4;
        if (gate) return p == 0 ? 64 : 0;
        return p == 1 ? up - m->swiglu : 0;
    }
    if (gate) return p == place_of(r, m, 6, expert, (uint64_t)i) ? 64 : 0;
    double sum = 0;
    for (uint64_t e = 0; e < 2; e++) {
        if (p == place_of(r, m, 7 + e, expert, (uint64_t)i))
            sum = hash(r, 9 + e, expert, (uint64_t)i) & 1 ? unit : -unit;
    }
    return sum;
}

/* Entry of w2: three of a row's entries are +1 or -1. */
static double moe_w2(const recipe *r, const moe *m, int64_t n, int64_t i)
{
    const uint64_t expert = (uint64_t)r->index[0];
    const double unit = m->int4 ? 16 : 1;
    double value = 0;

    for (uint64_t e = 0; e < 3; e++) {
        int64_t place = (int64_t)(hash(r, 11 + e, expert, (uint64_t)n) % (uint64_t)m->intermediate);
        /* Two maxima of i8 groups would not fit eight bits. */
        if (e > 0 && m->quantized && place % m->group_h == 0 && m->intermediate > 1)
            place = (place + 1) % m->intermediate;
        if (i == place) value = hash(r, 14 + e, expert, (uint64_t)n) & 1 ? unit : -unit;
    }
    return value;
}

/* The zero point that (expert, row, group) has. */
static int moe_zero(const recipe *r, const moe *m, bool first, int64_t row, int64_t place)
{
    const int index = trine_plan_tensor(r->plan->op, first ? "w1_zero" : "w2_zero");
    const int64_t size = (int64_t)trine_plan_number(r->plan, "group_size");

    if (index < 0 || !r->plan->present[index]) return m->int4 ? 8 : 128;
    const uint64_t random = hash(r, first ? 17 : 18, (uint64_t)r->index[0] << 32 | (uint64_t)row,
                                 (uint64_t)(size > 0 ? place / size : 0));
    return m->int4 ? 6 + (int)(random % 4) : 100 + (int)(random % 50);
}

static double moe_number(const recipe *r, const moe *m, bool first, int64_t row, int64_t place)
{
    if (!first) return moe_w2(r, m, row, place);
    const bool gate = !m->gated || (m->interleaved ? row % 2 == 0 : row < m->intermediate);
    const int64_t column = !m->gated ? row : m->interleaved ? row / 2 : row % m->intermediate;
    return moe_w1(r, m, gate, column, place);
}

static double moe_weight(const recipe *r, const moe *m, bool first)
{
    const trine_dtype dtype = r->plan->layout[r->tensor].dtype;
    const int64_t row = r->index[1], place = r->index[2];

    if (m->int4) {
        int byte = 0;
        for (int64_t half = 0; half < 2; half++) {
            const int64_t at = 2 * place + half;
            const int q =
                moe_zero(r, m, first, row, at) + (int)(moe_number(r, m, first, row, at) / 16);
            byte |= (q & 15) << (4 * half);
        }
        return byte;
    }
    const double number = moe_number(r, m, first, row, place);
    return dtype == TRINE_U8 ? moe_zero(r, m, first, row, place) + number : number;
}

static double moe_zero_byte(const recipe *r, const moe *m, bool first)
{
    const int64_t size = (int64_t)trine_plan_number(r->plan, "group_size");
    const int64_t row = r->index[1], place = r->index[2] * size;

    if (!m->int4) return moe_zero(r, m, first, row, place);
    return moe_zero(r, m, first, 2 * row, place) | moe_zero(r, m, first, 2 * row + 1, place) << 4;
}

static double moe_scale(const recipe *r, const moe *m, bool first)
{
    const bool f16 = layout_of(r->plan, "x")->dtype == TRINE_F16;
    const int64_t rank = r->plan->layout[r->tensor].rank;
    const double unit = m->int4 ? 16 : 1;
    const uint64_t row = rank > 1 ? (uint64_t)r->index[1] : 0;

    /* Three entries of 16 times the largest h would be infinite as a contribution in f16. */
    if (f16) return first ? unit : 1;
    if (first && m->swiglu) return unit;
    /* w1's scale is the expert's: the columns of a group must keep their order. */
    return unit *
           (hash(r, 19, (uint64_t)r->index[0], first || m->weight_only ? 0 : row) & 1 ? 2 : 1);
}

static double fused_moe(const recipe *r)
{
    const moe m = moe_of(r->plan);
    const bool f16 = layout_of(r->plan, "x")->dtype == TRINE_F16;

    if (is_tensor(r, "x")) return moe_x(r, &m);
    if (is_tensor(r, "w1")) return moe_weight(r, &m, true);
    if (is_tensor(r, "w2")) return moe_weight(r, &m, false);
    if (is_tensor(r, "w1_scale")) return moe_scale(r, &m, true);
    if (is_tensor(r, "w2_scale")) return moe_scale(r, &m, false);
    if (is_tensor(r, "w1_zero")) return moe_zero_byte(r, &m, true);
    if (is_tensor(r, "w2_zero")) return moe_zero_byte(r, &m, false);
    if (is_tensor(r, "a1_scale")) /* 7 becomes q_max: 448, or 224 */
        return layout_of(r->plan, "w1")->dtype == TRINE_E4M3FNUZ ? 0x1p-5 : 0x1p-6;
    if (is_tensor(r, "a2_scale")) return 4;
    if (is_tensor(r, "topk_weights"))
        return f16 || m.swiglu ? 1 : m.on_input ? power(r, 0, 1) : power(r, -2, 1);
    if (is_tensor(r, "b1")) {
        const int64_t row = r->index[1];
        const bool up = m.gated && (m.interleaved ? row % 2 == 1 : row >= m.intermediate);
        const int64_t column = m.interleaved ? row / 2 : row % m.intermediate;
        /* In int4's unit, or three columns of h add up to more bits than bf16 has. */
        return up && !(m.quantized && column % m.group_h == 0) ? small(r, 1) * (m.int4 ? 16 : 1)
                                                               : 0;
    }
    if (is_tensor(r, "b2")) {
        /* In the unit of h, or its sum with three columns has more bits than bf16. */
        const double unit = trine_plan_is(r->plan, "activation", "relu2") ? 64 * 64 : 64;
        return m.quantized || m.weight_only || m.on_input ? 0 : unit * small(r, 1);
    }
    return small(r, 8) * 64; /* old values of out */
}

bool trine_exact_possible(const trine_plan *plan)
{
    if (plan->op->op == TRINE_OP_SCALED_MM || plan->op->op == TRINE_OP_BLOCK_SCALED_LINEAR)
        return true;
    if (plan->op->op != TRINE_OP_FUSED_MOE) return false;
    const moe m = moe_of(plan);
    const double factor = trine_plan_number(plan, "routed_scaling_factor");
    /* A factor of many bits rounds; a limit would clamp the gates; a square is no power of two
     * times q_max; and with up + 1 a router weight on the input is no factor of h. */
    return factor * 8 == rint(factor * 8) && trine_plan_number(plan, "limit") == 0 &&
           !(m.quantized && trine_plan_is(plan, "activation", "relu2")) &&
           trine_plan_number(plan, "alpha") >= 1 &&
           !(m.quantized && (m.group_x < 3 || m.hidden % m.group_x == 1));
}

double trine_exact_value(const trine_plan *plan, int tensor, const int64_t *index, uint64_t key)
{
    /* Weights and zeros are made from each other: all tensors of a call share one key. */
    const recipe r = {.plan = plan, .key = key, .index = index, .tensor = tensor};

    switch (plan->op->op) {
    case TRINE_OP_SCALED_MM:
        return scaled_mm(&r);
    case TRINE_OP_BLOCK_SCALED_LINEAR:
        return block_scaled_linear(&r);
    default:
        return fused_moe(&r);
    }
}
