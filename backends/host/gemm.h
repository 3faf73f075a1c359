// SPDX-License-Identifier: Apache-2.0
/* A tile of a block-scaled product of two matrices whose inner dimension lies side by side. */
#ifndef TRINE_BACKENDS_HOST_GEMM_H
#define TRINE_BACKENDS_HOST_GEMM_H

#include "backends/host/convert.h"
#include "backends/host/gemm_limits.h"

/* How b's elements become f32. */
typedef enum trine_gemm_unpack {
    TRINE_UNPACK_VALUE,   /* as the dtype says */
    TRINE_UNPACK_CHANNEL, /* i8 times a scale per row, rounded to round_dtype */
    TRINE_UNPACK_GROUP_8, /* (u8 - zero) times a scale per group, rounded */
    TRINE_UNPACK_GROUP_4  /* the same for two 4-bit codes a byte, low nibble first */
} trine_gemm_unpack;

typedef struct trine_gemm {
    int64_t k;
    int64_t blocks, block_length; /* blocks of k with scales of their own; else 1 and k */
    trine_dtype a_dtype;
    int64_t a_scale_block; /* stride between the blocks of a row's scales */

    const char *b; /* row 0 */
    int64_t b_row; /* bytes */
    trine_dtype b_dtype;
    trine_gemm_unpack unpack;

    const char *b_scale; /* f32; NULL = 1 */
    int64_t b_scale_rows_per, b_scale_row, b_scale_block;

    /* Weight-only forms. */
    trine_dtype round_dtype, group_scale_dtype;
    int64_t group_size;
    const char *group_scale, *zero; /* zero NULL = the middle of the range */
    int64_t group_scale_row, group_scale_group, zero_row, zero_group;
} trine_gemm;

TRINE_UNUSED static float trine_read_any(const char *base, trine_dtype dtype, int64_t index)
{
    return dtype == TRINE_BF16  ? trine_bf16_to_f32(((const trine_u16 *)base)[index])
           : dtype == TRINE_F16 ? trine_f16_to_f32(((const trine_u16 *)base)[index])
                                : trine_read_f32(base, index);
}

/*
 * result[i * TRINE_GEMM_N + j], i < m <= TRINE_GEMM_M, j < n <= TRINE_GEMM_N: row a[i] times row
 * n0 + j of b. a_scale[i] points at the row's f32 scales; NULL without such scales.
 */
#define trine_gemm_tile TRINE_HOST_SYMBOL(gemm_tile)
void trine_gemm_tile(const trine_gemm *g, int64_t m, const char *const *a,
                     const char *const *a_scale, int64_t n0, int64_t n, float *result);

#endif
