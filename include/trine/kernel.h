// SPDX-License-Identifier: Apache-2.0
/**
 * @file kernel.h
 * For authors of kernels: rows, and the checked form in which a call reaches a launcher.
 *
 * A row says what a kernel accepts and needs; the same row registers, selects, explains, checks and
 * benches it. An engine adds its own with trine_context_add_rows. By the time a launcher runs,
 * everything in its problem has been validated: shapes agree, strides are not negative, nothing
 * that is written overlaps anything else, the workspace is there and aligned.
 *
 * These structs may grow between minor versions: TRINE_KERNEL_ABI says which this is.
 */
#ifndef TRINE_KERNEL_H
#define TRINE_KERNEL_H

#include <trine/describe.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRINE_KERNEL_ABI 1

/** A tensor of a problem. Strides are in elements. data is NULL for an absent optional tensor. */
typedef struct trine_view {
    void *data;
    trine_dtype dtype;
    int32_t rank;
    int64_t shape[TRINE_MAX_DIMS];
    int64_t stride[TRINE_MAX_DIMS];
} trine_view;

/* ---------------------------------------------------------------- problems, one per op */

/** x and out are [B,T,H,D]; cos and sin [B,T,H,r], broadcast dimensions having stride 0. */
typedef struct trine_rotary_embedding_problem {
    trine_view x, cos, sin, out;
    int64_t batch, tokens, heads, head_size, pairs; /* pairs = r */
    trine_pairing pairing;
    trine_rotary_rounding rounding;
    bool inverse;
} trine_rotary_embedding_problem;

/** x [E,M,K or 2K], q [E,q_rows,K]; plain calls have experts = 1. */
typedef struct trine_per_token_group_quant_problem {
    trine_view x, masked_m, q, scale;
    int64_t experts, rows, columns; /* columns = K */
    int64_t groups, group_size;     /* groups = K / group_size */
    int64_t q_rows;                 /* rows or aligned_rows: rows from `rows` on are zeroed */
    int64_t aligned_rows;           /* rows rounded up to 4 */
    int64_t scale_columns;          /* groups, or words of four when packed */
    int64_t scale_rows;             /* rows of the scale tensor as passed */
    /* Strides of scale in elements. Column layouts: rows from `rows` to scale_tail_rows(c) - 1 of
     * column c are zeroed: aligned_rows in every column but the last, scale_rows in the last. */
    int64_t scale_expert_stride, scale_row_stride, scale_column_stride;
    bool scale_has_tail; /* column_aligned or packed_ue8m0: padding rows to zero */
    bool packed;         /* i32 words of four ue8m0 bytes */
    trine_scale_layout layout;
    trine_scale_format format;
    trine_quant_arithmetic arithmetic;
    float eps, ue8m0_floor, q_max; /* q_max resolved */
    bool default_q_max;            /* q_max is the dtype's own: x / s needs no division */
    trine_int_rounding int_rounding;
    trine_activation activation;
    trine_intermediate_rounding intermediate_rounding;
} trine_per_token_group_quant_problem;

typedef struct trine_dequantize_problem {
    trine_view q, scale, out;
    int64_t rows, columns, groups, group_size, block_rows;
    /* Scale of (m, k): element (m / block_rows) * row_stride + (k / group_size) * column_stride;
     * packed: byte (k / group_size) % 4 of word (k / group_size) / 4. Strides 0 broadcast. */
    int64_t scale_row_stride, scale_column_stride;
    bool packed;
} trine_dequantize_problem;

typedef struct trine_fp8_convert_problem {
    trine_view w, scale, out, out_scale;
    int64_t elements, scale_elements;
} trine_fp8_convert_problem;

/** Scale of (m, block): a_scale.data[m * a_scale_row + block * a_scale_block]; strides 0 broadcast.
 */
typedef struct trine_scaled_mm_problem {
    trine_view a, b, a_scale, b_scale, bias, out;
    int64_t m, n, k;
    int64_t block_n, block_k, blocks; /* blocks = ceil(k / block_k); 1 when no scale is per block */
    int64_t a_scale_row, a_scale_block;
    int64_t b_scale_row, b_scale_block; /* row = n / b_scale_rows_per */
    int64_t b_scale_rows_per;           /* block_n per block, 1 per channel, n for one scale */
    trine_bias_rounding bias_rounding;
} trine_scaled_mm_problem;

