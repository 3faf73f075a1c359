// SPDX-License-Identifier: Apache-2.0
// topk_gating: ids against a sort of exactly representable keys, weights against a softmax in
// double, and the corners of the contract one by one.
#include <float.h>

#include "numerics/elementary.h"
#include "tests/reference/support.h"

typedef struct gating_case {
    tensor logits, bias, weights, ids;
    trine_topk_gating_problem problem;
} gating_case;

static gating_case gating_make(trine_dtype dtype, int64_t tokens, int64_t experts, int64_t k)
{
    gating_case c = {
        .logits = make(dtype, 2, (int64_t[]){tokens, experts}, (int64_t[]){1, tokens + 1}),
        .bias = make(TRINE_F32, 1, (int64_t[]){experts}, (int64_t[]){2}),
        .weights = make(TRINE_F32, 2, (int64_t[]){tokens, k}, (int64_t[]){k + 1, 1}),
        .ids = make(TRINE_I32, 2, (int64_t[]){tokens, k}, (int64_t[]){2 * k, 2}),
    };
    fill_random(&c.logits, 21);
    fill_random(&c.bias, 22);
    c.problem = (trine_topk_gating_problem){.logits = c.logits.view,
                                            .correction_bias = absent(),
                                            .topk_weights = c.weights.view,
                                            .topk_ids = c.ids.view,
                                            .tokens = tokens,
                                            .experts = experts,
                                            .k = k,
                                            .num_groups = 1,
                                            .topk_groups = 1,
                                            .scaling_factor = 1.0f};
    return c;
}

static void gating_release(gating_case *c)
{
    release(&c->logits);
    release(&c->bias);
    release(&c->weights);
    release(&c->ids);
}

static void run(const gating_case *c)
{
    trine_reference_topk_gating(&c->problem);
    cr_assert_eq(stray_bytes(&c->weights) + stray_bytes(&c->ids), 0);
}

/* ---------------------------------------------------------------- a second implementation */

enum { MAX_EXPERTS = 64 };

typedef struct ranked {
    double key;
    int64_t id;
} ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->key != y->key) return x->key > y->key ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

/* Scores in double; keys equal to the reference's whenever the inputs keep them apart by more than
 * rounding, which the callers see to. */
static void expect_token(const gating_case *c, int64_t t)
{
    const trine_topk_gating_problem *p = &c->problem;
    double logit[MAX_EXPERTS], score[MAX_EXPERTS], key[MAX_EXPERTS], sum = 0, max = -INFINITY;
    bool biased = p->correction_bias.rank >= 0;
    int64_t size = p->experts / p->num_groups;
    for (int64_t e = 0; e < p->experts; e++) {
        logit[e] = value_of(&c->logits, t * p->experts + e);
        double cap = (double)p->softcap;
        score[e] = cap > 0 ? cap * tanh(logit[e] / cap) : logit[e];
        max = fmax(max, score[e]);
    }
    for (int64_t e = 0; e < p->experts; e++) sum += exp(score[e] - max);
    for (int64_t e = 0; e < p->experts; e++) {
        score[e] =
            p->score == TRINE_SCORE_SOFTMAX ? exp(score[e] - max) / sum : 1 / (1 + exp(-score[e]));
        key[e] = biased || p->group_score == TRINE_GROUP_TOP2_SUM
                     ? score[e] + (biased ? value_of(&c->bias, e) : 0)
                     : logit[e];
    }
    ranked groups[MAX_EXPERTS], all[MAX_EXPERTS];
    for (int64_t g = 0; g < p->num_groups; g++) {
        ranked members[MAX_EXPERTS];
        for (int64_t i = 0; i < size; i++) members[i] = (ranked){key[g * size + i], i};
        qsort(members, (size_t)size, sizeof *members, by_rank);
        bool pair = p->group_score == TRINE_GROUP_TOP2_SUM;
        groups[g] = (ranked){members[0].key + (pair ? members[1].key : 0), g};
    }
    qsort(groups, (size_t)p->num_groups, sizeof *groups, by_rank);
    int64_t count = 0;
    for (int64_t g = 0; g < p->topk_groups; g++)
        for (int64_t i = 0; i < size; i++, count++) {
            int64_t e = groups[g].id * size + i;
            all[count] = (ranked){key[e], e};
        }
    qsort(all, (size_t)count, sizeof *all, by_rank);
    double total = 0;
    for (int64_t j = 0; j < p->k; j++) total += score[all[j].id];
    for (int64_t j = 0; j < p->k; j++) {
        double w =
            score[all[j].id] / (p->renormalize ? total + 1e-20 : 1) * (double)p->scaling_factor;
        cr_assert_eq(value_of(&c->ids, t * p->k + j), (double)all[j].id, "token %d rank %d", (int)t,
                     (int)j);
        cr_assert_float_eq(value_of(&c->weights, t * p->k + j), w, 3e-6 * fabs(w) + 1e-12,
                           "token %d rank %d: %g, expected %g", (int)t, (int)j,
                           value_of(&c->weights, t * p->k + j), w);
    }
}

