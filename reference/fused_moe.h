// SPDX-License-Identifier: Apache-2.0
/*
 * fused_moe in steps, for the op, its bound and the staged check. Every step reads and writes the
 * workspace parts that kernel.h names: a1, a1_scale (step 1), h (GEMM 1, then the activation in
 * its first I columns), a2, a2_scale (step 3). Rows of slots that are not on this rank are left as
 * they are.
 */
#ifndef TRINE_REFERENCE_FUSED_MOE_H
#define TRINE_REFERENCE_FUSED_MOE_H

#include "reference/activation.h"
#include "reference/gemm.h"

typedef struct trine_moe_slot {
    int64_t token, expert; /* expert -1: not on this rank */
    float weight;
} trine_moe_slot;

trine_moe_slot trine_moe_slot_at(const trine_fused_moe_problem *p, int64_t slot);

/* Whether activations are quantized (weight-only modes don't), and into what. */
bool trine_moe_quantizes(const trine_fused_moe_problem *p);

/* One of the two GEMMs: [rows, k] x [E, n, k]. */
typedef struct trine_moe_gemm {
    const trine_fused_moe_problem *p;
    const trine_view *w, *w_scale, *w_zero, *bias;
    trine_view a, a_scale; /* a_scale [rows, blocks], stride 0 where one scale serves all; data is
                              NULL where activations are not quantized */
    int64_t n, k;
    int64_t blocks, block_length; /* k-blocks that are summed on their own */
} trine_moe_gemm;

trine_moe_gemm trine_moe_gemm_1(const trine_fused_moe_problem *p, void *workspace);
trine_moe_gemm trine_moe_gemm_2(const trine_fused_moe_problem *p, void *workspace);

/* Length of block b. */
int64_t trine_moe_block_end(const trine_moe_gemm *g, int64_t block);
/* What a block's sum is multiplied by for the weight's sake; 1 without such a scale. */
double trine_moe_weight_scale(const trine_moe_gemm *g, int64_t expert, int64_t n, int64_t block);
/* `count` weights from column k on: dequantized in the weight-only modes, else codes' values. */
void trine_moe_weights(const trine_moe_gemm *g, int64_t expert, int64_t n, int64_t k, int64_t count,
                       float *out);
/* Row `row` of a times row n of the expert's weight, with scales, without bias. */
trine_gemm_sums trine_moe_sums(const trine_moe_gemm *g, int64_t row, int64_t expert, int64_t n);
/* Bias at (expert, n); 0 without one. */
double trine_moe_bias(const trine_moe_gemm *g, int64_t expert, int64_t n);

trine_activation_rule trine_moe_activation_rule(const trine_fused_moe_problem *p);
/* Columns of gate i and up i in a row of GEMM 1's result. */
int64_t trine_moe_gate_column(const trine_fused_moe_problem *p, int64_t i);
int64_t trine_moe_up_column(const trine_fused_moe_problem *p, int64_t i);

/* The steps. */
void trine_moe_quantize_1(const trine_fused_moe_problem *p, void *workspace);
void trine_moe_multiply_1(const trine_fused_moe_problem *p, void *workspace);
void trine_moe_activate(const trine_fused_moe_problem *p, void *workspace);
void trine_moe_quantize_2(const trine_fused_moe_problem *p, void *workspace);

/* Stage 1: everything up to a2 and a2_scale. Stage 2: from them to out. */
void trine_moe_stage_1(const trine_fused_moe_problem *p, void *workspace);
void trine_moe_stage_2(const trine_fused_moe_problem *p, void *workspace);

#endif