/** Workspace: q [Ma,K] in w's dtype at q_offset, then scale f32 [Ma,ceil(K/128)], strides (1,Ma).
 */
typedef struct trine_block_scaled_linear_problem {
    trine_view x, w, w_scale, bias, out;
    int64_t m, n, k, aligned_m, blocks;
    size_t q_offset, scale_offset, workspace_size;
    trine_bias_rounding bias_rounding;
} trine_block_scaled_linear_problem;

typedef struct trine_topk_gating_problem {
    trine_view logits, correction_bias, topk_weights, topk_ids;
    int64_t tokens, experts, k;
    int64_t num_groups, topk_groups;
    trine_gating_score score;
    trine_group_score group_score;
    bool renormalize;
    float scaling_factor, softcap;
} trine_topk_gating_problem;

typedef struct trine_moe_align_block_size_problem {
    trine_view topk_ids, expert_map, sorted_token_ids, expert_ids, num_tokens_post_padded;
    int64_t tokens, k, slots, experts, global_experts, block_size, capacity, blocks;
    size_t workspace_size;
} trine_moe_align_block_size_problem;

typedef struct trine_act_and_mul_problem {
    trine_view x, out;
    int64_t rows, columns; /* columns = I */
    trine_activation activation;
    bool gated;
    trine_gate_layout gate_layout;
    float alpha, limit;
    trine_intermediate_rounding intermediate_rounding;
} trine_act_and_mul_problem;

typedef struct trine_moe_sum_problem {
    trine_view y, out;
    int64_t tokens, k, columns;
    float scaling_factor;
    bool accumulate;
} trine_moe_sum_problem;

/** Named parts of fused_moe's workspace: offsets from its start, all multiples of 256. */
typedef struct trine_fused_moe_workspace {
    size_t sorted_token_ids, expert_ids, num_tokens_post_padded; /* as moe_align_block_size */
    size_t align_scratch;                                        /* its own workspace */
    size_t a1, a1_scale; /* quantized x: codes [M,H], scales f32 [M,blocks], [M] or [1] */
    size_t h;            /* [S,N1] f32: GEMM 1's result */
    size_t a2, a2_scale; /* [S,I]: activations in x's dtype or codes; scales f32 as a1's over S;
                            a caller's a2_scale is read where it is */
    size_t c;            /* [S,H] in x's dtype (separate), or f32 [M,H] (atomic_f32) */
    size_t size;
} trine_fused_moe_workspace;

typedef struct trine_fused_moe_problem {
    trine_view x, w1, w2, topk_weights, topk_ids;
    trine_view w1_scale, w2_scale, w1_zero, w2_zero, a1_scale, a2_scale, b1, b2, expert_map, out;
    int64_t tokens, hidden, intermediate, n1;  /* M, H, I, N1 */
    int64_t experts, global_experts, k, slots; /* E, length of expert_map, k, M*k */
    trine_moe_quantization quantization;
    int64_t block_n, block_k, group_size;
    trine_activation activation;
    bool gated;
    trine_gate_layout gate_layout;
    float alpha, limit;
    trine_intermediate_rounding intermediate_rounding;
    trine_moe_combine combine; /* auto until a row was chosen, then what `auto` came to */
    bool router_weight_on_input, accumulate;
    float routed_scaling_factor;
    int64_t align_block_size; /* block_size of the sorted ids in the workspace */
    trine_fused_moe_workspace workspace;
} trine_fused_moe_problem;

typedef union trine_problem {
    trine_rotary_embedding_problem rotary_embedding;
    trine_per_token_group_quant_problem per_token_group_quant;
    trine_dequantize_problem dequantize;
    trine_fp8_convert_problem fp8_convert;
    trine_scaled_mm_problem scaled_mm;
    trine_block_scaled_linear_problem block_scaled_linear;
    trine_topk_gating_problem topk_gating;
    trine_moe_align_block_size_problem moe_align_block_size;
    trine_act_and_mul_problem act_and_mul;
    trine_moe_sum_problem moe_sum;
    trine_fused_moe_problem fused_moe;
} trine_problem;

