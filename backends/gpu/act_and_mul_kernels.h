// SPDX-License-Identifier: Apache-2.0
// Kernels by problem, for the launchers: each function stands in a file of its own, so that the
// files compile side by side.
#ifndef TRINE_BACKENDS_GPU_ACT_AND_MUL_KERNELS_H
#define TRINE_BACKENDS_GPU_ACT_AND_MUL_KERNELS_H

#include <trine/kernel.h>

// Address of the __global__ function of the row `vector` for one activation.
const void *trine_gpu_act_and_mul_silu(const trine_act_and_mul_problem *problem);
const void *trine_gpu_act_and_mul_gelu_erf(const trine_act_and_mul_problem *problem);
const void *trine_gpu_act_and_mul_gelu_tanh(const trine_act_and_mul_problem *problem);
const void *trine_gpu_act_and_mul_relu2(const trine_act_and_mul_problem *problem);
const void *trine_gpu_act_and_mul_swiglu_oai(const trine_act_and_mul_problem *problem);

#endif
