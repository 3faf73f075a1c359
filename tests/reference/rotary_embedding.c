// SPDX-License-Identifier: Apache-2.0
// rotary_embedding: against exact arithmetic in double, and the laws that a rotation obeys.
#include "tests/reference/support.h"

typedef struct rotary_case {
    tensor x, cos, sin, out;
    trine_rotary_embedding_problem problem;
} rotary_case;

enum { B = 2, T = 3, H = 2, D = 14, R = 5 };

static rotary_case rotary_make(trine_dtype dtype, trine_dtype table, trine_pairing pairing,
                               trine_rotary_rounding rounding)
{
    rotary_case c = {
        .x = make(dtype, 4, (int64_t[]){B, T, H, D},
                  (int64_t[]){T * H * D * 2 + 3, H * D * 2, D * 2, 2}),
        .cos = MAKE(table, 4, B, T, H, R),
        .sin = MAKE(table, 4, B, T, H, R),
        .out = make(dtype, 4, (int64_t[]){B, T, H, D}, (int64_t[]){D, B * D, T * B * D + 1, 1}),
    };
    fill_random(&c.x, 1);
    uint64_t state = 2;
    for (int64_t i = 0; i < elements(&c.cos.view); i++) {
        set_value(&c.cos, i, random_value(&state) / 4);
        set_value(&c.sin, i, random_value(&state) / 4);
    }
    c.problem = (trine_rotary_embedding_problem){.x = c.x.view,
                                                 .cos = c.cos.view,
                                                 .sin = c.sin.view,
                                                 .out = c.out.view,
                                                 .batch = B,
                                                 .tokens = T,
                                                 .heads = H,
                                                 .head_size = D,
                                                 .pairs = R,
                                                 .pairing = pairing,
                                                 .rounding = rounding};
    return c;
}

static void rotary_release(rotary_case *c)
{
    release(&c->x);
    release(&c->cos);
    release(&c->sin);
    release(&c->out);
}

/* a c + b s in the order of the rounding class; every operand is exact in double. */
static double rotated(const trine_rotary_embedding_problem *p, double a, double c, double b,
                      double s)
{
    trine_dtype low = p->x.dtype;
    double z = 0;
    switch (p->rounding) {
    case TRINE_ROUNDING_F32_FMA:
        z = nearest(TRINE_F32, nearest(TRINE_F32, a * c) + b * s);
        break;
    case TRINE_ROUNDING_F32_2MUL:
        z = nearest(TRINE_F32, nearest(TRINE_F32, a * c) + nearest(TRINE_F32, b * s));
        break;
    case TRINE_ROUNDING_LOW_MUL_F32_ADD:
        z = nearest(TRINE_F32, nearest(low, a * c) + nearest(TRINE_F32, b * s));
        break;
    case TRINE_ROUNDING_ALL_LOW:
        z = nearest(low, a * c) + nearest(low, b * s);
        break;
    }
    return nearest(low, z);
}

static void expect_rotation(const rotary_case *c)
{
    const trine_rotary_embedding_problem *p = &c->problem;
    bool half = p->pairing == TRINE_PAIRING_HALF;
    for (int64_t row = 0; row < B * T * H; row++) {
        for (int64_t i = 0; i < R; i++) {
            int64_t first = row * D + (half ? i : 2 * i),
                    second = row * D + (half ? R + i : 2 * i + 1);
            double a = value_of(&c->x, first), b = value_of(&c->x, second);
            double cosine = value_of(&c->cos, row * R + i), sine = value_of(&c->sin, row * R + i);
            if (p->inverse) sine = -sine;
            double u = rotated(p, a, cosine, -b, sine), v = rotated(p, b, cosine, a, sine);
            cr_assert(same_value(value_of(&c->out, first), u), "row %d pair %d: %a, expected %a",
                      (int)row, (int)i, value_of(&c->out, first), u);
            cr_assert(same_value(value_of(&c->out, second), v), "row %d pair %d: %a, expected %a",
                      (int)row, (int)i, value_of(&c->out, second), v);
        }
        for (int64_t d = 2 * R; d < D; d++)
            cr_assert_eq(bits_of(&c->out, row * D + d), bits_of(&c->x, row * D + d));
    }
    cr_assert_eq(stray_bytes(&c->out), 0);
}

