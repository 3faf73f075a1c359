// SPDX-License-Identifier: Apache-2.0
// Lanes that work together. Sources for CUDA (nvcc) and HIP (clang) include this and nothing
// of their vendor; a HIP source is compiled with -include backends/hip/wave.h.
//
// Nothing here assumes how wide a wave is: a team is 1 to 32 neighbouring lanes, which both 32 and
// 64 lanes hold. All lanes of a wave must call these functions together.
#ifndef TRINE_BACKENDS_GPU_WAVE_H
#define TRINE_BACKENDS_GPU_WAVE_H

#if defined(__HIP__)
#include <hip/hip_runtime.h>
#else
#include <cuda_runtime.h>
#endif

#include <stdint.h>

#define TRINE_DEVICE static __device__ __forceinline__

// A kernel's argument that stays where the launch put it when its address is taken.
#if defined(__HIP__)
#define TRINE_GRID_CONSTANT
#else
#define TRINE_GRID_CONSTANT __grid_constant__
#endif

// At most `threads` a block; on CUDA also: registers are kept low enough for `resident` threads on
// a multiprocessor, or as many as it has (HIP's second argument means something else).
#if defined(__HIP__)
#define TRINE_LAUNCH_BOUNDS(threads, resident) __launch_bounds__(threads)
#else
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 750
#define TRINE_RESIDENT_THREADS 1024
#elif defined(__CUDA_ARCH__) &&                                                                    \
    (__CUDA_ARCH__ / 10 == 86 || __CUDA_ARCH__ / 10 == 89 || __CUDA_ARCH__ >= 1200)
#define TRINE_RESIDENT_THREADS 1536
#else
#define TRINE_RESIDENT_THREADS 2048
#endif
#define TRINE_LAUNCH_BOUNDS(threads, resident)                                                     \
    __launch_bounds__(                                                                             \
        threads,                                                                                   \
        ((resident) < TRINE_RESIDENT_THREADS ? (resident) : TRINE_RESIDENT_THREADS) / (threads))
#endif

