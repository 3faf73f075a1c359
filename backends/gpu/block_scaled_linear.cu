// SPDX-License-Identifier: Apache-2.0
// Launchers of block_scaled_linear: x is quantized into the workspace by one kernel, and multiplied
// by another, the one of a row of scaled_mm.
#include "backends/gpu/block_scaled_linear_quantize.h"
#include "backends/gpu/launch.h"
#include "numerics/fp8.h"
#include "ops/block_scaled_linear.h"
#include "ops/per_token_group_quant.h"

extern "C" trine_status trine_gpu_per_token_group_quant_vector(const trine_launch *launch);
extern "C" trine_status trine_gpu_per_token_group_quant_vector_prepare(const trine_row *row,
                                                                       const trine_caps *caps,
                                                                       int32_t ordinal);
#define TRINE_MULTIPLIER(row)                                                                      \
    extern "C" trine_status trine_gpu_scaled_mm_##row(const trine_launch *launch);                 \
    extern "C" trine_status trine_gpu_scaled_mm_##row##_prepare(                                   \
        const trine_row *row_of, const trine_caps *caps, int32_t ordinal);
TRINE_MULTIPLIER(generic)
TRINE_MULTIPLIER(matrix)
TRINE_MULTIPLIER(native)
TRINE_MULTIPLIER(native_fnuz)
TRINE_MULTIPLIER(dot)
#undef TRINE_MULTIPLIER

namespace
{

typedef trine_block_scaled_linear_problem linear_problem;

constexpr float eps = 1e-10f; // per_token_group_quant's default

float q_max(trine_dtype dtype)
{
    return dtype == TRINE_E4M3FN ? TRINE_E4M3FN_MAX : 224.0f;
}

// Does per_token_group_quant's row `vector` take it?
bool is_vector(const linear_problem *p)
{
#if !defined(__HIP__)
    if (p->w.dtype != TRINE_E4M3FN) return false;
#endif
    if (p->k % TRINE_BLOCK_SCALED_LINEAR_BLOCK != 0) return false;
    if (p->aligned_m > INT64_C(0x7ffff000) || p->k > INT64_C(65535) * 2048) return false;
    const bool aligned =
        reinterpret_cast<uintptr_t>(p->x.data) % 16 == 0 && (p->m <= 1 || p->x.stride[0] % 8 == 0);
    return aligned && p->x.stride[1] == 1;
}

trine_status quantize_vector(const trine_launch *launch)
{
    const linear_problem *p = &launch->problem->block_scaled_linear;
    const trine_scaled_mm_problem mm = trine_block_scaled_linear_product(p, launch->workspace);
    trine_problem problem = {};
    trine_per_token_group_quant_problem *q = &problem.per_token_group_quant;
    q->x = {p->x.data, p->x.dtype, 3, {1, p->m, p->k}, {0, p->x.stride[0], 1}};
    q->q = {mm.a.data, mm.a.dtype, 3, {1, p->aligned_m, p->k}, {0, p->k, 1}};
    q->scale = mm.a_scale;
    q->experts = 1, q->rows = p->m, q->columns = p->k;
    q->groups = p->blocks, q->group_size = TRINE_BLOCK_SCALED_LINEAR_BLOCK;
    q->q_rows = q->aligned_rows = q->scale_rows = p->aligned_m;
    q->scale_columns = p->blocks;
    q->scale_row_stride = 1, q->scale_column_stride = p->aligned_m;
    q->scale_has_tail = true;
    q->layout = TRINE_SCALE_COLUMN_ALIGNED;
    q->format = TRINE_SCALE_F32;
    q->arithmetic = TRINE_ARITHMETIC_DIVIDE;
    q->eps = eps, q->q_max = q_max(mm.a.dtype), q->default_q_max = true;
    q->int_rounding = TRINE_INT_NEAREST;
    q->activation = TRINE_ACTIVATION_NONE;
    q->intermediate_rounding = TRINE_ROUND_ONCE;
    trine_launch sub = *launch;
    sub.problem = &problem;
    return trine_gpu_per_token_group_quant_vector(&sub);
}

trine_status quantize(const trine_launch *launch)
{
    const linear_problem *p = &launch->problem->block_scaled_linear;
    if (is_vector(p)) return quantize_vector(launch);
    const trine_scaled_mm_problem mm = trine_block_scaled_linear_product(p, launch->workspace);
    trine_gpu::row_quantize_params params = {p->x.data,
                                             static_cast<uint8_t *>(mm.a.data),
                                             static_cast<float *>(mm.a_scale.data),
                                             p->x.stride[0],
                                             p->x.stride[1],
                                             p->m,
                                             p->aligned_m,
                                             p->k,
                                             p->blocks,
                                             p->x.dtype,
                                             p->w.dtype,
                                             eps,
                                             q_max(p->w.dtype)};
    constexpr uint32_t threads = trine_gpu::row_quantize_threads, teams = threads / 32;
    const trine_gpu_grid grid = {static_cast<uint64_t>((p->aligned_m + teams - 1) / teams),
                                 static_cast<uint32_t>(p->blocks < 65535 ? p->blocks : 65535),
                                 1,
                                 threads,
                                 0,
                                 false};
    void *args[] = {&params};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::row_quantize), &grid,
                            args);
}

