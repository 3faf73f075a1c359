// SPDX-License-Identifier: Apache-2.0
/* What a legal call becomes: the sizes, strides and workspace that kernels are handed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ops/moe_align_block_size.h"
#include "ops/tensors.h"
#include "tests/ops/call_text.h"
#include "tests/ops/calls.h"

static trine_context *context;

static void start(void)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    params.ignore_environment = params.no_modules = true;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
}

static void stop(void)
{
    trine_context_destroy(&context);
}

TestSuite(resolve, .init = start, .fini = stop);

/* The problem of a call; its views keep strides and sizes, not data. */
static trine_problem problem_of(const char *base, const char *edit)
{
    static const DLDevice cpu = {kDLCPU, 0};
    test_call call;
    trine_view views[TRINE_MAX_TENSORS];
    trine_problem problem;
    DLDevice device;
    memset(&problem, 0xee, sizeof problem); /* what resolve leaves unset shows */
    test_call_make(&call, context, cpu, base, edit);
    const trine_op_entry *entry = trine_op_entry_of(call.op->op);
    cr_assert_eq(trine_tensors_read(call.op, &call.args, true, views, &device), TRINE_OK, "%s",
                 trine_last_error());
    cr_assert_eq(entry->resolve(views, &call.args, &problem), TRINE_OK, "%s", trine_last_error());
    test_call_free(&call);
    return problem;
}

static void view_is(const char *what, const trine_view *view, const char *want)
{
    char text[200] = "";
    size_t used = 0;
    for (int i = 0; i < view->rank; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%d*%d", i ? " " : "",
                                 (int)view->shape[i], (int)view->stride[i]);
    cr_expect_str_eq(text, want, "%s: %s, not %s", what, text, want);
}

