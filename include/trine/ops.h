// SPDX-License-Identifier: Apache-2.0
/**
 * @file ops.h
 * The eleven ops: one args struct and four functions each.
 *
 * Shapes are logical; strides are in elements and free unless said (inputs may have stride 0,
 * negative strides are refused). All tensors of a call live on one device, and the op runs there,
 * on exec->stream, without allocating or synchronizing. Params of a struct that is older (smaller)
 * than the library's take their defaults. `?` marks tensors that may be NULL.
 *
 * exact ops give the same bits on CUDA, HIP and CPU. bounded ops (the ones that multiply matrices)
 * stay within trine_<op>_bound(). docs/ops.md holds the arithmetic of each.
 */
#ifndef TRINE_OPS_H
#define TRINE_OPS_H

#include <trine/core.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum trine_op {
    TRINE_OP_ROTARY_EMBEDDING = 0,
    TRINE_OP_PER_TOKEN_GROUP_QUANT = 1,
    TRINE_OP_DEQUANTIZE = 2,
    TRINE_OP_FP8_CONVERT = 3,
    TRINE_OP_SCALED_MM = 4,
    TRINE_OP_BLOCK_SCALED_LINEAR = 5,
    TRINE_OP_TOPK_GATING = 6,
    TRINE_OP_MOE_ALIGN_BLOCK_SIZE = 7,
    TRINE_OP_ACT_AND_MUL = 8,
    TRINE_OP_MOE_SUM = 9,
    TRINE_OP_FUSED_MOE = 10,
    TRINE_OP_COUNT = 11
} trine_op;

/* ---------------------------------------------------------------- param values */

typedef enum trine_pairing {
    TRINE_PAIRING_ADJACENT = 0, /**< pairs (2i, 2i+1) */
    TRINE_PAIRING_HALF = 1      /**< pairs (i, i+r) */
} trine_pairing;

typedef enum trine_rotary_rounding {
    TRINE_ROUNDING_F32_FMA = 0,         /**< fma(-b, s, RN(a c)) */
    TRINE_ROUNDING_F32_2MUL = 1,        /**< RN(RN(a c) - RN(b s)) */
    TRINE_ROUNDING_LOW_MUL_F32_ADD = 2, /**< a c rounded to the 16-bit type, then an f32 add */
    TRINE_ROUNDING_ALL_LOW = 3          /**< every operation rounded to the 16-bit type */
} trine_rotary_rounding;

/** Where the scale of (row m, group j) lies. Ma = M rounded up to 4. */
typedef enum trine_scale_layout {
    TRINE_SCALE_ROW = 0,             /**< f32 [M, G], row-major */
    TRINE_SCALE_COLUMN = 1,          /**< f32 [M, G], strides (1, M) */
    TRINE_SCALE_COLUMN_ALIGNED = 2,  /**< f32 [M or Ma, G], strides (1, Ma) */
    TRINE_SCALE_PACKED_UE8M0 = 3,    /**< i32 [M, ceil(G/4)], strides (1, Ma), one byte a group */
    TRINE_SCALE_ROW_PACKED_UE8M0 = 4 /**< i32 [M, ceil(G/4)], row-major, one byte a group */
} trine_scale_layout;

typedef enum trine_scale_format {
    TRINE_SCALE_F32 = 0,
    TRINE_SCALE_UE8M0 = 1 /**< powers of two */
} trine_scale_format;

typedef enum trine_quant_arithmetic {
    TRINE_ARITHMETIC_DIVIDE = 0,    /**< s = amax / q_max, q = x / s */
    TRINE_ARITHMETIC_RECIPROCAL = 1 /**< s = amax * (1/q_max), q = x * (q_max/amax) */
} trine_quant_arithmetic;

typedef enum trine_int_rounding {
    TRINE_INT_NEAREST = 0, /**< to nearest even */
    TRINE_INT_TRUNCATE = 1 /**< toward zero, as vLLM and SGLang */
} trine_int_rounding;

