// SPDX-License-Identifier: Apache-2.0
// The kernels of per_token_group_quant's row `vector`, activation: gelu_erf.
#include "backends/gpu/group_quant_kernels.h"
#include "backends/gpu/per_token_group_quant.h"

const void *trine_gpu_group_quant_gelu_erf(const trine_per_token_group_quant_problem *problem,
                                           bool rounds)
{
    return trine_gpu::group_quant_vector_of<trine_gpu::group_quant_gelu_erf>(problem, rounds);
}
