// SPDX-License-Identifier: Apache-2.0
#include "tests/ops/refusal_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/ops/call_text.h"
#include "tests/ops/calls.h"

typedef struct refusal {
    const char *base, *edit;
    trine_status status;
    const char *says; /* part of the sentence: argument, value, rule */
} refusal;

#define ARGUMENT TRINE_INVALID_ARGUMENT
#define DTYPE    TRINE_INVALID_DTYPE
#define SHAPE    TRINE_INVALID_SHAPE
#define LAYOUT   TRINE_INVALID_LAYOUT
#define OVERFLOW TRINE_SIZE_OVERFLOW

static const refusal table[] = {
    /* The call itself. */
    {SUM, "context=null", ARGUMENT, "context is NULL"},
    {SUM, "args=null", ARGUMENT, "args is NULL"},
    {SUM, "args.size=0", TRINE_ABI_MISMATCH, "args.struct_size is 0"},
    {SUM, "args.size=8", TRINE_ABI_MISMATCH, "args.struct_size is 8"},
    {SUM, "args.size=4000", TRINE_ABI_MISMATCH, "args.struct_size is 4000"},
    {SUM, "args.size=16", ARGUMENT, "out is NULL"},
    {SUM, "exec.size=4", TRINE_ABI_MISMATCH, "exec.struct_size is 4"},
    {SUM, "exec.size=4000", TRINE_ABI_MISMATCH, "exec.struct_size is 4000"},
    {SUM, "exec.flags=8", ARGUMENT, "exec.flags is 0x8"},
    {SUM, "exec.flags=2", TRINE_UNSUPPORTED, "batch-invariant"},
    {LINEAR, "exec.workspace=null", TRINE_WORKSPACE_TOO_SMALL, "exec.workspace_size is"},
    {LINEAR, "exec=null", TRINE_WORKSPACE_TOO_SMALL, "exec.workspace_size is 0"},
    {LINEAR, "exec.workspace=short", TRINE_WORKSPACE_TOO_SMALL, "must be at least"},
    {LINEAR, "exec.workspace=odd", TRINE_WORKSPACE_TOO_SMALL, "must be a multiple of 256"},
    {LINEAR, "exec.workspace=w", TRINE_OVERLAP, "overlaps w"},
    {ALIGN, "exec.workspace=short", TRINE_WORKSPACE_TOO_SMALL, "must be at least"},
    {MOE, "exec.workspace=short", TRINE_WORKSPACE_TOO_SMALL, "must be at least"},
    {MOE, "exec.workspace=out", TRINE_OVERLAP, "overlaps"},
    {SUM, "y=bf16[5,2,32]/on(1,99) out=bf16[5,32]/on(1,99)", TRINE_INVALID_DEVICE,
     "device (1, 99)"},
    {SUM, "out=bf16[5,32]/on(99,0)", TRINE_INVALID_DEVICE, "out is on device (99, 0)"},

    /* Tensors. */
    {SUM, "y=none", ARGUMENT, "y is NULL"},
    {SUM, "y=bf16[5,2,32]/ndim(9)", SHAPE, "y has 9 dimensions"},
    {SUM, "y=bf16[5,2,32]/ndim(-1)", SHAPE, "y has -1 dimensions"},
    {SUM, "y=bf16[5,2,32]/noshape", SHAPE, "its shape is NULL"},
    {SUM, "y=bf16[5,-2,32]", SHAPE, "y dimension 1 is -2"},
    {SUM, "y=bf16[5,2,32]/strides(64,-32,1)", LAYOUT, "y stride 1 is -32"},
    {SUM, "y=bf16[5,2,32]/code(2,12,1)", DTYPE, "type code 2, 12 bits, 1 lanes"},
    {SUM, "y=bf16[5,2,32]/code(4,16,2)", DTYPE, "2 lanes"},
    {SUM, "y=i32[5,2,32]", DTYPE, "y is i32, must be f32, f16 or bf16"},
    {SUM, "y=bf16[5,2,32]/null", ARGUMENT, "y has elements but its data is NULL"},
    {SUM, "y=bf16[5,2,32]/offset(1)", LAYOUT, "must be a multiple of 2"},
    {SUM, "y=f32[5,2,32]/offset(2) out=f32[5,32]", LAYOUT, "must be a multiple of 4"},
    {SUM, "out=f16[5,32]", DTYPE, "out is f16, must be as y"},
    {SUM, "out=f32[5,32]", DTYPE, "out is f32, must be as y"},
    {SUM, "y=bf16[5,2,32]/strides(64,4611686018427387904,1)", OVERFLOW, "y spans"},
    {SUM, "y=bf16[3037000500,3037000500,32]/strides(0,0,1)", OVERFLOW, "y spans"},
    {SUM, "y=bf16[4294967296,4294967296,1]/strides(0,0,1)", OVERFLOW, "y spans"},
    {SUM, "y=bf16[9223372036854775807,1,1] out=bf16[9223372036854775807,1]", OVERFLOW, "y spans"},
    {SUM, "out=bf16[5,32]/strides(0,1)", LAYOUT, "out has strides"},
    {SUM, "out=bf16[5,32]/strides(16,1)", LAYOUT, "out has strides"},
    {SUM, "out=bf16[5,32]/in(y,0)", TRINE_OVERLAP, "out at"},
    {SUM, "out=bf16[5,32]/in(y,638)", TRINE_OVERLAP, "overlaps y"},
    {GATING, "topk_weights=f32[5,2] topk_ids=i32[5,2]/in(topk_weights,36)", TRINE_OVERLAP,
     "topk_ids at"},
    {ROTARY, "out=bf16[2,5,3,64]/in(x,0)/strides(960,192,1,3)", TRINE_OVERLAP,
     "only with the same strides"},
    {ROTARY,
     "x=bf16[2,5,3,64]/strides(1920,384,128,2) out=bf16[2,5,3,64]/in(x,2)/"
     "strides(1920,384,128,1)",
     TRINE_OVERLAP, "out at"},
    {CONVERT, "out=e4m3fnuz[6,8]/in(w,1)", TRINE_OVERLAP, "out at"},
    {MM, "a=e4m3fn[5,300]/strides(600,2)", LAYOUT, "a stride 1 is 2, must be 1"},
    {MM, "b=e4m3fn[7,300]/strides(1,7)", LAYOUT, "b stride 1 is 7, must be 1"},
    {LINEAR, "w=e4m3fn[7,256]/strides(1,7)", LAYOUT, "w stride 1 is 7, must be 1"},

    /* Params, by their table. */
    {ROTARY, "pairing:=2", ARGUMENT, "pairing is 2"},
    {ROTARY, "inverse:=2", ARGUMENT, "inverse is 2, must be 0 or 1"},
    {QUANT, "group_size=0", ARGUMENT, "group_size is 0, must be 1 to"},
    {QUANT, "eps=0", ARGUMENT, "eps is 0, must be"},
    {QUANT, "eps:=nan", ARGUMENT, "eps is nan"},
    {QUANT, "eps:=inf", ARGUMENT, "eps is inf"},
    {QUANT, "ue8m0_floor=-1", ARGUMENT, "ue8m0_floor is -1"},
    {QUANT, "q_max=0", ARGUMENT, "q_max is 0"},
    {QUANT, "q_max=449", ARGUMENT, "q_max is 449"},
    {QUANT, "activation:=4", ARGUMENT, "activation is 4"},
    {ACT, "activation:=0", ARGUMENT, "activation is 0"},
    {MOE, "activation:=0", ARGUMENT, "activation is 0"},
    {ACT, "limit=-1", ARGUMENT, "limit is -1"},
    {GATING, "k=0", ARGUMENT, "k is 0"},
    {ALIGN, "num_experts=0", ARGUMENT, "num_experts is 0"},
    {ALIGN, "block_size=0", ARGUMENT, "block_size is 0"},

    /* Shapes, by their table. */
    {SUM, "y=bf16[5,2,3,32]", SHAPE, "y has 4 dimensions, must be [M, k, H]"},
    {SUM, "out=bf16[5,33]", SHAPE, "out dimension 1 is 33, must be H = 32"},
    {ROTARY, "cos=f32[2,5,33]", SHAPE, "sin"},
    {ROTARY, "cos=f32[2,5,3,32,1]", SHAPE, "cos has 5 dimensions, must be [T, r] or [B, T, r]"},
    {ROTARY, "cos=f32[6,32]", SHAPE, "cos dimension 0 is 6, must be T = 5"},
    {ROTARY, "cos=f32[5,3,32]", SHAPE, "cos dimension 0 is 5, must be B = 2"},
    {ROTARY3, "cos=f16[3,5,32]", SHAPE, "cos dimension 0 is 3, must be T = 5"},
    {ROTARY3, "out=f16[1,5,3,64]", SHAPE, "out has 4 dimensions, must be [T, H, D]"},
    {QUANT, "q=e4m3fn[7,256]", SHAPE, "q dimension 0 is 7, must be M = 6"},
    {QUANT, "x=bf16[6,255] activation=silu", SHAPE, "x dimension 1 is 255, must be 2*K"},
    {QUANT, "x=bf16[6,200] q=e4m3fn[6,200]", SHAPE,
     "K = 200 is not a multiple of group_size = 128"},
    {QUANT, "masked_m=i32[6]", ARGUMENT, "masked_m is given, but taken only with rank(x) = 3"},
    {MASKED, "masked_m=none", ARGUMENT, "masked_m is NULL, required with rank(x) = 3"},
    {MASKED, "masked_m=i32[3]", SHAPE, "masked_m dimension 0 is 3, must be E = 2"},
    {MASKED, "q=e4m3fn[2,8,256]", SHAPE, "q dimension 1 is 8, must be M = 6"},
    {QUANT, "q=e4m3fn[8,256] scale=f32[6,2]/strides(1,8) scale_layout=column_aligned", SHAPE,
     "scale dimension 0 is 6, must be up4(M) = 8"},
    {QUANT, "scale=f32[8,2]", SHAPE, "scale dimension 0 is 8, must be M = 6"},
    {QUANT, "scale=i32[6,2] scale_layout=packed_ue8m0", SHAPE, "scale dimension 1 is 2, must be"},
    {DEQUANT, "scale=f32[2]", SHAPE, "scale dimension 0 is 2, must be 1"},
    {DEQUANT, "scale=f32[5,2]", SHAPE, "scale dimension 0 is 5, must be"},
    {MM, "a_scale=f32[4,3]", SHAPE, "a_scale dimension 0 is 4, must be M = 5"},
    {MM, "a_scale=f32[5,2]", SHAPE, "a_scale dimension 1 is 2, must be ceil(K/block_k) = 3"},
    {MM, "b_scale=f32[2,3]", SHAPE, "b_scale dimension 0 is 2, must be ceil(N/block_n) = 1"},
    {LINEAR, "w_scale=f32[1,1]", SHAPE, "w_scale dimension 1 is 1, must be ceil(K/128) = 2"},
    {GATING, "topk_ids=i32[5,3]", SHAPE, "topk_ids dimension 1 is 3, must be k = 2"},
    {ALIGN, "expert_ids=i32[9]", SHAPE, "expert_ids dimension 0 is 9"},
    {ALIGN, "num_tokens_post_padded=i32[2]", SHAPE,
     "num_tokens_post_padded dimension 0 is 2, must be 1"},
    {ACT, "x=bf16[5,63]", SHAPE, "x dimension 1 is 63, must be 2*I, a multiple of 2"},
    {ACT, "gated=false", SHAPE, "out dimension 1 is 32, must be I = 64"},
    {MOE, "w1=bf16[4,64,63]", SHAPE, "w1 dimension 2 is 63, must be H = 64"},
    {MOE, "w2=bf16[3,64,32]", SHAPE, "w2 dimension 0 is 3, must be E = 4"},
    {MOE, "w1=bf16[4,65,64]", SHAPE, "w1 dimension 1 is 65, must be 2*I, a multiple of 2"},
    {MOE, "combine=none", SHAPE, "out has 2 dimensions, must be [M, k, H]"},
    {MOE, "out=bf16[5,2,64]", SHAPE, "out has 3 dimensions, must be [M, H]"},
    {MOE, "w1_scale=f32[4]", ARGUMENT, "w1_scale is given, but taken only with"},
    {MOE, "a1_scale=f32[1]", ARGUMENT,
     "a1_scale is given, but taken only with quantization = fp8_tensor"},
    {MOE, "w1_zero=u8[4,64,2]", ARGUMENT, "w1_zero is given, but taken only with"},
    {MOE_TENSOR, "w2_scale=none", ARGUMENT, "w2_scale is NULL, required with"},
    {MOE_BLOCK, "a1_scale=f32[1]", ARGUMENT, "a1_scale is given, but taken only with"},
    {MOE_W8, "w1_zero=u8[4,64,2]", ARGUMENT, "w1_zero is given, but taken only with"},
    {MOE_W4, "group_size=0", SHAPE, "H = 64 is not a multiple of group_size = 0"},
    {MOE_W4, "group_size=24", SHAPE, "H = 64 is not a multiple of group_size = 24"},
    {MOE_W4, "x=bf16[5,63] w2=u8[4,63,16] out=bf16[5,63] w1=u8[4,64,31]", SHAPE, "w1 dimension 2"},
    {MOE_W4, "w1_zero=u8[4,64,2]", SHAPE, "w1_zero dimension 1 is 64"},
    {SUM, "y=bf16[9223372036854775807,2,0] out=bf16[5,0]", SHAPE,
     "out dimension 0 is 5, must be M"},

    /* rotary_embedding */
    {ROTARY, "cos=f32[5,33] sin=f32[5,33]", SHAPE, "cos has r = 33 pairs"},
    {ROTARY, "cos=f32[5,32] sin=bf16[5,32]", DTYPE, "sin is bf16, must be as cos"},
    {ROTARY, "rounding=low_mul_f32_add", DTYPE, "cos is f32, must be as x, which is bf16"},
    {ROTARY, "x=f32[2,5,3,64] out=f32[2,5,3,64] rounding=all_low", DTYPE,
     "x is f32, must be bf16 or f16 with rounding all_low"},

    /* per_token_group_quant */
    {QUANT, "group_size=8 scale=f32[6,32]", ARGUMENT, "group_size is 8, must be 16 to 512"},
    {QUANT, "x=bf16[6,2048] q=i8[6,2048] scale=f32[6,2] group_size=1024", ARGUMENT,
     "group_size is 1024, must be 16 to 512, or K = 2048"},
    {QUANT, "scale=i32[6,2]", DTYPE, "scale is i32, must be f32 with scale_layout row"},
    {QUANT, "scale=f32[6,1] scale_layout=packed_ue8m0", DTYPE, "scale is f32, must be i32"},
    {QUANT, "scale=f32[6,2]/strides(1,6)", LAYOUT, "scale stride 0 is 1, must be 2"},
    {QUANT, "scale=f32[6,2]/strides(3,1)", LAYOUT, "scale stride 0 is 3, must be 2"},
    {QUANT, "scale_layout=column", LAYOUT, "scale stride 0 is 2, must be 1"},
    {QUANT, "scale=f32[6,2]/strides(1,8) scale_layout=column", LAYOUT, "stride 1 is 8, must be 6"},
    {QUANT, "scale=f32[6,2]/strides(1,6) scale_layout=column_aligned", LAYOUT,
     "stride 1 is 6, must be 8"},
    {QUANT, "x=bf16[6,640] q=i8[6,640] scale=i32[6,2]/strides(1,6) scale_layout=packed_ue8m0",
     LAYOUT, "stride 1 is 6, must be 8"},
    {QUANT, "x=bf16[6,640] q=i8[6,640] scale=i32[6,2]/strides(1,6) scale_layout=row_packed_ue8m0",
     LAYOUT, "stride 0 is 1, must be 2"},
    {MASKED, "scale=f32[2,6,2]/strides(16,2,1)", LAYOUT, "scale stride 0 is 16, must be 12"},
    {QUANT, "q=i8[6,256] q_max=128", ARGUMENT, "q_max is 128, must be at most 127 for q of i8"},
    {QUANT, "q=e4m3fnuz[6,256] q_max=241", ARGUMENT, "q_max is 241, must be at most 240"},
    {QUANT,
     "x=bf16[9223372036854775807,0] q=e4m3fn[9223372036854775807,0] "
     "scale=f32[9223372036854775807,0]",
     OVERFLOW, "scale of 9223372036854775807 rows"},

    /* dequantize */
    {DEQUANT, "scale=i32[6,2]", DTYPE, "scale is i32, must be f32 with scale_layout row"},
    {DEQUANT, "scale=f32[6,1] scale_layout=packed_ue8m0", DTYPE, "scale is f32, must be i32"},
    {DEQUANT, "scale=f32[6,2]/strides(1,6) scale_layout=column block_rows=2", ARGUMENT,
     "block_rows is 2, must be 1 with scale_layout column"},
    {DEQUANT, "scale_layout=column", LAYOUT, "scale stride 0 is 2, must be 1"},
    {DEQUANT, "scale=f32[6,2]/strides(1,6) scale_layout=column_aligned", LAYOUT,
     "scale stride 1 is 6, must be 8"},
    {DEQUANT, "group_size=32 scale=i32[6,2]/strides(1,8) scale_layout=row_packed_ue8m0", LAYOUT,
     "scale stride 0 is 1, must be 2"},

    /* fp8_convert */
    {CONVERT, "w=e4m3fnuz[6,8]", DTYPE, "w is e4m3fnuz, must be e4m3fn"},
    {CONVERT, "out=e4m3fn[6,8]", DTYPE, "out is e4m3fn, must be e4m3fnuz"},
    {CONVERT, "out=e4m3fnuz[48]", SHAPE, "out has 1 dimensions, must have the 2 of w"},
    {CONVERT, "out=e4m3fnuz[6,7]", SHAPE, "out dimension 1 is 7, must be that of w, 8"},
    {CONVERT, "out_scale=f32[4]", SHAPE, "out_scale dimension 0 is 4, must be that of scale, 3"},
    {CONVERT, "out_scale=u8[3]", DTYPE, "out_scale is u8, must be as scale"},

    /* scaled_mm and block_scaled_linear */
    {MM, "b=e5m2[7,300]", DTYPE, "b is e5m2, must be as a"},
    {MM, "bias=f16[7]", DTYPE, "bias is f16, must be as out, which is bf16, or f32"},
    {LINEAR, "bias=f16[7]", DTYPE, "bias is f16, must be as x, which is bf16, or f32"},
    {LINEAR, "out=f16[5,7]", DTYPE, "out is f16, must be as x"},
    {LINEAR,
     "x=bf16[2305843009213693952,3]/strides(0,1) w=e4m3fn[0,3] w_scale=f32[0,1] bias=none "
     "out=bf16[2305843009213693952,0]",
     OVERFLOW, "workspace for x of 2305843009213693952 by 3"},

    /* topk_gating */
    {GATING, "k=9 topk_weights=f32[5,9] topk_ids=i32[5,9]", ARGUMENT,
     "k is 9, must be at most E = 8"},
    {GATING, "num_groups=3", ARGUMENT, "num_groups is 3, must divide E = 8"},
    {GATING, "num_groups=2 topk_groups=3", ARGUMENT,
     "topk_groups is 3, must be at most num_groups = 2"},
    {GATING, "num_groups=8 topk_groups=2 group_score=top2_sum", ARGUMENT,
     "group_score top2_sum needs two experts a group"},
    {GATING, "num_groups=8 topk_groups=1", ARGUMENT, "k is 2, must be at most the 1 experts"},
    {GATING,
     "logits=f32[0,2147483648] correction_bias=none topk_weights=f32[0,2] topk_ids=i32[0,2]",
     OVERFLOW, "logits have E = 2147483648 experts"},

    /* moe_align_block_size */
    {ALIGN, "sorted_token_ids=i32[31] expert_ids=i32[8]", SHAPE,
     "sorted_token_ids dimension 0 is 31, must be at least trine_moe_align_capacity(10, 8, 4) = "
     "32"},
    {ALIGN, "topk_ids=i32[5,2000000000]/strides(0,0)", OVERFLOW, "topk_ids of 5 by 2000000000"},
    {ALIGN,
     "topk_ids=i32[9223372036854775807,1]/strides(0,0) block_size=2147483647 expert_ids=i32[1]",
     OVERFLOW, "topk_ids of 9223372036854775807 by 1"},

    {ALIGN, "topk_ids=i32[2147483648,1]/strides(0,0) block_size=1 expert_ids=i32[40]", OVERFLOW,
     "topk_ids of 2147483648 by 1"},

    /* act_and_mul */
    {ACT, "x=bf16[5,32] gated=false activation=swiglu_oai", ARGUMENT, "gated is 0, must be 1"},

    /* fused_moe */
    {MOE, "w1=e4m3fn[4,64,64] w2=e4m3fn[4,64,32]", DTYPE, "w1 is e4m3fn, which quantization none"},
    {MOE, "w1=f16[4,64,64] w2=f16[4,64,32]", DTYPE, "w1 is f16"},
    {MOE, "w2=f16[4,64,32]", DTYPE, "w2 is f16, must be as w1"},
    {MOE_TENSOR, "w1=i8[4,64,64] w2=i8[4,64,32]", DTYPE, "w1 is i8, which quantization fp8_tensor"},
    {MOE_CHANNEL, "w1=u8[4,64,64] w2=u8[4,64,32]", DTYPE,
     "w1 is u8, which quantization int8_channel"},
    {MOE_BLOCK, "quantization=int8_block", DTYPE, "w1 is e4m3fnuz, which quantization int8_block"},
    {MOE_BLOCK, "w1=bf16[4,64,64] w2=bf16[4,64,32]", DTYPE,
     "w1 is bf16, which quantization fp8_block"},
    {MOE_W8, "w1=u8[4,64,64] w2=u8[4,64,32]", DTYPE, "w1 is u8, which quantization int8_w8a16"},
    {MOE_W8G, "w1=i8[4,64,64] w2=i8[4,64,32]", DTYPE, "w1 is i8, which quantization int8_w8a16"},
    {MOE_W4, "w1=i8[4,64,32] w2=i8[4,64,16]", DTYPE, "w1 is i8, which quantization int4_w4a16"},
    {MOE_BLOCK, "w1_scale=bf16[4,1,2]", DTYPE, "w1_scale is bf16, must be f32"},
    {MOE_W8, "w2_scale=bf16[4,64]", DTYPE, "w2_scale is bf16, must be f32"},
    {MOE_W4, "w2_scale=f16[4,64,1]", DTYPE, "w2_scale is f16, must be as x"},
    {MOE, "b1=f16[4,64]", DTYPE, "b1 is f16, must be as x"},
    {MOE, "out=f16[5,64]", DTYPE, "out is f16, must be as x"},
    {MOE, "activation=swiglu_oai gated=false w1=bf16[4,32,64] b1=none", ARGUMENT,
     "gated is 0, must be 1"},
    {MOE, "combine=none accumulate=true out=bf16[5,2,64]", ARGUMENT, "accumulate is 1, must be 0"},
    {MOE, "combine=atomic out=f32[5,64]", DTYPE, "out is f32, must be as x, which is bf16"},
    {MOE, "combine=atomic exec.flags=1", TRINE_UNSUPPORTED, "combine atomic"},
    {MOE, "combine=atomic_f32 exec.flags=1", TRINE_UNSUPPORTED, "deterministic"},
    {MOE, "topk_weights=f32[5,2000000000]/strides(0,0) topk_ids=i32[5,2000000000]/strides(0,0)",
     OVERFLOW, "topk_ids of 5 by 2000000000"},
    {MOE,
     "x=bf16[1000000000,64]/strides(0,1) topk_weights=f32[1000000000,1]/strides(0,0) "
     "topk_ids=i32[1000000000,1]/strides(0,0) w1=bf16[4,9223372036854,64]/strides(0,0,0) "
     "w2=bf16[4,64,4611686018427]/strides(0,0,0) b1=none b2=none "
     "out=bf16[1000000000,64]",
     OVERFLOW, "workspace for x of 1000000000 by 64"},
};