typedef enum trine_activation {
    TRINE_ACTIVATION_NONE = 0,
    TRINE_ACTIVATION_SILU = 1,
    TRINE_ACTIVATION_GELU_ERF = 2,
    TRINE_ACTIVATION_GELU_TANH = 3,
    TRINE_ACTIVATION_RELU2 = 4,
    TRINE_ACTIVATION_SWIGLU_OAI = 5
} trine_activation;

typedef enum trine_gate_layout {
    TRINE_GATE_HALVES = 0,     /**< gate columns, then up columns */
    TRINE_GATE_INTERLEAVED = 1 /**< gate, up, gate, up, ... */
} trine_gate_layout;

typedef enum trine_intermediate_rounding {
    TRINE_ROUND_ONCE = 0, /**< f32 inside, one rounding at the end */
    TRINE_ROUND_EACH = 1  /**< every intermediate to the activation dtype, as SGLang and vLLM */
} trine_intermediate_rounding;

typedef enum trine_bias_rounding {
    TRINE_BIAS_AFTER = 0, /**< RN(RN(gemm) + bias) */
    TRINE_BIAS_BEFORE = 1 /**< RN(gemm + bias) */
} trine_bias_rounding;

typedef enum trine_gating_score {
    TRINE_SCORE_SOFTMAX = 0,
    TRINE_SCORE_SIGMOID = 1
} trine_gating_score;

typedef enum trine_group_score { TRINE_GROUP_MAX = 0, TRINE_GROUP_TOP2_SUM = 1 } trine_group_score;

typedef enum trine_moe_quantization {
    TRINE_MOE_NONE = 0,
    TRINE_MOE_FP8_TENSOR = 1,
    TRINE_MOE_FP8_CHANNEL = 2,
    TRINE_MOE_FP8_BLOCK = 3,
    TRINE_MOE_INT8_CHANNEL = 4,
    TRINE_MOE_INT8_BLOCK = 5,
    TRINE_MOE_INT8_W8A16 = 6,
    TRINE_MOE_INT4_W4A16 = 7
} trine_moe_quantization;

typedef enum trine_moe_combine {
    TRINE_COMBINE_AUTO = 0,
    TRINE_COMBINE_SEPARATE = 1,   /**< contributions stored, then summed in order; deterministic */
    TRINE_COMBINE_ATOMIC = 2,     /**< added in the output type, as upstream */
    TRINE_COMBINE_ATOMIC_F32 = 3, /**< added in f32 in the workspace, one rounding */
    TRINE_COMBINE_NONE = 4        /**< out [M,k,H], no sum */
} trine_moe_combine;

/** q_max: the format's own (448 e4m3fn, 224 e4m3fnuz, 127 i8). */
#define TRINE_Q_MAX_OF_DTYPE (-1.0f)

/* ---------------------------------------------------------------- args */

/**
 * Rotates pairs of x by tables. exact. (SGLang #21387, #24411)
 *
 * x bf16|f16|f32 [B,T,H,D] or [T,H,D]; cos, sin f32|bf16|f16 [T,r], [B,T,r] or [B,T,H,r] ([T,r] or
 * [T,H,r] with a 3-D x), 2r <= D; out as x, or x itself. Columns from 2r to D are copied. The
 * roundings low_mul_f32_add and all_low need 16-bit x and tables of the same dtype.
 */
typedef struct trine_rotary_embedding_args {
    size_t struct_size;
    const DLTensor *x, *cos, *sin, *out;
    int32_t pairing;  /**< trine_pairing; adjacent */
    int32_t rounding; /**< trine_rotary_rounding; f32_fma */
    int32_t inverse;  /**< 0 or 1: sin negated */
} trine_rotary_embedding_args;
#define TRINE_ROTARY_EMBEDDING_ARGS_INIT                                                           \
    {                                                                                              \
        sizeof(trine_rotary_embedding_args), NULL, NULL, NULL, NULL, 0, 0, 0                       \
    }

