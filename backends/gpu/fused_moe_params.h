// SPDX-License-Identifier: Apache-2.0
// What fused_moe's kernels are told: a call's problem and workspace, taken apart for each step.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_PARAMS_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_PARAMS_H

#include "backends/gpu/activation.h"
#include <trine/kernel.h>

namespace trine_gpu
{

// Which expert each slot goes to, and the slots sorted by expert. Slots number fewer than 2^31.
struct moe_routes {
    const int32_t *ids, *map; // map NULL: ids are local experts
    const float *weights;
    int64_t id_token, id_rank, map_step, weight_token, weight_rank; // strides
    int64_t map_length;
    int64_t tokens;
    int32_t experts, k, slots;
    int32_t block_size;                        // of the sorted slots
    const int32_t *sorted, *expert_of, *count; // count: sorted positions in use
};

// How a weight's stored element becomes what is multiplied.
enum moe_decode : int32_t {
    MOE_VALUE,   // its own value; scales are applied to sums
    MOE_CHANNEL, // RN(q * scale), i8
    MOE_GROUP_8, // RN((q - zero) * scale), u8
    MOE_GROUP_4, // the same of packed halves of a byte
};

// One of the two products: rows of a (tokens or slots) times the expert's weight.
struct moe_gemm {
    const void *a, *w, *w_scale, *bias;
    const float *a_scale;
    const uint8_t *zero;
    int64_t n, k;
    int64_t segment; // columns that share scales: k-blocks, groups, or all of k
    int64_t a_row, a_column;
    int64_t a_scale_row, a_scale_segment;
    int64_t w_expert, w_row, w_column;
    int64_t scale_expert, scale_row, scale_segment, scale_rows_per; // row = n / scale_rows_per
    int64_t zero_expert, zero_row, zero_segment;
    int64_t bias_expert, bias_column;
    trine_dtype a_dtype, w_dtype, scale_dtype, bias_dtype, x_dtype;
    moe_decode decode;
    bool second;   // a's rows are slots
    bool scaled;   // sums are multiplied by scales
    bool weighted; // the result is multiplied by the router weight
    bool each;     // the result is rounded to x's dtype
};

// Where a product's rows go.
enum moe_sink : int32_t {
    MOE_TO_SLOTS,     // f32 rows of slots: the first product
    MOE_TO_OUT_SLOTS, // combine none: rows of out[t, j]
    MOE_TO_SUMMANDS,  // separate: rows of slots in x's dtype
    MOE_ADD_TO_OUT,   // atomic: onto out[t] in x's dtype
    MOE_ADD_TO_SUMS,  // atomic_f32: onto f32 rows of tokens
};

struct moe_output {
    void *data;
    int64_t token, rank, column; // strides in elements; slots: token = k * rank
    trine_dtype dtype;
    moe_sink sink;
    float factor; // routed_scaling_factor, of MOE_ADD_TO_OUT
};

// One quantization, or the activation that ends in x's dtype: rows of x, or of the first product.
struct moe_quantizer {
    const void *from;
    int64_t from_row, from_column;
    trine_dtype from_dtype;
    bool second; // rows are slots of the first product, and go through the activation
    bool interleaved;
    activation_rule rule;
    int64_t rows, columns;
    int64_t block; // columns that share a scale; `columns` where one is given
    int64_t blocks;
    void *to; // [rows, columns]
    trine_dtype to_dtype;
    float *scale;       // [rows, blocks], or where per tensor one
    const float *given; // the scale of the whole tensor, if the caller gave it
    uint32_t *amax;     // else, per tensor, bits of its largest finite element
    bool codes, per_tensor;
};

// Zeros what is added onto, or with combine none the rows of slots that are not on this rank, and
// the two words that largest elements are gathered in.
struct moe_clearing {
    void *data;
    int64_t rows, columns, token, rank, column; // rows are tokens, or slots
    trine_dtype dtype;
    bool slots; // only those of other ranks
    uint32_t *amax;
};

// How the call ends: sums or clears what the second product does not write.
struct moe_ending {
    void *out;
    const void *from; // summands [slots, hidden], or f32 sums [tokens, hidden]
    int64_t token, rank, column;
    int64_t hidden;
    trine_dtype dtype, from_dtype;
    float factor;
    bool accumulate;
};

TRINE_DEVICE int32_t moe_expert(const moe_routes &r, int64_t token, int64_t rank)
{
    int64_t id = r.ids[token * r.id_token + rank * r.id_rank];
    if (r.map) {
        if (id < 0 || id >= r.map_length) return -1;
        id = r.map[id * r.map_step];
    }
    return id >= 0 && id < r.experts ? (int32_t)id : -1;
}

TRINE_DEVICE void moe_store(void *data, trine_dtype dtype, int64_t at, float value)
{
    if (dtype == TRINE_F32)
        static_cast<float *>(data)[at] = value;
    else
        static_cast<uint16_t *>(data)[at] =
            (uint16_t)(dtype == TRINE_BF16 ? bf16::pack(value, 0.0f) : f16::pack(value, 0.0f));
}

// 8 elements to a multiple of 16 bytes.
TRINE_DEVICE void moe_store_8(void *data, trine_dtype dtype, int64_t at, const float (&x)[8])
{
    uint32_t w[4];
    if (dtype == TRINE_F32) {
        float *to = static_cast<float *>(data) + at;
#pragma unroll
        for (uint32_t half = 0; half < 2; half++) {
#pragma unroll
            for (uint32_t i = 0; i < 4; i++) w[i] = trine_f32_bits(x[4 * half + i]);
            store_words(to + 4 * half, w);
        }
        return;
    }
#pragma unroll
    for (uint32_t i = 0; i < 4; i++)
        w[i] = dtype == TRINE_BF16 ? bf16::pack(x[2 * i], x[2 * i + 1])
                                   : f16::pack(x[2 * i], x[2 * i + 1]);
    store_words(static_cast<uint16_t *>(data) + at, w);
}

} // namespace trine_gpu

#endif
