// SPDX-License-Identifier: Apache-2.0
/* The kernels of the fast rows, by level. */
#ifndef TRINE_BACKENDS_HOST_KERNELS_H
#define TRINE_BACKENDS_HOST_KERNELS_H

#include <trine/kernel.h>

#include "backends/host/symbol.h"

#define TRINE_HOST_KERNELS(LEVEL)                                                                  \
    void trine_host_rotary_embedding_##LEVEL(const trine_rotary_embedding_problem *p);             \
    void trine_host_per_token_group_quant_##LEVEL(const trine_per_token_group_quant_problem *p);   \
    void trine_host_act_and_mul_##LEVEL(const trine_act_and_mul_problem *p);                       \
    void trine_host_moe_sum_##LEVEL(const trine_moe_sum_problem *p);                               \
    void trine_host_scaled_mm_##LEVEL(const trine_scaled_mm_problem *p);                           \
    void trine_host_block_scaled_linear_##LEVEL(const trine_block_scaled_linear_problem *p,        \
                                                void *workspace);                                  \
    void trine_host_fused_moe_##LEVEL(const trine_fused_moe_problem *p, void *workspace);

TRINE_HOST_KERNELS(baseline)
TRINE_HOST_KERNELS(avx2)
TRINE_HOST_KERNELS(avx512)

#endif
