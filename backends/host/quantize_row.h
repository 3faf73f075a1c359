// SPDX-License-Identifier: Apache-2.0
/* Quantization of a whole row with per_token_group_quant's defaults; the last group may be short.
 */
#ifndef TRINE_BACKENDS_HOST_QUANTIZE_ROW_H
#define TRINE_BACKENDS_HOST_QUANTIZE_ROW_H

#include "backends/host/quantize.h"

#define TRINE_ROW_RUN 1024

/* One group of any length: its amax, unless group->own is false and its scale is given. */
TRINE_UNUSED static void trine_quantize_row_group(const trine_host_quantizer *q, const char *x,
                                                  trine_dtype dtype, int64_t count, uint8_t *codes,
                                                  trine_host_group *group)
{
    float run[TRINE_ROW_RUN];
    int64_t size = trine_element_size(dtype);
    int64_t loaded = 0; /* how much of the group's only run is in `run` */
    group->finite = true;
    if (group->own) {
        group->amax = q->eps;
        for (int64_t k = 0; k < count; k += TRINE_ROW_RUN) {
            loaded = count - k < TRINE_ROW_RUN ? count - k : TRINE_ROW_RUN;
            trine_load_run(run, x + k * size, dtype, loaded);
            group->amax = trine_amax_run(group->amax, run, loaded, &group->finite);
        }
        group->s = trine_quantizer_scale(q, group->amax);
    }
    for (int64_t k = 0; k < count; k += TRINE_ROW_RUN) {
        int64_t step = count - k < TRINE_ROW_RUN ? count - k : TRINE_ROW_RUN;
        if (loaded != count) trine_load_run(run, x + k * size, dtype, step);
        trine_quantize_groups(q, codes + k, run, 1, step, group);
    }
}

/* Row x of k columns, a scale for each group_length of them; scale s of group j at
 * scales[j * scale_step]. */
TRINE_UNUSED static void trine_quantize_row(const trine_host_quantizer *q, const char *x,
                                            trine_dtype dtype, int64_t k, int64_t group_length,
                                            uint8_t *codes, trine_float *scales, int64_t scale_step)
{
    int64_t size = trine_element_size(dtype);
    for (int64_t begin = 0; begin < k; begin += group_length) {
        trine_host_group group = {0.0f, 0.0f, true, true};
        int64_t count = k - begin < group_length ? k - begin : group_length;
        trine_quantize_row_group(q, x + begin * size, dtype, count, codes + begin, &group);
        scales[begin / group_length * scale_step] = group.s;
    }
}

#endif
