// SPDX-License-Identifier: Apache-2.0
// per_token_group_quant: scales and codes re-derived in double (a quotient of two floats rounded to
// double and then to float is rounded once in effect), codes by search through all values.
#include "tests/reference/support.h"

typedef struct quant_case {
    tensor x, masked_m, q, scale;
    trine_per_token_group_quant_problem problem;
} quant_case;

typedef struct quant_shape {
    int64_t experts, rows, columns, group_size;
    trine_dtype x, q;
    trine_scale_layout layout;
    bool padded; /* q, and a column_aligned scale, have rows up to a multiple of 4 */
    bool masked;
} quant_shape;

static bool packed(trine_scale_layout layout)
{
    return layout == TRINE_SCALE_PACKED_UE8M0 || layout == TRINE_SCALE_ROW_PACKED_UE8M0;
}

static double q_max_of(trine_dtype dtype)
{
    return dtype == TRINE_I8 ? 127 : dtype == TRINE_E4M3FNUZ ? 224 : 448;
}

static quant_case quant_make(quant_shape s)
{
    int64_t E = s.experts, M = s.rows, K = s.columns, Ma = (M + 3) / 4 * 4, G = K / s.group_size;
    int64_t columns = packed(s.layout) ? (G + 3) / 4 : G, q_rows = s.padded ? Ma : M;
    bool row_major = s.layout == TRINE_SCALE_ROW || s.layout == TRINE_SCALE_ROW_PACKED_UE8M0;
    bool aligned = s.layout == TRINE_SCALE_COLUMN_ALIGNED || s.layout == TRINE_SCALE_PACKED_UE8M0;
    int64_t scale_rows = s.padded && s.layout == TRINE_SCALE_COLUMN_ALIGNED ? Ma : M;
    int64_t row = row_major ? columns : 1, column = row_major ? 1 : aligned ? Ma : M;
    int64_t plane = row_major ? M * columns : column * columns;
    quant_case c = {
        .x = make(s.x, 3, (int64_t[]){E, M, K}, (int64_t[]){M * (K + 3), K + 3, 1}),
        .masked_m = MAKE(TRINE_I32, 1, E),
        .q = MAKE(s.q, 3, E, q_rows, K),
        .scale = make(packed(s.layout) ? TRINE_I32 : TRINE_F32, 3,
                      (int64_t[]){E, scale_rows, columns}, (int64_t[]){plane, row, column}),
    };
    fill_random(&c.x, 11);
    c.problem = (trine_per_token_group_quant_problem){
        .x = c.x.view,
        .masked_m = s.masked ? c.masked_m.view : absent(),
        .q = c.q.view,
        .scale = c.scale.view,
        .experts = E,
        .rows = M,
        .columns = K,
        .groups = G,
        .group_size = s.group_size,
        .q_rows = q_rows,
        .aligned_rows = Ma,
        .scale_columns = columns,
        .scale_rows = scale_rows,
        .scale_expert_stride = plane,
        .scale_row_stride = row,
        .scale_column_stride = column,
        .scale_has_tail = aligned,
        .packed = packed(s.layout),
        .layout = s.layout,
        .format = packed(s.layout) ? TRINE_SCALE_UE8M0 : TRINE_SCALE_F32,
        .eps = 1e-10f,
        .ue8m0_floor = 1e-10f,
        .q_max = (float)q_max_of(s.q),
        .default_q_max = true,
    };
    return c;
}

static void quant_release(quant_case *c)
{
    release(&c->x);
    release(&c->masked_m);
    release(&c->q);
    release(&c->scale);
}

/* ---------------------------------------------------------------- what is expected */

