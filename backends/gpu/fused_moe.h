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

// What a row brings to the op.
struct moe_steps {
    moe_product product;
    bool vector;    // steps in accesses of 16 bytes where the layout allows them
    bool activates; // the first product leaves a2 itself
};

// The whole op, with a row's way of summing.
trine_status moe_run(const trine_launch *launch, const moe_steps &steps, moe_sink row);

// Loads the kernels of the steps.
trine_status moe_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal,
                         bool vector);

// The steps in accesses of 16 bytes, each with whether it takes a call.
bool moe_vector_activates(const moe_quantizer &q);
trine_status moe_vector_activate(const trine_launch *launch, const moe_routes &routes,
                                 const moe_quantizer &q);
bool moe_vector_clears(const moe_clearing &c);
trine_status moe_vector_clear(const trine_launch *launch, const moe_clearing &c);
bool moe_vector_ends(const moe_routes &routes, const moe_ending &e);
trine_status moe_vector_end(const trine_launch *launch, const moe_routes &routes,
                            const moe_ending &e, bool summands);
trine_status moe_vector_prepare(const trine_row *row, int32_t ordinal);

} // namespace trine_gpu

#endif
