// SPDX-License-Identifier: Apache-2.0
/* The host's half of rotary_embedding's row `tiled`, the same for CUDA and HIP: which problems it
 * takes, and how one is laid out on the grid. C and C++: the core asks it too, for devices that are
 * not there. The tile changes the time only, never a bit of the result.
 *
 * A chunk is what a thread loads of one head: 16 bytes of x holding both members of each pair, or
 * with pairing half 16 bytes of first members and 16 of second ones. A block is all chunks of a row
 * times head_lanes heads times token_lanes tokens; each thread does `heads_per_thread` chunks that
 * are head_lanes heads apart and use the same piece of the tables. */
#ifndef TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_PLAN_H
#define TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_PLAN_H

#include <string.h>

#include "backends/gpu/ahead.h"
#include <trine/kernel.h>

#define TRINE_ROTARY_THREADS 256u /* at most, a block */
/* Chunks for each compute unit from which on two heads a thread pay. On AMD nothing was measured;
 * fewer reads of the tables are the safer guess there. */
#define TRINE_ROTARY_LARGE_NVIDIA 24576u
#define TRINE_ROTARY_LARGE_AMD    128u

/* What the kernels get. Strides are in bytes. */
typedef struct trine_rotary_params {
    const uint8_t *x, *cos, *sin;
    uint8_t *out;
    int64_t x_batch, out_batch, cos_batch, sin_batch;
    int64_t x_step, out_step; /* from a thread's head to its next */
    uint32_t x_token, x_head, out_token, out_head;
    uint32_t cos_token, cos_head, sin_token, sin_head;
    uint32_t second; /* from first members to second ones, pairing half */
    uint32_t sign;   /* inverse: flips the signs of a word of sin */
    uint32_t tokens, heads;
    uint32_t chunks, inner;            /* lanes along a row, lanes of the next dimension */
    uint32_t chunk_magic, inner_magic; /* (i * magic) >> 16 is i / chunks, i / inner */
    uint32_t token_lanes, head_lanes;  /* of a block */
    uint32_t tile_heads;               /* head_lanes * heads_per_thread */
    uint32_t row_chunks;               /* columns that are only copied: chunks of a row */
    uint32_t ahead;                    /* so many blocks fetch ahead */
    bool token_inner;                  /* neighbouring rows of lanes: tokens, else heads */
    bool heads_first;                  /* heads lie on grid.x, tokens on grid.y */
} trine_rotary_params;

typedef struct trine_rotary_plan {
    trine_rotary_params params;
    uint32_t heads_per_thread; /* 1 or 2 */
    uint32_t grid_x, grid_y, grid_z, threads;
} trine_rotary_plan;

static inline int64_t trine_rotary_element(trine_dtype dtype)
{
    return dtype == TRINE_F32 ? 4 : 2;
}

/* Pairs of a chunk. */
static inline int64_t trine_rotary_chunk_pairs(const trine_rotary_embedding_problem *p)
{
    return (p->pairing == TRINE_PAIRING_HALF ? 16 : 8) / trine_rotary_element(p->x.dtype);
}

/* Columns that are not rotated and not there yet. */
static inline int64_t trine_rotary_rest(const trine_rotary_embedding_problem *p)
{
    const bool in_place = p->x.data && p->x.data == p->out.data;
    return in_place ? 0 : p->head_size - 2 * p->pairs;
}

/* Does dimension 0 continue dimension 1? A dimension of one element continues anything. */
static inline bool trine_rotary_continues(const trine_view *v)
{
    return v->shape[1] == 1 || v->stride[0] == v->shape[1] * v->stride[1];
}

/* Rows of dense accesses of `width` bytes; strides that the kernel multiplies in 32 bits. */
static inline bool trine_rotary_fits(const trine_view *v, int64_t width)
{
    const int64_t element = trine_rotary_element(v->dtype);
    if ((uintptr_t)v->data % (uintptr_t)width || (v->shape[3] > 1 && v->stride[3] != 1))
        return false;
    for (int d = 0; d < 3; d++)
        if (v->shape[d] > 1 && v->stride[d] % (width / element)) return false;
    return true;
}