/* ---------------------------------------------------------------- rows */

typedef struct trine_row trine_row;

/** What a launcher gets. It launches on `stream` and returns; it neither allocates nor waits. */
typedef struct trine_launch {
    const trine_row *row;
    const trine_problem *problem;
    const trine_caps *caps; /**< of the device */
    int32_t ordinal;        /**< device number inside its backend; already current */
    void *stream;           /**< native stream; NULL = default stream */
    void *workspace;
    size_t workspace_size;
    uint32_t flags; /**< of exec */
} trine_launch;

typedef trine_status (*trine_launch_fn)(const trine_launch *launch);

/** NULL when the row takes the problem on a device with these caps, else why not (static text). */
typedef const char *(*trine_refuse_fn)(const trine_problem *problem, const trine_caps *caps);

enum {
    TRINE_ROW_DETERMINISTIC = 1u << 0,  /**< repeated runs give the same bits */
    TRINE_ROW_NOT_CAPTURABLE = 1u << 1, /**< can't run inside graph capture */
    TRINE_ROW_REFERENCE = 1u << 2,      /**< the oracle itself */
    TRINE_ROW_HOST_CALLABLE = 1u << 3,  /**< GPU rows: the launcher can work on host memory, so
                                             simulated devices call it; else the reference runs */
    TRINE_ROW_STAGED = 1u << 4,         /**< fused_moe: leaves A2's codes and scales, slot by slot,
                                             where trine_fused_moe_workspace says (trine_op_staged
                                             looks there) */
};

/** One kernel. All of it is plain data; strings and functions must outlive the context. */
struct trine_row {
    int32_t op;
    trine_backend backend;
    const char *name;                   /**< unique among the op's rows of its backend */
    const char *doc;                    /**< one line: what it is and when it pays */
    uint32_t dtypes[TRINE_MAX_TENSORS]; /**< by tensor: accepted dtypes; 0 = all of the op's */
    uint32_t params[TRINE_MAX_PARAMS];  /**< by enum or bool param: bit per accepted value; 0 =
                                             all */
    uint64_t needs;                     /**< TRINE_FEATURE_BIT()s that must be native */
    uint64_t needs_any;                 /**< features that must be native or emulated */
    uint32_t shared_memory;             /**< bytes a block needs */
    uint32_t wave_width;                /**< 0 = any */
    uint32_t alignment;                 /**< bytes: every present tensor's address; 0 = none */
    uint32_t flags;                     /**< TRINE_ROW_* */
    trine_accumulation accumulation;    /**< decides the bound of its results */
    trine_combine_class combine;        /**< fused_moe */
    trine_refuse_fn refuse;             /**< NULL, or what the fields above can't say */
    trine_launch_fn launch;             /**< NULL only while its module is not loaded */
    trine_status (*prepare)(const trine_row *row, const trine_caps *caps, int32_t ordinal);
    /**< NULL, or what trine_prepare must do for it */
};

/**
 * Adds rows in front of the built-in ones (the first added is preferred). Copies the structs. Not
 * thread-safe against calls on the same context. Refused: unknown op or backend, a name that is
 * taken, no launcher, an op without a reference.
 */
TRINE_API trine_status trine_context_add_rows(trine_context *context, const trine_row *rows,
                                              size_t count);

/** A measured preference: on `device`, calls of `op` that move between min_bytes and max_bytes take
 * `row` when it accepts them. */
typedef struct trine_tuned {
    int32_t op;
    const char *device; /**< name of a known device */
    const char *row;
    double min_bytes, max_bytes; /**< inclusive, exclusive; as trine_op_cost counts */
} trine_tuned;

/** Adds measured preferences; earlier ones win, and all of them over the built-in ones. Copies the
 * structs; strings must outlive the context. Not thread-safe against calls on the same context. */
TRINE_API trine_status trine_context_add_tuned(trine_context *context, const trine_tuned *tuned,
                                               size_t count);

/** Rows of an op in order of preference, all backends; NULL past the end. */
TRINE_API const trine_row *trine_row_at(const trine_context *context, int32_t op, size_t index);

#ifdef __cplusplus
}
#endif

#endif
