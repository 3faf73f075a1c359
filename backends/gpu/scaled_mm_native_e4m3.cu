// SPDX-License-Identifier: Apache-2.0
// The kernels of scaled_mm on matrix units: native_e4m3.
#include "backends/gpu/scaled_mm_matrix.h"

trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_native_e4m3()
{
    return trine_gpu::scaled_mm_kernel_set_of<trine_gpu::plain_codes<trine_gpu::matrix_e4m3>>();
}
