// SPDX-License-Identifier: Apache-2.0
// The kernels of act_and_mul's row `vector`, activation: gelu_erf.
#include "backends/gpu/act_and_mul.h"
#include "backends/gpu/act_and_mul_kernels.h"

const void *trine_gpu_act_and_mul_gelu_erf(const trine_act_and_mul_problem *problem)
{
    return trine_gpu::act_and_mul_vector_of<TRINE_ACTIVATION_GELU_ERF>(problem);
}
