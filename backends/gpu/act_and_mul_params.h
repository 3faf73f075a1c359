// SPDX-License-Identifier: Apache-2.0
// What the kernels of act_and_mul's row `vector` get, and how a problem becomes it.
#ifndef TRINE_BACKENDS_GPU_ACT_AND_MUL_PARAMS_H
#define TRINE_BACKENDS_GPU_ACT_AND_MUL_PARAMS_H

#include "backends/gpu/row_tiles.h"
#include <math.h>
#include <trine/kernel.h>

namespace trine_gpu
{

constexpr uint32_t act_and_mul_block_shift = 7;
constexpr uint32_t act_and_mul_rows = 2; // of a thread

// Threads of a multiprocessor: 48 registers each, and 56 where those don't do.
template <class X, trine_activation Activation>
constexpr uint32_t act_and_mul_resident = Activation == TRINE_ACTIVATION_GELU_ERF ||
                                                  (X::infinity == 0x7c00u &&
                                                   Activation != TRINE_ACTIVATION_SILU &&
                                                   Activation != TRINE_ACTIVATION_RELU2)
                                              ? 1152
                                              : 1280;

struct act_and_mul_params {
    const void *x;
    void *out;
    int64_t x_row, out_row; // bytes
    int64_t up_offset;      // bytes from a chunk of gates to its ups, halves
    row_tiles tiles;        // rows in sets of act_and_mul_rows, chunks of 16 bytes of out
    float alpha;
    float limit; // infinite: none
    bool special, each;
};

// For a problem that trine_gpu_act_and_mul_vector_refuse has let through.
static inline trine_gpu_grid act_and_mul_plan(const trine_act_and_mul_problem *problem,
                                              act_and_mul_params *p)
{
    const int64_t element = problem->x.dtype == TRINE_F32 ? 4 : 2;
    p->x = problem->x.data;
    p->out = problem->out.data;
    p->x_row = problem->x.stride[0] * element;
    p->out_row = problem->out.stride[0] * element;
    p->up_offset = problem->columns * element;
    p->alpha = problem->alpha;
    p->limit = problem->limit > 0.0f ? problem->limit : INFINITY;
    p->each = problem->gated && problem->intermediate_rounding == TRINE_ROUND_EACH;
    p->special = p->each || problem->limit > 0.0f;
    const trine_gpu_grid grid =
        row_tiles_make(&p->tiles, (problem->rows + act_and_mul_rows - 1) / act_and_mul_rows,
                       problem->columns * element / 16, act_and_mul_block_shift);
    p->tiles.rows = problem->rows;
    return grid;
}

} // namespace trine_gpu

#endif