static uint32_t nearest_code(trine_dtype dtype, double q, trine_int_rounding rounding)
{
    if (dtype == TRINE_I8)
        return isnan(q)
                   ? 0
                   : (uint32_t)(int32_t)(rounding == TRINE_INT_TRUNCATE ? trunc(q) : nearbyint(q)) &
                         0xff;
    if (isnan(q)) return dtype == TRINE_E4M3FNUZ ? 0x80 : 0x7f;
    uint32_t best = 0;
    for (uint32_t code = 0; code < 128; code++) {
        double v = value_of_bits(dtype, code), b = value_of_bits(dtype, best), a = fabs(q);
        if (isnan(v)) continue;
        double gain = fabs(b - a) - fabs(v - a);
        if (gain > 0 || (gain == 0 && best % 2 == 1)) best = code;
    }
    bool negative = signbit(q) && (best != 0 || dtype == TRINE_E4M3FN);
    return best | (negative ? 0x80u : 0);
}

typedef struct expectation {
    double amax, scale; /* scale as stored */
} expectation;

static expectation expected_scale(const trine_per_token_group_quant_problem *p, const tensor *x,
                                  int64_t first)
{
    expectation r = {(double)p->eps, 0};
    for (int64_t i = 0; i < p->group_size; i++) {
        double a = fabs(value_of(x, first + i));
        if (isfinite(a) && a > r.amax) r.amax = a;
    }
    double q_max = (double)p->q_max;
    r.scale = p->arithmetic == TRINE_ARITHMETIC_RECIPROCAL
                  ? nearest(TRINE_F32, r.amax * nearest(TRINE_F32, 1 / q_max))
                  : nearest(TRINE_F32, r.amax / q_max);
    if (p->format == TRINE_SCALE_UE8M0) {
        double floored = fmax(r.scale, (double)p->ue8m0_floor);
        int exponent;
        r.scale = ldexp(1, frexp(floored, &exponent) == 0.5 ? exponent - 1 : exponent);
    }
    return r;
}

static uint32_t expected_code(const trine_per_token_group_quant_problem *p, double x, expectation e)
{
    double q_max = (double)p->q_max;
    bool factor = p->arithmetic == TRINE_ARITHMETIC_RECIPROCAL && p->format == TRINE_SCALE_F32;
    double q = factor ? nearest(TRINE_F32, x * nearest(TRINE_F32, q_max / e.amax))
                      : nearest(TRINE_F32, x / e.scale);
    q = q > q_max ? q_max : q < -q_max ? -q_max : q;
    return nearest_code(p->q.dtype, q, p->int_rounding);
}

/* The stored scale of group j. */
static double stored_scale(const quant_case *c, int64_t e, int64_t m, int64_t j)
{
    const trine_per_token_group_quant_problem *p = &c->problem;
    int64_t base = e * p->scale_expert_stride + m * p->scale_row_stride;
    if (!p->packed)
        return value_of_bits(TRINE_F32, bits_at(&c->scale.view, base + j * p->scale_column_stride));
    uint32_t word = bits_at(&c->scale.view, base + j / 4 * p->scale_column_stride);
    return ldexp(1, (int)(word / (1u << 8 * (j % 4)) % 256) - 127);
}

/* Codes and scales of the used rows; `x` is what was quantized, row-major as the problem's x. */
static void expect_row(const quant_case *c, const tensor *x, int64_t e, int64_t m)
{
    const trine_per_token_group_quant_problem *p = &c->problem;
    int64_t row = (e * p->rows + m) * p->columns, q_row = (e * p->q_rows + m) * p->columns;
    for (int64_t j = 0; j < p->groups; j++) {
        expectation want = expected_scale(p, x, row + j * p->group_size);
        cr_assert_eq(stored_scale(c, e, m, j), want.scale, "scale (%d,%d,%d): %a, expected %a",
                     (int)e, (int)m, (int)j, stored_scale(c, e, m, j), want.scale);
        for (int64_t i = j * p->group_size; i < (j + 1) * p->group_size; i++) {
            uint32_t code = expected_code(p, value_of(x, row + i), want);
            cr_assert_eq(bits_of(&c->q, q_row + i), code,
                         "q (%d,%d,%d): %02x, expected %02x for %a", (int)e, (int)m, (int)i,
                         bits_of(&c->q, q_row + i), code, value_of(x, row + i));
        }
    }
}