static void refuse_one(trine_context *context, DLDevice device, const char *base, const char *edit,
                       trine_status status, const char *says)
{
    test_call call;
    test_call_make(&call, context, device, base, edit);
    trine_status got = test_call_run(&call);
    const char *sentence = trine_last_error();
    cr_expect_eq(got, status, "%s: %s (%s), not %s", call.text, trine_status_name(got),
                 got ? sentence : "", trine_status_name(status));
    if (got) {
        cr_expect(strstr(sentence, says), "%s: \"%s\" does not say \"%s\"", call.text, sentence,
                  says);
        cr_expect_eq(test_call_changed(&call), 0, "%s: refused, but memory changed", call.text);
    }
    test_call_free(&call);
}

size_t refusals_by_table(trine_context *context, DLDevice device)
{
    size_t count = sizeof table / sizeof *table;
    for (size_t i = 0; i < count; i++)
        refuse_one(context, device, table[i].base, table[i].edit, table[i].status, table[i].says);
    return count;
}

/* ---------------------------------------------------------------- from the descriptions */

/* What a legal call says of a tensor: "bf16[5,64]"; false when it does not give it. */
static bool tensor_text(const char *base, const char *name, char *text, size_t size)
{
    char word[64];
    snprintf(word, sizeof word, " %s=", name);
    const char *at = strstr(base, word);
    if (!at) return false;
    at += strlen(word);
    snprintf(text, size, "%.*s", (int)strcspn(at, " "), at);
    return true;
}