Test(rotary_embedding, every_class_and_pairing_against_exact_arithmetic)
{
    static const trine_dtype dtypes[] = {TRINE_F32, TRINE_BF16, TRINE_F16};
    int compared = 0;
    for (int d = 0; d < 3; d++)
        for (int table = 0; table < 3; table++)
            for (int rounding = 0; rounding < 4; rounding++)
                for (int pairing = 0; pairing < 2; pairing++)
                    for (int inverse = 0; inverse < 2; inverse++) {
                        bool low = rounding >= TRINE_ROUNDING_LOW_MUL_F32_ADD;
                        if (low && (d == 0 || d != table)) continue;
                        rotary_case c =
                            rotary_make(dtypes[d], dtypes[table], (trine_pairing)pairing,
                                        (trine_rotary_rounding)rounding);
                        c.problem.inverse = inverse;
                        trine_reference_rotary_embedding(&c.problem);
                        expect_rotation(&c);
                        rotary_release(&c);
                        compared++;
                    }
    cr_assert_eq(compared, 2 * 2 * (9 + 9 + 2 + 2));
}

static bool classes_differ(trine_dtype dtype, trine_rotary_rounding one, trine_rotary_rounding two)
{
    rotary_case a = rotary_make(dtype, dtype, TRINE_PAIRING_HALF, one);
    rotary_case b = rotary_make(dtype, dtype, TRINE_PAIRING_HALF, two);
    trine_reference_rotary_embedding(&a.problem);
    trine_reference_rotary_embedding(&b.problem);
    int differing = 0;
    for (int64_t i = 0; i < elements(&a.out.view); i++)
        differing += bits_of(&a.out, i) != bits_of(&b.out, i);
    rotary_release(&a);
    rotary_release(&b);
    return differing > 0;
}

Test(rotary_embedding, the_inputs_tell_the_classes_apart)
{
    cr_assert(classes_differ(TRINE_F32, TRINE_ROUNDING_F32_FMA, TRINE_ROUNDING_F32_2MUL));
    cr_assert(classes_differ(TRINE_BF16, TRINE_ROUNDING_F32_FMA, TRINE_ROUNDING_LOW_MUL_F32_ADD));
    cr_assert(classes_differ(TRINE_BF16, TRINE_ROUNDING_F32_FMA, TRINE_ROUNDING_ALL_LOW));
    cr_assert(classes_differ(TRINE_BF16, TRINE_ROUNDING_LOW_MUL_F32_ADD, TRINE_ROUNDING_ALL_LOW));
}

Test(rotary_embedding, identity_tables_keep_the_bits)
{
    rotary_case c =
        rotary_make(TRINE_F16, TRINE_F32, TRINE_PAIRING_ADJACENT, TRINE_ROUNDING_F32_FMA);
    for (int64_t i = 0; i < elements(&c.cos.view); i++) {
        set_value(&c.cos, i, 1);
        set_value(&c.sin, i, 0);
    }
    trine_reference_rotary_embedding(&c.problem);
    for (int64_t i = 0; i < elements(&c.x.view); i++)
        cr_assert(same_value(value_of(&c.out, i), value_of(&c.x, i) + 0.0));
    rotary_release(&c);
}

Test(rotary_embedding, inverse_undoes_the_rotation)
{
    rotary_case c = rotary_make(TRINE_F32, TRINE_F32, TRINE_PAIRING_HALF, TRINE_ROUNDING_F32_FMA);
    for (int64_t i = 0; i < elements(&c.cos.view); i++) {
        set_value(&c.cos, i, cos((double)i));
        set_value(&c.sin, i, sin((double)i));
    }
    trine_reference_rotary_embedding(&c.problem);
    rotary_case back =
        rotary_make(TRINE_F32, TRINE_F32, TRINE_PAIRING_HALF, TRINE_ROUNDING_F32_FMA);
    back.problem.x = c.out.view;
    back.problem.cos = c.cos.view;
    back.problem.sin = c.sin.view;
    back.problem.inverse = true;
    trine_reference_rotary_embedding(&back.problem);
    for (int64_t i = 0; i < elements(&c.x.view); i++)
        cr_assert_float_eq(value_of(&back.out, i), value_of(&c.x, i), 1e-6);
    rotary_release(&c);
    rotary_release(&back);
}

