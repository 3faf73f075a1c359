// SPDX-License-Identifier: Apache-2.0
// Launchers of scaled_mm.
#include "backends/gpu/launch.h"
#include "backends/gpu/scaled_mm_generic.h"

namespace
{

const void *generic_kernel(trine_dtype dtype)
{
    return dtype == TRINE_I8
               ? reinterpret_cast<const void *>(&trine_gpu::scaled_mm_generic<int32_t>)
               : reinterpret_cast<const void *>(&trine_gpu::scaled_mm_generic<float>);
}

} // namespace

extern "C" trine_status trine_gpu_scaled_mm_generic(const trine_launch *launch)
{
    trine_scaled_mm_problem p = launch->problem->scaled_mm;
    trine_gpu::gemm_output o = trine_gpu::gemm_output_of(&p.out, &p.bias, p.bias_rounding);
    constexpr int64_t tile = trine_gpu::scaled_mm_generic_tile;
    const int64_t y = (p.n + tile - 1) / tile;
    const trine_gpu_grid grid = {static_cast<uint64_t>((p.m + tile - 1) / tile),
                                 static_cast<uint32_t>(y < 65535 ? y : 65535),
                                 1,
                                 trine_gpu::scaled_mm_generic_threads,
                                 0,
                                 false};
    void *args[] = {&p, &o};
    return trine_gpu_launch(launch, generic_kernel(p.a.dtype), &grid, args);
}

extern "C" trine_status trine_gpu_scaled_mm_generic_prepare(const trine_row *row,
                                                            const trine_caps *, int32_t ordinal)
{
    for (trine_dtype dtype : {TRINE_E4M3FN, TRINE_I8}) {
        trine_status status = trine_gpu_load(row, ordinal, generic_kernel(dtype), 0);
        if (status) return status;
    }
    return TRINE_OK;
}
