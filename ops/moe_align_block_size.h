// SPDX-License-Identifier: Apache-2.0
/* Numbers of moe_align_block_size's tensors and params, for rows. */
#ifndef TRINE_OPS_MOE_ALIGN_BLOCK_SIZE_H
#define TRINE_OPS_MOE_ALIGN_BLOCK_SIZE_H

#include <stdint.h>

enum {
    TRINE_MOE_ALIGN_BLOCK_SIZE_TOPK_IDS,
    TRINE_MOE_ALIGN_BLOCK_SIZE_EXPERT_MAP,
    TRINE_MOE_ALIGN_BLOCK_SIZE_SORTED_TOKEN_IDS,
    TRINE_MOE_ALIGN_BLOCK_SIZE_EXPERT_IDS,
    TRINE_MOE_ALIGN_BLOCK_SIZE_NUM_TOKENS_POST_PADDED,
    TRINE_MOE_ALIGN_BLOCK_SIZE_TENSORS
};

enum {
    TRINE_MOE_ALIGN_BLOCK_SIZE_NUM_EXPERTS,
    TRINE_MOE_ALIGN_BLOCK_SIZE_BLOCK_SIZE,
    TRINE_MOE_ALIGN_BLOCK_SIZE_PARAMS
};

/* Bytes of scratch for sorting `slots` slots over `experts` experts: an i32 histogram of
 * experts + 1 entries for each chunk of slots, and one of totals. -1 if it does not fit 63 bits. */
int64_t trine_moe_align_workspace(int64_t slots, int64_t experts);

/* Chunks that the histograms are for: one for 1024 slots, 512 at most. */
int64_t trine_moe_align_chunks(int64_t slots);

#endif