Test(rotary_embedding, pairings_are_permutations_of_each_other)
{
    rotary_case a =
        rotary_make(TRINE_BF16, TRINE_F32, TRINE_PAIRING_ADJACENT, TRINE_ROUNDING_F32_FMA);
    rotary_case h = rotary_make(TRINE_BF16, TRINE_F32, TRINE_PAIRING_HALF, TRINE_ROUNDING_F32_FMA);
    for (int64_t row = 0; row < B * T * H; row++)
        for (int64_t i = 0; i < R; i++) {
            set_bits(&h.x, row * D + i, bits_of(&a.x, row * D + 2 * i));
            set_bits(&h.x, row * D + R + i, bits_of(&a.x, row * D + 2 * i + 1));
        }
    trine_reference_rotary_embedding(&a.problem);
    trine_reference_rotary_embedding(&h.problem);
    for (int64_t row = 0; row < B * T * H; row++)
        for (int64_t i = 0; i < R; i++) {
            cr_assert_eq(bits_of(&h.out, row * D + i), bits_of(&a.out, row * D + 2 * i));
            cr_assert_eq(bits_of(&h.out, row * D + R + i), bits_of(&a.out, row * D + 2 * i + 1));
        }
    rotary_release(&a);
    rotary_release(&h);
}

Test(rotary_embedding, in_place_and_any_thread_count)
{
    for (int pairing = 0; pairing < 2; pairing++) {
        rotary_case c =
            rotary_make(TRINE_BF16, TRINE_F32, (trine_pairing)pairing, TRINE_ROUNDING_F32_FMA);
        use_threads(1);
        trine_reference_rotary_embedding(&c.problem);
        for (int n = 0; n < 3; n++) {
            rotary_case again =
                rotary_make(TRINE_BF16, TRINE_F32, (trine_pairing)pairing, TRINE_ROUNDING_F32_FMA);
            again.problem.out = again.x.view;
            use_threads(thread_counts[n]);
            trine_reference_rotary_embedding(&again.problem);
            for (int64_t i = 0; i < elements(&c.out.view); i++)
                cr_assert_eq(bits_of(&again.x, i), bits_of(&c.out, i));
            cr_assert_eq(stray_bytes(&again.x), 0);
            rotary_release(&again);
        }
        rotary_release(&c);
    }
}

Test(rotary_embedding, broadcast_and_decimated_tables)
{
    rotary_case c =
        rotary_make(TRINE_F32, TRINE_F32, TRINE_PAIRING_ADJACENT, TRINE_ROUNDING_F32_FMA);
    /* [T, 2R], every value twice, read as [B,T,H,R] with strides (0, 2R, 0, 2). */
    tensor cosine = MAKE(TRINE_F32, 2, T, 2 * R), sine = MAKE(TRINE_F32, 2, T, 2 * R);
    for (int64_t t = 0; t < T; t++)
        for (int64_t j = 0; j < 2 * R; j++) {
            set_bits(&cosine, t * 2 * R + j, bits_of(&c.cos, t * H * R + j / 2));
            set_bits(&sine, t * 2 * R + j, bits_of(&c.sin, t * H * R + j / 2));
        }
    for (int64_t row = 0; row < B * T * H; row++)
        for (int64_t i = 0; i < R; i++) {
            int64_t t = row / H % T;
            set_bits(&c.cos, row * R + i, bits_of(&cosine, t * 2 * R + 2 * i));
            set_bits(&c.sin, row * R + i, bits_of(&sine, t * 2 * R + 2 * i));
        }
    for (int k = 0; k < 2; k++) {
        trine_view *v = k ? &c.problem.sin : &c.problem.cos;
        v->data = k ? sine.view.data : cosine.view.data;
        memcpy(v->stride, (int64_t[]){0, 2 * R, 0, 2}, 4 * sizeof(int64_t));
    }
    trine_reference_rotary_embedding(&c.problem);
    expect_rotation(&c);
    rotary_release(&c);
    release(&cosine);
    release(&sine);
}

Test(rotary_embedding, columns_past_the_pairs_keep_nan_payloads)
{
    static const struct {
        trine_dtype dtype;
        uint32_t bits;
    } nans[] = {{TRINE_F32, 0xff812345u}, {TRINE_BF16, 0xff81u}, {TRINE_F16, 0x7d01u}};
    for (int n = 0; n < 3; n++) {
        rotary_case c =
            rotary_make(nans[n].dtype, TRINE_F32, TRINE_PAIRING_HALF, TRINE_ROUNDING_F32_2MUL);
        for (int64_t row = 0; row < B * T * H; row++) set_bits(&c.x, row * D + D - 1, nans[n].bits);
        trine_reference_rotary_embedding(&c.problem);
        for (int64_t row = 0; row < B * T * H; row++)
            cr_assert_eq(bits_of(&c.out, row * D + D - 1), nans[n].bits);
        rotary_release(&c);
    }
}
