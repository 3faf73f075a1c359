// SPDX-License-Identifier: Apache-2.0
// The products of fused_moe on matrix units: types of 8 bits that the units read themselves.
#include "backends/gpu/fused_moe_matrix.h"

using namespace trine_gpu;

moe_matrix_kernels trine_gpu_moe_matrix_i8()
{
    typedef plain_codes<matrix_i8> plain;
    return moe_matrix_kernels_of<plain, plain>();
}

moe_matrix_kernels trine_gpu_moe_matrix_native_fp8()
{
#if defined(__HIP__)
    typedef plain_codes<matrix_e4m3> plain;
    return moe_matrix_kernels_of<plain, plain>();
#else
    return {}; // NVIDIA's sums of 8-bit floats are not of class f32
#endif
}
