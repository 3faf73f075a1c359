// SPDX-License-Identifier: Apache-2.0
/* Which blocks of a kernel launched `early` fetch ahead (memory.h). C and C++. */
#ifndef TRINE_BACKENDS_GPU_AHEAD_H
#define TRINE_BACKENDS_GPU_AHEAD_H

#include <trine/kernel.h>

/* The first ones: they find room while the kernel before this one ends. Blocks that start when it
 * is over would only ask twice. Half of what a multiprocessor holds did best on an H200. */
static inline uint32_t trine_gpu_blocks_ahead(const trine_caps *caps, uint32_t threads)
{
    return caps->limits.compute_units * 1024 / threads;
}

#endif