Test(topk_gating, random_routers_against_a_sort)
{
    static const trine_dtype dtypes[] = {TRINE_F32, TRINE_BF16, TRINE_F16};
    uint64_t state = 3;
    int compared = 0;
    for (int round = 0; round < 400; round++) {
        int64_t groups = 1 + random_below(&state, 4), size = 2 + random_below(&state, 7);
        int64_t kept = 1 + random_below(&state, groups);
        int64_t k = 1 + random_below(&state, kept * size), tokens = 1 + random_below(&state, 4);
        gating_case c = gating_make(dtypes[round % 3], tokens, groups * size, k);
        c.problem.num_groups = groups;
        c.problem.topk_groups = kept;
        c.problem.score = (trine_gating_score)random_below(&state, 2);
        c.problem.group_score = (trine_group_score)random_below(&state, 2);
        c.problem.renormalize = random_below(&state, 2);
        if (random_below(&state, 2)) c.problem.correction_bias = c.bias.view;
        if (random_below(&state, 2)) c.problem.scaling_factor = 2.5f;
        if (random_below(&state, 3) == 0) c.problem.softcap = 3.0f;
        /* Distinct logits in shuffled order, far enough apart for every rounding on the way. */
        for (int64_t t = 0; t < tokens; t++) {
            int64_t order[MAX_EXPERTS];
            for (int64_t e = 0; e < groups * size; e++) {
                int64_t other = random_below(&state, e + 1);
                order[e] = order[other];
                order[other] = e;
            }
            for (int64_t e = 0; e < groups * size; e++)
                set_value(&c.logits, t * groups * size + e,
                          ((double)order[e] - 12) / 8 + (double)random_below(&state, 3) / 64);
        }
        use_threads(thread_counts[round % 3]);
        run(&c);
        for (int64_t t = 0; t < tokens; t++, compared++) expect_token(&c, t);
        gating_release(&c);
    }
    cr_assert_geq(compared, 400);
}

static void expect_ids(const gating_case *c, const int64_t *ids)
{
    for (int64_t j = 0; j < c->problem.k; j++)
        cr_assert_eq(value_of(&c->ids, j), (double)ids[j], "rank %d: %g", (int)j,
                     value_of(&c->ids, j));
}

static void set_row(const gating_case *c, const double *logits)
{
    for (int64_t e = 0; e < c->problem.experts; e++) set_value(&c->logits, e, logits[e]);
}

Test(topk_gating, ties_go_to_the_lower_id)
{
    gating_case c = gating_make(TRINE_F32, 1, 6, 6);
    set_row(&c, (double[]){0.0, 1, -0.0, 1, -1, 0.0}); /* both zeros are one key */
    run(&c);
    expect_ids(&c, (int64_t[]){1, 3, 0, 2, 5, 4});
    c.problem.num_groups = 3;
    c.problem.topk_groups = 2;
    c.problem.k = 4;
    set_row(&c, (double[]){2, 0, 1, 2, 2, 2}); /* groups tie at 2 */
    run(&c);
    expect_ids(&c, (int64_t[]){0, 3, 2, 1});
    gating_release(&c);
}

Test(topk_gating, key_is_the_logit_not_the_score)
{
    /* Closer than exp can tell in f32, yet ordered. */
    gating_case c = gating_make(TRINE_F32, 1, 3, 3);
    set_row(&c, (double[]){1, 1 + ldexp(1, -23), 1 + ldexp(1, -22)});
    run(&c);
    expect_ids(&c, (int64_t[]){2, 1, 0});
    set_row(&c, (double[]){100, 101, 102}); /* one and the same under the cap */
    c.problem.softcap = 1.0f;
    run(&c);
    expect_ids(&c, (int64_t[]){2, 1, 0});
    cr_assert_eq(value_of(&c.weights, 0), value_of(&c.weights, 2));
    gating_release(&c);
}

