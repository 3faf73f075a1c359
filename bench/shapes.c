// SPDX-License-Identifier: Apache-2.0
/* Shapes to bench. */
#include "bench/shapes.h"

const trine_bench_shape trine_bench_shapes[] = {
    {TRINE_OP_ROTARY_EMBEDDING, "diffusion", "B=1,T=4096,H=24,D=128,r=64", "x=bf16,cos=f32",
     "pairing=adjacent"},
    {TRINE_OP_ROTARY_EMBEDDING, "LTX2", "B=1,T=4096,H=32,D=64,r=32", "x=bf16,cos=bf16",
     "pairing=half,rounding=low_mul_f32_add"},
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "prefill", "M=2048,K=7168", "x=bf16,q=e4m3fn",
     "scale_layout=column_aligned"},
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "packed", "M=2048,K=7168", "x=bf16,q=e4m3fn",
     "scale_layout=packed_ue8m0"},
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "silu", "M=2048,K=2048", "x=bf16,q=e4m3fn",
     "activation=silu,intermediate_rounding=each"},
    {TRINE_OP_PER_TOKEN_GROUP_QUANT, "decode", "M=4,K=7168", "x=bf16,q=e4m3fn",
     "scale_layout=column_aligned"},
    {TRINE_OP_DEQUANTIZE, "weight", "M=4096,K=4096", "q=e4m3fn,out=bf16", "block_rows=128"},
    {TRINE_OP_FP8_CONVERT, "weight", "N=4096,K=4096,S=1024", "scale=f32", ""},
    {TRINE_OP_SCALED_MM, "square", "M=512,N=4096,K=4096", "a=e4m3fn,out=bf16", ""},
    {TRINE_OP_SCALED_MM, "int8", "M=512,N=4096,K=4096", "a=i8,out=bf16", ""},
    {TRINE_OP_SCALED_MM, "decode", "M=4,N=4096,K=4096", "a=e4m3fn,out=bf16", ""},
    {TRINE_OP_BLOCK_SCALED_LINEAR, "prefill", "M=256,N=4096,K=4096", "x=bf16,w=e4m3fn", ""},
    {TRINE_OP_TOPK_GATING, "Qwen3", "M=4096,E=128", "logits=bf16", "k=8"},
    {TRINE_OP_TOPK_GATING, "DeepSeek", "M=4096,E=256", "logits=f32",
     "k=8,score=sigmoid,num_groups=8,topk_groups=4,group_score=top2_sum,scaling_factor=2.5"},
    {TRINE_OP_MOE_ALIGN_BLOCK_SIZE, "Qwen3", "M=4096,k=8", "", "num_experts=128,block_size=64"},
    {TRINE_OP_ACT_AND_MUL, "silu", "M=2048,I=4096", "x=bf16", "activation=silu"},
    {TRINE_OP_ACT_AND_MUL, "gelu", "M=2048,I=4096", "x=bf16", "activation=gelu_tanh"},
    {TRINE_OP_MOE_SUM, "Qwen3", "M=2048,k=8,H=2048", "y=bf16", ""},
    {TRINE_OP_FUSED_MOE, "Qwen3-30B", "M=64,H=2048,I=768,E=128,k=8", "x=bf16,w1=e4m3fn",
     "quantization=fp8_block"},
    {TRINE_OP_FUSED_MOE, "bf16", "M=64,H=1024,I=512,E=32,k=4", "x=bf16,w1=bf16", ""},
};

const size_t trine_bench_shape_count = sizeof trine_bench_shapes / sizeof *trine_bench_shapes;
