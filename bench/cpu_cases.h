// SPDX-License-Identifier: Apache-2.0
/* The calls whose speed on a CPU is measured, with their data. */
#ifndef TRINE_BENCH_CPU_CASES_H
#define TRINE_BENCH_CPU_CASES_H

#include <trine/trine.h>

#define TRINE_BENCH_MAX_TENSORS 12

typedef struct bench_case {
    const char *name;  /* "moe_sum" */
    const char *shape; /* for people */
    int32_t op;
    union {
        trine_rotary_embedding_args rotary;
        trine_per_token_group_quant_args quant;
        trine_act_and_mul_args act;
        trine_moe_sum_args sum;
        trine_scaled_mm_args mm;
        trine_fused_moe_args moe;
    } args;
    DLTensor tensors[TRINE_BENCH_MAX_TENSORS];
    int64_t shapes[TRINE_BENCH_MAX_TENSORS][4];
    int count;
    bool out_of_memory;
} bench_case;

/* Each makes its call; free it with bench_case_free. False when memory runs out. */
bool bench_rotary(bench_case *c);
bool bench_rotary_in_place(bench_case *c);
bool bench_moe_sum(bench_case *c);
bool bench_group_quant(bench_case *c);
bool bench_act_and_mul(bench_case *c);
bool bench_scaled_mm(bench_case *c);
bool bench_moe_fp8_block(bench_case *c);
bool bench_moe_bf16(bench_case *c);
void bench_case_free(bench_case *c);

#endif
