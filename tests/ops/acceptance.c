// SPDX-License-Identifier: Apache-2.0
/* Calls that look odd and are legal. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ops/call_text.h"
#include "tests/ops/calls.h"

static trine_context *context_make(void)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context = NULL;
    params.simulate = "cuda:0=sm_90,rocm:0=gfx942";
    params.ignore_environment = params.no_modules = true;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    return context;
}

static const DLDevice devices[] = {{kDLCPU, 0}, {kDLCUDA, 0}, {kDLROCM, 0}};

typedef struct legal {
    const char *base, *edit;
    const char *zeroed; /* an output that must come out as zero bytes; NULL: not looked at */
    bool untouched;     /* no byte of any tensor may change */
} legal;

static const legal odd[] = {
    /* Empty problems: success and nothing written. */
    {ROTARY, "x=bf16[0,5,3,64] out=bf16[0,5,3,64]", NULL, true},
    {ROTARY, "x=bf16[2,0,3,64] cos=f32[0,32] sin=f32[0,32] out=bf16[2,0,3,64]", NULL, true},
    {ROTARY,
     "x=bf16[2,5,3,64]/null out=bf16[2,5,3,64]/null x=bf16[2,5,0,64]/null "
     "out=bf16[2,5,0,64]/null",
     NULL, true},
    {QUANT, "x=bf16[0,256] q=e4m3fn[0,256] scale=f32[0,2]", NULL, true},
    {QUANT, "x=bf16[6,0] q=e4m3fn[6,0] scale=f32[6,0]", NULL, true},
    {QUANT, "x=bf16[6,0] q=e4m3fn[8,0] scale=f32[8,0] scale_layout=column_aligned", NULL, true},
    {MASKED, "x=f16[0,6,256] masked_m=i32[0] q=e4m3fn[0,6,256] scale=f32[0,6,2]", NULL, true},
    {MASKED, "masked_m=i32[2]/zero", NULL, true},
    {DEQUANT, "q=e4m3fn[0,256] scale=f32[0,2] out=bf16[0,256]", NULL, true},
    {DEQUANT, "q=e4m3fn[6,0] scale=f32[6,0] out=bf16[6,0]", NULL, true},
    {CONVERT, "w=e4m3fn[0,8] scale=f32[0] out=e4m3fnuz[0,8] out_scale=f32[0]", NULL, true},
    {MM, "a=e4m3fn[0,300] a_scale=f32[0,3] out=bf16[0,7]", NULL, true},
    {MM, "b=e4m3fn[0,300] b_scale=f32[0,3] bias=bf16[0] out=bf16[5,0]", NULL, true},
    {LINEAR, "x=bf16[0,256] out=bf16[0,7]", NULL, true},
    {GATING, "logits=f32[0,8] topk_weights=f32[0,2] topk_ids=i32[0,2]", NULL, true},
    {ACT, "x=bf16[0,64] out=bf16[0,32]", NULL, true},
    {ACT, "x=bf16[5,0] out=bf16[5,0]", NULL, true},
    {SUM, "y=bf16[0,2,32] out=bf16[0,32]", NULL, true},
    {SUM, "y=bf16[5,2,0] out=bf16[5,0]", NULL, true},
    {MOE, "x=bf16[0,64] topk_weights=f32[0,2] topk_ids=i32[0,2] out=bf16[0,64]", NULL, true},
    /* Nothing to sum: zeros. */
    {MM, "a=e4m3fn[5,0] b=e4m3fn[7,0] a_scale=f32[5,0] b_scale=f32[1,0] bias=none", "out", false},
    {MM, "a=e4m3fn[5,0] b=e4m3fn[7,0] a_scale=f32[5,1] b_scale=f32[1] bias=none", "out", false},
    {LINEAR, "x=bf16[5,0] w=e4m3fn[7,0] w_scale=f32[1,0] bias=none", "out", false},
    {SUM, "y=bf16[5,0,32]", "out", false},
    {MOE, "topk_weights=f32[5,0] topk_ids=i32[5,0] expert_map=none", "out", false},
    {MOE, "w1=bf16[0,64,64] w2=bf16[0,64,32] b1=bf16[0,64] b2=f32[0,64] expert_map=none", "out",
     false},
    {MOE, "w1=bf16[4,0,64] w2=bf16[4,64,0] b1=none b2=none", NULL, false},
    {MOE, "expert_map=i32[0]", "out", false},
    {ALIGN, "topk_ids=i32[0,2]", "num_tokens_post_padded", false},
    {ALIGN, "topk_ids=i32[5,0]", "num_tokens_post_padded", false},
    {ALIGN, "topk_ids=i32[0,2] sorted_token_ids=i32[0] expert_ids=i32[0]", "num_tokens_post_padded",
     false},
    /* Strides: 0 repeats, 2 decimates, sizes of 1 don't care. */
    {ROTARY, "x=bf16[2,5,3,64]/strides(0,0,0,1)", NULL, false},
    {ROTARY, "cos=f32[5,32]/strides(64,2) sin=f32[5,32]/strides(0,0)", NULL, false},
    {ROTARY, "cos=f32[2,5,32] sin=f32[2,5,3,32]", NULL, false},
    {ROTARY, "cos=f32[5,0] sin=f32[5,0]", NULL, false},
    {ROTARY, "x=bf16[2,5,3,65] out=bf16[2,5,3,65]", NULL, false},
    {ROTARY3, "cos=f16[5,32] sin=f16[5,3,32] rounding=all_low pairing=half inverse=true", NULL,
     false},
    {ROTARY, "out=bf16[2,5,3,64]/in(x,0)", NULL, false},
    {ROTARY,
     "x=bf16[2,5,3,64]/strides(1000,200,64,1) out=bf16[2,5,3,64]/strides(1000,200,64,1)/"
     "in(x,0)",
     NULL, false},
    {QUANT, "x=bf16[6,256]/strides(0,1) scale=f32[6,2]/strides(2,1)", NULL, false},
    {QUANT, "x=bf16[6,256]/strides(1,6) q=e4m3fn[6,256]/strides(1,7)", NULL, false},
    {QUANT, "scale=f32[6,2]/strides(1,6) scale_layout=column", NULL, false},
    {QUANT, "scale=f32[6,2]/strides(1,8) scale_layout=column_aligned", NULL, false},
    {QUANT, "scale=f32[8,2]/strides(1,8) scale_layout=column_aligned", NULL, false},
    {QUANT, "q=e4m3fn[8,256] scale=f32[8,2]/strides(1,8) scale_layout=column_aligned", NULL, false},
    {QUANT, "q=e4m3fn[8,256]", NULL, false},
    {QUANT, "scale=i32[6,1]/strides(1,77) scale_layout=packed_ue8m0", NULL, false},
    {QUANT, "scale=i32[8,1] q=e4m3fn[8,256] scale_layout=packed_ue8m0", NULL, false},
    {QUANT, "x=bf16[6,640] q=i8[6,640] scale=i32[6,2] scale_layout=row_packed_ue8m0", NULL, false},
    {QUANT, "x=bf16[6,640] q=i8[6,640] scale=i32[6,2]/strides(1,8) scale_layout=packed_ue8m0", NULL,
     false},
    {QUANT,
     "x=bf16[1,256]/strides(99,1) q=e4m3fn[1,256] scale=f32[1,2]/strides(5,4) "
     "scale_layout=column_aligned",
     NULL, false},
    {QUANT, "x=bf16[6,512] activation=silu intermediate_rounding=each", NULL, false},
    {QUANT, "x=bf16[6,7] q=i8[6,7] scale=f32[6,1] group_size=7", NULL, false},
    {QUANT, "x=bf16[6,1024] q=i8[6,1024] scale=f32[6,1] group_size=1024 q_max=100", NULL, false},
    {QUANT, "q=e4m3fnuz[6,256] q_max=240 eps=1e-20 ue8m0_floor=0 scale_format=ue8m0", NULL, false},
    {MASKED, "x=f16[2,6,512] activation=gelu_tanh", NULL, false},
    {MASKED, "scale=i32[2,6,1]/strides(8,1,8) scale_layout=packed_ue8m0", NULL, true},
    {MASKED, "scale=f32[2,8,2]/strides(16,1,8) scale_layout=column_aligned", NULL, true},
    {DEQUANT, "scale=f32[6,2]/strides(17,3)", NULL, false},
    {DEQUANT, "scale=f32[6,2]/strides(0,0)", NULL, false},
    {DEQUANT, "q=i8[6,256] scale=f32[6,1] out=f32[6,256]", NULL, false},
    {DEQUANT, "q=e5m2[6,256] scale=f32[1] out=f16[6,256]", NULL, false},
    {DEQUANT, "scale=f32[3,3] block_rows=2 group_size=100", NULL, false},
    {DEQUANT, "scale=f32[6,1] block_rows=2 group_size=100", NULL, false},
    {DEQUANT, "scale=f32[8,2]/strides(1,8) scale_layout=column_aligned", NULL, false},
    {DEQUANT, "scale=i32[8,1] scale_layout=packed_ue8m0", NULL, false},
    {DEQUANT, "scale=i32[6,1] scale_layout=row_packed_ue8m0 scale_format=ue8m0", NULL, false},
    {CONVERT, "out=e4m3fnuz[6,8]/in(w,0) out_scale=f32[3]/in(scale,0)", NULL, false},
    {CONVERT, "w=e4m3fn[] out=e4m3fnuz[] scale=u8[2,3,1] out_scale=u8[2,3,1]", NULL, false},
    {CONVERT, "w=e4m3fn[1,2,1,2,1,2,1,2] out=e4m3fnuz[1,2,1,2,1,2,1,2]", NULL, false},
    {MM, "a_scale=f32[8,3]/strides(1,8)", NULL, false},
    {MM, "a_scale=f32[100,3]", NULL, false},
    {MM, "a_scale=f32[5,1] b_scale=f32[7,1]", NULL, false},
    {MM, "a_scale=f32[1] b_scale=f32[1]/strides(0) bias=f32[7]/strides(0) out=f16[5,7]", NULL,
     false},
    {MM,
     "a=i8[5,300]/strides(0,1) b=i8[7,300] b_scale=f32[7,1] out=f32[5,7]/strides(1,9) bias=none",
     NULL, false},
    {MM, "bias_rounding=before block_k=1000 block_n=3 a_scale=f32[5,1] b_scale=f32[3,1]", NULL,
     false},
    {LINEAR, "x=bf16[5,256]/strides(1,5) bias=none", NULL, false},
    {LINEAR, "x=f16[5,200] w=e4m3fnuz[7,200] out=f16[5,7] bias=f16[7] bias_rounding=before", NULL,
     false},
    {GATING, "k=8 topk_weights=f32[5,8] topk_ids=i32[5,8] correction_bias=none", NULL, false},
    {GATING, "num_groups=4 topk_groups=1 group_score=top2_sum score=sigmoid softcap=3", NULL,
     false},
    {GATING, "logits=bf16[5,8]/strides(0,0) renormalize=false scaling_factor=-1", NULL, false},
    {ALIGN, "sorted_token_ids=i32[32] expert_ids=i32[8]", NULL, false},
    {ALIGN, "sorted_token_ids=i32[41] expert_ids=i32[11] expert_map=none", NULL, false},
    {ACT, "x=bf16[5,32] gated=false activation=relu2", NULL, false},
    {ACT,
     "x=f32[5,64] out=f32[5,32]/strides(1,5) activation=swiglu_oai gate_layout=interleaved "
     "limit=7",
     NULL, false},
    {SUM, "y=bf16[5,2,32]/strides(0,0,0) accumulate=true scaling_factor=0", NULL, false},
    {MOE, "combine=none out=bf16[5,2,64]", NULL, false},
    {MOE, "combine=atomic accumulate=true router_weight_on_input=true", NULL, false},
    {MOE, "combine=atomic_f32 out=f32[5,64] routed_scaling_factor=2.5", NULL, false},
    {MOE, "combine=separate intermediate_rounding=each", NULL, false},
    {MOE, "w1=bf16[4,32,64] gated=false activation=relu2 b1=f32[4,32]", NULL, false},
    {MOE, "w1=bf16[4,64,64]/strides(0,64,1) w2=bf16[4,64,32]/strides(2048,1,64)", NULL, false},
    {MOE_TENSOR, "a1_scale=none a2_scale=none", NULL, false},
    {MOE_TENSOR, "a1_scale=none", NULL, false},
    {MOE_TENSOR,
     "quantization=fp8_channel w1_scale=f32[4,64] w2_scale=f32[4,64] a1_scale=none "
     "a2_scale=none",
     NULL, false},
    {MOE_BLOCK, "quantization=int8_block w1=i8[4,64,64] w2=i8[4,64,32]", NULL, false},
    {MOE_BLOCK, "block_k=33 block_n=7 w1_scale=f32[4,10,2] w2_scale=f32[4,10,1]", NULL, false},
    {MOE_W8G, "w1_zero=none", NULL, false},
    {MOE_W4, "w1_zero=none w2_zero=none w1_scale=f32[4,64,2] w2_scale=f32[4,64,1]", NULL, false},
    /* An older caller: the params that its struct lacks take their defaults. */
    {MOE, "args.size=128", NULL, false},
    {SUM, "args.size=24", NULL, false},
    {MOE, "exec.flags=1", NULL, false},
    {SUM, "exec=null", NULL, false},
    {SUM, "exec.size=8", NULL, false},
};