/* Sizes may grow here without breaking a rule. */
static bool may_grow(const char *op, const char *tensor, int dim)
{
    if (!strcmp(tensor, "expert_map")) return true;
    if (!strcmp(tensor, "a_scale")) return dim == 0;
    if (!strcmp(op, "moe_sum") && !strcmp(tensor, "y")) return dim == 1;
    return !strcmp(op, "moe_align_block_size") && !strcmp(tensor, "topk_ids");
}

static size_t refuse_sizes(trine_context *context, DLDevice device, const char *base,
                           const trine_op_description *d, const char *name, const char *text)
{
    size_t tried = 0;
    char edit[200];
    const char *bracket = strchr(text, '[');
    int dim = 0;
    for (const char *at = bracket + 1; *at && *at != ']'; dim++) {
        char *end;
        long long size = strtoll(at, &end, 10);
        snprintf(edit, sizeof edit, "%s=%.*s%lld%s", name, (int)(at - text), text, size + 1, end);
        if (!may_grow(d->name, name, dim)) {
            test_call call;
            test_call_make(&call, context, device, base, edit);
            trine_status got = test_call_run(&call);
            cr_expect(got == TRINE_INVALID_SHAPE || got == TRINE_INVALID_ARGUMENT, "%s: %s (%s)",
                      call.text, trine_status_name(got), got ? trine_last_error() : "");
            cr_expect_eq(test_call_changed(&call), 0, "%s: memory changed", call.text);
            test_call_free(&call);
            tried++;
        }
        at = *end == ',' ? end + 1 : end;
    }
    return tried;
}

