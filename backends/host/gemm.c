// SPDX-License-Identifier: Apache-2.0
/*
 * Rows are widened to f32 in slabs that stay in cache, then multiplied row by row, so that every
 * load is a whole vector. The order of a sum is a function of the problem alone: k runs in slabs
 * and segments of fixed length; within a segment, element i goes to partial sum i % 16 by fma. With
 * scales per block, partial sums are scaled and added up segment by segment; otherwise the chain
 * goes on and the scale comes last. In the end the 16 partial sums are added in double. For i8
 * every partial sum is exact, and what rounds is what the bound of integer sums allows.
 */
#include "backends/host/gemm.h"
#include "backends/host/lanes.h"

/* Whether a product of two elements is exact in f32. */
TRINE_INLINE bool is_exact_dtype(trine_dtype dtype)
{
    return dtype != TRINE_F32 && dtype != TRINE_BF16;
}

static bool products_are_exact(const trine_gemm *g)
{
    trine_dtype b = g->unpack == TRINE_UNPACK_VALUE ? g->b_dtype : g->round_dtype;
    return is_exact_dtype(g->a_dtype) && is_exact_dtype(b);
}

/* ---------------------------------------------------------------- widening */

/* (code - zero) * scale, rounded; one group or less. */
static void unpack_group(const trine_gemm *g, float *restrict dst, int64_t n, int64_t k,
                         int64_t count, int64_t group)
{
    bool four = g->unpack == TRINE_UNPACK_GROUP_4;
    const uint8_t *row = (const uint8_t *)g->b + n * g->b_row;
    float scale = trine_read_any(g->group_scale, g->group_scale_dtype,
                                 n * g->group_scale_row + group * g->group_scale_group);
    int32_t zero = four ? 8 : 128;
    if (g->zero) {
        const uint8_t *z = (const uint8_t *)g->zero + group * g->zero_group;
        zero = four ? z[n / 2 * g->zero_row] >> (n % 2 * 4) & 15 : z[n * g->zero_row];
    }
    if (!four) {
        for (int64_t i = 0; i < count; i++) dst[i] = (float)((int32_t)row[k + i] - zero) * scale;
    } else {
        int64_t i = 0;
        if (k % 2 != 0) {
            dst[0] = (float)((int32_t)(row[k / 2] >> 4) - zero) * scale;
            i = 1;
        }
        const uint8_t *restrict bytes = row + (k + i) / 2;
        int64_t pairs = (count - i) / 2;
        float *restrict to = dst + i;
        for (int64_t j = 0; j < pairs; j++) {
            to[2 * j] = (float)((int32_t)(bytes[j] & 15) - zero) * scale;
            to[2 * j + 1] = (float)((int32_t)(bytes[j] >> 4) - zero) * scale;
        }
        if ((count - i) % 2 != 0)
            to[2 * pairs] = (float)((int32_t)(bytes[pairs] & 15) - zero) * scale;
    }
    trine_round_run(dst, g->round_dtype, count);
}

static void unpack_b(const trine_gemm *g, float *dst, int64_t n, int64_t k, int64_t count)
{
    const char *row = g->b + n * g->b_row;
    if (g->unpack == TRINE_UNPACK_VALUE) {
        trine_load_run(dst, row + k * trine_element_size(g->b_dtype), g->b_dtype, count);
    } else if (g->unpack == TRINE_UNPACK_CHANNEL) {
        float scale = trine_read_any(g->group_scale, g->group_scale_dtype, n * g->group_scale_row);
        trine_load_run(dst, row + k, TRINE_I8, count);
        for (int64_t i = 0; i < count; i++) dst[i] = dst[i] * scale;
        trine_round_run(dst, g->round_dtype, count);
    } else {
        for (int64_t i = 0; i < count;) {
            int64_t group = (k + i) / g->group_size;
            int64_t left = (group + 1) * g->group_size - (k + i);
            int64_t step = left < count - i ? left : count - i;
            unpack_group(g, dst + i, n, k + i, step, group);
            i += step;
        }
    }
}

/* ---------------------------------------------------------------- slabs */

/* Segments of a slab: columns [begin, begin + length) stand at `at` of the widened rows, padded
 * with zeros to whole vectors. */
typedef struct gemm_slab {
    int count;
    bool plain; /* no segment needs padding: the columns stand as they stand in the rows */
    int64_t begin[TRINE_GEMM_SLAB / TRINE_LANES], length[TRINE_GEMM_SLAB / TRINE_LANES];
    int64_t at[TRINE_GEMM_SLAB / TRINE_LANES + 1];
} gemm_slab;