Test(topk_gating, nan_and_infinities)
{
    gating_case c = gating_make(TRINE_F32, 1, 5, 5);
    for (int cap = 0; cap < 2; cap++)
        for (int sigmoid = 0; sigmoid < 2; sigmoid++) {
            c.problem.softcap = cap ? 30.0f : 0.0f;
            c.problem.score = (trine_gating_score)sigmoid;
            set_row(&c, (double[]){NAN, 3, -INFINITY, INFINITY, NAN});
            run(&c);
            expect_ids(&c, (int64_t[]){3, 1, 0, 2, 4});
            if (!cap && !sigmoid) cr_assert_eq(value_of(&c.weights, 0), 1);
            cr_assert_gt(value_of(&c.weights, 0), 0);
            for (int64_t j = 2; j < 5; j++) cr_assert_eq(value_of(&c.weights, j), 0);
            /* +Inf is the largest finite number, so it ties with it. */
            set_row(&c, (double[]){(double)FLT_MAX, INFINITY, -(double)FLT_MAX, 0, INFINITY});
            run(&c);
            expect_ids(&c, (int64_t[]){0, 1, 4, 3, 2});
            cr_assert_eq(value_of(&c.weights, 0), value_of(&c.weights, 2));
        }
    gating_release(&c);
}

Test(topk_gating, rows_without_a_finite_logit)
{
    for (int form = 0; form < 8; form++) {
        gating_case c = gating_make(TRINE_BF16, 1, 6, 4);
        if (form & 1) c.problem.correction_bias = c.bias.view;
        if (form & 2) c.problem.score = TRINE_SCORE_SIGMOID;
        if (form & 4) {
            c.problem.num_groups = 3;
            c.problem.topk_groups = 2;
        }
        c.problem.renormalize = true;
        set_row(&c, (double[]){NAN, -INFINITY, NAN, NAN, -INFINITY, -INFINITY});
        run(&c);
        expect_ids(&c, (int64_t[]){0, 1, 2, 3});
        for (int64_t j = 0; j < 4; j++) cr_assert_eq(bits_of(&c.weights, j), 0);
        gating_release(&c);
    }
}

Test(topk_gating, bias_selects_but_does_not_weigh)
{
    gating_case c = gating_make(TRINE_F32, 1, 4, 2);
    c.problem.score = TRINE_SCORE_SIGMOID;
    c.problem.correction_bias = c.bias.view;
    set_row(&c, (double[]){-18, 5, 0, 5});
    for (int64_t e = 0; e < 4; e++) set_value(&c.bias, e, (double[]){12, 0, NAN, -0.5}[e]);
    run(&c);
    expect_ids(&c, (int64_t[]){0, 1});
    cr_assert_float_eq(value_of(&c.weights, 0), 1 / (1 + exp(18)), 1e-14); /* not (s + 12) - 12 */
    set_value(&c.bias, 3, INFINITY);
    set_value(&c.bias, 1, -INFINITY);
    c.problem.k = 4;
    gating_case wide = gating_make(TRINE_F32, 1, 4, 4);
    c.problem.topk_ids = wide.ids.view;
    c.problem.topk_weights = wide.weights.view;
    trine_reference_topk_gating(&c.problem);
    /* NaN and -Inf are one key. */
    c.ids.view = wide.ids.view;
    expect_ids(&c, (int64_t[]){3, 0, 1, 2});
    gating_release(&wide);
    gating_release(&c);
}

Test(topk_gating, experts_of_dropped_groups_never_appear)
{
    /* The kept group is all -Inf but for one; the dropped one has better experts than those. */
    gating_case c = gating_make(TRINE_F32, 1, 6, 3);
    c.problem.num_groups = 2;
    set_row(&c, (double[]){1, 1, 1, -INFINITY, 2, NAN});
    run(&c);
    expect_ids(&c, (int64_t[]){4, 3, 5});
    gating_release(&c);
}

