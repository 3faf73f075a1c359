// SPDX-License-Identifier: Apache-2.0
/* per_token_group_quant by runs of columns that stay in the first-level cache; exact. */
#include "backends/host/activate.h"
#include "backends/host/kernels.h"
#include "backends/host/quantize.h"
#include "numerics/fp_env.h"

#define RUN 1024

/* Columns [k, k + count) of a row as f32: x, or the activation's result rounded to x's dtype. */
static void load_columns(const trine_per_token_group_quant_problem *p, const char *row, int64_t k,
                         int64_t count, float *x)
{
    int64_t size = trine_element_size(p->x.dtype);
    trine_load_run(x, row + k * size, p->x.dtype, count);
    if (p->activation == TRINE_ACTIVATION_NONE) return;
    float up[RUN];
    trine_host_activation a = {p->activation, true, 0.0f, 0.0f, p->intermediate_rounding,
                               p->x.dtype};
    trine_load_run(up, row + (p->columns + k) * size, p->x.dtype, count);
    trine_activate_run(&a, x, up, count);
    trine_round_run(x, p->x.dtype, count);
}

static void store_scale(const trine_per_token_group_quant_problem *p, int64_t base, int64_t group,
                        float s)
{
    if (!p->packed) {
        ((trine_float *)p->scale.data)[base + group * p->scale_column_stride] = s;
        return;
    }
    /* Groups come in order: the first byte of a word clears the others. */
    trine_u32 *word = (trine_u32 *)p->scale.data + base + group / 4 * p->scale_column_stride;
    uint32_t byte = (uint32_t)trine_f32_to_ue8m0(s) << (8 * (group % 4));
    *word = group % 4 == 0 ? byte : *word | byte;
}

/* Groups that fit a run: as many as fit are loaded at once. */
static void quantize_short_groups(const trine_per_token_group_quant_problem *p,
                                  const trine_host_quantizer *q, const char *row, uint8_t *codes,
                                  int64_t base)
{
    float x[RUN];
    trine_host_group group[RUN / 16]; /* a group has at least 16 columns, or all */
    int64_t size = p->group_size, at_once = size < 16 ? 1 : RUN / size;
    for (int64_t first = 0; first < p->groups; first += at_once) {
        int64_t count = p->groups - first < at_once ? p->groups - first : at_once;
        load_columns(p, row, first * size, count * size, x);
        trine_scale_groups(q, x, count, size, group);
        trine_quantize_groups(q, codes + first * size, x, count, size, group);
        for (int64_t j = 0; j < count; j++) store_scale(p, base, first + j, group[j].s);
    }
}

/* A group longer than a run is loaded twice. */
static void quantize_long_group(const trine_per_token_group_quant_problem *p,
                                const trine_host_quantizer *q, const char *row, uint8_t *codes,
                                int64_t base, int64_t index)
{
    float x[RUN];
    trine_host_group group = {q->eps, 0.0f, true, true};
    int64_t begin = index * p->group_size, end = begin + p->group_size;
    for (int64_t k = begin; k < end; k += RUN) {
        int64_t count = end - k < RUN ? end - k : RUN;
        load_columns(p, row, k, count, x);
        group.amax = trine_amax_run(group.amax, x, count, &group.finite);
    }
    group.s = trine_quantizer_scale(q, group.amax);
    for (int64_t k = begin; k < end; k += RUN) {
        int64_t count = end - k < RUN ? end - k : RUN;
        load_columns(p, row, k, count, x);
        trine_quantize_groups(q, codes + k, x, 1, count, &group);
    }
    store_scale(p, base, index, group.s);
}

static void quantize_row(const trine_per_token_group_quant_problem *p,
                         const trine_host_quantizer *q, int64_t e, int64_t m)
{
    const char *row = trine_element(&p->x, e * p->x.stride[0] + m * p->x.stride[1]);
    uint8_t *codes = (uint8_t *)p->q.data + e * p->q.stride[0] + m * p->q.stride[1];
    int64_t base = e * p->scale_expert_stride + m * p->scale_row_stride;
    if (p->group_size <= RUN)
        quantize_short_groups(p, q, row, codes, base);
    else
        for (int64_t j = 0; j < p->groups; j++) quantize_long_group(p, q, row, codes, base, j);
}

static int64_t rows_of(const trine_per_token_group_quant_problem *p, int64_t e)
{
    if (p->masked_m.rank < 0) return p->rows;
    int64_t used = (int32_t)((const trine_u32 *)p->masked_m.data)[e * p->masked_m.stride[0]];
    return used < 0 ? 0 : used < p->rows ? used : p->rows;
}

/* Rows that only pad q and the column-aligned scales. */
static void zero_padding(const trine_per_token_group_quant_problem *p, int64_t e)
{
    for (int64_t m = p->rows; m < p->q_rows; m++)
        memset((uint8_t *)p->q.data + e * p->q.stride[0] + m * p->q.stride[1], 0,
               (size_t)p->columns);
    if (!p->scale_has_tail) return;
    trine_u32 *scale = (trine_u32 *)p->scale.data + e * p->scale_expert_stride;
    for (int64_t c = 0; c < p->scale_columns; c++) {
        /* The last column ends where the tensor ends. */
        int64_t tail = c == p->scale_columns - 1 ? p->scale_rows : p->aligned_rows;
        for (int64_t m = p->rows; m < tail; m++)
            scale[m * p->scale_row_stride + c * p->scale_column_stride] = 0;
    }
}

void TRINE_HOST_SYMBOL(per_token_group_quant)(const trine_per_token_group_quant_problem *p)
{
    trine_host_quantizer q = {p->q.dtype,
                              p->q_max,
                              p->eps,
                              p->ue8m0_floor,
                              p->default_q_max,
                              p->arithmetic == TRINE_ARITHMETIC_RECIPROCAL,
                              p->packed || p->format == TRINE_SCALE_UE8M0,
                              p->int_rounding};
#pragma omp parallel if (p->experts * p->rows * p->columns > 16384)
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2) nowait
        for (int64_t e = 0; e < p->experts; e++)
            for (int64_t m = 0; m < p->rows; m++)
                if (m < rows_of(p, e)) quantize_row(p, &q, e, m);
        /* The masked form writes no row past masked_m[e], so it has no padding to zero. */
        if (p->masked_m.rank < 0) {
#pragma omp for
            for (int64_t e = 0; e < p->experts; e++) zero_padding(p, e);
        }
        trine_fp_leave(env);
    }
}
