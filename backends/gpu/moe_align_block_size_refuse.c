// SPDX-License-Identifier: Apache-2.0
// What the rows of moe_align_block_size that count in shared memory do not take.
#include "backends/gpu/refuse.h"

const char *trine_gpu_moe_align_block_size_chunked_refuse(const trine_problem *problem,
                                                          const trine_caps *caps)
{
    (void)caps;
    return problem->moe_align_block_size.experts > 1024 ? "more than 1024 experts" : NULL;
}

const char *trine_gpu_moe_align_block_size_small_refuse(const trine_problem *problem,
                                                        const trine_caps *caps)
{
    const char *refusal = trine_gpu_moe_align_block_size_chunked_refuse(problem, caps);
    if (refusal) return refusal;
    return problem->moe_align_block_size.slots > 4096 ? "more than 4096 slots" : NULL;
}