Test(topk_gating, zero_scores_renormalize_to_zero)
{
    gating_case c = gating_make(TRINE_F32, 1, 3, 2);
    c.problem.score = TRINE_SCORE_SIGMOID;
    c.problem.renormalize = true;
    set_row(&c, (double[]){-1e30, -1e31, -1e32});
    run(&c);
    expect_ids(&c, (int64_t[]){0, 1});
    for (int64_t j = 0; j < 2; j++) cr_assert_eq(value_of(&c.weights, j), 0);
    gating_release(&c);
}

/* The denominator is a sum of integers: permuting the experts permutes the result, to the bit. */
Test(topk_gating, order_of_experts_changes_no_bit)
{
    gating_case a = gating_make(TRINE_F32, 3, 61, 61), b = gating_make(TRINE_F32, 3, 61, 61);
    for (int64_t t = 0; t < 3; t++)
        for (int64_t e = 0; e < 61; e++) {
            set_value(&a.logits, t * 61 + e, (double)(e * 17 % 61) / 3 + (double)t);
            set_value(&b.logits, t * 61 + (e * 23 + 5) % 61, (double)(e * 17 % 61) / 3 + (double)t);
        }
    run(&a);
    run(&b);
    for (int64_t i = 0; i < 3 * 61; i++) {
        cr_assert_eq(bits_of(&a.weights, i), bits_of(&b.weights, i));
        cr_assert_eq((int64_t)value_of(&b.ids, i), ((int64_t)value_of(&a.ids, i) * 23 + 5) % 61);
    }
    gating_release(&a);
    gating_release(&b);
}

/* Whole numbers of 2^-40 are added, exactly, and the sum is rounded to f32 once. */
static double fixed_point_weight(const gating_case *c, int64_t rank)
{
    double max = value_of(&c->logits, (int64_t)value_of(&c->ids, 0)), sum = 0;
    for (int64_t e = 0; e < c->problem.experts; e++) {
        float difference = (float)nearest(TRINE_F32, value_of(&c->logits, e) - max);
        sum += nearbyint(ldexp((double)trine_expf(difference), 40));
    }
    float l =
        (float)nearest(TRINE_F32, value_of(&c->logits, (int64_t)value_of(&c->ids, rank)) - max);
    return nearest(TRINE_F32, (double)trine_expf(l) / ldexp(nearest(TRINE_F32, sum), -40));
}

Test(topk_gating, denominator_is_fixed_point)
{
    gating_case c = gating_make(TRINE_F32, 1, 7, 7);
    set_row(&c, (double[]){2, 2, 2, 2, 2, 2, 2});
    run(&c);
    for (int64_t j = 0; j < 7; j++)
        cr_assert_eq(value_of(&c.weights, j), nearest(TRINE_F32, 1.0 / 7));
    set_row(&c, (double[]){0, -28.5, -28.5, -28.5, -28.5, -28.5, -28.5}); /* exp < 2^-41 */
    run(&c);
    cr_assert_eq(value_of(&c.weights, 0), 1);
    cr_assert_gt(value_of(&c.weights, 1), 0);
    uint64_t state = 4;
    for (int round = 0; round < 200; round++) {
        for (int64_t e = 0; e < 7; e++) set_value(&c.logits, e, 4 * random_value(&state));
        run(&c);
        for (int64_t j = 0; j < 7; j++)
            cr_assert_eq(value_of(&c.weights, j), fixed_point_weight(&c, j));
    }
    gating_release(&c);
}

/* A second term of 65536.5 to 65537 puts the sum just above the middle of two floats when it is
 * rounded to nearest, and onto it when truncated. */
Test(topk_gating, terms_of_the_denominator_are_rounded_to_nearest)
{
    gating_case c = gating_make(TRINE_F32, 1, 2, 2);
    int found = 0;
    for (float l = -16.6356f; l < -16.6354f; l = nextafterf(l, 0)) {
        double term = ldexp((double)trine_expf(l), 40), fraction = term - floor(term);
        if (floor(term) != 65536 || fraction <= 0.5) continue;
        set_row(&c, (double[]){0, (double)l});
        run(&c);
        cr_assert_eq(value_of(&c.weights, 0), nearest(TRINE_F32, 1 / (1 + ldexp(1, -23))));
        cr_assert_eq(value_of(&c.weights, 0), fixed_point_weight(&c, 0));
        found++;
    }
    cr_assert_gt(found, 0);
    gating_release(&c);
}
