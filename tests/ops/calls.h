// SPDX-License-Identifier: Apache-2.0
/* Legal calls of every op, for tests to take apart: any device, any memory content. */
#ifndef TRINE_TESTS_OPS_CALLS_H
#define TRINE_TESTS_OPS_CALLS_H

#define ROTARY  "rotary_embedding x=bf16[2,5,3,64] cos=f32[5,32] sin=f32[5,32] out=bf16[2,5,3,64]"
#define ROTARY3 "rotary_embedding x=f16[5,3,64] cos=f16[5,3,32] sin=f16[5,3,32] out=f16[5,3,64]"
#define QUANT   "per_token_group_quant x=bf16[6,256] q=e4m3fn[6,256] scale=f32[6,2]"
#define MASKED                                                                                     \
    "per_token_group_quant x=f16[2,6,256] masked_m=i32[2] q=e4m3fnuz[2,6,256] scale=f32[2,6,2]"
#define DEQUANT "dequantize q=e4m3fn[6,256] scale=f32[6,2] out=bf16[6,256]"
#define CONVERT "fp8_convert w=e4m3fn[6,8] scale=f32[3] out=e4m3fnuz[6,8] out_scale=f32[3]"
#define MM                                                                                         \
    "scaled_mm a=e4m3fn[5,300] b=e4m3fn[7,300] a_scale=f32[5,3] b_scale=f32[1,3] bias=bf16[7] "    \
    "out=bf16[5,7]"
#define LINEAR                                                                                     \
    "block_scaled_linear x=bf16[5,256] w=e4m3fn[7,256] w_scale=f32[1,2] bias=f32[7] out=bf16[5,7]"
#define GATING                                                                                     \
    "topk_gating logits=f32[5,8] correction_bias=f32[8] topk_weights=f32[5,2] topk_ids=i32[5,2] "  \
    "k=2"
#define ALIGN                                                                                      \
    "moe_align_block_size topk_ids=i32[5,2] expert_map=i32[9] sorted_token_ids=i32[40] "           \
    "expert_ids=i32[10] num_tokens_post_padded=i32[1] num_experts=8 block_size=4"
#define ACT "act_and_mul x=bf16[5,64] out=bf16[5,32]"
#define SUM "moe_sum y=bf16[5,2,32] out=bf16[5,32]"
#define MOE_IO                                                                                     \
    "fused_moe x=bf16[5,64] topk_weights=f32[5,2] topk_ids=i32[5,2] expert_map=i32[9] "            \
    "out=bf16[5,64] "
#define MOE MOE_IO "w1=bf16[4,64,64] w2=bf16[4,64,32] b1=bf16[4,64] b2=f32[4,64]"
#define MOE_TENSOR                                                                                 \
    MOE_IO                                                                                         \
    "w1=e4m3fn[4,64,64] w2=e4m3fn[4,64,32] w1_scale=f32[4] w2_scale=f32[4] a1_scale=f32[1] "       \
    "a2_scale=f32[1] quantization=fp8_tensor"
#define MOE_CHANNEL                                                                                \
    MOE_IO "w1=i8[4,64,64] w2=i8[4,64,32] w1_scale=f32[4,64] w2_scale=f32[4,64] "                  \
           "quantization=int8_channel"
#define MOE_BLOCK                                                                                  \
    MOE_IO "w1=e4m3fnuz[4,64,64] w2=e4m3fnuz[4,64,32] w1_scale=f32[4,1,2] w2_scale=f32[4,1,1] "    \
           "quantization=fp8_block block_k=32"
#define MOE_W8                                                                                     \
    MOE_IO "w1=i8[4,64,64] w2=i8[4,64,32] w1_scale=f32[4,64] w2_scale=f32[4,64] "                  \
           "quantization=int8_w8a16"
#define MOE_W8G                                                                                    \
    MOE_IO "w1=u8[4,64,64] w2=u8[4,64,32] w1_scale=bf16[4,64,2] w2_scale=f32[4,64,1] "             \
           "w1_zero=u8[4,64,2] quantization=int8_w8a16 group_size=32"
#define MOE_W4                                                                                     \
    MOE_IO "w1=u8[4,64,32] w2=u8[4,64,16] w1_scale=bf16[4,64,2] w2_scale=bf16[4,64,1] "            \
           "w1_zero=u8[4,32,2] w2_zero=u8[4,32,1] quantization=int4_w4a16 group_size=32"

static const char *const legal_calls[] = {
    ROTARY, ROTARY3, QUANT, MASKED,     DEQUANT,     CONVERT,   MM,     LINEAR,  GATING, ALIGN,
    ACT,    SUM,     MOE,   MOE_TENSOR, MOE_CHANNEL, MOE_BLOCK, MOE_W8, MOE_W8G, MOE_W4,
};

#endif