static void accept_one(trine_context *context, DLDevice device, const legal *l)
{
    test_call call;
    test_call_make(&call, context, device, l->base, l->edit);
    trine_status status = test_call_run(&call);
    cr_expect_eq(status, TRINE_OK, "%s: %s", call.text, trine_last_error());
    if (l->untouched) cr_expect_eq(test_call_changed(&call), 0, "%s wrote", call.text);
    if (!status && l->zeroed) {
        size_t size, nonzero = 0;
        unsigned char *now = test_call_read(&call, l->zeroed, &size);
        for (size_t i = 0; i + 64 < size; i++) nonzero += now[i] != 0;
        cr_expect(size > 64 && !nonzero, "%s: %zu bytes of %s are not zero", call.text, nonzero,
                  l->zeroed);
        free(now);
    }
    test_call_free(&call);
}

Test(acceptance, legal_calls)
{
    trine_context *context = context_make();
    size_t run = 0;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        for (size_t i = 0; i < sizeof legal_calls / sizeof *legal_calls; i++, run++)
            accept_one(context, devices[d], &(legal){legal_calls[i], NULL, NULL, false});
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++, run++)
            accept_one(context, devices[d], &odd[i]);
    }
    cr_assert_gt(run, 200);
    trine_context_destroy(&context);
}

