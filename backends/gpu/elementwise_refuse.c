// SPDX-License-Identifier: Apache-2.0
/* What the rows `vector` of act_and_mul, moe_sum, dequantize and fp8_convert ask for. */
#include "backends/gpu/fp8_convert_layout.h"
#include "backends/gpu/refuse.h"

/* Row numbers are 32 bits wide; grid.y ends at 65535 blocks, which are 8 chunks of 16 bytes wide or
 * wider. */
#define MAX_ROWS   INT64_C(0x7fff0000)
#define MAX_CHUNKS (INT64_C(65535) * 8)

static bool is_aligned(const void *data)
{
    return (uintptr_t)data % 16 == 0;
}

/* Is the last dimension dense, and does each of its runs begin at a multiple of 16 bytes? */
static bool has_aligned_runs(const trine_view *view, int64_t element)
{
    const int last = view->rank - 1;
    if (!is_aligned(view->data) || (view->shape[last] > 1 && view->stride[last] != 1)) return false;
    for (int d = 0; d < last; d++)
        if (view->shape[d] > 1 && view->stride[d] * element % 16) return false;
    return true;
}

static int64_t real_size(const trine_view *view)
{
    return view->dtype == TRINE_F32 ? 4 : 2;
}

const char *trine_gpu_act_and_mul_vector_refuse(const trine_problem *problem,
                                                const trine_caps *caps)
{
    (void)caps;
    const trine_act_and_mul_problem *p = &problem->act_and_mul;
    const int64_t element = real_size(&p->x);
    if (p->columns * element % 16) return "I must be a multiple of 16 bytes";
    if (!has_aligned_runs(&p->x, element))
        return "x needs dense rows that begin at multiples of 16 bytes";
    if (!has_aligned_runs(&p->out, element))
        return "out needs dense rows that begin at multiples of 16 bytes";
    if (p->rows > MAX_ROWS) return "x has more than 2^31 - 65536 rows";
    if (p->columns * element / 16 > MAX_CHUNKS)
        return "out has rows of more than 65535 * 128 bytes";
    return NULL;
}

const char *trine_gpu_moe_sum_vector_refuse(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    const trine_moe_sum_problem *p = &problem->moe_sum;
    const int64_t element = real_size(&p->y);
    if (p->columns * element % 16) return "H must be a multiple of 16 bytes";
    if (!has_aligned_runs(&p->y, element))
        return "y needs dense rows that begin at multiples of 16 bytes";
    if (!has_aligned_runs(&p->out, element))
        return "out needs dense rows that begin at multiples of 16 bytes";
    if (p->tokens > MAX_ROWS) return "y has more than 2^31 - 65536 tokens";
    if (p->columns * element / 16 > MAX_CHUNKS)
        return "out has rows of more than 65535 * 128 bytes";
    return NULL;
}

const char *trine_gpu_dequantize_vector_refuse(const trine_problem *problem, const trine_caps *caps)
{
    (void)caps;
    const trine_dequantize_problem *p = &problem->dequantize;
    if (p->columns % 16) return "K must be a multiple of 16";
    /* Bytes of one packed word differ whatever its stride is. */
    if (p->group_size % 16 && p->groups > 1 && (p->packed || p->scale_column_stride != 0))
        return "group_size must be a multiple of 16 where a row has more than one scale";
    if (!has_aligned_runs(&p->q, 1))
        return "q needs dense rows that begin at multiples of 16 bytes";
    if (!has_aligned_runs(&p->out, real_size(&p->out)))
        return "out needs dense rows that begin at multiples of 16 bytes";
    if (p->rows > MAX_ROWS) return "q has more than 2^31 - 65536 rows";
    if (p->columns / 16 > MAX_CHUNKS) return "q has rows of more than 65535 * 128 bytes";
    return NULL;
}

const char *trine_gpu_fp8_convert_vector_refuse(const trine_problem *problem,
                                                const trine_caps *caps)
{
    (void)caps;
    const trine_fp8_convert_problem *p = &problem->fp8_convert;
    trine_gpu_runs w, scale;
    if (!trine_gpu_runs_of(&p->w, &p->out, &w))
        return "w and out must be dense, or rows of dense elements in the same order";
    if (!is_aligned(p->w.data) || !is_aligned(p->out.data) || w.from_pitch % 16 || w.to_pitch % 16)
        return "w and out need rows that begin at multiples of 16 bytes";
    if (w.rows > 1 && (w.rows > MAX_ROWS || w.columns / 16 > MAX_CHUNKS))
        return "w has more than 2^31 - 65536 rows or rows of more than 65535 * 128 bytes";
    if (p->elements > INT64_C(1) << 42) return "w has more than 2^42 elements";
    if (!trine_gpu_runs_of(&p->scale, &p->out_scale, &scale) || scale.rows > 1)
        return "scale and out_scale must be dense, with elements in the same order";
    return NULL;
}