static void expect_all(const quant_case *c, const tensor *x)
{
    for (int64_t e = 0; e < c->problem.experts; e++)
        for (int64_t m = 0; m < c->problem.rows; m++) expect_row(c, x, e, m);
}

/* Every byte of one plane that is no scale: zero between the rows and the aligned rows of a column,
 * untouched behind the tensor's last element. */
static void expect_padding(const quant_case *c)
{
    const trine_per_token_group_quant_problem *p = &c->problem;
    for (int64_t m = p->rows; m < p->q_rows; m++)
        for (int64_t k = 0; k < p->columns; k++)
            cr_assert_eq(bits_of(&c->q, m * p->columns + k), 0);
    if (p->scale_has_tail)
        for (int64_t i = 0; i < (p->scale_columns - 1) * p->aligned_rows + p->scale_rows; i++)
            if (i % p->aligned_rows >= p->rows) cr_assert_eq(bits_at(&c->scale.view, i), 0);
    for (size_t i = 0; i < GUARD; i++) {
        cr_assert_eq(c->scale.base[i], POISON);
        cr_assert_eq(c->scale.base[c->scale.size - 1 - i], POISON);
    }
    for (int64_t m = 0; m < p->rows && p->packed && p->groups % 4; m++) {
        int64_t last = m * p->scale_row_stride + (p->scale_columns - 1) * p->scale_column_stride;
        cr_assert_eq(bits_at(&c->scale.view, last) >> 8 * (p->groups % 4), 0);
    }
    cr_assert_eq(stray_bytes(&c->q), 0);
}

/* ---------------------------------------------------------------- tests */

Test(per_token_group_quant, every_dtype_layout_and_arithmetic)
{
    static const trine_dtype xs[] = {TRINE_BF16, TRINE_F16, TRINE_F32};
    static const trine_dtype qs[] = {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_I8};
    int compared = 0;
    for (int n = 0; n < 3 * 3 * 5 * 2 * 2 * 2 * 2; n++) {
        int r = n;
        quant_shape s = {.experts = 1, .rows = 5, .columns = 96, .group_size = 16};
        s.x = xs[r % 3], r /= 3;
        s.q = qs[r % 3], r /= 3;
        s.layout = (trine_scale_layout)(r % 5), r /= 5;
        s.padded = r % 2, r /= 2;
        quant_case c = quant_make(s);
        c.problem.arithmetic = (trine_quant_arithmetic)(r % 2), r /= 2;
        c.problem.int_rounding = (trine_int_rounding)(r % 2), r /= 2;
        if (r % 2) c.problem.format = TRINE_SCALE_UE8M0;
        use_threads(thread_counts[n % 3]);
        trine_reference_per_token_group_quant(&c.problem);
        expect_all(&c, &c.x);
        expect_padding(&c);
        quant_release(&c);
        compared++;
    }
    cr_assert_eq(compared, 720);
}

Test(per_token_group_quant, sizes_whole_rows_and_no_rows)
{
    for (int64_t rows = 0; rows < 10; rows++)
        for (int layout = 0; layout < 5; layout++) {
            quant_case c = quant_make((quant_shape){1, rows, 70, 70, TRINE_F32, TRINE_E4M3FN,
                                                    (trine_scale_layout)layout, true, false});
            trine_reference_per_token_group_quant(&c.problem);
            expect_all(&c, &c.x);
            expect_padding(&c);
            quant_release(&c);
        }
}