/**
 * Quantizes each row of x in groups of columns. exact. (vLLM #42153, SGLang #27896)
 *
 * x bf16|f16|f32 [M,K], with an activation [M,2K]; masked form [E,M,K] with masked_m. q
 * e4m3fn|e4m3fnuz|i8 [M,K] or [Ma,K] (rows past M are zeroed); scale by scale_layout. Masked form:
 * q [E,M,K], scale [E,...]; rows from masked_m[e] on are neither read nor written.
 */
typedef struct trine_per_token_group_quant_args {
    size_t struct_size;
    const DLTensor *x;
    const DLTensor *masked_m; /**< ? i32 [E], clamped to [0,M] */
    const DLTensor *q, *scale;
    int32_t group_size;            /**< 128; divides K; 16 to 512, or K */
    int32_t scale_layout;          /**< trine_scale_layout; row */
    int32_t scale_format;          /**< trine_scale_format; f32 (packed layouts imply ue8m0) */
    int32_t arithmetic;            /**< trine_quant_arithmetic; divide */
    float eps;                     /**< 1e-10, at least 1e-20: floor of the group maximum */
    float ue8m0_floor;             /**< 1e-10: floor of a ue8m0 scale; 0 for none */
    float q_max;                   /**< TRINE_Q_MAX_OF_DTYPE, or above 0 and within the format */
    int32_t int_rounding;          /**< trine_int_rounding; nearest */
    int32_t activation;            /**< none|silu|gelu_erf|gelu_tanh; none */
    int32_t intermediate_rounding; /**< trine_intermediate_rounding; once */
} trine_per_token_group_quant_args;
#define TRINE_PER_TOKEN_GROUP_QUANT_ARGS_INIT                                                      \
    {                                                                                              \
        sizeof(trine_per_token_group_quant_args), NULL, NULL, NULL, NULL, 128, 0, 0, 0, 1e-10f,    \
            1e-10f, TRINE_Q_MAX_OF_DTYPE, 0, 0, 0                                                  \
    }

/**
 * out = RN(RN_f32(q * scale)). exact.
 *
 * q e4m3fn|e4m3fnuz|e5m2|i8 [M,K]; scale in any layout and format of per_token_group_quant, or f32
 * [ceil(M/block_rows), ceil(K/group_size)] of any strides, [M,1] or [1]; out f32|bf16|f16 [M,K].
 */
typedef struct trine_dequantize_args {
    size_t struct_size;
    const DLTensor *q, *scale, *out;
    int32_t group_size;   /**< 128; the last group may be short */
    int32_t block_rows;   /**< 1 */
    int32_t scale_layout; /**< trine_scale_layout; row */
    int32_t scale_format; /**< trine_scale_format; f32 */
} trine_dequantize_args;
#define TRINE_DEQUANTIZE_ARGS_INIT                                                                 \
    {                                                                                              \
        sizeof(trine_dequantize_args), NULL, NULL, NULL, 128, 1, 0, 0                              \
    }

/**
 * Makes an e4m3fn weight usable as e4m3fnuz (gfx942): same bytes but for zeros and NaN, scale * 2.
 * exact. Refuses a weight that is e4m3fnuz already: converting twice would double it.
 *
 * w e4m3fn any shape, scale f32 or u8 (ue8m0) any shape -> out e4m3fnuz as w (may be w itself),
 * out_scale as scale (may be scale itself).
 */
typedef struct trine_fp8_convert_args {
    size_t struct_size;
    const DLTensor *w, *scale, *out, *out_scale;
} trine_fp8_convert_args;
#define TRINE_FP8_CONVERT_ARGS_INIT                                                                \
    {                                                                                              \
        sizeof(trine_fp8_convert_args), NULL, NULL, NULL, NULL                                     \
    }

/**
 * out[m,n] = sum over k-blocks of a_scale * b_scale * (sum of a * b), + bias. bounded.
 *
 * a [M,K], b [N,K] e4m3fn|e4m3fnuz|e5m2|i8, both the same, K contiguous; a_scale f32
 * [M, ceil(K/block_k)] any strides (more rows than M are ignored), [M,1] or [1]; b_scale f32
 * [ceil(N/block_n), ceil(K/block_k)] any strides, [N,1] or [1]; bias as out or f32 [N];
 * out bf16|f16|f32 [M,N].
 */
