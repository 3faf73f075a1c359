// SPDX-License-Identifier: Apache-2.0
/* Shapes that engines use, filled with ordinary numbers. */
#include "bench/cpu_cases.h"

#include <stdlib.h>
#include <string.h>

#define BF16   TRINE_BF16
#define E4M3FN TRINE_E4M3FN

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Ordinary numbers: |x| in [0.5, 2) with both signs; scales near 2^-6. Written in parallel, so that
 * the pages lie where the threads are. */
static void fill(DLTensor *t, trine_dtype dtype, int64_t count)
{
    uint16_t *h = t->data;
    uint8_t *b = t->data;
    float *f = t->data;
#pragma omp parallel for schedule(static)
    for (int64_t block = 0; block < (count + 4095) / 4096; block++) {
        uint32_t state = (uint32_t)block * 2654435761u + 12345u;
        int64_t end = (block + 1) * 4096 < count ? (block + 1) * 4096 : count;
        for (int64_t i = block * 4096; i < end; i++) {
            uint32_t r = next_random(&state);
            if (dtype == TRINE_BF16)
                h[i] = (uint16_t)(0x3f00u + r % 256u + (r >> 9 & 1u) * 0x8000u);
            else if (dtype == TRINE_E4M3FN)
                b[i] = (uint8_t)(0x30u + r % 16u + (r >> 9 & 1u) * 0x80u);
            else
                f[i] = 0.015625f * (1.0f + (float)(r % 1024u) / 1024.0f);
        }
    }
}

static const DLTensor *add(bench_case *c, trine_dtype dtype, int rank, const int64_t *shape)
{
    DLTensor *t = &c->tensors[c->count];
    int64_t count = 1;
    for (int d = 0; d < rank; d++) {
        c->shapes[c->count][d] = shape[d];
        count *= shape[d];
    }
    t->device.device_type = kDLCPU;
    t->dtype = trine_dtype_to_dl(dtype);
    t->ndim = rank;
    t->shape = c->shapes[c->count];
    size_t size = (size_t)count * trine_dtype_size(dtype);
    t->data = aligned_alloc(256, (size + 255) / 256 * 256);
    c->count++;
    if (!t->data)
        c->out_of_memory = true;
    else if (dtype == TRINE_I32)
        memset(t->data, 0, size);
    else
        fill(t, dtype, count);
    return t;
}

static const DLTensor *add2(bench_case *c, trine_dtype dtype, int64_t i, int64_t j)
{
    int64_t shape[2] = {i, j};
    return add(c, dtype, 2, shape);
}

static const DLTensor *add3(bench_case *c, trine_dtype dtype, int64_t i, int64_t j, int64_t k)
{
    int64_t shape[3] = {i, j, k};
    return add(c, dtype, 3, shape);
}

static void start(bench_case *c, const char *name, const char *shape, int32_t op)
{
    memset(c, 0, sizeof *c);
    c->name = name;
    c->shape = shape;
    c->op = op;
    trine_args_init(op, &c->args);
}

static bool rotary(bench_case *c, bool in_place)
{
    start(c, "rotary_embedding",
          in_place ? "T=4096 H=24 D=128 bf16, in place" : "T=4096 H=24 D=128 bf16",
          TRINE_OP_ROTARY_EMBEDDING);
    c->args.rotary.x = add3(c, BF16, 4096, 24, 128);
    c->args.rotary.cos = add2(c, TRINE_F32, 4096, 64);
    c->args.rotary.sin = add2(c, TRINE_F32, 4096, 64);
    c->args.rotary.out = in_place ? c->args.rotary.x : add3(c, BF16, 4096, 24, 128);
    return !c->out_of_memory;
}

bool bench_rotary(bench_case *c)
{
    return rotary(c, false);
}

bool bench_rotary_in_place(bench_case *c)
{
    return rotary(c, true);
}

bool bench_moe_sum(bench_case *c)
{
    start(c, "moe_sum", "M=4096 k=8 H=2048 bf16", TRINE_OP_MOE_SUM);
    c->args.sum.y = add3(c, BF16, 4096, 8, 2048);
    c->args.sum.out = add2(c, BF16, 4096, 2048);
    return !c->out_of_memory;
}

bool bench_group_quant(bench_case *c)
{
    start(c, "per_token_group_quant", "M=8192 K=4096 bf16 -> e4m3fn",
          TRINE_OP_PER_TOKEN_GROUP_QUANT);
    c->args.quant.x = add2(c, BF16, 8192, 4096);
    c->args.quant.q = add2(c, E4M3FN, 8192, 4096);
    c->args.quant.scale = add2(c, TRINE_F32, 8192, 32);
    return !c->out_of_memory;
}

bool bench_act_and_mul(bench_case *c)
{
    start(c, "act_and_mul", "M=8192 I=2048 bf16 silu", TRINE_OP_ACT_AND_MUL);
    c->args.act.x = add2(c, BF16, 8192, 4096);
    c->args.act.out = add2(c, BF16, 8192, 2048);
    return !c->out_of_memory;
}

bool bench_scaled_mm(bench_case *c)
{
    start(c, "scaled_mm", "512x4096x4096 e4m3fn, blocks of 128", TRINE_OP_SCALED_MM);
    c->args.mm.a = add2(c, E4M3FN, 512, 4096);
    c->args.mm.b = add2(c, E4M3FN, 4096, 4096);
    c->args.mm.a_scale = add2(c, TRINE_F32, 512, 32);
    c->args.mm.b_scale = add2(c, TRINE_F32, 32, 32);
    c->args.mm.out = add2(c, BF16, 512, 4096);
    return !c->out_of_memory;
}

/* Eight different experts a token, at random. */
static void route(int32_t *ids, int64_t tokens, int32_t experts)
{
    uint32_t state = 2024;
    for (int64_t t = 0; t < tokens; t++) {
        for (int j = 0; j < 8; j++) {
            bool again = true;
            while (again) {
                ids[8 * t + j] = (int32_t)(next_random(&state) % (uint32_t)experts);
                again = false;
                for (int i = 0; i < j; i++) again |= ids[8 * t + i] == ids[8 * t + j];
            }
        }
    }
}

static bool moe(bench_case *c, bool fp8)
{
    trine_dtype w = fp8 ? E4M3FN : BF16;
    start(c, "fused_moe",
          fp8 ? "E=128 k=8 H=2048 I=768 M=64, fp8_block" : "E=128 k=8 H=2048 I=768 M=64, bf16",
          TRINE_OP_FUSED_MOE);
    trine_fused_moe_args *a = &c->args.moe;
    a->x = add2(c, BF16, 64, 2048);
    a->w1 = add3(c, w, 128, 1536, 2048);
    a->w2 = add3(c, w, 128, 2048, 768);
    a->topk_weights = add2(c, TRINE_F32, 64, 8);
    a->topk_ids = add2(c, TRINE_I32, 64, 8);
    a->out = add2(c, BF16, 64, 2048);
    if (fp8) {
        a->quantization = TRINE_MOE_FP8_BLOCK;
        a->w1_scale = add3(c, TRINE_F32, 128, 12, 16);
        a->w2_scale = add3(c, TRINE_F32, 128, 16, 6);
    }
    if (c->out_of_memory) return false;
    route(a->topk_ids->data, 64, 128);
    return true;
}

bool bench_moe_fp8_block(bench_case *c)
{
    return moe(c, true);
}

bool bench_moe_bf16(bench_case *c)
{
    return moe(c, false);
}

void bench_case_free(bench_case *c)
{
    for (int i = 0; i < c->count; i++) free(c->tensors[i].data);
    c->count = 0;
}
