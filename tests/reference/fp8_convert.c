// SPDX-License-Identifier: Apache-2.0
// fp8_convert: what a byte times its scale is worth stays the same.
#include "tests/reference/support.h"

static trine_fp8_convert_problem problem_of(const tensor *w, const tensor *scale, const tensor *out,
                                            const tensor *out_scale)
{
    return (trine_fp8_convert_problem){.w = w->view,
                                       .scale = scale->view,
                                       .out = out->view,
                                       .out_scale = out_scale->view,
                                       .elements = elements(&w->view),
                                       .scale_elements = elements(&scale->view)};
}

Test(fp8_convert, every_code_keeps_its_worth)
{
    tensor w = make(TRINE_E4M3FN, 3, (int64_t[]){4, 8, 8}, (int64_t[]){131, 16, 2});
    tensor out = make(TRINE_E4M3FNUZ, 3, (int64_t[]){4, 8, 8}, (int64_t[]){8, 32, 1});
    tensor scale = make(TRINE_F32, 1, (int64_t[]){4}, (int64_t[]){3});
    tensor out_scale = MAKE(TRINE_F32, 1, 4);
    static const double scales[] = {1, 0.375, 1e-42, 3.4e38};
    for (int64_t i = 0; i < 256; i++) set_bits(&w, i, (uint32_t)i);
    for (int64_t i = 0; i < 4; i++) set_value(&scale, i, scales[i]);
    trine_fp8_convert_problem p = problem_of(&w, &scale, &out, &out_scale);
    for (int n = 0; n < 3; n++) {
        use_threads(thread_counts[n]);
        trine_reference_fp8_convert(&p);
        for (int64_t i = 0; i < 256; i++) {
            double before = value_of(&w, i), after = value_of(&out, i);
            cr_assert(isnan(before) ? isnan(after) : before == 2 * after, "code %d", (int)i);
            if (!isnan(before) && before != 0) cr_assert_eq(bits_of(&out, i), bits_of(&w, i));
        }
        for (int64_t i = 0; i < 3; i++)
            cr_assert_eq(value_of(&out_scale, i), 2 * value_of(&scale, i));
        cr_assert(isinf(value_of(&out_scale, 3)));
    }
    cr_assert_eq(stray_bytes(&out) + stray_bytes(&out_scale), 0);
    release(&w);
    release(&out);
    release(&scale);
    release(&out_scale);
}

Test(fp8_convert, in_place_with_ue8m0_scales)
{
    tensor w = MAKE(TRINE_E4M3FN, 1, 256), scale = MAKE(TRINE_U8, 2, 16, 16);
    for (int64_t i = 0; i < 256; i++) {
        set_bits(&w, i, (uint32_t)i);
        set_bits(&scale, i, (uint32_t)i);
    }
    trine_fp8_convert_problem p = problem_of(&w, &scale, &w, &scale);
    p.out.dtype = TRINE_E4M3FNUZ;
    trine_reference_fp8_convert(&p);
    for (int64_t i = 0; i < 256; i++) {
        double before = value_of_bits(TRINE_E4M3FN, (uint32_t)i);
        double after = value_of_bits(TRINE_E4M3FNUZ, bits_of(&w, i));
        cr_assert(isnan(before) ? isnan(after) : before == 2 * after);
        cr_assert_eq(bits_of(&scale, i), i < 253 ? (uint32_t)i + 1 : i < 255 ? 254u : 255u);
    }
    cr_assert_eq(stray_bytes(&w) + stray_bytes(&scale), 0);
    release(&w);
    release(&scale);
}

Test(fp8_convert, rank_zero_is_one_element)
{
    tensor w = MAKE(TRINE_E4M3FN, 1, 1), out = MAKE(TRINE_E4M3FNUZ, 1, 1);
    tensor scale = MAKE(TRINE_F32, 1, 1), out_scale = MAKE(TRINE_F32, 1, 1);
    set_bits(&w, 0, 0xff);
    set_value(&scale, 0, 3);
    trine_fp8_convert_problem p = problem_of(&w, &scale, &out, &out_scale);
    p.w.rank = p.scale.rank = p.out.rank = p.out_scale.rank = 0;
    trine_reference_fp8_convert(&p);
    cr_assert_eq(bits_of(&out, 0), 0x80);
    cr_assert_eq(value_of(&out_scale, 0), 6);
    release(&w);
    release(&out);
    release(&scale);
    release(&out_scale);
}