/* Fills a slab from column k on; returns the column after it. */
static int64_t next_slab(const trine_gemm *g, int64_t k, gemm_slab *slab)
{
    int64_t at = 0;
    slab->count = 0;
    slab->plain = true;
    slab->at[0] = 0;
    while (k < g->k) {
        int64_t block_end = g->blocks > 1 ? (k / g->block_length + 1) * g->block_length : g->k;
        int64_t end = block_end < g->k ? block_end : g->k;
        int64_t length = end - k < TRINE_GEMM_SEGMENT ? end - k : TRINE_GEMM_SEGMENT;
        int64_t padded = (length + TRINE_LANES - 1) / TRINE_LANES * TRINE_LANES;
        if (at + padded > TRINE_GEMM_SLAB) break;
        slab->begin[slab->count] = k;
        slab->length[slab->count] = length;
        slab->plain = slab->plain && padded == length;
        at += padded;
        slab->at[++slab->count] = at;
        k += length;
    }
    return k;
}

/* ---------------------------------------------------------------- multiplication */

/* c[m][n] (TRINE_LANES sums each) of `rows` rows of a and TRINE_TILE_N of b. rows and exact are
 * constants at every call. scale NULL: the chain goes on; else c += scale * this segment's sums. */
TRINE_INLINE void micro(int rows, bool exact, const float *a, const float *b, int64_t length,
                        float *c, const float *scale)
{
    for (int strip = 0; strip < TRINE_LANES; strip += TRINE_LANES_WIDTH) {
        trine_lanes acc[TRINE_TILE_M][TRINE_TILE_N];
#pragma GCC unroll 8
        for (int m = 0; m < rows; m++) {
#pragma GCC unroll 8
            for (int n = 0; n < TRINE_TILE_N; n++)
                acc[m][n] =
                    scale ? trine_lanes_all(0.0f)
                          : trine_lanes_load(c + m * TRINE_GEMM_C_ROW + n * TRINE_LANES + strip);
        }
        for (int64_t i = strip; i < length; i += TRINE_LANES) {
            trine_lanes bv[TRINE_TILE_N];
#pragma GCC unroll 8
            for (int n = 0; n < TRINE_TILE_N; n++)
                bv[n] = trine_lanes_load(b + n * TRINE_GEMM_STRIDE + i);
#pragma GCC unroll 8
            for (int m = 0; m < rows; m++) {
                trine_lanes av = trine_lanes_load(a + m * TRINE_GEMM_STRIDE + i);
#pragma GCC unroll 8
                for (int n = 0; n < TRINE_TILE_N; n++)
                    acc[m][n] = exact ? trine_lanes_fma_exact(av, bv[n], acc[m][n])
                                      : trine_lanes_fma(av, bv[n], acc[m][n]);
            }
        }
#pragma GCC unroll 8
        for (int m = 0; m < rows; m++) {
#pragma GCC unroll 8
            for (int n = 0; n < TRINE_TILE_N; n++) {
                float *to = c + m * TRINE_GEMM_C_ROW + n * TRINE_LANES + strip;
                if (scale)
                    acc[m][n] = trine_lanes_fma(trine_lanes_all(scale[m * TRINE_GEMM_ROWS_B + n]),
                                                acc[m][n], trine_lanes_load(to));
                trine_lanes_store(to, acc[m][n]);
            }
        }
    }
}

TRINE_INLINE void by_rows(int64_t rows, bool exact, const float *a, const float *b, int64_t length,
                          float *c, const float *scale)
{
    switch (rows) {
    case 1:
        micro(1, exact, a, b, length, c, scale);
        break;
    case 2:
        micro(2, exact, a, b, length, c, scale);
        break;
    case 3:
        micro(3, exact, a, b, length, c, scale);
        break;
    case 4:
        micro(4, exact, a, b, length, c, scale);
        break;
    case 5:
        micro(5, exact, a, b, length, c, scale);
        break;
    default:
        micro(6, exact, a, b, length, c, scale);
        break;
    }
}

/* One segment: all rows of a in the tile by TRINE_GEMM_ROWS_B rows of b. */
static void multiply_segment(int64_t m, bool exact, const float *a, const float *b, int64_t length,
                             float *c, const float *scale)
{
    for (int64_t n = 0; n < TRINE_GEMM_ROWS_B; n += TRINE_TILE_N) {
        for (int64_t row = 0; row < m; row += TRINE_TILE_M) {
            int64_t rows = m - row < TRINE_TILE_M ? m - row : TRINE_TILE_M;
            const float *from = a + row * TRINE_GEMM_STRIDE, *by = b + n * TRINE_GEMM_STRIDE;
            float *to = c + row * TRINE_GEMM_C_ROW + n * TRINE_LANES;
            const float *s = scale ? scale + row * TRINE_GEMM_ROWS_B + n : NULL;
            if (exact)
                by_rows(rows, true, from, by, length, to, s);
            else
                by_rows(rows, false, from, by, length, to, s);
        }
    }
}

