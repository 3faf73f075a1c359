// SPDX-License-Identifier: Apache-2.0
// The steps that every row of fused_moe launches around its own products.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_H

#include "backends/gpu/fused_moe_plan.h"
#include "backends/gpu/launch.h"

namespace trine_gpu
{

// A product's launch: the grid is made for the most positions that routing can use.
typedef trine_status (*moe_product)(const trine_launch *launch, const moe_routes &routes,
                                    const moe_gemm &gemm, const moe_output &output);

// The whole op, with a row's product and its way of summing.
trine_status moe_run(const trine_launch *launch, moe_product product, moe_sink row);

// Loads the kernels of the steps.
trine_status moe_prepare(const trine_row *row, int32_t ordinal);

} // namespace trine_gpu

#endif
