// SPDX-License-Identifier: Apache-2.0
// The products of fused_moe on matrix units: bf16, by weights of bf16 or packed ones.
#include "backends/gpu/fused_moe_matrix.h"

trine_gpu::moe_matrix_kernels trine_gpu_moe_matrix_bf16(trine_gpu::moe_decode decode)
{
    using namespace trine_gpu;
    typedef plain_codes<matrix_bf16> plain;
    switch (decode) {
    case MOE_VALUE:
        return moe_matrix_kernels_of<plain, plain>();
    case MOE_GROUP_4:
        return moe_matrix_kernels_of<plain, moe_packed_codes<bf16, matrix_bf16, 4>>();
    default:
        return moe_matrix_kernels_of<plain, moe_packed_codes<bf16, matrix_bf16, 8>>();
    }
}