typedef struct trine_scaled_mm_args {
    size_t struct_size;
    const DLTensor *a, *b, *a_scale, *b_scale;
    const DLTensor *bias; /**< ? */
    const DLTensor *out;
    int32_t block_n;       /**< 128 */
    int32_t block_k;       /**< 128 */
    int32_t bias_rounding; /**< trine_bias_rounding; after */
} trine_scaled_mm_args;
#define TRINE_SCALED_MM_ARGS_INIT                                                                  \
    {                                                                                              \
        sizeof(trine_scaled_mm_args), NULL, NULL, NULL, NULL, NULL, NULL, 128, 128, 0              \
    }

/**
 * x quantized per token and 128 columns into w's dtype, then scaled_mm. bounded. (SGLang #27896)
 *
 * x bf16|f16 [M,K]; w e4m3fn|e4m3fnuz [N,K]; w_scale f32 [ceil(N/128), ceil(K/128)]; bias as x or
 * f32 [N]; out as x [M,N]. The quantized x lives in the workspace.
 */
typedef struct trine_block_scaled_linear_args {
    size_t struct_size;
    const DLTensor *x, *w, *w_scale;
    const DLTensor *bias; /**< ? */
    const DLTensor *out;
    int32_t bias_rounding; /**< trine_bias_rounding; after */
} trine_block_scaled_linear_args;
#define TRINE_BLOCK_SCALED_LINEAR_ARGS_INIT                                                        \
    {                                                                                              \
        sizeof(trine_block_scaled_linear_args), NULL, NULL, NULL, NULL, NULL, 0                    \
    }

/**
 * Router: the k best experts of each token and their weights. exact.
 *
 * logits f32|bf16|f16 [M,E]; correction_bias f32 [E]; topk_weights f32 [M,k]; topk_ids i32 [M,k].
 */
typedef struct trine_topk_gating_args {
    size_t struct_size;
    const DLTensor *logits;
    const DLTensor *correction_bias; /**< ? */
    const DLTensor *topk_weights, *topk_ids;
    int32_t k;            /**< required; 1 to E, and at most the experts of topk_groups groups */
    int32_t score;        /**< trine_gating_score; softmax */
    int32_t renormalize;  /**< 1 */
    int32_t num_groups;   /**< 1; divides E */
    int32_t topk_groups;  /**< 1 */
    int32_t group_score;  /**< trine_group_score; max */
    float scaling_factor; /**< 1; on the weights */
    float softcap;        /**< 0 = off; logit = softcap * tanh(logit / softcap) */
} trine_topk_gating_args;
#define TRINE_TOPK_GATING_ARGS_INIT                                                                \
    {                                                                                              \
        sizeof(trine_topk_gating_args), NULL, NULL, NULL, NULL, 0, 0, 1, 1, 1, 0, 1.0f, 0.0f       \
    }

/**
 * Sorts the M*k slots by expert and pads each expert's run to block_size. exact, stable.
 *
 * topk_ids i32 [M,k]; expert_map i32 [global experts]; sorted_token_ids i32 [cap]; expert_ids i32
 * [ceil(cap/block_size)]; num_tokens_post_padded i32 [1]. cap is at least
 * trine_moe_align_capacity(M*k, num_experts, block_size).
 */
typedef struct trine_moe_align_block_size_args {
    size_t struct_size;
    const DLTensor *topk_ids;
    const DLTensor *expert_map; /**< ? */
    const DLTensor *sorted_token_ids, *expert_ids, *num_tokens_post_padded;
    int32_t num_experts; /**< required; experts on this rank */
    int32_t block_size;  /**< required */
} trine_moe_align_block_size_args;
#define TRINE_MOE_ALIGN_BLOCK_SIZE_ARGS_INIT                                                       \
    {                                                                                              \
        sizeof(trine_moe_align_block_size_args), NULL, NULL, NULL, NULL, NULL, 0, 0                \
    }

/** Worst-case entries of sorted_token_ids; -1 if an argument is negative or the result overflows.
 */