/* An older struct is read no further than it goes: what lies behind it is not looked at. */
Test(acceptance, defaults_by_struct_size)
{
    trine_context *context = context_make();
    test_call call, full;
    size_t size;
    test_call_make(&call, context, devices[0], ACT,
                   "activation:=99 gated:=5 limit:=nan args.size=24");
    test_call_make(&full, context, devices[0], ACT, NULL);
    cr_expect_eq(test_call_run(&call), TRINE_OK, "%s", trine_last_error());
    cr_expect_eq(test_call_run(&full), TRINE_OK, "%s", trine_last_error());
    unsigned char *a = test_call_read(&call, "out", &size),
                  *b = test_call_read(&full, "out", &size);
    cr_expect_arr_eq(a, b, size);
    free(a);
    free(b);
    test_call_free(&call);
    test_call_free(&full);
    trine_context_destroy(&context);
}

/* Workspace and cost can be asked for without data. */
Test(acceptance, planning_needs_no_data)
{
    trine_context *context = context_make();
    for (size_t i = 0; i < sizeof legal_calls / sizeof *legal_calls; i++) {
        test_call call;
        size_t with, without;
        trine_cost cost;
        test_call_make(&call, context, devices[0], legal_calls[i], NULL);
        cr_assert_eq(trine_op_workspace_size(context, call.op->op, &call.args, &with), TRINE_OK);
        for (int t = 0; t < call.op->tensor_count; t++) call.tensors[t].tensor.data = NULL;
        cr_expect_eq(trine_op_workspace_size(context, call.op->op, &call.args, &without), TRINE_OK,
                     "%s: %s", call.text, trine_last_error());
        cr_expect_eq(with, without);
        cr_expect_eq(with % TRINE_WORKSPACE_ALIGNMENT, 0);
        cr_expect_eq(trine_op_cost(context, call.op->op, &call.args, &cost), TRINE_OK);
        cr_expect(cost.bytes > 0 && cost.flops > 0, "%s costs nothing", call.text);
        test_call_free(&call);
    }
    trine_context_destroy(&context);
}

