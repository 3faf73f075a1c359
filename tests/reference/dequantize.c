// SPDX-License-Identifier: Apache-2.0
// dequantize: every code times its scale, exactly, then two roundings.
#include "tests/reference/support.h"

enum { M = 5, K = 70, GROUP = 16, GROUPS = 5 };

typedef struct dequantize_case {
    tensor q, scale, out;
    trine_dequantize_problem problem;
} dequantize_case;

static dequantize_case dequantize_make(trine_dtype dtype, trine_dtype out)
{
    dequantize_case c = {
        .q = make(dtype, 2, (int64_t[]){M, K}, (int64_t[]){2 * K + 1, 2}),
        .scale = make(TRINE_F32, 2, (int64_t[]){M, GROUPS}, (int64_t[]){1, M + 3}),
        .out = make(out, 2, (int64_t[]){M, K}, (int64_t[]){1, M}),
    };
    uint64_t state = 8;
    for (int64_t i = 0; i < M * K; i++) set_bits(&c.q, i, (uint32_t)(i & 255));
    for (int64_t i = 0; i < M * GROUPS; i++)
        set_value(&c.scale, i, random_value(&state) * ldexp(1, (int)(i % 9) * 20 - 100));
    c.problem = (trine_dequantize_problem){.q = c.q.view,
                                           .scale = c.scale.view,
                                           .out = c.out.view,
                                           .rows = M,
                                           .columns = K,
                                           .groups = GROUPS,
                                           .group_size = GROUP,
                                           .block_rows = 1,
                                           .scale_row_stride = c.scale.view.stride[0],
                                           .scale_column_stride = c.scale.view.stride[1]};
    return c;
}

static void dequantize_release(dequantize_case *c)
{
    release(&c->q);
    release(&c->scale);
    release(&c->out);
}

static void expect_product(const dequantize_case *c, int64_t m, int64_t k, double scale)
{
    double v = nearest(TRINE_F32, value_of(&c->q, m * K + k) * scale);
    double got = value_of(&c->out, m * K + k);
    cr_assert(same_value(got, nearest(c->out.view.dtype, v)), "(%d,%d): %a, expected %a", (int)m,
              (int)k, got, v);
}

Test(dequantize, every_code_of_every_format)
{
    static const trine_dtype dtypes[] = {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_E5M2, TRINE_I8};
    static const trine_dtype outs[] = {TRINE_F32, TRINE_BF16, TRINE_F16};
    int compared = 0;
    for (int d = 0; d < 4; d++)
        for (int o = 0; o < 3; o++)
            for (int n = 0; n < 3; n++) {
                dequantize_case c = dequantize_make(dtypes[d], outs[o]);
                use_threads(thread_counts[n]);
                trine_reference_dequantize(&c.problem);
                for (int64_t m = 0; m < M; m++)
                    for (int64_t k = 0; k < K; k++, compared++)
                        expect_product(&c, m, k, value_of(&c.scale, m * GROUPS + k / GROUP));
                cr_assert_eq(stray_bytes(&c.out), 0);
                dequantize_release(&c);
            }
    cr_assert_eq(compared, 36 * M * K);
}

Test(dequantize, blocks_of_rows_and_broadcast_scales)
{
    dequantize_case c = dequantize_make(TRINE_E4M3FN, TRINE_F32);
    c.problem.block_rows = 2;
    trine_reference_dequantize(&c.problem);
    for (int64_t m = 0; m < M; m++)
        for (int64_t k = 0; k < K; k++)
            expect_product(&c, m, k, value_of(&c.scale, m / 2 * GROUPS + k / GROUP));
    c.problem.block_rows = 1;
    c.problem.scale_column_stride = 0; /* [M,1] */
    trine_reference_dequantize(&c.problem);
    for (int64_t m = 0; m < M; m++)
        for (int64_t k = 0; k < K; k++) expect_product(&c, m, k, value_of(&c.scale, m * GROUPS));
    c.problem.scale_row_stride = 0; /* [1] */
    trine_reference_dequantize(&c.problem);
    for (int64_t m = 0; m < M; m++)
        for (int64_t k = 0; k < K; k++) expect_product(&c, m, k, value_of(&c.scale, 0));
    dequantize_release(&c);
}

Test(dequantize, packed_bytes)
{
    dequantize_case c = dequantize_make(TRINE_E5M2, TRINE_F32);
    tensor words = make(TRINE_I32, 2, (int64_t[]){M, 2}, (int64_t[]){1, 8});
    static const uint8_t bytes[M][8] = {{0, 127, 254, 255, 100},
                                        {1, 2, 3, 4, 5},
                                        {128, 129, 130, 131, 132},
                                        {255, 0, 255, 0, 255},
                                        {90, 85, 94, 17, 200}};
    for (int64_t m = 0; m < M; m++)
        for (int64_t j = 0; j < 2; j++) {
            uint32_t word = 0;
            for (int b = 0; b < 4; b++) word += (uint32_t)bytes[m][4 * j + b] * (1u << 8 * b);
            set_bits(&words, m * 2 + j, word);
        }
    c.problem.scale = words.view;
    c.problem.packed = true;
    c.problem.scale_row_stride = 1;
    c.problem.scale_column_stride = 8;
    trine_reference_dequantize(&c.problem);
    for (int64_t m = 0; m < M; m++)
        for (int64_t k = 0; k < K; k++) {
            uint8_t b = bytes[m][k / GROUP];
            expect_product(&c, m, k, b == 255 ? (double)NAN : ldexp(1, b - 127));
        }
    release(&words);
    dequantize_release(&c);
}
