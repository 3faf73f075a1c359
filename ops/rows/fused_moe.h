// SPDX-License-Identifier: Apache-2.0
/* Kernels of fused_moe, best first; the format is in ops/rows.h. */
ROW(CUDA, FUSED_MOE, fused_moe, matrix_i8_atomic, .doc = "as matrix_i8, adding contributions onto out in its dtype",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_AUTO | 1u << TRINE_COMBINE_ATOMIC},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_INT, .combine = TRINE_COMBINE_CLASS_ATOMIC,
    .refuse = trine_gpu_fused_moe_matrix_i8_atomic_refuse)
ROW(CUDA, FUSED_MOE, fused_moe, matrix_i8_atomic_f32, .doc = "as matrix_i8, adding contributions in f32 in the workspace",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_ATOMIC_F32},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_INT, .combine = TRINE_COMBINE_CLASS_F32,
    .refuse = trine_gpu_fused_moe_matrix_i8_refuse)
ROW(CUDA, FUSED_MOE, fused_moe, matrix_i8, .doc = "i8 by i8 on matrix units, whose sums are exact; a sum by rank",
    .params = {[TRINE_FUSED_MOE_COMBINE] = ~(1u << TRINE_COMBINE_ATOMIC_F32)},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_INT,
    .combine = TRINE_COMBINE_CLASS_ROUNDED, .refuse = trine_gpu_fused_moe_matrix_i8_refuse)
ROW(CUDA, FUSED_MOE, fused_moe, matrix_atomic, .doc = "as matrix, adding contributions onto out in its dtype",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_AUTO | 1u << TRINE_COMBINE_ATOMIC},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_ATOMIC,
    .refuse = trine_gpu_fused_moe_matrix_atomic_refuse)
ROW(CUDA, FUSED_MOE, fused_moe, matrix_atomic_f32, .doc = "as matrix, adding contributions in f32 in the workspace",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_ATOMIC_F32},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_F32,
    .refuse = trine_gpu_fused_moe_matrix_refuse)
ROW(CUDA, FUSED_MOE, fused_moe, matrix, .doc = "matrix units: bf16, f16, 8-bit floats, and packed weights that become x's dtype on their way; a sum by rank",
    .params = {[TRINE_FUSED_MOE_COMBINE] = ~(1u << TRINE_COMBINE_ATOMIC_F32)},
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32,
    .combine = TRINE_COMBINE_CLASS_ROUNDED, .refuse = trine_gpu_fused_moe_matrix_refuse)
ROW(CUDA, FUSED_MOE, fused_moe, generic_atomic, .doc = "as generic, adding contributions onto out in its dtype",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_AUTO | 1u << TRINE_COMBINE_ATOMIC},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_ATOMIC,
    .refuse = trine_gpu_fused_moe_atomic_refuse)
ROW(CUDA, FUSED_MOE, fused_moe, generic_atomic_f32, .doc = "as generic, adding contributions in f32 in the workspace",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_ATOMIC_F32},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_F32)
ROW(CUDA, FUSED_MOE, fused_moe, generic, .doc = "tiles of f32 fma, one element at a time, and a sum by rank: any legal call whose sum is not to be in f32",
    .params = {[TRINE_FUSED_MOE_COMBINE] = ~(1u << TRINE_COMBINE_ATOMIC_F32)},
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32,
    .combine = TRINE_COMBINE_CLASS_ROUNDED)
ROW(HIP, FUSED_MOE, fused_moe, matrix_i8_atomic, .doc = "as matrix_i8, adding contributions onto out in its dtype",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_AUTO | 1u << TRINE_COMBINE_ATOMIC},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_INT, .combine = TRINE_COMBINE_CLASS_ATOMIC,
    .refuse = trine_gpu_fused_moe_matrix_i8_atomic_refuse)
ROW(HIP, FUSED_MOE, fused_moe, matrix_i8_atomic_f32, .doc = "as matrix_i8, adding contributions in f32 in the workspace",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_ATOMIC_F32},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_INT, .combine = TRINE_COMBINE_CLASS_F32,
    .refuse = trine_gpu_fused_moe_matrix_i8_refuse)
ROW(HIP, FUSED_MOE, fused_moe, matrix_i8, .doc = "i8 by i8 on matrix units, whose sums are exact; a sum by rank",
    .params = {[TRINE_FUSED_MOE_COMBINE] = ~(1u << TRINE_COMBINE_ATOMIC_F32)},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_INT,
    .combine = TRINE_COMBINE_CLASS_ROUNDED, .refuse = trine_gpu_fused_moe_matrix_i8_refuse)
ROW(HIP, FUSED_MOE, fused_moe, matrix_atomic, .doc = "as matrix, adding contributions onto out in its dtype",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_AUTO | 1u << TRINE_COMBINE_ATOMIC},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_ATOMIC,
    .refuse = trine_gpu_fused_moe_matrix_atomic_refuse)
ROW(HIP, FUSED_MOE, fused_moe, matrix_atomic_f32, .doc = "as matrix, adding contributions in f32 in the workspace",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_ATOMIC_F32},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_F32,
    .refuse = trine_gpu_fused_moe_matrix_refuse)
ROW(HIP, FUSED_MOE, fused_moe, matrix, .doc = "matrix units: bf16, f16, 8-bit floats, and packed weights that become x's dtype on their way; a sum by rank",
    .params = {[TRINE_FUSED_MOE_COMBINE] = ~(1u << TRINE_COMBINE_ATOMIC_F32)},
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32,
    .combine = TRINE_COMBINE_CLASS_ROUNDED, .refuse = trine_gpu_fused_moe_matrix_refuse)
ROW(HIP, FUSED_MOE, fused_moe, generic_atomic, .doc = "as generic, adding contributions onto out in its dtype",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_AUTO | 1u << TRINE_COMBINE_ATOMIC},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_ATOMIC,
    .refuse = trine_gpu_fused_moe_atomic_refuse)
ROW(HIP, FUSED_MOE, fused_moe, generic_atomic_f32, .doc = "as generic, adding contributions in f32 in the workspace",
    .params = {[TRINE_FUSED_MOE_COMBINE] = 1u << TRINE_COMBINE_ATOMIC_F32},
    .flags = TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32, .combine = TRINE_COMBINE_CLASS_F32)
ROW(HIP, FUSED_MOE, fused_moe, generic, .doc = "tiles of f32 fma, one element at a time, and a sum by rank: any legal call whose sum is not to be in f32",
    .params = {[TRINE_FUSED_MOE_COMBINE] = ~(1u << TRINE_COMBINE_ATOMIC_F32)},
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32,
    .combine = TRINE_COMBINE_CLASS_ROUNDED)
ROW(HOST, FUSED_MOE, fused_moe, tiled_i8, .doc = "as tiled, for i8 by i8, whose sums are exact: a tighter bound",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_INT,
    .combine = TRINE_COMBINE_CLASS_F32, .refuse = trine_host_fused_moe_tiled_i8_refuse)
ROW(HOST, FUSED_MOE, fused_moe, tiled, .doc = "cache-sized tiles of f32 fma in vectors of whatever width the CPU has",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32,
    .combine = TRINE_COMBINE_CLASS_F32, .refuse = trine_host_fused_moe_tiled_refuse)
ROW(HOST, FUSED_MOE, fused_moe, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE | TRINE_ROW_STAGED, .accumulation = TRINE_ACCUMULATE_F32)