TRINE_API int64_t trine_moe_align_capacity(int64_t slots, int64_t num_experts, int64_t block_size);

/**
 * Activation, and its product with the up half. exact.
 *
 * x bf16|f16|f32 [M,2I] (ungated [M,I]); out as x [M,I].
 */
typedef struct trine_act_and_mul_args {
    size_t struct_size;
    const DLTensor *x, *out;
    int32_t activation;            /**< any but none; silu */
    int32_t gated;                 /**< 1 */
    int32_t gate_layout;           /**< trine_gate_layout; halves */
    float alpha;                   /**< 1.702; swiglu_oai */
    float limit;                   /**< 0 = none */
    int32_t intermediate_rounding; /**< trine_intermediate_rounding; once */
} trine_act_and_mul_args;
#define TRINE_ACT_AND_MUL_ARGS_INIT                                                                \
    {                                                                                              \
        sizeof(trine_act_and_mul_args), NULL, NULL, 1, 1, 0, 1.702f, 0.0f, 0                       \
    }

/**
 * Sum over the k contributions of a token, in order, in f32. exact. (SGLang #19672)
 *
 * y bf16|f16|f32 [M,k,H]; out as y [M,H].
 */
typedef struct trine_moe_sum_args {
    size_t struct_size;
    const DLTensor *y, *out;
    float scaling_factor; /**< 1 */
    int32_t accumulate;   /**< 0; 1 adds onto out */
} trine_moe_sum_args;
#define TRINE_MOE_SUM_ARGS_INIT                                                                    \
    {                                                                                              \
        sizeof(trine_moe_sum_args), NULL, NULL, 1.0f, 0                                            \
    }

/**
 * The whole expert layer: align, GEMM 1, activation, GEMM 2, weighted sum. bounded. (SGLang #19672)
 *
 * x bf16|f16|f32 [M,H]; w1 [E,N1,H] with N1 = 2I gated (gate rows, then up rows), else I; w2
 * [E,H,I]; int4 packed along K as u8 (low nibble = even k). topk_weights f32, topk_ids i32 [M,k].
 * Scales and zeros by quantization: fp8_tensor [E]; channel [E,N]; block [E, ceil(N/block_n),
 * ceil(K/block_k)]; groups [E,N,K/group_size]; int4 zeros [E,N/2,K/group_size]. out [M,H], or
 * [M,k,H] with combine none.
 */
typedef struct trine_fused_moe_args {
    size_t struct_size;
    const DLTensor *x, *w1, *w2, *topk_weights, *topk_ids;
    const DLTensor *w1_scale, *w2_scale; /**< ? f32; group modes also x's dtype */
    const DLTensor *w1_zero, *w2_zero;   /**< ? u8, group modes */
    const DLTensor *a1_scale, *a2_scale; /**< ? f32 [1], static activation scales of fp8_tensor */
    const DLTensor *b1, *b2;             /**< ? [E,N1], [E,H], as x or f32 */
    const DLTensor *expert_map;          /**< ? i32 [global experts], -1 = not on this rank */
    const DLTensor *out;                 /**< as x, or f32 */
    int32_t quantization;                /**< trine_moe_quantization; none */
    int32_t block_n;                     /**< 128 */
    int32_t block_k;                     /**< 128 */
    int32_t group_size;                  /**< 0; required by int4_w4a16 */
    int32_t activation;                  /**< any but none; silu */
    int32_t gated;                       /**< 1 */
    int32_t gate_layout;                 /**< trine_gate_layout; halves */
    float alpha;                         /**< 1.702 */
    float limit;                         /**< 0 = none */
    int32_t intermediate_rounding;       /**< trine_intermediate_rounding; once */
    int32_t combine;                     /**< trine_moe_combine; auto */
    int32_t router_weight_on_input;      /**< 0 */
    float routed_scaling_factor;         /**< 1 */
    int32_t accumulate;                  /**< 0; 1 adds onto out */
} trine_fused_moe_args;
#define TRINE_FUSED_MOE_ARGS_INIT                                                                  \
    {                                                                                              \
        sizeof(trine_fused_moe_args), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,  \
            NULL, NULL, NULL, NULL, NULL, 0, 128, 128, 0, 1, 1, 0, 1.702f, 0.0f, 0, 0, 0, 1.0f, 0  \
    }