static size_t refuse_tensor(trine_context *context, DLDevice device, const char *base,
                            const trine_op_description *d, const trine_tensor_description *t)
{
    size_t tried = 0;
    char text[80], edit[200], says[80];
    if (!tensor_text(base, t->name, text, sizeof text)) return 0;
    const char *shape = strchr(text, '[');
    snprintf(says, sizeof says, "%s: %s is", d->name, t->name);
    for (int dtype = 0; dtype < TRINE_DTYPE_COUNT; dtype++) {
        if (t->dtypes & TRINE_DTYPE_BIT(dtype)) continue;
        snprintf(edit, sizeof edit, "%s=%s%s", t->name, trine_dtype_name((trine_dtype)dtype),
                 shape);
        refuse_one(context, device, base, edit, TRINE_INVALID_DTYPE, says);
        tried++;
    }
    if (!t->optional) {
        snprintf(edit, sizeof edit, "%s=none", t->name);
        refuse_one(context, device, base, edit, TRINE_INVALID_ARGUMENT, "is NULL, it is required");
        tried++;
    }
    snprintf(edit, sizeof edit, "%s=%s/null", t->name, text);
    refuse_one(context, device, base, edit, TRINE_INVALID_ARGUMENT, "data is NULL");
    snprintf(edit, sizeof edit, "%s=%s/on(77,3)", t->name, text);
    refuse_one(context, device, base, edit, TRINE_INVALID_DEVICE, "(77, 3)");
    snprintf(edit, sizeof edit, "%s=%.*s[1,1,1,1,1,1,1,1]", t->name, (int)(shape - text), text);
    /* fp8_convert takes any shape for its inputs: its outputs are the ones that do not fit. */
    refuse_one(context, device, base, edit, TRINE_INVALID_SHAPE, "dimensions, must");
    tried += 3;
    if (strncmp(text, "f32", 3) == 0 || strncmp(text, "i32", 3) == 0 ||
        strncmp(text, "bf16", 4) == 0 || strncmp(text, "f16", 3) == 0) {
        snprintf(edit, sizeof edit, "%s=%s/offset(1)", t->name, text);
        refuse_one(context, device, base, edit, TRINE_INVALID_LAYOUT, "must be a multiple of");
        tried++;
    }
    return tried + refuse_sizes(context, device, base, d, t->name, text);
}