static inline bool trine_rotary_is_near(const trine_view *v)
{
    const int64_t most = INT64_C(0xffffffff) / trine_rotary_element(v->dtype);
    for (int d = 1; d < 3; d++)
        if (v->shape[d] > 1 && v->stride[d] > most) return false;
    return true;
}

static inline uint32_t trine_rotary_stride(const trine_view *v, int dim)
{
    return v->shape[dim] > 1 ? (uint32_t)(v->stride[dim] * trine_rotary_element(v->dtype)) : 0;
}

static inline uint32_t trine_rotary_smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The largest power of two that is at most a. */
static inline uint32_t trine_rotary_power_below(uint32_t a)
{
    uint32_t p = 1;
    while (p <= a / 2) p *= 2;
    return p;
}

/* Heads that share a piece of the tables in a thread's registers. More heads: fewer reads of the
 * tables, more loads in flight, less arithmetic on addresses; fewer heads: more threads, which
 * reach all of the chip sooner. What an H200 made of bf16 with f32 tables, as fractions of the
 * copy:
 *
 *     threads of a block              256, one head   192, one head   192, two heads
 *     T=16384 H=32 D=64                  0.961            0.812
 *     T=4096  H=32 D=64                  0.887            0.769
 *     T=16384 H=24 D=128                 0.948            0.960            0.957
 *     T=4096  H=24 D=128                 0.895            0.903            0.889
 *
 * (192 threads are 12 of 24 heads: no lane is idle. 256 are 16 heads, and every other block half
 * empty.) So: one head, and two, which read the tables half as often, where a head is wide and the
 * problem so large that it makes no difference otherwise. */
static inline uint32_t trine_rotary_heads_per_thread(const trine_rotary_params *p, uint64_t chunks,
                                                     const trine_caps *caps, uint32_t compute_units)
{
    const uint64_t large =
        caps->backend == TRINE_BACKEND_CUDA ? TRINE_ROTARY_LARGE_NVIDIA : TRINE_ROTARY_LARGE_AMD;
    const bool own_tables = p->heads > 1 && (p->cos_head || p->sin_head);
    if (own_tables || p->chunks <= 8 || chunks < large * compute_units) return 1;
    /* Lanes without a head are worse than tables read more often. */
    if (p->heads % 2 && p->heads < 8) return 1;
    return 2;
}

/* Threads that a block should have: fewer where there would not be two blocks for each compute
 * unit. */
static inline uint32_t trine_rotary_block(uint64_t threads, uint32_t compute_units)
{
    uint32_t block = TRINE_ROTARY_THREADS;
    while (block > 64 && threads < 2 * (uint64_t)compute_units * block) block /= 2;
    return block;
}

/* The block: `dense_tokens` says that neighbouring tokens, not heads, are neighbours in the tables,
 * which then want a square tile. */
static inline void trine_rotary_tile(trine_rotary_plan *plan, uint32_t block, bool dense_tokens)
{
    trine_rotary_params *p = &plan->params;
    const uint32_t rows = p->chunks < block ? block / p->chunks : 1;
    const uint32_t heads = (p->heads + plan->heads_per_thread - 1) / plan->heads_per_thread;
    /* As many blocks as that takes, the heads spread evenly over them. */
    const uint32_t parts = (heads + rows - 1) / rows;
    uint32_t head_lanes = (heads + parts - 1) / parts;
    if (dense_tokens) {
        const uint32_t tokens = trine_rotary_smaller(trine_rotary_smaller(p->tokens, 32), rows);
        head_lanes = trine_rotary_smaller(heads, rows / trine_rotary_power_below(tokens));
    }
    const uint32_t token_lanes =
        trine_rotary_power_below(trine_rotary_smaller(p->tokens, rows / head_lanes));
    p->token_inner = dense_tokens;
    p->head_lanes = head_lanes;
    p->token_lanes = token_lanes;
    p->tile_heads = head_lanes * plan->heads_per_thread;
    p->inner = dense_tokens ? token_lanes : head_lanes;
    /* Exact for i < 256 and divisors up to 256: what rounding up adds stays below 2^16. */
    p->chunk_magic = (65536 + p->chunks - 1) / p->chunks;
    p->inner_magic = (65536 + p->inner - 1) / p->inner;
    plan->threads = p->chunks * head_lanes * token_lanes;
    plan->grid_x = (p->tokens + token_lanes - 1) / token_lanes;
    plan->grid_y = (p->heads + p->tile_heads - 1) / p->tile_heads;
    /* Blocks start in the order of x, then y: all of a token before the next keeps memory's pages
     * busy (an H200 gains 3 percent with tables per head). */
    p->heads_first = plan->grid_x <= 65535;
    if (p->heads_first) {
        const uint32_t tokens = plan->grid_x;
        plan->grid_x = plan->grid_y;
        plan->grid_y = tokens;
    }
}

