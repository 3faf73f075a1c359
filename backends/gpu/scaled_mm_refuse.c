// SPDX-License-Identifier: Apache-2.0
// Why the rows of scaled_mm and block_scaled_linear on matrix units do not take a problem.
#include "backends/gpu/refuse.h"

/* Rows of K codes of 8 bits that 16-byte accesses fit. */
static const char *refuse_codes(const trine_view *v)
{
    if (v->shape[1] == 0) return "needs columns to multiply";
    if (v->shape[1] % 16) return "needs a multiple of 16 columns";
    if ((uintptr_t)v->data % 16 || v->stride[1] != 1 || (v->shape[0] > 1 && v->stride[0] % 16))
        return "needs rows of codes that begin at multiples of 16 bytes";
    return NULL;
}

/* Tiles of columns lie on grid.y. */
static const char *refuse_sizes(int64_t m, int64_t n, const trine_view *out)
{
    if (m > INT64_C(1) << 30) return "needs 2^30 rows or fewer";
    if (n > INT64_C(65535) * 64) return "needs 65535 * 64 columns or fewer";
    return out->stride[1] == 1 || n <= 1 ? NULL : "needs out with stride 1 in its last dimension";
}

const char *trine_gpu_scaled_mm_matrix_refuse(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    const trine_scaled_mm_problem *p = &problem->scaled_mm;
    const char *why = refuse_codes(&p->a);
    if (!why) why = refuse_codes(&p->b);
    if (!why) why = refuse_sizes(p->m, p->n, &p->out);
    if (why) return why;
    if (p->blocks > 1 && p->block_k % 128) return "needs block_k to be a multiple of 128";
    /* Rows of b's scales are found by a shift. */
    int64_t per = p->b_scale_rows_per;
    if (per < p->n && (per & (per - 1))) return "needs block_n to be a power of two";
    /* i8: a k-block's sum of products up to 2^14 stays in i32. */
    if (p->a.dtype == TRINE_I8 && (p->blocks > 1 ? p->block_k : p->k) >= 1 << 17)
        return "needs k-blocks of fewer than 2^17 columns";
    return NULL;
}

const char *trine_gpu_block_scaled_linear_matrix_refuse(const trine_problem *problem,
                                                        const trine_caps *caps)
{
    (void)caps;
    const trine_block_scaled_linear_problem *p = &problem->block_scaled_linear;
    const char *why = refuse_codes(&p->w);
    return why ? why : refuse_sizes(p->m, p->n, &p->out);
}
