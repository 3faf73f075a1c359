// SPDX-License-Identifier: Apache-2.0
// rotary_embedding of f32.
#include "backends/gpu/rotary_embedding_kernels.h"
#include "backends/gpu/rotary_embedding_tiled.h"

const void *trine_gpu_rotary_f32(const trine_rotary_embedding_problem *problem, uint32_t heads)
{
    return trine_gpu::rotary_tiled_of<trine_gpu::f32>(problem, heads);
}