static size_t refuse_param(trine_context *context, DLDevice device, const char *base,
                           const trine_op_description *d, const trine_param_description *p)
{
    char edit[100], says[100];
    size_t tried = 0;
    snprintf(says, sizeof says, "%s: %s is ", d->name, p->name);
    static const char *const wrong[4][3] = {[TRINE_PARAM_INT] = {"-2147483648", "-1", NULL},
                                            [TRINE_PARAM_BOOL] = {"-1", "2", NULL},
                                            [TRINE_PARAM_ENUM] = {"-1", "99", NULL},
                                            [TRINE_PARAM_FLOAT] = {"nan", "inf", "-inf"}};
    for (int i = 0; i < 3 && wrong[p->type][i]; i++, tried++) {
        snprintf(edit, sizeof edit, "%s:=%s", p->name, wrong[p->type][i]);
        refuse_one(context, device, base, edit, TRINE_INVALID_ARGUMENT, says);
    }
    return tried;
}

size_t refusals_by_description(trine_context *context, DLDevice device)
{
    size_t tried = 0;
    for (size_t i = 0; i < sizeof legal_calls / sizeof *legal_calls; i++) {
        const char *base = legal_calls[i];
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(base, " "), base);
        const trine_op_description *d = trine_op_describe(trine_op_from_name(name));
        cr_assert(d);
        for (int t = 0; t < d->tensor_count; t++)
            tried += refuse_tensor(context, device, base, d, &d->tensors[t]);
        for (int p = 0; p < d->param_count; p++)
            tried += refuse_param(context, device, base, d, &d->params[p]);
    }
    return tried;
}
