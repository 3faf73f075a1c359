// SPDX-License-Identifier: Apache-2.0
// The matrix ops' references and bounds give the same bits with 1, 2 and 5 threads.
#include <criterion/criterion.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "moe_case.h"
#include "reference/reference.h"

TestSuite(reference_bounded_threads, .fini = pool_clear);

static void use_threads(int count)
{
#ifdef _OPENMP
    omp_set_dynamic(0);
    omp_set_num_threads(count);
    cr_assert_eq(omp_get_max_threads(), count);
#else
    (void)count;
#endif
}

Test(reference_bounded_threads, fused_moe)
{
    static const int threads[] = {1, 2, 5};
    for (int mode = 0; mode < MOE_MODES; mode++) {
        double first[3 * 120] = {0}, got[3 * 120];
        for (int t = 0; t < 3; t++) {
            rng r = {42};
            void *workspace;
            moe_case c = moe_small(moe_modes[mode]);
            trine_fused_moe_problem p = moe_problem(&c, &r, &workspace);
            use_threads(threads[t]);
            trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_F32, 0, true};
            cr_assert_eq(trine_bound_fused_moe(&p, &options, got, got + 120), TRINE_OK);
            trine_reference_fused_moe(&p, workspace);
            for (int64_t i = 0; i < 120; i++) got[240 + i] = get(&p.out, i);
            if (t == 0) memcpy(first, got, sizeof got);
            cr_assert_eq(memcmp(first, got, sizeof got), 0, "mode %d, %d threads", mode,
                         threads[t]);
            pool_clear();
        }
    }
}

Test(reference_bounded_threads, block_scaled_linear)
{
    static const int threads[] = {1, 2, 5};
    double first[3 * 90], got[3 * 90];
    for (int t = 0; t < 3; t++) {
        rng r = {43};
        trine_block_scaled_linear_problem p = {.m = 3,
                                               .n = 30,
                                               .k = 200,
                                               .aligned_m = 4,
                                               .blocks = 2,
                                               .scale_offset = 1024,
                                               .workspace_size = 1024 + 32};
        p.x = tensor2(TRINE_BF16, 3, 200);
        p.w = tensor2(TRINE_E4M3FN, 30, 200);
        p.w_scale = tensor2(TRINE_F32, 1, 2);
        p.bias = absent();
        p.out = tensor2(TRINE_BF16, 3, 30);
        fill_normal(&r, &p.x, 1.0);
        fill_normal(&r, &p.w, 100.0);
        fill_uniform(&r, &p.w_scale, 0.001, 0.002);
        void *workspace = pool_alloc(p.workspace_size);
        use_threads(threads[t]);
        trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_HOPPER_FP8, 0, true};
        cr_assert_eq(trine_bound_block_scaled_linear(&p, &options, got, got + 90), TRINE_OK);
        trine_reference_block_scaled_linear(&p, workspace);
        for (int64_t i = 0; i < 90; i++) got[180 + i] = get(&p.out, i);
        if (t == 0) memcpy(first, got, sizeof got);
        cr_assert_eq(memcmp(first, got, sizeof got), 0, "%d threads", threads[t]);
    }
}
