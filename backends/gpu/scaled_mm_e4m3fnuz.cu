// SPDX-License-Identifier: Apache-2.0
// The kernels of scaled_mm on matrix units: e4m3fnuz.
#include "backends/gpu/scaled_mm_matrix.h"

trine_gpu::scaled_mm_kernel_set trine_gpu_scaled_mm_e4m3fnuz()
{
    return trine_gpu::scaled_mm_kernel_set_of<trine_gpu::e4m3fnuz_codes>();
}
