// SPDX-License-Identifier: Apache-2.0
/*
 * What the core knows of an op beyond its public description: how a call becomes a problem, its
 * workspace, its cost, its oracle.
 */
#ifndef TRINE_OPS_OP_H
#define TRINE_OPS_OP_H

#include <trine/kernel.h>

typedef struct trine_op_entry {
    trine_op_description description;
    /* Turns checked tensors (table order; absent ones have rank -1 and data NULL; dtypes, shapes,
     * param ranges and strides already held against the table) and complete args into the op's
     * problem, or refuses with trine_fail what the table can't say. Data pointers may be
     * NULL when only planning, so absence is told by the rank. */
    trine_status (*resolve)(const trine_view *tensors, const void *args, trine_problem *problem);
    /* Bytes of workspace for a resolved problem; NULL: none. */
    size_t (*workspace)(const trine_problem *problem);
    trine_cost (*cost)(const trine_problem *problem);
    /* Why the problem can't be deterministic, or NULL. NULL pointer: it always can. */
    const char *(*nondeterministic)(const trine_problem *problem);
    /* Bounded ops: value and bound of every element of out, row-major. Allocates. */
    trine_status (*bound)(const trine_problem *problem, const trine_bound_options *options,
                          double *value, double *bound);
    /* trine_op_staged, on all of a row's workspace; *report is initialised. Refuses problems that
     * have no stages. NULL: the op has none. */
    trine_status (*staged)(const trine_problem *problem, const trine_bound_options *options,
                           const void *workspace, trine_staged_report *report, double *value,
                           double *bound);
} trine_op_entry;

/* One per op, defined in ops/<op>.c. */
extern const trine_op_entry trine_rotary_embedding_entry;
extern const trine_op_entry trine_per_token_group_quant_entry;
extern const trine_op_entry trine_dequantize_entry;
extern const trine_op_entry trine_fp8_convert_entry;
extern const trine_op_entry trine_scaled_mm_entry;
extern const trine_op_entry trine_block_scaled_linear_entry;
extern const trine_op_entry trine_topk_gating_entry;
extern const trine_op_entry trine_moe_align_block_size_entry;
extern const trine_op_entry trine_act_and_mul_entry;
extern const trine_op_entry trine_moe_sum_entry;
extern const trine_op_entry trine_fused_moe_entry;

/* Entry of op number `op`; NULL if there is none. */
const trine_op_entry *trine_op_entry_of(int32_t op);

static inline bool trine_view_present(const trine_view *view)
{
    return view->rank >= 0;
}

#endif
