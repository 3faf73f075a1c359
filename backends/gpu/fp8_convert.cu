// SPDX-License-Identifier: Apache-2.0
// Launchers of fp8_convert.
#include "backends/gpu/fp8_convert.h"
#include "backends/gpu/fp8_convert_generic.h"
#include "backends/gpu/launch.h"

extern "C" trine_status trine_gpu_fp8_convert_vector(const trine_launch *launch)
{
    const trine_fp8_convert_problem *problem = &launch->problem->fp8_convert;
    trine_gpu::fp8_convert_params params;
    const trine_gpu_grid grid = trine_gpu::fp8_convert_plan(problem, &params);
    void *args[] = {&params};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::fp8_convert_vector),
                            &grid, args);
}

extern "C" trine_status trine_gpu_fp8_convert_vector_prepare(const trine_row *row,
                                                             const trine_caps *, int32_t ordinal)
{
    return trine_gpu_load(row, ordinal,
                          reinterpret_cast<const void *>(&trine_gpu::fp8_convert_vector), 0);
}

extern "C" trine_status trine_gpu_fp8_convert_generic(const trine_launch *launch)
{
    const trine_fp8_convert_problem *problem = &launch->problem->fp8_convert;
    trine_gpu::fp8_convert_generic_params params = {
        problem->w.data,
        problem->scale.data,
        problem->out.data,
        problem->out_scale.data,
        trine_gpu::element_walk_of(&problem->w, &problem->out, problem->elements),
        trine_gpu::element_walk_of(&problem->scale, &problem->out_scale, problem->scale_elements),
        problem->scale.dtype == TRINE_U8};
    const uint32_t threads = trine_gpu::fp8_convert_generic_threads;
    const uint64_t elements = static_cast<uint64_t>(problem->elements + problem->scale_elements);
    const trine_gpu_grid grid = {(elements + threads - 1) / threads, 1, 1, threads, 0, false};
    void *args[] = {&params};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::fp8_convert_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_fp8_convert_generic_prepare(const trine_row *row,
                                                              const trine_caps *, int32_t ordinal)
{
    return trine_gpu_load(row, ordinal,
                          reinterpret_cast<const void *>(&trine_gpu::fp8_convert_generic), 0);
}