Test(resolve, rotary_tables_repeat_where_they_lack_a_dimension)
{
    static const struct {
        const char *base, *edit, *x, *cos, *sin;
    } cases[] = {
        {ROTARY, NULL, "2*960 5*192 3*64 64*1", "2*0 5*32 3*0 32*1", "2*0 5*32 3*0 32*1"},
        {ROTARY, "cos=f32[2,5,32] sin=f32[2,5,3,32]", "2*960 5*192 3*64 64*1",
         "2*160 5*32 3*0 32*1", "2*480 5*96 3*32 32*1"},
        {ROTARY, "cos=f32[5,32]/strides(64,2) sin=f32[5,32]/strides(0,1)", "2*960 5*192 3*64 64*1",
         "2*0 5*64 3*0 32*2", "2*0 5*0 3*0 32*1"},
        {ROTARY3, NULL, "1*0 5*192 3*64 64*1", "1*0 5*96 3*32 32*1", "1*0 5*96 3*32 32*1"},
        {ROTARY3, "sin=f16[5,32]", "1*0 5*192 3*64 64*1", "1*0 5*96 3*32 32*1",
         "1*0 5*32 3*0 32*1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_problem problem = problem_of(cases[i].base, cases[i].edit);
        const trine_rotary_embedding_problem *p = &problem.rotary_embedding;
        view_is("x", &p->x, cases[i].x);
        view_is("out", &p->out, cases[i].x);
        view_is("cos", &p->cos, cases[i].cos);
        view_is("sin", &p->sin, cases[i].sin);
        cr_expect(p->batch == p->x.shape[0] && p->tokens == 5 && p->heads == 3);
        cr_expect(p->head_size == 64 && p->pairs == 32 && !p->inverse);
    }
}

Test(resolve, quant_scale_layouts)
{
    static const struct {
        const char *base, *edit;
        int64_t q_rows, scale_rows, scale_columns, expert, row, column;
        bool tail, packed;
    } cases[] = {
        {QUANT, NULL, 6, 6, 2, 12, 2, 1, false, false},
        {QUANT, "q=e4m3fn[8,256]", 8, 6, 2, 12, 2, 1, false, false},
        {QUANT, "scale=f32[6,2]/strides(1,6) scale_layout=column", 6, 6, 2, 12, 1, 6, false, false},
        {QUANT, "scale=f32[6,2]/strides(1,8) scale_layout=column_aligned", 6, 6, 2, 16, 1, 8, true,
         false},
        {QUANT, "q=e4m3fn[8,256] scale=f32[8,2]/strides(1,8) scale_layout=column_aligned", 8, 8, 2,
         16, 1, 8, true, false},
        {QUANT, "x=bf16[6,640] q=i8[6,640] scale=i32[6,2]/strides(1,8) scale_layout=packed_ue8m0",
         6, 6, 2, 16, 1, 8, true, true},
        {QUANT, "x=bf16[6,640] q=i8[6,640] scale=i32[6,2] scale_layout=row_packed_ue8m0", 6, 6, 2,
         12, 2, 1, false, true},
        /* One row: padding rows lie by the layout's strides whatever the tensor's say. */
        {QUANT,
         "x=bf16[1,256] q=e4m3fn[1,256] scale=f32[1,2]/strides(99,4) scale_layout=column_aligned",
         1, 1, 2, 8, 1, 4, true, false},
        {MASKED, NULL, 6, 6, 2, 12, 2, 1, false, false},
        {MASKED, "scale=f32[2,8,2]/strides(16,1,8) scale_layout=column_aligned", 6, 8, 2, 16, 1, 8,
         false, false},
        {MASKED, "scale=i32[2,6,1]/strides(8,1,8) scale_layout=packed_ue8m0", 6, 6, 1, 8, 1, 8,
         false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_problem problem = problem_of(cases[i].base, cases[i].edit);
        const trine_per_token_group_quant_problem *p = &problem.per_token_group_quant;
        cr_expect(p->q_rows == cases[i].q_rows && p->q.rank == 3 && p->x.rank == 3, "case %zu", i);
        cr_expect_eq(p->scale_rows, cases[i].scale_rows, "case %zu", i);
        cr_expect_eq(p->scale_columns, cases[i].scale_columns, "case %zu", i);
        cr_expect_eq(p->scale_expert_stride, cases[i].expert, "case %zu", i);
        cr_expect_eq(p->scale_row_stride, cases[i].row, "case %zu", i);
        cr_expect_eq(p->scale_column_stride, cases[i].column, "case %zu", i);
        cr_expect_eq(p->scale_has_tail, cases[i].tail, "case %zu", i);
        cr_expect_eq(p->packed, cases[i].packed, "case %zu", i);
        cr_expect_eq(p->format, p->packed ? TRINE_SCALE_UE8M0 : TRINE_SCALE_F32);
        cr_expect_eq(p->aligned_rows, (p->rows + 3) / 4 * 4);
    }
}

Test(resolve, quant_params)
{
    static const struct {
        const char *edit;
        float q_max;
        bool usual;
        int64_t group_size, groups;
    } cases[] = {
        {NULL, 448, true, 128, 2},
        {"q=e4m3fnuz[6,256]", 224, true, 128, 2},
        {"q=i8[6,256]", 127, true, 128, 2},
        {"q_max=448", 448, true, 128, 2},
        {"q_max=240", 240, false, 128, 2},
        {"q=e4m3fnuz[6,256] q_max=240", 240, false, 128, 2},
        {"q=i8[6,256] q_max=1", 1, false, 128, 2},
        {"group_size=16 scale=f32[6,16]", 448, true, 16, 16},
        {"group_size=512 x=bf16[6,1024] q=i8[6,1024] q_max=127", 127, true, 512, 2},
        {"group_size=15 x=bf16[6,15] q=i8[6,15] scale=f32[6,1]", 127, true, 15, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_problem problem = problem_of(QUANT, cases[i].edit);
        const trine_per_token_group_quant_problem *p = &problem.per_token_group_quant;
        cr_expect_eq(p->q_max, cases[i].q_max, "case %zu: %g", i, (double)p->q_max);
        cr_expect_eq(p->default_q_max, cases[i].usual, "case %zu", i);
        cr_expect(p->group_size == cases[i].group_size && p->groups == cases[i].groups, "case %zu",
                  i);
        cr_expect(p->eps == 1e-10f && p->ue8m0_floor == 1e-10f && p->experts == 1 && p->rows == 6);
    }
}

Test(resolve, dequantize_scales)
{
    static const struct {
        const char *edit;
        int64_t row, column, block_rows, group_size;
    } cases[] = {
        {NULL, 2, 1, 1, 128},
        {"scale=f32[6,2]/strides(17,3)", 17, 3, 1, 128},
        {"scale=f32[6,1]", 1, 0, 1, 128},
        {"scale=f32[6,1] block_rows=4", 1, 0, 1, 128},
        {"scale=f32[2,2] block_rows=4", 2, 1, 4, 128},
        {"scale=f32[2,1] block_rows=4 group_size=256", 1, 1, 4, 256},
        {"scale=f32[6,1] block_rows=1 group_size=256", 1, 1, 1, 256},
        {"scale=f32[1]/strides(5)", 0, 0, 1, 128},
        {"scale=f32[1] block_rows=4", 0, 0, 4, 128},
        {"scale=f32[8,2]/strides(1,8) scale_layout=column_aligned", 1, 8, 1, 128},
        {"group_size=32 scale=i32[6,2]/strides(1,8) scale_layout=packed_ue8m0", 1, 8, 1, 32},
        {"group_size=32 scale=i32[6,2] scale_layout=row_packed_ue8m0", 2, 1, 1, 32},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_problem problem = problem_of(DEQUANT, cases[i].edit);
        const trine_dequantize_problem *p = &problem.dequantize;
        cr_expect_eq(p->scale_row_stride, cases[i].row, "case %zu", i);
        cr_expect(p->groups == 1 || p->scale_column_stride == cases[i].column, "case %zu: %d", i,
                  (int)p->scale_column_stride);
        cr_expect_eq(p->block_rows, cases[i].block_rows, "case %zu", i);
        cr_expect_eq(p->group_size, cases[i].group_size, "case %zu", i);
        cr_expect_eq(p->packed, p->scale.dtype == TRINE_I32, "case %zu", i);
    }
}

Test(resolve, scaled_mm_scales)
{
    static const struct {
        const char *edit;
        int64_t a_row, a_block, b_row, b_block, b_rows_per, blocks, block_k;
    } cases[] = {
        {NULL, 3, 1, 3, 1, 128, 3, 128},
        {"a_scale=f32[8,3]/strides(1,8)", 1, 8, 3, 1, 128, 3, 128},
        {"a_scale=f32[5,1]", 1, 0, 3, 1, 128, 3, 128},
        {"a_scale=f32[1]", 0, 0, 3, 1, 128, 3, 128},
        {"b_scale=f32[7,1]", 3, 1, 1, 0, 1, 3, 128},
        {"b_scale=f32[1]", 3, 1, 0, 0, 7, 3, 128},
        {"a_scale=f32[1] b_scale=f32[1]", 0, 0, 0, 0, 7, 1, 300},
        {"a_scale=f32[5,1] b_scale=f32[7,1]", 1, 0, 1, 0, 1, 1, 300},
        {"block_n=2 b_scale=f32[4,3]", 3, 1, 3, 1, 2, 3, 128},
        {"a=e4m3fn[5,0] b=e4m3fn[7,0] a_scale=f32[5,1] b_scale=f32[1]", 1, 0, 0, 0, 7, 1, 1},
        {"b=e4m3fn[0,300] b_scale=f32[1] bias=none out=bf16[5,0]", 3, 1, 0, 0, 1, 3, 128},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_problem problem = problem_of(MM, cases[i].edit);
        const trine_scaled_mm_problem *p = &problem.scaled_mm;
        cr_expect(p->a_scale_row == cases[i].a_row && p->a_scale_block == cases[i].a_block,
                  "case %zu: %d %d", i, (int)p->a_scale_row, (int)p->a_scale_block);
        cr_expect(p->b_scale_row == cases[i].b_row && p->b_scale_block == cases[i].b_block,
                  "case %zu: %d %d", i, (int)p->b_scale_row, (int)p->b_scale_block);
        cr_expect_eq(p->b_scale_rows_per, cases[i].b_rows_per, "case %zu", i);
        cr_expect(p->blocks == cases[i].blocks && p->block_k == cases[i].block_k, "case %zu", i);
        cr_expect(p->m == 5 && p->n == p->b.shape[0] && p->k == p->a.shape[1]);
    }
}

Test(resolve, linear_workspace)
{
    trine_problem problem =
        problem_of(LINEAR, "x=bf16[5,300] w=e4m3fn[7,300] w_scale=f32[1,3] out=bf16[5,7]");
    const trine_block_scaled_linear_problem *p = &problem.block_scaled_linear;
    cr_expect(p->m == 5 && p->n == 7 && p->k == 300 && p->aligned_m == 8 && p->blocks == 3);
    cr_expect_eq(p->q_offset, 0);
    cr_expect_eq(p->scale_offset, 2560); /* 8 * 300, to 256 */
    cr_expect_eq(p->workspace_size, 2560 + 256);
}

Test(resolve, align_workspace)
{
    cr_expect_eq(trine_moe_align_chunks(0), 0);
    cr_expect_eq(trine_moe_align_chunks(1), 1);
    cr_expect_eq(trine_moe_align_chunks(1025), 2);
    cr_expect_eq(trine_moe_align_chunks(INT64_MAX), 512);
    cr_expect_eq(trine_moe_align_workspace(1025, 63), 64 * 3 * 4);
    cr_expect_eq(trine_moe_align_workspace(0, 0), 256);
    cr_expect_eq(trine_moe_align_workspace(INT64_MAX, INT64_MAX / 8), -1);
    /* As many positions as 32 bits can number, and no more. */
    trine_problem problem =
        problem_of(ALIGN, "topk_ids=i32[2147483647,1]/strides(0,0) block_size=1 "
                          "sorted_token_ids=i32[2147483647] expert_ids=i32[2147483647]");
    cr_expect_eq(problem.moe_align_block_size.slots, INT32_MAX);
    problem = problem_of(ALIGN, NULL);
    const trine_moe_align_block_size_problem *p = &problem.moe_align_block_size;
    cr_expect(p->tokens == 5 && p->k == 2 && p->slots == 10 && p->experts == 8);
    cr_expect(p->global_experts == 9 && p->block_size == 4 && p->capacity == 40 && p->blocks == 10);
    cr_expect_eq(p->workspace_size, 256);
}

static size_t aligned(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

/* Parts follow each other without a gap, each as large as it must be. */
Test(resolve, fused_moe_workspace)
{
    /* M = 5, k = 2, E = 4, H = 64, I = 32, N1 = 64: S = 10 slots in blocks of 16. */
    enum { M = 5, S = 10, H = 64, I = 32, N1 = 64 };
    static const struct {
        const char *base, *edit;
        size_t a1, a1_scale, a2, a2_scale, c;
    } cases[] = {
        {MOE, NULL, 0, 0, S * I * 2, 0, S * H * 2},
        {MOE, "combine=none out=bf16[5,2,64]", 0, 0, S * I * 2, 0, 0},
        {MOE, "combine=atomic_f32 topk_weights=f32[5,1] topk_ids=i32[5,1]", 0, 0, M * I * 2, 0,
         M * H * 4},
        {MOE_TENSOR, NULL, M * H, 4, S * I, 4, S * H * 2},
        {MOE_CHANNEL, NULL, M * H, M * 4, S * I, S * 4, S * H * 2},
        {MOE_BLOCK, NULL, M * H, M * 2 * 4, S * I, S * 1 * 4, S * H * 2},
        {MOE_BLOCK, "block_k=33 w1_scale=f32[4,1,2] w2_scale=f32[4,1,1]", M * H, M * 2 * 4, S * I,
         S * 1 * 4, S * H * 2},
        {MOE_BLOCK, "quantization=int8_block w1=i8[4,64,64] w2=i8[4,64,32]", M * H, M * 2 * 4,
         S * I, S * 1 * 4, S * H * 2},
        {MOE_TENSOR,
         "quantization=fp8_channel w1_scale=f32[4,64] w2_scale=f32[4,64] a1_scale=none "
         "a2_scale=none",
         M * H, M * 4, S * I, S * 4, S * H * 2},
        {MOE_W8, NULL, 0, 0, S * I * 2, 0, S * H * 2},
        {MOE_W4, NULL, 0, 0, S * I * 2, 0, S * H * 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_problem problem = problem_of(cases[i].base, cases[i].edit);
        const trine_fused_moe_problem *p = &problem.fused_moe;
        const trine_fused_moe_workspace *w = &p->workspace;
        size_t slots = (size_t)p->slots;
        size_t capacity =
            (size_t)trine_moe_align_capacity(p->slots, p->experts, p->align_block_size);
        cr_expect(p->tokens == M && p->hidden == H && p->intermediate == I && p->n1 == N1);
        cr_expect(p->experts == 4 && p->global_experts == 9 && p->align_block_size == 16);
        size_t at = 0;
        cr_expect_eq(w->sorted_token_ids, at);
        cr_expect_eq(w->expert_ids, at += aligned(capacity * 4));
        cr_expect_eq(w->num_tokens_post_padded, at += aligned(capacity / 16 * 4));
        cr_expect_eq(w->align_scratch, at += aligned(4));
        cr_expect_eq(w->a1, at += aligned(5 * 2 * 4));
        cr_expect_eq(w->a1_scale, at += aligned(cases[i].a1), "case %zu", i);
        cr_expect_eq(w->h, at += aligned(cases[i].a1_scale), "case %zu", i);
        cr_expect_eq(w->a2, at += aligned(slots * N1 * 4), "case %zu", i);
        cr_expect_eq(w->a2_scale, at += aligned(cases[i].a2), "case %zu", i);
        cr_expect_eq(w->c, at += aligned(cases[i].a2_scale), "case %zu", i);
        cr_expect_eq(w->size, at + aligned(cases[i].c), "case %zu: %zu, not %zu", i, w->size,
                     at + aligned(cases[i].c));
    }
}

Test(resolve, fused_moe_block_of_sorted_slots)
{
    static const struct {
        int tokens, block;
    } cases[] = {{1, 16}, {67, 16}, {68, 32}, {131, 32}, {132, 64}, {259, 64}, {260, 128}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char edit[300];
        int m = cases[i].tokens; /* one slot each over four experts */
        snprintf(edit, sizeof edit,
                 "x=bf16[%d,64] out=bf16[%d,64] topk_weights=f32[%d,1] topk_ids=i32[%d,1]", m, m, m,
                 m);
        trine_problem problem = problem_of(MOE, edit);
        cr_expect_eq(problem.fused_moe.align_block_size, cases[i].block, "%d tokens: %d", m,
                     (int)problem.fused_moe.align_block_size);
    }
    cr_expect_eq(problem_of(MOE, "expert_map=none").fused_moe.global_experts, 4);
    cr_expect_eq(problem_of(MOE, "gated=false w1=bf16[4,32,64] b1=none").fused_moe.intermediate,
                 32);
}

/* Params arrive where kernels look for them. */
Test(resolve, params_arrive)
{
    trine_problem problem =
        problem_of(MOE, "activation=swiglu_oai gate_layout=interleaved alpha=3 limit=7 "
                        "intermediate_rounding=each combine=separate router_weight_on_input=true "
                        "routed_scaling_factor=2.5 accumulate=true block_n=5 block_k=6");
    const trine_fused_moe_problem *f = &problem.fused_moe;
    cr_expect(f->activation == TRINE_ACTIVATION_SWIGLU_OAI && f->gated);
    cr_expect(f->gate_layout == TRINE_GATE_INTERLEAVED && f->alpha == 3 && f->limit == 7);
    cr_expect(f->intermediate_rounding == TRINE_ROUND_EACH && f->combine == TRINE_COMBINE_SEPARATE);
    cr_expect(f->router_weight_on_input && f->accumulate && f->routed_scaling_factor == 2.5f);
    cr_expect(f->block_n == 5 && f->block_k == 6 && f->group_size == 0);
    problem = problem_of(ACT, "activation=gelu_tanh gate_layout=interleaved alpha=3 limit=7 "
                              "intermediate_rounding=each");
    const trine_act_and_mul_problem *a = &problem.act_and_mul;
    cr_expect(a->activation == TRINE_ACTIVATION_GELU_TANH && a->gated && a->alpha == 3);
    cr_expect(a->gate_layout == TRINE_GATE_INTERLEAVED && a->limit == 7 && a->columns == 32);
    cr_expect(a->intermediate_rounding == TRINE_ROUND_EACH && a->rows == 5);
    problem = problem_of(GATING, "score=sigmoid renormalize=false num_groups=4 topk_groups=2 "
                                 "group_score=top2_sum scaling_factor=2 softcap=30");
    const trine_topk_gating_problem *g = &problem.topk_gating;
    cr_expect(g->score == TRINE_SCORE_SIGMOID && !g->renormalize && g->num_groups == 4);
    cr_expect(g->topk_groups == 2 && g->group_score == TRINE_GROUP_TOP2_SUM && g->softcap == 30);
    cr_expect(g->scaling_factor == 2 && g->tokens == 5 && g->experts == 8 && g->k == 2);
    problem = problem_of(SUM, "scaling_factor=3 accumulate=true");
    const trine_moe_sum_problem *s = &problem.moe_sum;
    cr_expect(s->scaling_factor == 3 && s->accumulate && s->tokens == 5 && s->k == 2);
    cr_expect_eq(s->columns, 32);
    problem = problem_of(ROTARY, "pairing=half rounding=f32_2mul inverse=true");
    const trine_rotary_embedding_problem *r = &problem.rotary_embedding;
    cr_expect(r->pairing == TRINE_PAIRING_HALF && r->rounding == TRINE_ROUNDING_F32_2MUL);
    cr_expect(r->inverse);
    problem = problem_of(QUANT, "scale_format=ue8m0 arithmetic=reciprocal eps=1e-5 ue8m0_floor=0 "
                                "int_rounding=truncate activation=silu intermediate_rounding=each "
                                "x=bf16[6,512]");
    const trine_per_token_group_quant_problem *q = &problem.per_token_group_quant;
    cr_expect(q->format == TRINE_SCALE_UE8M0 && q->arithmetic == TRINE_ARITHMETIC_RECIPROCAL);
    cr_expect(q->eps == 1e-5f && q->ue8m0_floor == 0 && q->int_rounding == TRINE_INT_TRUNCATE);
    cr_expect(q->activation == TRINE_ACTIVATION_SILU && q->columns == 256);
    cr_expect_eq(q->intermediate_rounding, TRINE_ROUND_EACH);
    cr_expect_eq(problem_of(MM, "bias_rounding=before").scaled_mm.bias_rounding, TRINE_BIAS_BEFORE);
    cr_expect_eq(problem_of(LINEAR, "bias_rounding=before").block_scaled_linear.bias_rounding,
                 TRINE_BIAS_BEFORE);
    problem = problem_of(CONVERT, "w=e4m3fn[2,3,4] out=e4m3fnuz[2,3,4]");
    cr_expect(problem.fp8_convert.elements == 24 && problem.fp8_convert.scale_elements == 3);
}

Test(resolve, nondeterministic_combines)
{
    const trine_op_entry *entry = trine_op_entry_of(TRINE_OP_FUSED_MOE);
    static const struct {
        const char *combine;
        bool deterministic;
    } cases[] = {{"combine=auto", true},
                 {"combine=separate", true},
                 {"combine=none out=bf16[5,2,64]", true},
                 {"combine=atomic", false},
                 {"combine=atomic_f32", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_problem problem = problem_of(MOE, cases[i].combine);
        cr_expect_eq(!entry->nondeterministic(&problem), cases[i].deterministic, "%s",
                     cases[i].combine);
    }
}
