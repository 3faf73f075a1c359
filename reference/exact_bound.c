// SPDX-License-Identifier: Apache-2.0
// Bounds of two exact ops against their formulas in real numbers.
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "reference/bound.h"
#include "reference/interval.h"
#include "reference/reference.h"

static double real_sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double real_activation(const trine_act_and_mul_problem *p, double g)
{
    switch (p->activation) {
    case TRINE_ACTIVATION_SILU:
        return g / (1.0 + exp(-g));
    case TRINE_ACTIVATION_GELU_ERF:
        return 0.5 * g * (1.0 + erf(g * 0.70710678118654752440));
    case TRINE_ACTIVATION_GELU_TANH:
        return 0.5 * g * (1.0 + tanh(0.79788456080286535588 * (g + 0.044715 * g * g * g)));
    case TRINE_ACTIVATION_RELU2:
        return g <= 0.0 ? 0.0 : g * g;
    default:
        return g * real_sigmoid(p->alpha * g);
    }
}

static double limited(double x, double least, double largest)
{
    return x > largest ? largest : x < least ? least : x;
}

/*
 * E = 2^-20 |gate up| takes in the f32 arithmetic of the activation, B = E + u(|v| + E) the last
 * rounding. With intermediate_rounding = each, act(gate) is rounded before the product; where the
 * two ends of its interval round to different values, E reaches to the farther one.
 */
static void bound_element(const trine_act_and_mul_problem *p, double gate, double up, double *value,
                          double *bound)
{
    double u = p->gated ? up : 1.0;
    if (p->limit > 0.0f) {
        gate = limited(gate, -INFINITY, p->limit);
        if (p->gated) u = limited(u, -p->limit, p->limit);
    }
    double factor = p->activation == TRINE_ACTIVATION_SWIGLU_OAI ? u + 1.0 : u;
    double act = real_activation(p, gate);
    double magnitude = p->activation == TRINE_ACTIVATION_SWIGLU_OAI ? fabs(u) + 1.0 : fabs(u);
    double error = 0x1p-20 * fabs(gate) * magnitude;
    double v = act * factor;
    if (p->gated && p->intermediate_rounding == TRINE_ROUND_EACH) {
        v = trine_round_f64(p->x.dtype, act) * factor;
        trine_interval a = trine_around(act, 0x1p-20 * fabs(gate));
        trine_interval product = trine_scaled(trine_rounded(p->x.dtype, a), factor);
        error = fmax(error, fmax(product.hi - v, v - product.lo));
    }
    *value = v;
    *bound = isfinite(v) ? error + trine_rounding_bound(p->out.dtype, fabs(v) + error) : 0.0;
}

trine_status trine_bound_act_and_mul(const trine_act_and_mul_problem *p, double *value,
                                     double *bound)
{
    bool interleaved = p->gate_layout == TRINE_GATE_INTERLEAVED;
#pragma omp parallel for
    for (int64_t m = 0; m < p->rows; m++) {
        for (int64_t i = 0; i < p->columns; i++) {
            int64_t gate = p->gated && interleaved ? 2 * i : i;
            int64_t up = interleaved ? 2 * i + 1 : p->columns + i;
            double g = trine_load(&p->x, trine_at2(&p->x, m, gate));
            double u = p->gated ? trine_load(&p->x, trine_at2(&p->x, m, up)) : 0.0;
            int64_t at = m * p->columns + i;
            bound_element(p, g, u, &value[at], &bound[at]);
        }
    }
    return TRINE_OK;
}

static double real_logit(const trine_topk_gating_problem *p, int64_t token, int64_t expert)
{
    double l = trine_load(&p->logits, trine_at2(&p->logits, token, expert));
    if (isnan(l)) return -INFINITY;
    if (l > FLT_MAX) l = FLT_MAX;
    return p->softcap == 0.0f || isinf(l) ? l : p->softcap * tanh(l / p->softcap);
}

/*
 * (32 + 2 r) 2^-24 w: f32 arithmetic on a logit that is off by one part in 2^24 moves exp by
 * 2^-24 times the logit's magnitude, of which r is the largest (softmax: below the maximum); the
 * rest is a dozen roundings and the elementary functions' few ulp.
 */
static void bound_token(const trine_topk_gating_problem *p, int64_t token, const int32_t *ids,
                        double *value, double *bound)
{
    bool sigmoid = p->score == TRINE_SCORE_SIGMOID;
    double least = INFINITY, largest = -INFINITY, denominator = 0.0, sum = 0.0;
    for (int64_t e = 0; e < p->experts; e++) {
        double l = real_logit(p, token, e);
        if (l > largest) largest = l;
        if (l < least && !isinf(l)) least = l;
    }
    for (int64_t e = 0; e < p->experts && !isinf(largest); e++)
        denominator += exp(real_logit(p, token, e) - largest);
    for (int64_t j = 0; j < p->k; j++) {
        double l = real_logit(p, token, ids[j]);
        value[j] = isinf(largest) ? 0.0
                   : sigmoid      ? real_sigmoid(l)
                                  : exp(l - largest) / denominator;
        sum += value[j];
    }
    double r = sigmoid ? fmax(fabs(least), fabs(largest)) : largest - least;
    for (int64_t j = 0; j < p->k; j++) {
        if (p->renormalize) value[j] /= sum + 1e-20;
        value[j] *= p->scaling_factor;
        bound[j] = isinf(largest) ? 0.0 : (32.0 + 2.0 * r) * 0x1p-24 * fabs(value[j]);
    }
}

trine_status trine_bound_topk_gating(const trine_topk_gating_problem *p, double *value,
                                     double *bound)
{
    size_t count = (size_t)p->tokens * (size_t)p->k;
    float *weights = malloc(count * sizeof *weights + 1);
    int32_t *ids = malloc(count * sizeof *ids + 1);
    trine_status status = TRINE_OK;
    if (!weights || !ids) {
        status = trine_fail(TRINE_OUT_OF_MEMORY,
                            "topk_gating: no memory for the bound of %zu weights", count);
    } else {
        trine_topk_gating_problem copy = *p;
        copy.topk_weights.data = weights;
        copy.topk_ids.data = ids;
        copy.topk_weights.stride[0] = copy.topk_ids.stride[0] = p->k;
        copy.topk_weights.stride[1] = copy.topk_ids.stride[1] = 1;
        trine_reference_topk_gating(&copy);
        for (int64_t t = 0; t < p->tokens; t++)
            bound_token(p, t, ids + t * p->k, value + t * p->k, bound + t * p->k);
    }
    free(weights);
    free(ids);
    return status;
}
