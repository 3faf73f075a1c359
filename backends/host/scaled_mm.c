// SPDX-License-Identifier: Apache-2.0
/* scaled_mm in tiles of f32. */
#include "backends/host/scaled_mm.h"
#include "backends/host/kernels.h"

void TRINE_HOST_KERNEL(scaled_mm)(const trine_scaled_mm_problem *p)
{
    trine_scaled_mm_tiled(p);
}