namespace trine_gpu
{

// In kernels launched `early`: waits until the work before this on the stream is done and its
// writes are seen. Every thread that touches memory calls it first.
TRINE_DEVICE void wait_for_previous()
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Lets the next kernel of the stream start as soon as every block has come here; it still waits for
// this one's end where it says so.
TRINE_DEVICE void let_next_start()
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

#if defined(__HIP__)
constexpr uint32_t wave_width = __AMDGCN_WAVEFRONT_SIZE;
#else
constexpr uint32_t wave_width = 32;
#endif

// Is `condition` true on any lane of the wave?
TRINE_DEVICE bool wave_any(bool condition)
{
#if defined(__HIP__)
#if __AMDGCN_WAVEFRONT_SIZE == 64
    return __builtin_amdgcn_ballot_w64(condition) != 0;
#else
    return __builtin_amdgcn_ballot_w32(condition) != 0;
#endif
#else
    return __any_sync(0xffffffffu, condition) != 0;
#endif
}

// The value of a lane in the neighbouring half of 2 * Half lanes. The halves hold one value each
// already, so which lane of the other half answers does not matter: that is what lets AMD use its
// mirrored rows instead of a trip through LDS.
template <uint32_t Half>
TRINE_DEVICE uint32_t other_half(uint32_t value)
{
    static_assert(Half == 1 || Half == 2 || Half == 4 || Half == 8 || Half == 16,
                  "half a team of at most 32 lanes");
#if defined(__HIP__)
    constexpr int quad_swap = 0xb1, quad_turn = 0x4e, half_row_mirror = 0x141, row_mirror = 0x140;
    if constexpr (Half == 16) {
        return (uint32_t)__builtin_amdgcn_ds_swizzle((int)value, 0x401f); // lane ^ 16
    } else {
        constexpr int control = Half == 1   ? quad_swap
                                : Half == 2 ? quad_turn
                                : Half == 4 ? half_row_mirror
                                            : row_mirror;
        return (uint32_t)__builtin_amdgcn_mov_dpp((int)value, control, 0xf, 0xf, true);
    }
#else
    return __shfl_xor_sync(0xffffffffu, value, Half);
#endif
}

// Is this the first thread of a grid that has no z?
TRINE_DEVICE bool first_of_grid()
{
    return (blockIdx.x | blockIdx.y | threadIdx.x) == 0;
}

TRINE_DEVICE uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

template <class Integer>
TRINE_DEVICE Integer smaller(Integer a, Integer b)
{
    return a < b ? a : b;
}

// The largest value in each team of Lanes neighbouring lanes, on all of them.
template <uint32_t Lanes>
TRINE_DEVICE uint32_t team_max(uint32_t value)
{
    if constexpr (Lanes > 1) value = larger(value, other_half<1>(value));
    if constexpr (Lanes > 2) value = larger(value, other_half<2>(value));
    if constexpr (Lanes > 4) value = larger(value, other_half<4>(value));
    if constexpr (Lanes > 8) value = larger(value, other_half<8>(value));
    if constexpr (Lanes > 16) value = larger(value, other_half<16>(value));
    return value;
}

// The sum of the values in each team of Lanes neighbouring lanes, on all of them.
template <uint32_t Lanes>
TRINE_DEVICE uint32_t team_sum(uint32_t value)
{
    if constexpr (Lanes > 1) value += other_half<1>(value);
    if constexpr (Lanes > 2) value += other_half<2>(value);
    if constexpr (Lanes > 4) value += other_half<4>(value);
    if constexpr (Lanes > 8) value += other_half<8>(value);
    if constexpr (Lanes > 16) value += other_half<16>(value);
    return value;
}

// The value of lane `source` of the team of 32 lanes.
TRINE_DEVICE uint32_t from_lane_of_32(uint32_t value, uint32_t source)
{
#if defined(__HIP__)
    const uint32_t lane = (threadIdx.x & (wave_width - 1) & ~31u) | (source & 31);
    return (uint32_t)__builtin_amdgcn_ds_bpermute((int)(4 * lane), (int)value);
#else
    return __shfl_sync(0xffffffffu, value, (int)source);
#endif
}

// The value of lane `source` of the team of Lanes neighbouring lanes.
template <uint32_t Lanes>
TRINE_DEVICE uint32_t from_team_lane(uint32_t value, uint32_t source)
{
    return from_lane_of_32(value, (threadIdx.x & 31 & ~(Lanes - 1)) + source);
}

// A bit for each lane of the team on which `condition` is true, the first lane's the lowest.
template <uint32_t Lanes>
TRINE_DEVICE uint32_t team_ballot(bool condition)
{
#if defined(__HIP__)
#if __AMDGCN_WAVEFRONT_SIZE == 64
    const uint64_t wave = __builtin_amdgcn_ballot_w64(condition);
    const uint32_t half = (uint32_t)(threadIdx.x & 32 ? wave >> 32 : wave);
#else
    const uint32_t half = __builtin_amdgcn_ballot_w32(condition);
#endif
#else
    const uint32_t half = __ballot_sync(0xffffffffu, condition);
#endif
    if constexpr (Lanes == 32)
        return half;
    else
        return half >> (threadIdx.x & 31 & ~(Lanes - 1)) & ((1u << Lanes) - 1);
}

// The first lane of a ballot that is not empty.
TRINE_DEVICE uint32_t first_lane(uint32_t ballot)
{
#if defined(__HIP__)
    return (uint32_t)__builtin_ctz(ballot);
#else
    return (uint32_t)__ffs((int)ballot) - 1;
#endif
}

TRINE_DEVICE uint32_t lane_count(uint32_t ballot)
{
#if defined(__HIP__)
    return (uint32_t)__builtin_popcount(ballot);
#else
    return (uint32_t)__popc(ballot);
#endif
}

// What the lanes of a wave have written to shared memory is seen by the others.
TRINE_DEVICE void wave_sync()
{
#if defined(__HIP__)
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
    __builtin_amdgcn_wave_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
#else
    __syncwarp();
#endif
}

// The sum of the team's values up to this lane's own, for a team of 32 lanes.
TRINE_DEVICE uint32_t scan_of_32(uint32_t value)
{
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll
    for (uint32_t d = 1; d < 32; d *= 2) {
        const uint32_t below = from_lane_of_32(value, lane - d);
        if (lane >= d) value += below;
    }
    return value;
}

// The sum of the values of the threads before this one in a block of Threads, and of all of them.
// `part` is shared memory of Threads / 32 words, kept for such calls.
template <uint32_t Threads>
TRINE_DEVICE uint32_t block_scan(uint32_t value, uint32_t *part, uint32_t &total)
{
    static_assert(Threads % 32 == 0 && Threads <= 1024, "teams of 32 lanes, one value each");
    constexpr uint32_t teams = Threads / 32;
    const uint32_t lane = threadIdx.x % 32, team = threadIdx.x / 32;
    const uint32_t upto = scan_of_32(value);
    __syncthreads(); // the last call's parts have been read
    if (lane == 31) part[team] = upto;
    __syncthreads();
    const uint32_t parts = scan_of_32(lane < teams ? part[lane] : 0);
    total = from_lane_of_32(parts, teams - 1);
    const uint32_t before = from_lane_of_32(parts, team - 1);
    return upto - value + (team == 0 ? 0 : before);
}

} // namespace trine_gpu

#endif
