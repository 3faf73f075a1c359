// SPDX-License-Identifier: Apache-2.0
// Launchers of fused_moe's rows on matrix units.
#include "backends/gpu/fused_moe.h"
#include "backends/gpu/fused_moe_matrix_kernels.h"

namespace trine_gpu
{

static bool is_fp8(trine_dtype dtype)
{
    return dtype == TRINE_E4M3FN || dtype == TRINE_E4M3FNUZ;
}

// Whether the unit itself reads w's 8-bit floats and k-blocks are whole steps of its tiles.
static bool is_native_fp8([[maybe_unused]] const trine_fused_moe_problem &p,
                          [[maybe_unused]] const trine_caps *caps)
{
#if defined(__HIP__)
    const trine_feature feature =
        p.w1.dtype == TRINE_E4M3FNUZ ? TRINE_FEATURE_FP8_FNUZ_MATRIX : TRINE_FEATURE_FP8_OCP_MATRIX;
    const bool whole = !moe_per_block(p) || p.block_k % 128 == 0 ||
                       (p.hidden <= p.block_k && p.intermediate <= p.block_k);
    return is_fp8(p.w1.dtype) && whole && caps->usable[feature] == TRINE_NATIVE;
#else
    return false;
#endif
}

static moe_matrix_kernels kernels_of(const trine_fused_moe_problem &p, const trine_caps *caps,
                                     moe_decode decode)
{
    if (is_native_fp8(p, caps)) return trine_gpu_moe_matrix_native_fp8();
    if (is_fp8(p.w1.dtype)) return trine_gpu_moe_matrix_fp8(p.w1.dtype);
    if (moe_quantizes(p)) return trine_gpu_moe_matrix_i8();
    return p.x.dtype == TRINE_BF16 ? trine_gpu_moe_matrix_bf16(decode)
                                   : trine_gpu_moe_matrix_f16(decode);
}

static int64_t size_of(trine_dtype dtype)
{
    if (dtype == TRINE_F32) return 4;
    return dtype == TRINE_BF16 || dtype == TRINE_F16 ? 2 : 1;
}

// log2 of a power of two.
static uint32_t shift_of(int64_t power)
{
    uint32_t shift = 0;
    while (shift < 62 && (INT64_C(1) << shift) < power) shift++;
    return shift;
}

static bool is_wide(const moe_output &o)
{
    const int64_t size = size_of(o.dtype);
    return o.column == 1 && reinterpret_cast<uintptr_t>(o.data) % 16 == 0 &&
           o.token * size % 16 == 0 && o.rank * size % 16 == 0;
}

// Whether the first product's results go through the activation on their way out.
static bool activates_at_once(const trine_fused_moe_problem &p)
{
    return !moe_quantizes(p);
}

// For a problem that trine_gpu_fused_moe_matrix_refuse has let through.
static trine_status matrix_product(const trine_launch *launch, const moe_routes &routes,
                                   const moe_gemm &gemm, const moe_output &output)
{
    const trine_fused_moe_problem &problem = launch->problem->fused_moe;
    moe_matrix_params p = {};
    p.r = routes, p.g = gemm, p.o = output;
    p.a_row = gemm.a_row * size_of(gemm.a_dtype);
    p.w_expert = gemm.w_expert * size_of(gemm.w_dtype);
    p.w_row = gemm.w_row * size_of(gemm.w_dtype);
    p.block_shift = shift_of(routes.block_size);
    p.scale_shift = shift_of(gemm.scale_rows_per);
    // A group as long as all of k is the only one.
    p.group_shift = gemm.decode == MOE_CHANNEL ? 62 : shift_of(gemm.segment);
    // One k-block, or those that have scales of their own.
    const bool blocks = gemm.scaled && gemm.segment < gemm.k;
    p.extent = {gemm.k, blocks ? gemm.segment : (gemm.k + 127) / 128 * 128};
    p.wide = is_wide(output);
    if (!gemm.second && activates_at_once(problem)) {
        p.q = moe_quantizer_of(launch, true);
        p.activates = true;
        p.pairs = problem.gated;
    }
    const moe_matrix_kernels kernels = kernels_of(problem, launch->caps, gemm.decode);
    const bool tall = routes.block_size >= 64;
    const uint32_t rows = tall ? 64 : 16;
    const trine_gpu_grid grid = {
        static_cast<uint64_t>(moe_capacity(problem) / rows),
        static_cast<uint32_t>((gemm.n + moe_matrix_columns - 1) / moe_matrix_columns),
        1,
        gemm_threads,
        gemm_shared_bytes(rows, moe_matrix_columns),
        false};
    const void *kernel = tall ? kernels.many : kernels.few;
    void *args[] = {&p};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

static trine_status load(const trine_row *row, int32_t ordinal, const moe_matrix_kernels &kernels)
{
    if (!kernels.few) return TRINE_OK;
    trine_status status =
        trine_gpu_load(row, ordinal, kernels.few, gemm_shared_bytes(16, moe_matrix_columns));
    return status ? status
                  : trine_gpu_load(row, ordinal, kernels.many,
                                   gemm_shared_bytes(64, moe_matrix_columns));
}

static trine_status matrix_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal)
{
    trine_status status = moe_prepare(row, caps, ordinal, true);
    for (moe_decode decode : {MOE_VALUE, MOE_GROUP_8, MOE_GROUP_4}) {
        if (!status) status = load(row, ordinal, trine_gpu_moe_matrix_bf16(decode));
        if (!status) status = load(row, ordinal, trine_gpu_moe_matrix_f16(decode));
    }
    if (!status) status = load(row, ordinal, trine_gpu_moe_matrix_fp8(TRINE_E4M3FN));
    if (!status) status = load(row, ordinal, trine_gpu_moe_matrix_fp8(TRINE_E4M3FNUZ));
    return status ? status : load(row, ordinal, trine_gpu_moe_matrix_native_fp8());
}

static trine_status matrix_i8_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal)
{
    trine_status status = moe_prepare(row, caps, ordinal, true);
    return status ? status : load(row, ordinal, trine_gpu_moe_matrix_i8());
}