/* A problem as the grid sees it. */
typedef struct trine_rotary_shape {
    trine_view x, out, cos, sin; /* a batch that only continues the tokens made part of them */
    int64_t batch, tokens, heads, chunks;
    int64_t table_chunk; /* bytes of cos and of sin that a chunk uses */
    bool divided;        /* one head of very many chunks, made several */
} trine_rotary_shape;

static inline void trine_rotary_shape_make(const trine_rotary_embedding_problem *p,
                                           trine_rotary_shape *s)
{
    const int64_t pairs = trine_rotary_chunk_pairs(p);
    s->x = p->x, s->out = p->out, s->cos = p->cos, s->sin = p->sin;
    s->batch = p->batch, s->tokens = p->tokens, s->heads = p->heads;
    s->chunks = p->pairs / pairs;
    s->table_chunk = pairs * trine_rotary_element(p->cos.dtype);
    s->divided = s->heads == 1 && s->chunks > TRINE_ROTARY_THREADS;
    while (s->divided && s->chunks > TRINE_ROTARY_THREADS && s->chunks % 2 == 0)
        s->chunks /= 2, s->heads *= 2;
    if (!trine_rotary_continues(&s->x) || !trine_rotary_continues(&s->out) ||
        !trine_rotary_continues(&s->cos) || !trine_rotary_continues(&s->sin))
        return;
    trine_view *views[] = {&s->x, &s->out, &s->cos, &s->sin};
    for (int i = 0; i < 4; i++) {
        trine_view *v = views[i];
        if (v->shape[1] == 1) v->stride[1] = v->stride[0];
        v->shape[1] *= v->shape[0], v->shape[0] = 1;
    }
    s->tokens = s->x.shape[1], s->batch = 1;
}

/* For a problem that trine_rotary_refusal has let through. */
static inline void trine_rotary_plan_make(const trine_rotary_embedding_problem *problem,
                                          const trine_caps *caps, trine_rotary_plan *plan)
{
    const uint32_t compute_units = caps->limits.compute_units ? caps->limits.compute_units : 128;
    trine_rotary_shape s;
    trine_rotary_shape_make(problem, &s);
    memset(plan, 0, sizeof *plan);
    trine_rotary_params *p = &plan->params;
    const int64_t element = trine_rotary_element(s.x.dtype);
    const int64_t table = trine_rotary_element(s.cos.dtype);
    p->x = (const uint8_t *)s.x.data, p->out = (uint8_t *)s.out.data;
    p->cos = (const uint8_t *)s.cos.data, p->sin = (const uint8_t *)s.sin.data;
    p->x_batch = s.x.stride[0] * element, p->out_batch = s.out.stride[0] * element;
    p->cos_batch = s.cos.stride[0] * table, p->sin_batch = s.sin.stride[0] * table;
    p->x_token = trine_rotary_stride(&s.x, 1), p->x_head = trine_rotary_stride(&s.x, 2);
    p->out_token = trine_rotary_stride(&s.out, 1), p->out_head = trine_rotary_stride(&s.out, 2);
    p->cos_token = trine_rotary_stride(&s.cos, 1), p->cos_head = trine_rotary_stride(&s.cos, 2);
    p->sin_token = trine_rotary_stride(&s.sin, 1), p->sin_head = trine_rotary_stride(&s.sin, 2);
    if (s.divided) {
        p->x_head = p->out_head = (uint32_t)(16 * s.chunks);
        p->cos_head = p->sin_head = (uint32_t)(s.table_chunk * s.chunks);
    }
    p->second = (uint32_t)(problem->pairs * element);
    if (problem->inverse) p->sign = table == 4 ? 0x80000000u : 0x80008000u;
    p->tokens = (uint32_t)s.tokens, p->heads = (uint32_t)s.heads;
    p->chunks = (uint32_t)s.chunks;
    const uint64_t chunks = (uint64_t)s.batch * p->tokens * p->heads * p->chunks;
    plan->heads_per_thread = trine_rotary_heads_per_thread(p, chunks, caps, compute_units);
    const uint64_t row = (uint64_t)(s.table_chunk * s.chunks);
    trine_rotary_tile(plan, trine_rotary_block(chunks / plan->heads_per_thread, compute_units),
                      p->heads > 1 && p->cos_token == row && p->cos_head > row);
    p->x_step = (int64_t)p->x_head * p->head_lanes;
    p->out_step = (int64_t)p->out_head * p->head_lanes;
    plan->grid_z = (uint32_t)s.batch;
    p->ahead = trine_gpu_blocks_ahead(caps, plan->threads);
}

