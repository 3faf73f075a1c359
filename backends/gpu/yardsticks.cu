// SPDX-License-Identifier: Apache-2.0
// What the ops are measured against: a kernel that copies and does nothing else, and one that does
// nothing at all. And a copy for tests that comes late.
#include "backends/gpu/memory.h"
#include "backends/gpu/yardsticks.h"

namespace
{

using namespace trine_gpu;

// Each thread copies Unroll accesses of 16 bytes that lie a block apart, all loads first.
template <uint32_t Unroll>
TRINE_DEVICE void copy_accesses(uint8_t *to, const uint8_t *from, uint64_t accesses)
{
    const uint64_t step = (uint64_t)gridDim.x * blockDim.x * Unroll;
    for (uint64_t first = (uint64_t)blockIdx.x * blockDim.x * Unroll; first < accesses;
         first += step) {
        uint32_t words[Unroll][4];
#pragma unroll
        for (uint32_t u = 0; u < Unroll; u++) {
            const uint64_t at = first + u * blockDim.x + threadIdx.x;
            if (at < accesses) load_words(words[u], from + 16 * at);
        }
#pragma unroll
        for (uint32_t u = 0; u < Unroll; u++) {
            const uint64_t at = first + u * blockDim.x + threadIdx.x;
            if (at < accesses) store_words(to + 16 * at, words[u]);
        }
    }
}

template <uint32_t Unroll>
__global__ void copy_bytes(uint8_t *to, const uint8_t *from, uint64_t accesses)
{
    copy_accesses<Unroll>(to, from, accesses);
}

__global__ void copy_bytes_late(uint8_t *to, const uint8_t *from, uint64_t accesses)
{
    let_next_start();
#if defined(__CUDA_ARCH__)
    __nanosleep(50000);
#endif
    copy_accesses<1>(to, from, accesses);
}

__global__ void do_nothing() {}

} // namespace

extern "C" const void *trine_gpu_copy_kernel(uint32_t unroll)
{
    switch (unroll) {
    case 1:
        return reinterpret_cast<const void *>(&copy_bytes<1>);
    case 2:
        return reinterpret_cast<const void *>(&copy_bytes<2>);
    case 4:
        return reinterpret_cast<const void *>(&copy_bytes<4>);
    case 8:
        return reinterpret_cast<const void *>(&copy_bytes<8>);
    default:
        return nullptr;
    }
}

extern "C" const void *trine_gpu_late_copy_kernel(void)
{
    return reinterpret_cast<const void *>(&copy_bytes_late);
}

extern "C" const void *trine_gpu_empty_kernel(void)
{
    return reinterpret_cast<const void *>(&do_nothing);
}
