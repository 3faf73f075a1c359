// SPDX-License-Identifier: Apache-2.0
#include "backends/gpu/refuse.h"

static bool is_multiple(int64_t value, int64_t of)
{
    return value % of == 0;
}

/* Rows of 16-byte accesses: the inner dimension dense, each row beginning at a multiple of 16. */
static bool is_aligned(const trine_view *view, int64_t element)
{
    if ((uintptr_t)view->data % 16 || view->stride[2] != 1) return false;
    for (int d = 0; d < 2; d++)
        if (view->shape[d] > 1 && !is_multiple(view->stride[d] * element, 16)) return false;
    return true;
}

const char *trine_gpu_per_token_group_quant_vector_refuse(const trine_problem *problem,
                                                          const trine_caps *caps)
{
    (void)caps;
    const trine_per_token_group_quant_problem *p = &problem->per_token_group_quant;
    const int64_t size = p->group_size;
    if (size < 16 || size > 512 || (size & (size - 1)))
        return "group_size must be 16, 32, 64, 128, 256 or 512";
    if (p->arithmetic != TRINE_ARITHMETIC_DIVIDE) return "arithmetic must be divide";
    if (!p->default_q_max) return "q_max must be the dtype's default";
    if (p->ue8m0_floor > 0x1p120f) return "ue8m0_floor must be at most 2^120";
    /* From scales of 2^102 on, a part of the short division would be subnormal. */
    if (p->eps > 0x1p96f) return "eps must be at most 2^96";
    if (p->activation != TRINE_ACTIVATION_NONE && p->x.dtype == TRINE_F32)
        return "activations need a 16-bit x";
    if (!is_aligned(&p->x, p->x.dtype == TRINE_F32 ? 4 : 2))
        return "x needs dense rows that begin at multiples of 16 bytes";
    if (!is_aligned(&p->q, 1)) return "q needs dense rows that begin at multiples of 16 bytes";
    /* Row numbers are 32 bits wide, grid.y and grid.z end at 65535. */
    if (p->rows > INT64_C(0x7ffff000)) return "x has more than 2^31 - 4096 rows";
    if (p->columns > INT64_C(65535) * 2048) return "x has more than 65535 * 2048 columns";
    if (p->experts > 65535) return "x has more than 65535 experts";
    return NULL;
}

const char *trine_gpu_per_token_group_quant_table_refuse(const trine_problem *problem,
                                                         const trine_caps *caps)
{
    const trine_per_token_group_quant_problem *p = &problem->per_token_group_quant;
    if (p->masked_m.data) return "masked_m can't be given";
    if (p->experts > 1) return "x has more than one expert";
    /* The kernel multiplies 32 bits by 32. */
    const int64_t far = INT64_C(1) << 32;
    if (p->x.stride[1] >= far / 2 || p->q.stride[1] >= far || p->scale_row_stride >= far / 4 ||
        p->scale_column_stride >= far / 4)
        return "strides of rows and of columns of scale must be below 2^32 bytes";
    return trine_gpu_per_token_group_quant_vector_refuse(problem, caps);
}
