// SPDX-License-Identifier: Apache-2.0
// moe_sum: each step re-done exactly in double and rounded to f32.
#include "tests/reference/support.h"

enum { T = 4, H = 6 };

static trine_moe_sum_problem problem_of(const tensor *y, const tensor *out, int64_t k, float factor,
                                        bool accumulate)
{
    return (trine_moe_sum_problem){.y = y->view,
                                   .out = out->view,
                                   .tokens = T,
                                   .k = k,
                                   .columns = H,
                                   .scaling_factor = factor,
                                   .accumulate = accumulate};
}

Test(moe_sum, against_exact_steps)
{
    static const trine_dtype dtypes[] = {TRINE_F32, TRINE_BF16, TRINE_F16};
    int compared = 0;
    for (int d = 0; d < 3; d++)
        for (int64_t k = 0; k <= 9; k += 3)
            for (int accumulate = 0; accumulate < 2; accumulate++) {
                tensor y =
                    make(dtypes[d], 3, (int64_t[]){T, k, H}, (int64_t[]){k * H * 2 + 5, H * 2, 2});
                tensor out = make(dtypes[d], 2, (int64_t[]){T, H}, (int64_t[]){1, T + 1});
                double old[T * H];
                float factor = k == 6 ? 1.0f : 0.3f;
                fill_random(&y, (uint64_t)k);
                fill_random(&out, 77);
                for (int i = 0; i < T * H; i++) old[i] = value_of(&out, i);
                trine_moe_sum_problem p = problem_of(&y, &out, k, factor, accumulate);
                trine_reference_moe_sum(&p);
                for (int64_t t = 0; t < T; t++)
                    for (int64_t h = 0; h < H; h++) {
                        double sum = k ? value_of(&y, t * k * H + h) : 0;
                        for (int64_t i = 1; i < k; i++)
                            sum = nearest(TRINE_F32, sum + value_of(&y, (t * k + i) * H + h));
                        sum = nearest(TRINE_F32, sum * (double)factor);
                        if (accumulate) sum = nearest(TRINE_F32, old[t * H + h] + sum);
                        cr_assert(same_value(value_of(&out, t * H + h), nearest(dtypes[d], sum)));
                        compared++;
                    }
                cr_assert_eq(stray_bytes(&out), 0);
                release(&y);
                release(&out);
            }
    cr_assert_eq(compared, 3 * 4 * 2 * T * H);
}

Test(moe_sum, order_matters_and_is_ascending)
{
    /* 2^24 + 1 + 1 stays 2^24 in f32 when added in this order, and is 2^24 + 2 in the other. */
    tensor y = MAKE(TRINE_F32, 3, T, 3, H), out = MAKE(TRINE_F32, 2, T, H);
    for (int64_t i = 0; i < T * 3 * H; i++) set_value(&y, i, i / H % 3 == 0 ? 16777216 : 1);
    trine_moe_sum_problem p = problem_of(&y, &out, 3, 1.0f, false);
    trine_reference_moe_sum(&p);
    for (int64_t i = 0; i < T * H; i++) cr_assert_eq(value_of(&out, i), 16777216);
    for (int64_t i = 0; i < T * 3 * H; i++) set_value(&y, i, i / H % 3 == 2 ? 16777216 : 1);
    trine_reference_moe_sum(&p);
    for (int64_t i = 0; i < T * H; i++) cr_assert_eq(value_of(&out, i), 16777218);
    release(&y);
    release(&out);
}

Test(moe_sum, negative_zero_and_nan)
{
    tensor y = MAKE(TRINE_BF16, 3, T, 2, H), out = MAKE(TRINE_BF16, 2, T, H);
    for (int64_t i = 0; i < T * 2 * H; i++) set_value(&y, i, i % H == 1 ? (double)NAN : -0.0);
    trine_moe_sum_problem p = problem_of(&y, &out, 2, 1.0f, false);
    trine_reference_moe_sum(&p);
    for (int64_t i = 0; i < T * H; i++)
        cr_assert(same_value(value_of(&out, i), i % H == 1 ? (double)NAN : -0.0));
    release(&y);
    release(&out);
}

Test(moe_sum, any_thread_count)
{
    tensor y = MAKE(TRINE_BF16, 3, T, 5, H), out[3];
    fill_random(&y, 3);
    for (int n = 0; n < 3; n++) {
        out[n] = MAKE(TRINE_BF16, 2, T, H);
        trine_moe_sum_problem p = problem_of(&y, &out[n], 5, 2.5f, false);
        use_threads(thread_counts[n]);
        trine_reference_moe_sum(&p);
        cr_assert_eq(memcmp(out[n].base, out[0].base, out[0].size), 0);
    }
    for (int n = 0; n < 3; n++) release(&out[n]);
    release(&y);
}
