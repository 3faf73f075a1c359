// SPDX-License-Identifier: Apache-2.0
// Launchers of scaled_mm.
#include "backends/gpu/launch.h"
#include "backends/gpu/scaled_mm_generic.h"
#include "backends/gpu/scaled_mm_kernels.h"

namespace
{

const void *generic_kernel(trine_dtype dtype)
{
    return dtype == TRINE_I8
               ? reinterpret_cast<const void *>(&trine_gpu::scaled_mm_generic<int32_t>)
               : reinterpret_cast<const void *>(&trine_gpu::scaled_mm_generic<float>);
}

trine_gpu::scaled_mm_kernel_set matrix_kernels(trine_dtype dtype)
{
    if (dtype == TRINE_I8) return trine_gpu_scaled_mm_i8();
    if (dtype == TRINE_E5M2) return trine_gpu_scaled_mm_e5m2();
    return dtype == TRINE_E4M3FN ? trine_gpu_scaled_mm_e4m3fn() : trine_gpu_scaled_mm_e4m3fnuz();
}

trine_gpu::scaled_mm_kernel_set native_kernels(trine_dtype dtype)
{
    return dtype == TRINE_E5M2 ? trine_gpu_scaled_mm_native_e5m2()
                               : trine_gpu_scaled_mm_native_e4m3();
}

int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

// For a problem that trine_gpu_scaled_mm_matrix_refuse has let through.
trine_gpu::scaled_mm_params params_of(const trine_scaled_mm_problem &p)
{
    trine_gpu::scaled_mm_params params = {};
    params.a = static_cast<const uint8_t *>(p.a.data);
    params.b = static_cast<const uint8_t *>(p.b.data);
    params.a_scale = static_cast<const float *>(p.a_scale.data);
    params.b_scale = static_cast<const float *>(p.b_scale.data);
    params.m = p.m, params.n = p.n;
    params.a_row = p.a.stride[0], params.b_row = p.b.stride[0];
    params.a_scale_row = p.a_scale_row;
    // One scale for all of n is any row's.
    if (p.b_scale_rows_per < p.n) {
        params.b_scale_row = p.b_scale_row;
        while (int64_t(1) << params.b_scale_shift < p.b_scale_rows_per) params.b_scale_shift++;
    }
    params.extent = {p.k, p.block_k};
    if (p.blocks > 1) {
        params.a_scale_block = p.a_scale_block;
        params.b_scale_block = p.b_scale_block;
    } else {
        // f32 sums are no longer than they are with scales per block; i8's are exact.
        params.whole = p.a.dtype == TRINE_I8;
        params.extent.block = params.whole ? ceil_div(p.k, 128) * 128 : 128;
    }
    params.out = trine_gpu::gemm_output_of(&p.out, &p.bias, p.bias_rounding);
    const int64_t element = p.out.dtype == TRINE_F32 ? 4 : 2;
    params.wide = reinterpret_cast<uintptr_t>(p.out.data) % 16 == 0 &&
                  (p.m <= 1 || p.out.stride[0] * element % 16 == 0);
    return params;
}

// `small`: only the kernels that do with fewer registers.
trine_status run(const trine_launch *launch, const trine_gpu::scaled_mm_kernel_set &kernels,
                 bool small = false)
{
    const trine_scaled_mm_problem &p = launch->problem->scaled_mm;
    trine_gpu::scaled_mm_params params = params_of(p);
    const trine_limits &limits = launch->caps->limits;
    const trine_gpu::scaled_mm_kernel *kernel;
    trine_gpu_grid grid = {0, 1, 1, trine_gpu::gemm_threads, 0, true};
    // i8: the skinny tiles scale every 128 columns, which is once too often in longer k-blocks.
    const bool skinny = p.m <= 64 && (p.a.dtype != TRINE_I8 || p.blocks <= 1 || p.block_k == 128);
    if (skinny) {
        const bool few = p.m <= 16 || small;
        kernel = few ? &kernels.few : &kernels.some;
        grid.x = static_cast<uint64_t>(ceil_div(p.n, trine_gpu::scaled_mm_skinny_columns));
        grid.y = static_cast<uint32_t>(ceil_div(p.m, few ? 16 : 32));
    } else {
        // Large tiles where they keep every multiprocessor busy.
        const int64_t units = limits.compute_units ? limits.compute_units : 64;
        const bool large = !small && limits.max_shared_memory >= kernels.large.shared_memory &&
                           ceil_div(p.m, 128) * ceil_div(p.n, 128) >= units;
        const int64_t size = large ? 128 : 64;
        kernel = large ? &kernels.large : &kernels.small;
        grid.x = static_cast<uint64_t>(ceil_div(p.m, size));
        grid.y = static_cast<uint32_t>(ceil_div(p.n, size));
    }
    grid.shared_memory = kernel->shared_memory;
    void *args[] = {&params};
    return trine_gpu_launch(launch, kernel->function, &grid, args);
}

trine_status load(const trine_row *row, const trine_caps *caps, int32_t ordinal,
                  const trine_gpu::scaled_mm_kernel_set &kernels)
{
    for (const trine_gpu::scaled_mm_kernel &k :
         {kernels.large, kernels.small, kernels.few, kernels.some}) {
        if (k.shared_memory > caps->limits.max_shared_memory) continue;
        trine_status status = trine_gpu_load(row, ordinal, k.function, k.shared_memory);
        if (status) return status;
    }
    return TRINE_OK;
}

trine_status load_matrix(const trine_row *row, const trine_caps *caps, int32_t ordinal)
{
    for (trine_dtype dtype : {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_E5M2}) {
        trine_status status = load(row, caps, ordinal, matrix_kernels(dtype));
        if (status) return status;
    }
    return TRINE_OK;
}

} // namespace

