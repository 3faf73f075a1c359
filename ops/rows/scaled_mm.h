// SPDX-License-Identifier: Apache-2.0
/* Kernels of scaled_mm, best first; the format is in ops/rows.h. */
ROW(CUDA, SCALED_MM, scaled_mm, native, .doc = "fp8 on matrix units that read it, which keep fewer bits of their sums",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E5M2),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_OCP_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_HOPPER_FP8,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(CUDA, SCALED_MM, scaled_mm, matrix, .doc = "fp8 as f16 on matrix units",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ) | TRINE_DTYPE_BIT(TRINE_E5M2),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_F16_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(CUDA, SCALED_MM, scaled_mm, matrix_i8, .doc = "i8 on matrix units",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_I8),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_INT,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(CUDA, SCALED_MM, scaled_mm, generic, .doc = "tiles in shared memory, f32 fma and i32 products: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32)
ROW(HIP, SCALED_MM, scaled_mm, native, .doc = "fp8 on matrix units that read it",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E5M2),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_OCP_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(HIP, SCALED_MM, scaled_mm, native_fnuz, .doc = "fp8 on matrix units that read its FNUZ form",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FNUZ),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_FP8_FNUZ_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(HIP, SCALED_MM, scaled_mm, matrix, .doc = "fp8 as f16 on matrix units",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ) | TRINE_DTYPE_BIT(TRINE_E5M2),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_F16_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(HIP, SCALED_MM, scaled_mm, matrix_i8, .doc = "i8 on matrix units",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_I8),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_MATRIX),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_INT,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(HIP, SCALED_MM, scaled_mm, dot, .doc = "as matrix, by dot products where there is no matrix unit",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(HIP, SCALED_MM, scaled_mm, dot_i8, .doc = "as matrix_i8, by dot products where there is no matrix unit",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_I8),
    .needs = TRINE_FEATURE_BIT(TRINE_FEATURE_I8_DOT4),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_INT,
    .refuse = trine_gpu_scaled_mm_matrix_refuse)
ROW(HIP, SCALED_MM, scaled_mm, generic, .doc = "tiles in shared memory, f32 fma and i32 products: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32)
ROW(HOST, SCALED_MM, scaled_mm, tiled, .doc = "cache-sized tiles of f32 fma in vectors of whatever width the CPU has",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ) | TRINE_DTYPE_BIT(TRINE_E5M2),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_F32,
    .refuse = trine_host_scaled_mm_tiled_refuse)
ROW(HOST, SCALED_MM, scaled_mm, tiled_i8, .doc = "as tiled, for i8 by i8, whose sums are exact: a tighter bound",
    .dtypes[0] = TRINE_DTYPE_BIT(TRINE_I8),
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_INT,
    .refuse = trine_host_scaled_mm_tiled_i8_refuse)
ROW(HOST, SCALED_MM, scaled_mm, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_F32)
