// SPDX-License-Identifier: Apache-2.0
// Kernels by problem, for the launchers: each function stands in a file of its own, so that the
// files compile side by side.
#ifndef TRINE_BACKENDS_GPU_GROUP_QUANT_KERNELS_H
#define TRINE_BACKENDS_GPU_GROUP_QUANT_KERNELS_H

#include <trine/kernel.h>

// Address of the __global__ function that quantizes `problem` after one activation, NULL if the row
// `vector` has none for it. `rounds`: the form that goes in rounds, which a group_quant_plan
// decides.
const void *trine_gpu_group_quant_plain(const trine_per_token_group_quant_problem *problem,
                                        bool rounds);
const void *trine_gpu_group_quant_silu(const trine_per_token_group_quant_problem *problem,
                                       bool rounds);
const void *trine_gpu_group_quant_gelu_erf(const trine_per_token_group_quant_problem *problem,
                                           bool rounds);
const void *trine_gpu_group_quant_gelu_tanh(const trine_per_token_group_quant_problem *problem,
                                            bool rounds);

#endif
