// SPDX-License-Identifier: Apache-2.0
/* Sizes of gemm.h's tiles, and what follows from them for callers. */
#ifndef TRINE_BACKENDS_HOST_GEMM_LIMITS_H
#define TRINE_BACKENDS_HOST_GEMM_LIMITS_H

#define TRINE_GEMM_M       12  /* rows of a in a tile */
#define TRINE_GEMM_N       32  /* rows of b in a tile */
#define TRINE_GEMM_SLAB    512 /* columns widened at once */
#define TRINE_GEMM_SEGMENT 512 /* longest run summed without a scale in between */
#define TRINE_GEMM_ROWS_B  4   /* rows of b widened at once */
#define TRINE_TILE_M       6

/* Distances between rows of the widened operands and of the sums: not a power of two, so that rows
 * do not meet in the same cache sets. */
#define TRINE_GEMM_STRIDE (TRINE_GEMM_SLAB + TRINE_LANES)
#define TRINE_GEMM_C_ROW  ((TRINE_GEMM_N + 1) * TRINE_LANES)

/* Above this length a chain of i8 products in f32 might not be exact. */
#define TRINE_GEMM_EXACT_I8 16384

#endif