/* ---------------------------------------------------------------- calls by op number */

/** Names of ops, for tools and bindings: trine_op_from_name("moe_sum"); -1 if there is none. */
TRINE_API int32_t trine_op_from_name(const char *name);

/** Runs an op. `args` is the op's args struct. Asynchronous on GPUs. NULL exec = defaults. */
TRINE_API trine_status trine_op_run(trine_context *context, const trine_exec *exec, int32_t op,
                                    const void *args);

/** Bytes of workspace: a function of shapes, dtypes and params alone; data pointers may be NULL. */
TRINE_API trine_status trine_op_workspace_size(trine_context *context, int32_t op, const void *args,
                                               size_t *size);

/** One row in an explanation. */
typedef struct trine_explanation {
    const char *row; /**< the kernel's name */
    trine_backend backend;
    bool runs;        /**< this row would run (true for one at most) */
    bool accepts;     /**< it could run */
    char reason[192]; /**< why not; or why it was not chosen; "" for the chosen one */
} trine_explanation;

/**
 * Which row would run this call, and why each other row would not. `device`: NULL for the tensors'
 * device, or the name of any known device ("gfx942"), taken as the real one. Data pointers may be
 * NULL, which counts as aligned for any row. Fills up to `capacity` entries in the order of
 * preference; *count is the number of rows there are. Succeeds also when no row would run.
 */
TRINE_API trine_status trine_op_explain(trine_context *context, const trine_exec *exec, int32_t op,
                                        const void *args, const char *device,
                                        trine_explanation *entries, size_t capacity, size_t *count);

/** How a kernel sums products: decides its bound. */
typedef enum trine_accumulation {
    TRINE_ACCUMULATE_EXACT = 0,      /**< no matrix product: 0 bits may differ */
    TRINE_ACCUMULATE_F32 = 1,        /**< f32 FMA or matrix unit */
    TRINE_ACCUMULATE_HOPPER_FP8 = 2, /**< 14-bit alignment inside a 128-chain */
    TRINE_ACCUMULATE_INT = 3,        /**< int32 */
    TRINE_ACCUMULATION_COUNT = 4
} trine_accumulation;

/** How a kernel of fused_moe forms the weighted sum: widens its bound. */
typedef enum trine_combine_class {
    TRINE_COMBINE_CLASS_F32 = 0,     /**< f32 sum, one rounding */
    TRINE_COMBINE_CLASS_ROUNDED = 1, /**< contributions rounded, f32 sum, one rounding */
    TRINE_COMBINE_CLASS_ATOMIC = 2   /**< rounded contributions added in the output type */
} trine_combine_class;

typedef struct trine_bound_options {
    size_t struct_size;
    int32_t accumulation; /**< trine_accumulation, of the row whose output is judged */
    int32_t combine;      /**< trine_combine_class */
    bool typical;         /**< for smooth random data; else the derived bound for any data */
} trine_bound_options;

/**
 * For bounded ops and host tensors: value[i] is the reference's double result before its last
 * rounding, bound[i] what a correct row may differ from it by; i runs over out in row-major order.
 * Both arrays hold as many doubles as out has elements. Allocates; not for hot paths. With
 * accumulate, `out` holds the old values. For the exact ops act_and_mul (out) and topk_gating
 * (topk_weights) it says what a result of another implementation may differ by; Trine's own rows
 * are held to the reference's bits. Other exact ops are refused.
 */
TRINE_API trine_status trine_op_bound(trine_context *context, int32_t op, const void *args,
                                      const trine_bound_options *options, double *value,
                                      double *bound);

