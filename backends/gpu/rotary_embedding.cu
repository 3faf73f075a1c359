// SPDX-License-Identifier: Apache-2.0
// Launchers of rotary_embedding.
#include "backends/gpu/launch.h"
#include "backends/gpu/rotary_embedding_generic.h"

extern "C" trine_status trine_gpu_rotary_embedding_generic(const trine_launch *launch)
{
    trine_rotary_embedding_problem problem = launch->problem->rotary_embedding;
    constexpr int64_t rows = trine_gpu::rotary_generic_threads / trine_gpu::rotary_generic_lanes;
    const int64_t most = 65535;
    const trine_gpu_grid grid = {static_cast<uint64_t>((problem.tokens + rows - 1) / rows),
                                 static_cast<uint32_t>(problem.heads < most ? problem.heads : most),
                                 static_cast<uint32_t>(problem.batch < most ? problem.batch : most),
                                 trine_gpu::rotary_generic_threads,
                                 0,
                                 false};
    void *args[] = {&problem};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::rotary_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_rotary_embedding_generic_prepare(const trine_row *row,
                                                                   const trine_caps *,
                                                                   int32_t ordinal)
{
    return trine_gpu_load(row, ordinal, reinterpret_cast<const void *>(&trine_gpu::rotary_generic),
                          0);
}