/* The columns behind the rotated ones, for a problem that the row takes and that has some. */
static inline void trine_rotary_plan_rest(const trine_rotary_embedding_problem *problem,
                                          trine_rotary_plan *plan)
{
    const int64_t element = trine_rotary_element(problem->x.dtype);
    trine_rotary_params *p = &plan->params;
    p->x += 2 * problem->pairs * element;
    p->out += 2 * problem->pairs * element;
    p->heads = (uint32_t)problem->heads;
    p->row_chunks = (uint32_t)(trine_rotary_rest(problem) * element / 16);
    p->chunks = trine_rotary_smaller(p->row_chunks, TRINE_ROTARY_THREADS);
    plan->heads_per_thread = 1;
    trine_rotary_tile(plan, TRINE_ROTARY_THREADS, false);
}

/* NULL when the row takes the problem, else why not. */
static inline const char *trine_rotary_refusal(const trine_rotary_embedding_problem *p,
                                               const trine_caps *caps)
{
    if (p->pairs == 0 || p->pairs % trine_rotary_chunk_pairs(p))
        return "r must be a multiple of the pairs in 16 bytes, with pairing half in 32";
    trine_rotary_shape s;
    trine_rotary_shape_make(p, &s);
    const int64_t table_width = s.table_chunk < 16 ? s.table_chunk : 16;
    if (!trine_rotary_fits(&s.x, 16))
        return "x needs dense heads that begin at multiples of 16 bytes";
    if (!trine_rotary_fits(&s.out, 16))
        return "out needs dense heads that begin at multiples of 16 bytes";
    if (!trine_rotary_fits(&s.cos, table_width) || !trine_rotary_fits(&s.sin, table_width))
        return "cos and sin need dense rows that begin at multiples of a thread's piece";
    if (trine_rotary_rest(p) * trine_rotary_element(p->x.dtype) % 16)
        return "columns that are only copied must be a multiple of 16 bytes";
    if (!trine_rotary_is_near(&s.x) || !trine_rotary_is_near(&s.out) ||
        !trine_rotary_is_near(&s.cos) || !trine_rotary_is_near(&s.sin))
        return "strides of tokens and heads must be below 2^32 bytes";
    /* A block holds a row's chunks; grid.y and grid.z end at 65535, HIP's grid at 2^32 threads. */
    if (s.chunks > TRINE_ROTARY_THREADS) return "r is larger than 256 threads take";
    if (s.heads > 65535) return "x has more than 65535 heads";
    if (s.batch > 65535) return "x has more than 65535 batches";
    if (s.tokens > INT32_MAX) return "x has more than 2^31 - 1 tokens";
    if (s.tokens > INT64_C(0xffffff)) {
        trine_rotary_plan plan;
        trine_rotary_plan_make(p, caps, &plan);
        const uint64_t threads = (uint64_t)plan.grid_x * plan.threads;
        if (trine_rotary_rest(p)) trine_rotary_plan_rest(p, &plan);
        if (threads > UINT32_MAX || (uint64_t)plan.grid_x * plan.threads > UINT32_MAX)
            return "x has more tokens than 2^32 threads take";
    }
    return NULL;
}

#endif
