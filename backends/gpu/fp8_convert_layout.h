// SPDX-License-Identifier: Apache-2.0
/* Tensors of any rank as rows of dense elements; C11 and C++, for the core and for the modules. */
#ifndef TRINE_BACKENDS_GPU_FP8_CONVERT_LAYOUT_H
#define TRINE_BACKENDS_GPU_FP8_CONVERT_LAYOUT_H

#include <trine/kernel.h>

/* Two tensors of one shape as the same rows of elements without gaps; pitches are in elements. */
typedef struct trine_gpu_runs {
    int64_t rows, columns;
    int64_t from_pitch, to_pitch; /* 0 with one row */
} trine_gpu_runs;

/* False when they have no such form. */
static inline bool trine_gpu_runs_of(const trine_view *from, const trine_view *to,
                                     trine_gpu_runs *runs)
{
    int order[TRINE_MAX_DIMS], count = 0; /* dimensions by stride, the innermost first */
    runs->rows = runs->columns = 1;
    runs->from_pitch = runs->to_pitch = 0;
    for (int d = 0; d < to->rank; d++) {
        if (to->shape[d] == 0) runs->rows = 0;
        if (to->shape[d] <= 1) continue;
        int at = count++;
        for (; at > 0 && to->stride[order[at - 1]] > to->stride[d]; at--) order[at] = order[at - 1];
        order[at] = d;
    }
    if (runs->rows == 0) {
        runs->columns = 0;
        return true;
    }
    for (int i = 0; i < count; i++) {
        const int64_t size = to->shape[order[i]];
        const int64_t from_stride = from->stride[order[i]], to_stride = to->stride[order[i]];
        if (runs->rows == 1 && from_stride == runs->columns && to_stride == runs->columns) {
            runs->columns *= size;
        } else if (runs->rows == 1) {
            if (i == 0) return false; /* not dense */
            runs->rows = size;
            runs->from_pitch = from_stride;
            runs->to_pitch = to_stride;
        } else {
            if (from_stride != runs->rows * runs->from_pitch ||
                to_stride != runs->rows * runs->to_pitch)
                return false;
            runs->rows *= size;
        }
    }
    return true;
}

#endif
