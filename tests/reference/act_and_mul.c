// SPDX-License-Identifier: Apache-2.0
// act_and_mul: against the functions of libm in double, within the elementary functions' error, and
// exactly where a path holds no elementary function.
#include "tests/reference/support.h"

enum { M = 9, I = 40 };

static trine_act_and_mul_problem problem_of(const tensor *x, const tensor *out, int activation,
                                            bool gated)
{
    return (trine_act_and_mul_problem){.x = x->view,
                                       .out = out->view,
                                       .rows = M,
                                       .columns = I,
                                       .activation = (trine_activation)activation,
                                       .gated = gated,
                                       .alpha = 1.702f};
}

static double libm_gate(int activation, double g, double alpha)
{
    switch (activation) {
    case TRINE_ACTIVATION_SILU:
        return g / (1 + exp(-g));
    case TRINE_ACTIVATION_GELU_ERF:
        return 0.5 * g * (1 + erf(g * sqrt(0.5)));
    case TRINE_ACTIVATION_GELU_TANH:
        return 0.5 * g * (1 + tanh(sqrt(2 / acos(-1.0)) * (g + 0.044715 * g * g * g)));
    case TRINE_ACTIVATION_RELU2:
        return g > 0 ? g * g : 0;
    default:
        return g / (1 + exp(-alpha * g));
    }
}

/* Half a unit in the last place of dtype around z. */
static double rounding_of(trine_dtype dtype, double z)
{
    format f = format_of(dtype);
    return ldexp(fabs(z), -f.mantissa_bits - 1) + ldexp(1, -f.bias - f.mantissa_bits);
}

/* What the f32 arithmetic may miss: 2^-20 of gate times up. */
static void expect_close(const tensor *x, const tensor *out, const trine_act_and_mul_problem *p)
{
    trine_dtype dtype = x->view.dtype;
    double limit = (double)p->limit;
    for (int64_t m = 0; m < M; m++)
        for (int64_t i = 0; i < I; i++) {
            bool split = p->gated && p->gate_layout == TRINE_GATE_HALVES;
            int64_t width = p->gated ? 2 * I : I;
            double g = value_of(x, m * width + (p->gated && !split ? 2 * i : i));
            double u = p->gated ? value_of(x, m * width + (split ? I + i : 2 * i + 1)) : 1;
            if (limit > 0) g = g < limit ? g : limit;
            if (limit > 0 && p->gated) u = u > limit ? limit : u < -limit ? -limit : u;
            if (p->activation == TRINE_ACTIVATION_SWIGLU_OAI) u += 1;
            double a = libm_gate((int)p->activation, g, (double)p->alpha);
            double v = a * u, error = ldexp(fabs(g) * fmax(1, fabs(g)) * fmax(1, fabs(u)), -20);
            if (p->gated && p->intermediate_rounding == TRINE_ROUND_EACH)
                error += rounding_of(dtype, a) * fabs(u);
            double got = value_of(out, m * I + i);
            cr_assert_leq(fabs(got - v), error + rounding_of(dtype, v),
                          "g %a up %a: %a, expected %a", g, u, got, v);
        }
    cr_assert_eq(stray_bytes(out), 0);
}

Test(act_and_mul, every_form_against_libm)
{
    static const trine_dtype dtypes[] = {TRINE_F32, TRINE_BF16, TRINE_F16};
    int compared = 0;
    for (int d = 0; d < 3; d++)
        for (int activation = TRINE_ACTIVATION_SILU; activation <= TRINE_ACTIVATION_SWIGLU_OAI;
             activation++)
            for (int form = 0; form < 16; form++) {
                bool gated = form & 1;
                if (!gated && (activation == TRINE_ACTIVATION_SWIGLU_OAI || form & 2)) continue;
                int64_t width = gated ? 2 * I : I;
                tensor x = make(dtypes[d], 2, (int64_t[]){M, width}, (int64_t[]){1, M + 2});
                tensor out = make(dtypes[d], 2, (int64_t[]){M, I}, (int64_t[]){2 * I + 1, 2});
                uint64_t state = (uint64_t)(form + 1);
                for (int64_t i = 0; i < elements(&x.view); i++)
                    set_value(&x, i, random_value(&state) * (i % 7 ? 1 : 8));
                trine_act_and_mul_problem p = problem_of(&x, &out, activation, gated);
                p.gate_layout = form & 2 ? TRINE_GATE_INTERLEAVED : TRINE_GATE_HALVES;
                p.intermediate_rounding = form & 4 ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
                p.limit = form & 8 ? 1.5f : 0.0f;
                trine_reference_act_and_mul(&p);
                expect_close(&x, &out, &p);
                release(&x);
                release(&out);
                compared++;
            }
    cr_assert_eq(compared, 3 * (5 * 8 + 4 * 4));
}

/* Where silu, gelu and swiglu are their argument: sigmoid is 1 from 38 on, erf and tanh 1 sooner.
 */
