// SPDX-License-Identifier: Apache-2.0
// The products of fused_moe on matrix units: 8-bit floats, which become f16 on their way.
#include "backends/gpu/fused_moe_matrix.h"

trine_gpu::moe_matrix_kernels trine_gpu_moe_matrix_fp8(trine_dtype dtype)
{
    using namespace trine_gpu;
    return dtype == TRINE_E4M3FN ? moe_matrix_kernels_of<e4m3fn_codes, e4m3fn_codes>()
                                 : moe_matrix_kernels_of<e4m3fnuz_codes, e4m3fnuz_codes>();
}
