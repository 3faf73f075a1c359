// SPDX-License-Identifier: Apache-2.0
// What rotary_embedding's GPU row `tiled` does not take.
#include "backends/gpu/refuse.h"
#include "backends/gpu/rotary_embedding_plan.h"

const char *trine_gpu_rotary_embedding_tiled_refuse(const trine_problem *problem,
                                                    const trine_caps *caps)
{
    return trine_rotary_refusal(&problem->rotary_embedding, caps);
}
