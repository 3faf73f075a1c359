// SPDX-License-Identifier: Apache-2.0
/* Kernels of block_scaled_linear, best first; the format is in ops/rows.h. */
ROW(CUDA, BLOCK_SCALED_LINEAR, block_scaled_linear, native, .doc = "quantizes into the workspace, then scaled_mm's native",
    .dtypes = {0, TRINE_DTYPE_BIT(TRINE_E4M3FN)},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_OCP_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_HOPPER_FP8,
    .refuse = trine_gpu_block_scaled_linear_matrix_refuse)
ROW(CUDA, BLOCK_SCALED_LINEAR, block_scaled_linear, matrix, .doc = "quantizes into the workspace, then scaled_mm's matrix",
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_F16_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_block_scaled_linear_matrix_refuse)
ROW(CUDA, BLOCK_SCALED_LINEAR, block_scaled_linear, generic, .doc = "quantizes into the workspace, then scaled_mm's generic: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32)
ROW(HIP, BLOCK_SCALED_LINEAR, block_scaled_linear, native, .doc = "quantizes into the workspace, then scaled_mm's native",
    .dtypes = {0, TRINE_DTYPE_BIT(TRINE_E4M3FN)},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_OCP_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_block_scaled_linear_matrix_refuse)
ROW(HIP, BLOCK_SCALED_LINEAR, block_scaled_linear, native_fnuz, .doc = "quantizes into the workspace, then scaled_mm's native_fnuz",
    .dtypes = {0, TRINE_DTYPE_BIT(TRINE_E4M3FNUZ)},
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_FNUZ_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_block_scaled_linear_matrix_refuse)
ROW(HIP, BLOCK_SCALED_LINEAR, block_scaled_linear, matrix, .doc = "quantizes into the workspace, then scaled_mm's matrix",
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_F16_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_block_scaled_linear_matrix_refuse)
ROW(HIP, BLOCK_SCALED_LINEAR, block_scaled_linear, dot, .doc = "quantizes into the workspace, then scaled_mm's dot",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_block_scaled_linear_matrix_refuse)
ROW(HIP, BLOCK_SCALED_LINEAR, block_scaled_linear, generic, .doc = "quantizes into the workspace, then scaled_mm's generic: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32)
ROW(HOST, BLOCK_SCALED_LINEAR, block_scaled_linear, tiled, .doc = "cache-sized tiles of f32 fma in vectors of whatever width the CPU has",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_host_block_scaled_linear_tiled_refuse)
ROW(HOST, BLOCK_SCALED_LINEAR, block_scaled_linear, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_F32)