trine_status quantize_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal)
{
    trine_status status = trine_gpu_per_token_group_quant_vector_prepare(row, caps, ordinal);
    if (status) return status;
    return trine_gpu_load(row, ordinal, reinterpret_cast<const void *>(&trine_gpu::row_quantize),
                          0);
}

trine_status run(const trine_launch *launch, trine_launch_fn multiply)
{
    trine_status status = quantize(launch);
    if (status) return status;
    trine_problem problem;
    problem.scaled_mm =
        trine_block_scaled_linear_product(&launch->problem->block_scaled_linear, launch->workspace);
    trine_launch sub = *launch;
    sub.problem = &problem;
    return multiply(&sub);
}

} // namespace

extern "C" trine_status trine_gpu_block_scaled_linear_generic(const trine_launch *launch)
{
    return run(launch, trine_gpu_scaled_mm_generic);
}

extern "C" trine_status trine_gpu_block_scaled_linear_generic_prepare(const trine_row *row,
                                                                      const trine_caps *caps,
                                                                      int32_t ordinal)
{
    trine_status status = quantize_prepare(row, caps, ordinal);
    return status ? status : trine_gpu_scaled_mm_generic_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_block_scaled_linear_matrix(const trine_launch *launch)
{
    return run(launch, trine_gpu_scaled_mm_matrix);
}

extern "C" trine_status trine_gpu_block_scaled_linear_matrix_prepare(const trine_row *row,
                                                                     const trine_caps *caps,
                                                                     int32_t ordinal)
{
    trine_status status = quantize_prepare(row, caps, ordinal);
    return status ? status : trine_gpu_scaled_mm_matrix_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_block_scaled_linear_native(const trine_launch *launch)
{
    return run(launch, trine_gpu_scaled_mm_native);
}

extern "C" trine_status trine_gpu_block_scaled_linear_native_prepare(const trine_row *row,
                                                                     const trine_caps *caps,
                                                                     int32_t ordinal)
{
    trine_status status = quantize_prepare(row, caps, ordinal);
    return status ? status : trine_gpu_scaled_mm_native_prepare(row, caps, ordinal);
}

#if defined(__HIP__)

extern "C" trine_status trine_gpu_block_scaled_linear_native_fnuz(const trine_launch *launch)
{
    return run(launch, trine_gpu_scaled_mm_native_fnuz);
}

extern "C" trine_status trine_gpu_block_scaled_linear_native_fnuz_prepare(const trine_row *row,
                                                                          const trine_caps *caps,
                                                                          int32_t ordinal)
{
    trine_status status = quantize_prepare(row, caps, ordinal);
    return status ? status : trine_gpu_scaled_mm_native_fnuz_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_block_scaled_linear_dot(const trine_launch *launch)
{
    return run(launch, trine_gpu_scaled_mm_dot);
}

extern "C" trine_status trine_gpu_block_scaled_linear_dot_prepare(const trine_row *row,
                                                                  const trine_caps *caps,
                                                                  int32_t ordinal)
{
    trine_status status = quantize_prepare(row, caps, ordinal);
    return status ? status : trine_gpu_scaled_mm_dot_prepare(row, caps, ordinal);
}

#endif
