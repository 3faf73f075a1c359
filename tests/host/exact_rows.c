// SPDX-License-Identifier: Apache-2.0
/* Fast rows of the exact ops: the reference's bits at every vector level and thread count. */
#include "tests/host/support.h"

#define FLOATS                                                                                     \
    (TRINE_DTYPE_BIT(TRINE_BF16) | TRINE_DTYPE_BIT(TRINE_F16) | TRINE_DTYPE_BIT(TRINE_F32))

/* Sizes around vectors, quantizer runs and the runs that kernels cut rows into. */
static int64_t random_columns(rng *r)
{
    static const int64_t near[] = {1, 8, 16, 32, 64, 128, 512, 1024, 2048};
    if (random_bool(r)) return random_int(r, 1, 150);
    int64_t n = near[random_bits(r) % 9] + random_int(r, -2, 2);
    return n > 0 ? n : 1;
}

static filling random_filling(rng *r)
{
    return random_bits(r) % 3 ? FILL_REAL : FILL_SPECIAL;
}

/* Runs the call by reference and fast row; returns the elements' bytes compared. */
static size_t compare(call *c, uint64_t seed)
{
    char where[160];
    trine_host_level best = trine_host_set_level(TRINE_HOST_AVX512);
    result want = call_run(c, REFERENCE, best, 2);
    size_t compared = 0;
    for (int level = 0; level <= (int)best; level++) {
        for (int threads = 1; threads <= 3; threads++) {
            result got = call_run(c, FAST, (trine_host_level)level, threads);
            cr_assert(same_result(c, &want, &got, where, sizeof where),
                      "case %llu, %s, %d threads: %s", (unsigned long long)seed,
                      trine_host_level_name((trine_host_level)level), threads, where);
            compared += got.size;
            result_free(&got);
        }
    }
    result_free(&want);
    return compared;
}

static void rotary_case(call *c, rng *r)
{
    trine_rotary_embedding_args *a = &c->args.rotary;
    trine_dtype dtype = random_dtype(r, FLOATS);
    trine_dtype table = random_bool(r) ? dtype : random_dtype(r, FLOATS);
    int64_t pairs = random_int(r, 0, 3) ? random_int(r, 1, 70) : random_int(r, 500, 530);
    int64_t size = 2 * pairs + (random_bool(r) ? random_int(r, 0, 7) : 0);
    int64_t b = random_int(r, 1, 2), t = random_int(r, 1, 9), h = random_int(r, 1, 4);
    filling fill = random_filling(r);
    call_begin(c, TRINE_OP_ROTARY_EMBEDDING);
    a->x = TENSOR(c, r, dtype, fill, b, t, h, size);
    DLTensor *tables[2];
    int form = (int)random_int(r, 0, 2);
    bool decimated = random_bool(r);
    for (int i = 0; i < 2; i++) {
        int64_t wide = decimated ? 2 * pairs : pairs;
        tables[i] = form == 0   ? TENSOR(c, r, table, fill, t, wide)
                    : form == 1 ? TENSOR(c, r, table, fill, b, t, wide)
                                : TENSOR(c, r, table, fill, b, t, h, wide);
        if (!decimated) continue;
        tables[i]->shape[tables[i]->ndim - 1] = pairs;
        tables[i]->strides[tables[i]->ndim - 1] = 2;
    }
    a->cos = tables[0];
    a->sin = tables[1];
    if (random_bits(r) % 3 == 0) {
        a->out = a->x; /* in place: x itself is the output */
        c->out[0] = true;
    } else {
        a->out = TENSOR(c, r, dtype, FILL_OUT, b, t, h, size);
    }
    a->pairing = (int32_t)random_int(r, 0, 1);
    a->inverse = (int32_t)random_int(r, 0, 1);
    a->rounding = (int32_t)random_int(r, 0, dtype != TRINE_F32 && table == dtype ? 3 : 1);
}

