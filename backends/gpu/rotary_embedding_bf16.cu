// SPDX-License-Identifier: Apache-2.0
// rotary_embedding of bf16.
#include "backends/gpu/rotary_embedding_kernels.h"
#include "backends/gpu/rotary_embedding_tiled.h"

const void *trine_gpu_rotary_bf16(const trine_rotary_embedding_problem *problem, uint32_t heads)
{
    return trine_gpu::rotary_tiled_of<trine_gpu::bf16>(problem, heads);
}