extern "C" trine_status trine_gpu_scaled_mm_generic(const trine_launch *launch)
{
    trine_scaled_mm_problem p = launch->problem->scaled_mm;
    trine_gpu::gemm_output o = trine_gpu::gemm_output_of(&p.out, &p.bias, p.bias_rounding);
    constexpr int64_t tile = trine_gpu::scaled_mm_generic_tile;
    const int64_t y = ceil_div(p.n, tile);
    const trine_gpu_grid grid = {static_cast<uint64_t>(ceil_div(p.m, tile)),
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

extern "C" trine_status trine_gpu_scaled_mm_matrix(const trine_launch *launch)
{
    return run(launch, matrix_kernels(launch->problem->scaled_mm.a.dtype));
}

extern "C" trine_status trine_gpu_scaled_mm_matrix_prepare(const trine_row *row,
                                                           const trine_caps *caps, int32_t ordinal)
{
    return load_matrix(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_scaled_mm_matrix_i8(const trine_launch *launch)
{
    return run(launch, matrix_kernels(TRINE_I8));
}

extern "C" trine_status
trine_gpu_scaled_mm_matrix_i8_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal)
{
    return load(row, caps, ordinal, matrix_kernels(TRINE_I8));
}

extern "C" trine_status trine_gpu_scaled_mm_native(const trine_launch *launch)
{
    return run(launch, native_kernels(launch->problem->scaled_mm.a.dtype));
}

extern "C" trine_status trine_gpu_scaled_mm_native_prepare(const trine_row *row,
                                                           const trine_caps *caps, int32_t ordinal)
{
    trine_status status = load(row, caps, ordinal, native_kernels(TRINE_E4M3FN));
    return status ? status : load(row, caps, ordinal, native_kernels(TRINE_E5M2));
}

#if defined(__HIP__)

// The unit's e4m3 is the FNUZ form where this row is for.
extern "C" trine_status trine_gpu_scaled_mm_native_fnuz(const trine_launch *launch)
{
    return run(launch, native_kernels(TRINE_E4M3FNUZ));
}

extern "C" trine_status trine_gpu_scaled_mm_native_fnuz_prepare(const trine_row *row,
                                                                const trine_caps *caps,
                                                                int32_t ordinal)
{
    return load(row, caps, ordinal, native_kernels(TRINE_E4M3FNUZ));
}

// The kernels of `matrix`, compiled for targets without a matrix unit.
extern "C" trine_status trine_gpu_scaled_mm_dot(const trine_launch *launch)
{
    return run(launch, matrix_kernels(launch->problem->scaled_mm.a.dtype), true);
}

extern "C" trine_status trine_gpu_scaled_mm_dot_prepare(const trine_row *row,
                                                        const trine_caps *caps, int32_t ordinal)
{
    return load_matrix(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_scaled_mm_dot_i8(const trine_launch *launch)
{
    return run(launch, matrix_kernels(TRINE_I8), true);
}

extern "C" trine_status trine_gpu_scaled_mm_dot_i8_prepare(const trine_row *row,
                                                           const trine_caps *caps, int32_t ordinal)
{
    return load(row, caps, ordinal, matrix_kernels(TRINE_I8));
}

#endif