static trine_status matrix_run(const trine_launch *launch, moe_sink sink)
{
    moe_steps steps = {};
    steps.product = matrix_product;
    steps.vector = true;
    steps.activates = activates_at_once(launch->problem->fused_moe);
    return moe_run(launch, steps, sink);
}

} // namespace trine_gpu

extern "C" trine_status trine_gpu_fused_moe_matrix(const trine_launch *launch)
{
    return trine_gpu::matrix_run(launch, trine_gpu::MOE_TO_SUMMANDS);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_atomic(const trine_launch *launch)
{
    return trine_gpu::matrix_run(launch, trine_gpu::MOE_ADD_TO_OUT);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_atomic_f32(const trine_launch *launch)
{
    return trine_gpu::matrix_run(launch, trine_gpu::MOE_ADD_TO_SUMS);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_i8(const trine_launch *launch)
{
    return trine_gpu::matrix_run(launch, trine_gpu::MOE_TO_SUMMANDS);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_i8_atomic(const trine_launch *launch)
{
    return trine_gpu::matrix_run(launch, trine_gpu::MOE_ADD_TO_OUT);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_i8_atomic_f32(const trine_launch *launch)
{
    return trine_gpu::matrix_run(launch, trine_gpu::MOE_ADD_TO_SUMS);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_prepare(const trine_row *row,
                                                           const trine_caps *caps, int32_t ordinal)
{
    return trine_gpu::matrix_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_atomic_prepare(const trine_row *row,
                                                                  const trine_caps *caps,
                                                                  int32_t ordinal)
{
    return trine_gpu::matrix_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_atomic_f32_prepare(const trine_row *row,
                                                                      const trine_caps *caps,
                                                                      int32_t ordinal)
{
    return trine_gpu::matrix_prepare(row, caps, ordinal);
}

extern "C" trine_status
trine_gpu_fused_moe_matrix_i8_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal)
{
    return trine_gpu::matrix_i8_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_i8_atomic_prepare(const trine_row *row,
                                                                     const trine_caps *caps,
                                                                     int32_t ordinal)
{
    return trine_gpu::matrix_i8_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_fused_moe_matrix_i8_atomic_f32_prepare(const trine_row *row,
                                                                         const trine_caps *caps,
                                                                         int32_t ordinal)
{
    return trine_gpu::matrix_i8_prepare(row, caps, ordinal);
}