Test(per_token_group_quant, extreme_values)
{
    static const double specials[] = {NAN,   INFINITY, -INFINITY, -0.0,  0.0,
                                      1e-45, -1e-40,   3e38,      -1e-12};
    static const trine_dtype qs[] = {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_I8};
    for (int d = 0; d < 3; d++)
        for (int arithmetic = 0; arithmetic < 2; arithmetic++)
            for (int format = 0; format < 2; format++) {
                quant_case c = quant_make(
                    (quant_shape){1, 6, 64, 16, TRINE_F32, qs[d], TRINE_SCALE_ROW, false, false});
                c.problem.arithmetic = (trine_quant_arithmetic)arithmetic;
                c.problem.format = (trine_scale_format)format;
                for (int64_t i = 0; i < 6 * 64; i++) {
                    /* Rows of one special value, of all of them, and among ordinary values. */
                    if (i / 64 == 0) set_value(&c.x, i, specials[i / 16 % 4]);
                    if (i / 64 == 1) set_value(&c.x, i, specials[i % 9]);
                    if (i / 64 == 2) set_value(&c.x, i, specials[i % 7]);
                    if (i / 64 == 3 && i % 5 == 0) set_value(&c.x, i, specials[i % 3]);
                    if (i / 64 == 4) set_value(&c.x, i, ldexp(i % 64, -149));
                }
                trine_reference_per_token_group_quant(&c.problem);
                expect_all(&c, &c.x);
                uint32_t nan = qs[d] == TRINE_I8 ? 0 : qs[d] == TRINE_E4M3FN ? 0x7f : 0x80;
                cr_assert_eq(bits_of(&c.q, 0), nan);
                uint32_t top = qs[d] == TRINE_I8 ? 127 : 0x7e;
                cr_assert_eq(bits_of(&c.q, 16), top);
                cr_assert_eq(bits_of(&c.q, 32), qs[d] == TRINE_I8 ? 0x81 : 0x80 | top);
                quant_release(&c);
            }
}

Test(per_token_group_quant, ue8m0_byte_of_a_zero_group)
{
    static const struct {
        float floor;
        uint32_t byte;
    } cases[] = {{1e-10f, 0x5e}, {0.0f, 0x55}};
    for (int n = 0; n < 2; n++) {
        quant_case c = quant_make((quant_shape){1, 4, 128, 128, TRINE_BF16, TRINE_E4M3FN,
                                                TRINE_SCALE_PACKED_UE8M0, false, false});
        for (int64_t i = 0; i < 4 * 128; i++) set_value(&c.x, i, i < 128 ? 0 : 1.5 * 448);
        c.problem.ue8m0_floor = cases[n].floor;
        trine_reference_per_token_group_quant(&c.problem);
        cr_assert_eq(bits_of(&c.scale, 0), cases[n].byte);
        cr_assert_eq(bits_of(&c.q, 5), 0);
        cr_assert_eq(bits_of(&c.scale, 1), 128); /* 1.5 goes up to 2 */
        expect_all(&c, &c.x);
        quant_release(&c);
    }
}

Test(per_token_group_quant, eps_and_q_max_are_used)
{
    static const trine_dtype qs[] = {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_I8};
    static const float q_max[] = {300.0f, 240.0f, 7.5f};
    for (int d = 0; d < 3; d++) {
        quant_case c = quant_make(
            (quant_shape){1, 3, 48, 16, TRINE_F32, qs[d], TRINE_SCALE_COLUMN, false, false});
        c.problem.q_max = q_max[d];
        c.problem.default_q_max = false;
        c.problem.eps = 2.0f; /* above the maximum of some groups */
        for (int64_t i = 0; i < 16; i++) set_value(&c.x, i, 0.125 * (double)i - 1);
        trine_reference_per_token_group_quant(&c.problem);
        expect_all(&c, &c.x);
        cr_assert_eq(stored_scale(&c, 0, 0, 0), nearest(TRINE_F32, 2.0 / (double)q_max[d]));
        quant_release(&c);
    }
}

