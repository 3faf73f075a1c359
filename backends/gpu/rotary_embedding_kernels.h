// SPDX-License-Identifier: Apache-2.0
// Kernels of rotary_embedding's row `tiled` by problem, for the launcher: each function stands in a
// file of its own, so that the files compile side by side.
#ifndef TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_KERNELS_H
#define TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_KERNELS_H

#include <trine/kernel.h>

// Address of the __global__ function that rotates x of one dtype, `heads` (1 or 2) a thread;
// NULL if there is none.
const void *trine_gpu_rotary_bf16(const trine_rotary_embedding_problem *problem, uint32_t heads);
const void *trine_gpu_rotary_f16(const trine_rotary_embedding_problem *problem, uint32_t heads);
const void *trine_gpu_rotary_f32(const trine_rotary_embedding_problem *problem, uint32_t heads);

#endif