/* Widens row n of b, or fills it with zeros when there is none. */
static void widen_b(const trine_gemm *g, const gemm_slab *slab, float *row, int64_t n, bool present)
{
    if (!present) {
        memset(row, 0, (size_t)slab->at[slab->count] * sizeof *row);
        return;
    }
    if (slab->plain) {
        unpack_b(g, row, n, slab->begin[0], slab->at[slab->count]);
        return;
    }
    for (int s = 0; s < slab->count; s++) {
        int64_t at = slab->at[s], length = slab->length[s];
        unpack_b(g, row + at, n, slab->begin[s], length);
        memset(row + at + length, 0, (size_t)(slab->at[s + 1] - at - length) * sizeof *row);
    }
}

static void widen_a(const trine_gemm *g, const gemm_slab *slab, float *row, const char *a)
{
    int64_t size = trine_element_size(g->a_dtype);
    if (slab->plain) {
        trine_load_run(row, a + slab->begin[0] * size, g->a_dtype, slab->at[slab->count]);
        return;
    }
    for (int s = 0; s < slab->count; s++) {
        int64_t at = slab->at[s], length = slab->length[s];
        trine_load_run(row + at, a + slab->begin[s] * size, g->a_dtype, length);
        memset(row + at + length, 0, (size_t)(slab->at[s + 1] - at - length) * sizeof *row);
    }
}

/* Scale of b's row n in a block. */
TRINE_INLINE float scale_of_b(const trine_gemm *g, int64_t n, int64_t block)
{
    return g->b_scale ? trine_read_f32(g->b_scale, n / g->b_scale_rows_per * g->b_scale_row +
                                                       block * g->b_scale_block)
                      : 1.0f;
}

TRINE_INLINE float scale_of_a(const trine_gemm *g, const char *const *a_scale, int64_t i,
                              int64_t block)
{
    return a_scale ? trine_read_f32(a_scale[i], block * g->a_scale_block) : 1.0f;
}

/* One slab: c += the widened rows of a times rows [n0, n0 + n) of b. */
static void multiply_slab(const trine_gemm *g, const gemm_slab *slab, int64_t m,
                          const float *wide_a, const char *const *a_scale, int64_t n0, int64_t n,
                          float *c)
{
    _Alignas(64) float wide_b[TRINE_GEMM_ROWS_B * TRINE_GEMM_STRIDE];
    float scale[TRINE_GEMM_M * TRINE_GEMM_ROWS_B];
    bool exact = products_are_exact(g), per_block = g->blocks > 1;
    for (int64_t j = 0; j < n; j += TRINE_GEMM_ROWS_B) {
        for (int64_t r = 0; r < TRINE_GEMM_ROWS_B; r++)
            widen_b(g, slab, wide_b + r * TRINE_GEMM_STRIDE, n0 + j + r, j + r < n);
        for (int s = 0; s < slab->count; s++) {
            if (per_block) {
                int64_t block = slab->begin[s] / g->block_length;
                float b[TRINE_GEMM_ROWS_B];
                for (int64_t r = 0; r < TRINE_GEMM_ROWS_B; r++)
                    b[r] = j + r < n ? scale_of_b(g, n0 + j + r, block) : 0.0f;
                for (int64_t i = 0; i < m; i++)
                    for (int64_t r = 0; r < TRINE_GEMM_ROWS_B; r++)
                        scale[i * TRINE_GEMM_ROWS_B + r] = scale_of_a(g, a_scale, i, block) * b[r];
            }
            multiply_segment(m, exact, wide_a + slab->at[s], wide_b + slab->at[s],
                             slab->at[s + 1] - slab->at[s], c + j * TRINE_LANES,
                             per_block ? scale : NULL);
        }
    }
}

void trine_gemm_tile(const trine_gemm *g, int64_t m, const char *const *a,
                     const char *const *a_scale, int64_t n0, int64_t n, float *result)
{
    _Alignas(64) float wide_a[TRINE_GEMM_M * TRINE_GEMM_STRIDE];
    _Alignas(64) float c[TRINE_GEMM_M * TRINE_GEMM_C_ROW];
    gemm_slab slab;
    memset(c, 0, (size_t)m * TRINE_GEMM_C_ROW * sizeof *c);
    for (int64_t k = 0; k < g->k;) {
        k = next_slab(g, k, &slab);
        for (int64_t i = 0; i < m; i++) widen_a(g, &slab, wide_a + i * TRINE_GEMM_STRIDE, a[i]);
        multiply_slab(g, &slab, m, wide_a, a_scale, n0, n, c);
    }
    /* One scale for the whole sum comes last. */
    bool scaled = g->k > 0 && g->blocks == 1 && (a_scale || g->b_scale);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            float sum = trine_lanes_sum(c + i * TRINE_GEMM_C_ROW + j * TRINE_LANES);
            if (scaled) sum = sum * (scale_of_a(g, a_scale, i, 0) * scale_of_b(g, n0 + j, 0));
            result[i * TRINE_GEMM_N + j] = sum;
        }
    }
}