static void quant_case(call *c, rng *r)
{
    static const trine_dtype codes[] = {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_I8};
    trine_per_token_group_quant_args *a = &c->args.quant;
    trine_dtype dtype = random_dtype(r, FLOATS), code = codes[random_bits(r) % 3];
    int64_t m = random_int(r, 1, 10), group = random_int(r, 16, 200), groups = random_int(r, 1, 9);
    if (random_bits(r) % 5 == 0) { /* one group of any length */
        group = random_int(r, 0, 1) ? random_int(r, 1, 15) : random_int(r, 1000, 3000);
        groups = 1;
    }
    int64_t k = group * groups, aligned = (m + 3) / 4 * 4, words = (groups + 3) / 4;
    int64_t wide = k;
    call_begin(c, TRINE_OP_PER_TOKEN_GROUP_QUANT);
    if (random_bits(r) % 3 == 0) {
        a->activation = (int32_t)random_int(r, TRINE_ACTIVATION_SILU, TRINE_ACTIVATION_GELU_TANH);
        a->intermediate_rounding = (int32_t)random_int(r, 0, 1);
        wide = 2 * k;
    }
    a->x = TENSOR(c, r, dtype, random_filling(r), m, wide);
    a->group_size = (int32_t)group;
    a->scale_layout = (int32_t)random_int(r, 0, 4);
    a->arithmetic = (int32_t)random_int(r, 0, 1);
    a->int_rounding = (int32_t)random_int(r, 0, 1);
    if (a->scale_layout < TRINE_SCALE_PACKED_UE8M0) a->scale_format = (int32_t)random_int(r, 0, 1);
    if (random_bits(r) % 4 == 0) a->ue8m0_floor = 0.0f;
    if (random_bits(r) % 4 == 0) a->eps = 1e-20f;
    if (random_bits(r) % 4 == 0) a->q_max = code == TRINE_I8 ? 100.5f : 200.0f;
    bool padded = a->scale_layout == TRINE_SCALE_COLUMN_ALIGNED && random_bool(r);
    a->q = TENSOR(c, r, code, FILL_OUT, padded ? aligned : m, k);
    switch (a->scale_layout) {
    case TRINE_SCALE_ROW:
        a->scale = PACKED(c, r, TRINE_F32, FILL_OUT, m, groups);
        break;
    case TRINE_SCALE_ROW_PACKED_UE8M0:
        a->scale = PACKED(c, r, TRINE_I32, FILL_OUT, m, words);
        break;
    default: {
        bool packed = a->scale_layout == TRINE_SCALE_PACKED_UE8M0;
        int64_t step = a->scale_layout == TRINE_SCALE_COLUMN ? m : aligned;
        int64_t columns = packed ? words : groups;
        DLTensor *s = PACKED(c, r, packed ? TRINE_I32 : TRINE_F32, FILL_OUT, columns, step);
        s->shape[0] = padded ? aligned : m;
        s->shape[1] = columns;
        s->strides[0] = 1;
        s->strides[1] = step;
        a->scale = s;
        break;
    }
    }
}

static void act_case(call *c, rng *r)
{
    trine_act_and_mul_args *a = &c->args.act;
    trine_dtype dtype = random_dtype(r, FLOATS);
    int64_t m = random_int(r, 1, 6), columns = random_columns(r);
    call_begin(c, TRINE_OP_ACT_AND_MUL);
    a->activation = (int32_t)random_int(r, TRINE_ACTIVATION_SILU, TRINE_ACTIVATION_SWIGLU_OAI);
    a->gated = a->activation == TRINE_ACTIVATION_SWIGLU_OAI || random_bits(r) % 4;
    a->gate_layout = (int32_t)random_int(r, 0, 1);
    a->intermediate_rounding = (int32_t)random_int(r, 0, 1);
    if (random_bool(r)) a->limit = 1.25f;
    a->x = TENSOR(c, r, dtype, random_filling(r), m, a->gated ? 2 * columns : columns);
    a->out = TENSOR(c, r, dtype, FILL_OUT, m, columns);
}

static void sum_case(call *c, rng *r)
{
    trine_moe_sum_args *a = &c->args.sum;
    trine_dtype dtype = random_dtype(r, FLOATS);
    int64_t m = random_int(r, 1, 7), k = random_int(r, 0, 9), columns = random_columns(r);
    call_begin(c, TRINE_OP_MOE_SUM);
    a->y = TENSOR(c, r, dtype, random_filling(r), m, k, columns);
    a->scaling_factor = random_bool(r) ? 1.0f : 2.5f;
    a->accumulate = (int32_t)random_int(r, 0, 1);
    a->out = TENSOR(c, r, dtype, a->accumulate ? FILL_REAL : FILL_OUT, m, columns);
    c->out[c->count - 1] = true;
}

static void check(void (*make)(call *, rng *), int cases)
{
    size_t compared = 0;
    for (int i = 0; i < cases; i++) {
        rng r = {(uint64_t)i * 1000003u + 17u};
        call c;
        make(&c, &r);
        compared += compare(&c, (uint64_t)i);
        call_end(&c);
    }
    cr_assert_gt(compared, 0u);
    contexts_end();
}

Test(exact_rows, rotary_embedding)
{
    check(rotary_case, 200);
}

Test(exact_rows, per_token_group_quant)
{
    check(quant_case, 400);
}

Test(exact_rows, act_and_mul)
{
    check(act_case, 200);
}

Test(exact_rows, moe_sum)
{
    check(sum_case, 200);
}