/** What trine_op_staged found among the intermediates that a row left in its workspace. */
typedef struct trine_staged_report {
    size_t struct_size;
    int64_t codes;                 /**< compared */
    int64_t codes_moved;           /**< right, though one step from the reference's */
    int64_t codes_wrong;           /**< neither the reference's nor what its interval allows */
    int64_t scales;                /**< compared; none where the caller gave the scale */
    int64_t scales_moved;          /**< right, though not the reference's */
    int64_t scales_wrong;          /**< outside the interval */
    int64_t row, column;           /**< of the first wrong code; -1: none is wrong */
    uint32_t code, reference_code; /**< that code, and the reference's */
    char first[200];               /**< the first wrong code or scale as a sentence; "" if none */
} trine_staged_report;
#define TRINE_STAGED_REPORT_INIT                                                                   \
    {                                                                                              \
        sizeof(trine_staged_report), 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, ""                            \
    }

/**
 * Judges a call in two stages, where one bound over all of it is too wide to see much: fused_moe
 * that quantizes activations, run by a row that has TRINE_ROW_STAGED. Host tensors; `workspace` is
 * a host copy of the whole workspace that the row left, any alignment.
 *
 * Stage 1: the codes and scales of A2 there against the reference's, slots on this rank only. A
 * scale must lie in the interval that the row's class allows; a code may be one step from the
 * reference's only where its interval holds a rounding boundary. *report tells; that something is
 * wrong is no error. Stage 2: value and bound are those of trine_op_bound, but from the row's own
 * A2 on: what the row wrote to out must lie within them, whatever stage 1 says.
 *
 * Refused: ops and modes without such intermediates (TRINE_UNSUPPORTED). Allocates.
 */
TRINE_API trine_status trine_op_staged(trine_context *context, int32_t op, const void *args,
                                       const trine_bound_options *options, const void *workspace,
                                       size_t workspace_size, trine_staged_report *report,
                                       double *value, double *bound);

/* ---------------------------------------------------------------- typed calls */

#define TRINE_DECLARE_OP(name)                                                                     \
    TRINE_API trine_status trine_##name(trine_context *context, const trine_exec *exec,            \
                                        const trine_##name##_args *args);                          \
    TRINE_API trine_status trine_##name##_workspace_size(                                          \
        trine_context *context, const trine_##name##_args *args, size_t *size);                    \
    TRINE_API trine_status trine_##name##_explain(                                                 \
        trine_context *context, const trine_exec *exec, const trine_##name##_args *args,           \
        const char *device, trine_explanation *entries, size_t capacity, size_t *count);           \
    TRINE_API trine_status trine_##name##_bound(                                                   \
        trine_context *context, const trine_##name##_args *args,                                   \
        const trine_bound_options *options, double *value, double *bound);

/** Every op: its number's suffix and its name. */
#define TRINE_OPS(X)                                                                               \
    X(ROTARY_EMBEDDING, rotary_embedding)                                                          \
    X(PER_TOKEN_GROUP_QUANT, per_token_group_quant)                                                \
    X(DEQUANTIZE, dequantize)                                                                      \
    X(FP8_CONVERT, fp8_convert)                                                                    \
    X(SCALED_MM, scaled_mm)                                                                        \
    X(BLOCK_SCALED_LINEAR, block_scaled_linear)                                                    \
    X(TOPK_GATING, topk_gating)                                                                    \
    X(MOE_ALIGN_BLOCK_SIZE, moe_align_block_size)                                                  \
    X(ACT_AND_MUL, act_and_mul)                                                                    \
    X(MOE_SUM, moe_sum)                                                                            \
    X(FUSED_MOE, fused_moe)

TRINE_DECLARE_OP(rotary_embedding)
TRINE_DECLARE_OP(per_token_group_quant)
TRINE_DECLARE_OP(dequantize)
TRINE_DECLARE_OP(fp8_convert)
TRINE_DECLARE_OP(scaled_mm)
TRINE_DECLARE_OP(block_scaled_linear)
TRINE_DECLARE_OP(topk_gating)
TRINE_DECLARE_OP(moe_align_block_size)
TRINE_DECLARE_OP(act_and_mul)
TRINE_DECLARE_OP(moe_sum)
TRINE_DECLARE_OP(fused_moe)

#ifdef __cplusplus
}
#endif

#endif
