// SPDX-License-Identifier: Apache-2.0
/* Random calls of an op, run by a named row at a vector level and a number of threads. */
#ifndef TRINE_TESTS_HOST_SUPPORT_H
#define TRINE_TESTS_HOST_SUPPORT_H

#include <criterion/criterion.h>
#include <trine/trine.h>

#include "backends/host/level.h"

#define MAX_TENSORS 16
#define GUARD       64 /* bytes before and after every tensor */

typedef struct rng {
    uint64_t state;
} rng;

uint64_t random_bits(rng *r);
/* An integer of [lo, hi]. */
int64_t random_int(rng *r, int64_t lo, int64_t hi);
bool random_bool(rng *r);
/* One of the dtypes in the mask. */
trine_dtype random_dtype(rng *r, uint32_t dtypes);

/* What to fill a tensor with. */
typedef enum filling {
    FILL_REAL,    /* about normal, mean 0 */
    FILL_SPECIAL, /* the same with zeros, subnormals, extremes, Inf and NaN among it */
    FILL_SCALE,   /* near 1/64 */
    FILL_CODE,    /* any code but NaN and Inf */
    FILL_BYTE,    /* any byte */
    FILL_OUT      /* poison */
} filling;

typedef struct call {
    int32_t op;
    union {
        size_t struct_size;
        trine_rotary_embedding_args rotary;
        trine_per_token_group_quant_args quant;
        trine_act_and_mul_args act;
        trine_moe_sum_args sum;
        trine_scaled_mm_args mm;
        trine_block_scaled_linear_args linear;
        trine_fused_moe_args moe;
    } args;
    int count;
    DLTensor tensors[MAX_TENSORS];
    int64_t shape[MAX_TENSORS][4], stride[MAX_TENSORS][4];
    bool out[MAX_TENSORS];
    uint8_t *memory[MAX_TENSORS]; /* guard, extent, guard */
    uint8_t *initial[MAX_TENSORS];
    size_t size[MAX_TENSORS];
} call;

void call_begin(call *c, int32_t op);
/* A tensor with a packed last dimension; other strides and the base are random. */
DLTensor *call_tensor(call *c, rng *r, trine_dtype dtype, filling fill, int rank,
                      const int64_t *shape);
/* The same without gaps. */
DLTensor *call_packed(call *c, rng *r, trine_dtype dtype, filling fill, int rank,
                      const int64_t *shape);
#define TENSOR(c, r, dtype, fill, ...)                                                             \
    call_tensor(c, r, dtype, fill, sizeof((int64_t[]){__VA_ARGS__}) / 8, (int64_t[]){__VA_ARGS__})
#define PACKED(c, r, dtype, fill, ...)                                                             \
    call_packed(c, r, dtype, fill, sizeof((int64_t[]){__VA_ARGS__}) / 8, (int64_t[]){__VA_ARGS__})
void call_end(call *c);

/* The memory of all outputs after a run, with everything around it. */
typedef struct result {
    uint8_t *bytes;
    size_t size;
} result;

/* A context in which every op that has the named row runs by it; lives until contexts_end. */
trine_context *context_by(const char *rows);
void contexts_end(void);

#define REFERENCE "reference"
#define FAST      "fast" /* vector, tiled */
#define FAST_I8   "i8"   /* tiled_i8 */

result call_run(call *c, const char *rows, trine_host_level level, int threads);
/* Outputs are equal to the bit; any NaN of a float output equals any other. */
bool same_result(const call *c, const result *a, const result *b, char *where, size_t size);
/* The output as doubles, row-major; free it. */
double *result_values(const call *c, const result *r, const DLTensor *out, int64_t *count);
void result_free(result *r);

#endif