Test(per_token_group_quant, masked_rows_stay_untouched)
{
    static const int64_t used[] = {0, 3, 5, INT32_MAX, INT32_MIN};
    for (int layout = 0; layout < 5; layout++) {
        quant_case c = quant_make((quant_shape){5, 5, 80, 16, TRINE_BF16, TRINE_E4M3FN,
                                                (trine_scale_layout)layout, false, true});
        for (int64_t e = 0; e < 5; e++) set_bits(&c.masked_m, e, (uint32_t)used[e]);
        trine_reference_per_token_group_quant(&c.problem);
        const trine_per_token_group_quant_problem *p = &c.problem;
        for (int64_t e = 0; e < 5; e++)
            for (int64_t m = 0; m < p->rows; m++) {
                if (m < used[e]) {
                    expect_row(&c, &c.x, e, m);
                    continue;
                }
                for (int64_t k = 0; k < p->columns; k++)
                    cr_assert_eq(bits_of(&c.q, (e * p->rows + m) * p->columns + k), POISON);
                for (int64_t j = 0; j < p->scale_columns; j++)
                    cr_assert_eq(bits_of(&c.scale, (e * p->rows + m) * p->scale_columns + j),
                                 0xa5a5a5a5u);
            }
        cr_assert_eq(stray_bytes(&c.scale), 0);
        quant_release(&c);
    }
}

Test(per_token_group_quant, activation_is_act_and_mul_first)
{
    static const trine_dtype xs[] = {TRINE_BF16, TRINE_F16, TRINE_F32};
    for (int n = 0; n < 3 * 3 * 2; n++) {
        trine_activation activation = (trine_activation)(TRINE_ACTIVATION_SILU + n / 3 % 3);
        enum { M = 4, K = 32 };
        quant_case c = quant_make(
            (quant_shape){1, M, K, 16, xs[n % 3], TRINE_E4M3FN, TRINE_SCALE_ROW, false, false});
        tensor x = MAKE(xs[n % 3], 3, 1, M, 2 * K), product = MAKE(xs[n % 3], 3, 1, M, K);
        fill_random(&x, (uint64_t)n);
        c.problem.x = x.view;
        c.problem.activation = activation;
        c.problem.intermediate_rounding = (trine_intermediate_rounding)(n / 9);
        trine_act_and_mul_problem act = {.x = x.view,
                                         .out = product.view,
                                         .rows = M,
                                         .columns = K,
                                         .activation = activation,
                                         .gated = true,
                                         .intermediate_rounding = c.problem.intermediate_rounding};
        /* Without the leading dimension. */
        memmove(act.x.stride, act.x.stride + 1, 2 * sizeof(int64_t));
        memmove(act.out.stride, act.out.stride + 1, 2 * sizeof(int64_t));
        trine_reference_act_and_mul(&act);
        trine_reference_per_token_group_quant(&c.problem);
        expect_all(&c, &product);
        release(&x);
        release(&product);
        quant_release(&c);
    }
}

/* The same bytes mean half as much as e4m3fnuz, and 224 is half of 448. */
Test(per_token_group_quant, fnuz_codes_are_the_ocp_codes_at_twice_the_scale)
{
    quant_shape s = {1, 8, 256, 64, TRINE_BF16, TRINE_E4M3FN, TRINE_SCALE_ROW, false, false};
    quant_case ocp = quant_make(s);
    s.q = TRINE_E4M3FNUZ;
    quant_case fnuz = quant_make(s);
    for (int64_t i = 0; i < 8; i++) {
        set_value(&ocp.x, i, -0.0); /* e4m3fnuz has none */
        set_value(&fnuz.x, i, -0.0);
    }
    trine_reference_per_token_group_quant(&ocp.problem);
    trine_reference_per_token_group_quant(&fnuz.problem);
    for (int64_t i = 0; i < 8 * 256; i++) {
        uint32_t code = bits_of(&ocp.q, i);
        cr_assert_eq(bits_of(&fnuz.q, i), code == 0x80 ? 0 : code);
    }
    for (int64_t i = 0; i < 8 * 4; i++)
        cr_assert_eq(value_of(&fnuz.scale, i), 2 * value_of(&ocp.scale, i));
    quant_release(&ocp);
    quant_release(&fnuz);
}