/* Bytes that must move, against a count by hand. */
Test(acceptance, cost_counts_bytes)
{
    trine_context *context = context_make();
    static const struct {
        const char *base, *edit;
        double bytes;
    } cases[] = {
        {SUM, NULL, 5 * 2 * 32 * 2 + 5 * 32 * 2},
        {SUM, "accumulate=true", 5 * 2 * 32 * 2 + 2 * 5 * 32 * 2},
        {QUANT, NULL, 6 * 256 * 2 + 6 * 256 + 6 * 2 * 4},
        {QUANT, "x=bf16[6,256]/strides(0,1)", 256 * 2 + 6 * 256 + 6 * 2 * 4},
        {ROTARY, NULL, 2 * (2 * 5 * 3 * 64 * 2) + 2 * (5 * 32 * 4)},
        {MM, NULL, 5 * 300 + 7 * 300 + 5 * 3 * 4 + 3 * 4 + 7 * 2 + 5 * 7 * 2},
        /* Two slots reach two of four experts at most. */
        {MOE, "x=bf16[1,64] topk_weights=f32[1,2] topk_ids=i32[1,2] out=bf16[1,64]",
         64 * 2 + 2 * 4 + 2 * 4 + 9 * 4 + 64 * 2 +
             (4 * 64 * 64 * 2 + 4 * 64 * 32 * 2 + 4 * 64 * 2 + 4 * 64 * 4) / 2.0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_call call;
        trine_cost cost;
        test_call_make(&call, context, devices[0], cases[i].base, cases[i].edit);
        cr_assert_eq(trine_op_cost(context, call.op->op, &call.args, &cost), TRINE_OK);
        cr_expect_eq(cost.bytes, cases[i].bytes, "%s: %g, not %g", call.text, cost.bytes,
                     cases[i].bytes);
        test_call_free(&call);
    }
    trine_context_destroy(&context);
}

Test(acceptance, align_capacity)
{
    /* The largest need over every way to spread the slots, for small sizes. */
    for (int64_t block = 1; block < 5; block++)
        for (int64_t experts = 1; experts < 4; experts++)
            for (int64_t slots = 0; slots < 12; slots++) {
                int64_t most = 0;
                for (int64_t a = 0; a <= slots; a++)
                    for (int64_t b = 0; a + b <= slots; b++) {
                        int64_t runs[3] = {a, b, slots - a - b}, need = 0;
                        if ((experts < 3 && runs[2]) || (experts < 2 && b)) continue;
                        for (int e = 0; e < 3; e++) need += (runs[e] + block - 1) / block * block;
                        if (need > most) most = need;
                    }
                cr_expect_eq(trine_moe_align_capacity(slots, experts, block), most,
                             "%d slots, %d experts, blocks of %d", (int)slots, (int)experts,
                             (int)block);
            }
    cr_expect_eq(trine_moe_align_capacity(-1, 1, 1), -1);
    cr_expect_eq(trine_moe_align_capacity(1, -1, 1), -1);
    cr_expect_eq(trine_moe_align_capacity(1, 1, -1), -1);
    cr_expect_eq(trine_moe_align_capacity(1, 1, 0), -1);
    cr_expect_eq(trine_moe_align_capacity(INT64_MAX, INT64_MAX, 2), -1);
    cr_expect_eq(trine_moe_align_capacity(INT64_MAX, 1, INT64_MAX), INT64_MAX);
}
