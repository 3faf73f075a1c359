// SPDX-License-Identifier: Apache-2.0
// What the matrix ops sum: operands decoded a chunk at a time, products added in double, in order.
#ifndef TRINE_REFERENCE_GEMM_H
#define TRINE_REFERENCE_GEMM_H

#include <trine/kernel.h>

#define TRINE_CHUNK 128

/* `count` elements from `offset` on, `stride` apart, as f32: exact for every dtype it is used for.
 */
void trine_decode(const trine_view *view, int64_t offset, int64_t stride, int64_t count,
                  float *restrict out);

/* One result of a block-scaled GEMM, and what its bound needs. t_b: product of the block's two
 * scales; dot_b, abs_b: the block's sum of a b and of |a b|. */
typedef struct trine_gemm_sums {
    double value;     /* sum over b of t_b dot_b */
    double magnitude; /* S: sum over b of |t_b| abs_b */
    double chained;   /* sum over b of |t_b| (K_b + 4) abs_b */
    double least;     /* what roundings of subnormals may add: half a step of f32 each */
    int64_t k, blocks;
} trine_gemm_sums;

/* Adds the products of a chunk to a block's sums. */
static inline void trine_add_products(const float *a, const float *b, int64_t count, double *dot,
                                      double *magnitude)
{
    for (int64_t i = 0; i < count; i++) {
        double product = (double)a[i] * b[i];
        *dot += product;
        *magnitude += product < 0.0 ? -product : product;
    }
}

/* Adds a block of `length` products to the result. */
static inline void trine_add_block(trine_gemm_sums *sums, double scale, double dot,
                                   double magnitude, int64_t length)
{
    double s = (scale < 0.0 ? -scale : scale) * magnitude;
    sums->value += scale * dot;
    sums->magnitude += s;
    sums->chained += s * (double)(length + 4);
    sums->least += ((scale < 0.0 ? -scale : scale) * (double)length + 3.0) * 0x1p-150;
    sums->k += length;
    sums->blocks++;
}

#endif