Test(act_and_mul, large_gates_are_exact_and_each_rounds_once_more)
{
    int once_and_each_differ = 0;
    for (int activation = TRINE_ACTIVATION_SILU; activation <= TRINE_ACTIVATION_SWIGLU_OAI;
         activation++)
        for (int each = 0; each < 2; each++) {
            tensor x = MAKE(TRINE_BF16, 2, M, 2 * I), out = MAKE(TRINE_BF16, 2, M, I);
            uint64_t state = 9;
            for (int64_t i = 0; i < elements(&x.view); i++)
                set_value(&x, i,
                          i % (2 * I) < I ? 40 + fabs(random_value(&state)) * 10
                                          : random_value(&state));
            trine_act_and_mul_problem p = problem_of(&x, &out, activation, true);
            p.intermediate_rounding = each ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
            trine_reference_act_and_mul(&p);
            for (int64_t m = 0; m < M; m++)
                for (int64_t i = 0; i < I; i++) {
                    double g = value_of(&x, m * 2 * I + i), u = value_of(&x, m * 2 * I + I + i);
                    double a = activation == TRINE_ACTIVATION_RELU2 ? g * g : g;
                    if (activation == TRINE_ACTIVATION_SWIGLU_OAI) u = nearest(TRINE_F32, u + 1);
                    double once = nearest(TRINE_BF16, nearest(TRINE_F32, a * u));
                    double twice =
                        nearest(TRINE_BF16, nearest(TRINE_F32, nearest(TRINE_BF16, a) * u));
                    once_and_each_differ += once != twice;
                    cr_assert(same_value(value_of(&out, m * I + i), each ? twice : once));
                }
            release(&x);
            release(&out);
        }
    cr_assert_gt(once_and_each_differ, 0);
}

Test(act_and_mul, special_gates)
{
    static const struct {
        int activation;
        float limit;
        double gate, up, result;
    } cases[] = {
        {TRINE_ACTIVATION_SILU, 0, -INFINITY, 1, NAN},
        {TRINE_ACTIVATION_SILU, 0, INFINITY, 2, INFINITY},
        {TRINE_ACTIVATION_SILU, 0, -200, 1, -0.0},
        {TRINE_ACTIVATION_SILU, 0, NAN, 1, NAN},
        {TRINE_ACTIVATION_SILU, 7, NAN, 1, NAN},
        {TRINE_ACTIVATION_SILU, 7, -1000, NAN, NAN},
        {TRINE_ACTIVATION_SILU, 64, INFINITY, -INFINITY, -4096},
        {TRINE_ACTIVATION_GELU_ERF, 0, INFINITY, 1, INFINITY},
        {TRINE_ACTIVATION_GELU_ERF, 0, NAN, 1, NAN},
        {TRINE_ACTIVATION_GELU_TANH, 0, NAN, 1, NAN},
        {TRINE_ACTIVATION_RELU2, 0, -3, 5, 0},
        {TRINE_ACTIVATION_RELU2, 0, -0.0, 5, 0},
        {TRINE_ACTIVATION_RELU2, 0, NAN, 5, NAN},
        {TRINE_ACTIVATION_RELU2, 2, 3, 5, 8},
        {TRINE_ACTIVATION_RELU2, 0, -INFINITY, 5, 0},
        {TRINE_ACTIVATION_SWIGLU_OAI, 0, 64, -1, 0},
        {TRINE_ACTIVATION_SWIGLU_OAI, 64, 1000, 1000, 64 * 65},
    };
    tensor x = MAKE(TRINE_F32, 2, M, 2 * I), out = MAKE(TRINE_F32, 2, M, I);
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        fill_random(&x, 4);
        set_value(&x, 0, cases[n].gate);
        set_value(&x, I, cases[n].up);
        trine_act_and_mul_problem p = problem_of(&x, &out, cases[n].activation, true);
        p.limit = cases[n].limit;
        trine_reference_act_and_mul(&p);
        cr_assert(same_value(value_of(&out, 0), cases[n].result), "case %d: %a", (int)n,
                  value_of(&out, 0));
    }
    release(&x);
    release(&out);
}

Test(act_and_mul, any_thread_count)
{
    tensor x = MAKE(TRINE_BF16, 2, M, 2 * I), out[3];
    fill_random(&x, 3);
    for (int n = 0; n < 3; n++) {
        out[n] = MAKE(TRINE_BF16, 2, M, I);
        trine_act_and_mul_problem p = problem_of(&x, &out[n], TRINE_ACTIVATION_GELU_TANH, true);
        use_threads(thread_counts[n]);
        trine_reference_act_and_mul(&p);
        cr_assert_eq(memcmp(out[n].base, out[0].base, out[0].size), 0);
    }
    for (int n = 0; n < 3; n++) release(&out[n]);
    release(&x);
}
