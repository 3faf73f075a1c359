// SPDX-License-Identifier: Apache-2.0
// topk_gating on a GPU, for CUDA and HIP: the row `wave`.
//
// A team of 8, 16 or 32 lanes routes a token. Each lane holds 1 to 16 neighbouring experts, keys
// and values, in registers; in each round the lanes agree on the largest of their best keys, and of
// the lanes that have it the first wins, which holds the lowest ids. There is no shared memory and
// no barrier.
#ifndef TRINE_BACKENDS_GPU_TOPK_GATING_WAVE_H
#define TRINE_BACKENDS_GPU_TOPK_GATING_WAVE_H

#include "backends/gpu/format.h"
#include "backends/gpu/memory.h"
#include "backends/gpu/topk_gating_key.h"

namespace trine_gpu
{

constexpr uint32_t topk_wave_threads = 64;

struct topk_wave_params {
    const uint8_t *logits;
    const float *bias; // NULL for none
    float *weights;
    int32_t *ids;
    int64_t tokens;
    int64_t logits_row;                                                    // bytes
    int64_t bias_stride, weights_row, weights_column, ids_row, ids_column; // elements
    uint32_t k, groups, group_size, group_shift, topk_groups;
    float scaling_factor, softcap;
    bool sigmoid, by_score, top2_sum, renormalize;
    bool vector; // each lane's experts are all there, at a multiple of 16 bytes
};

// The `Width` logits of a lane, of which the first `count` are there.
template <class Format, uint32_t Width>
TRINE_DEVICE void topk_load(float (&logit)[Width], const uint8_t *row, uint32_t first,
                            uint32_t count, bool vector)
{
    constexpr uint32_t element = Format::words / 4; // 16 elements are `words` words
    const uint8_t *data = row + first * element;
    if constexpr (Width >= 8) {
        if (vector) { // shortcut
            uint32_t words[Format::words] = {};
            if (count != 0) {
#pragma unroll
                for (uint32_t i = 0; i < Width * element / 16; i++) {
                    uint32_t part[4];
                    load_words(part, data + 16 * i);
#pragma unroll
                    for (uint32_t w = 0; w < 4; w++) words[4 * i + w] = part[w];
                }
            }
#pragma unroll
            for (uint32_t i = 0; i < Width; i++) logit[i] = Format::element(words, i);
            return;
        }
    }
#pragma unroll
    for (uint32_t i = 0; i < Width; i++) logit[i] = i < count ? Format::load(data, i) : 0.0f;
}

// As team_max; one instruction where a whole wave takes part and NVIDIA has it.
template <uint32_t Lanes>
TRINE_DEVICE uint32_t topk_team_max(uint32_t value)
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    if constexpr (Lanes == 32) return __reduce_max_sync(0xffffffffu, value);
#endif
    return team_max<Lanes>(value);
}

// What a lane knows of its token.
template <uint32_t Width>
struct topk_lane {
    uint32_t key[Width]; // 0: not there, not in a group that is kept, or picked already
    float value[Width];  // score, or with `denominator` what is divided by it
};

// Adds rint(e * 2^40), in two halves: multiples of 2^20, and what is left with its sign. Adding
// 1.5 * 2^23 rounds to an integer; ties fall as for the whole, of which the first half is even.
TRINE_DEVICE void topk_add(float e, uint32_t &high, uint32_t &low)
{
    constexpr float magic = TRINE_ROUND_MAGIC;
    constexpr uint32_t magic_bits = 0x4b400000u;
    const float h = trine_fmaf(e, 0x1p20f, magic);
    const float rest = trine_fmaf(e, 0x1p20f, -(h - magic));
    const float l = trine_fmaf(rest, 0x1p20f, magic);
    high += trine_f32_bits(h) - magic_bits;
    low += trine_f32_bits(l) - magic_bits;
}

template <uint32_t Lanes>
TRINE_DEVICE float topk_denominator(uint32_t high, uint32_t low)
{
    high = team_sum<Lanes>(high), low = team_sum<Lanes>(low);
    const uint64_t sum = ((uint64_t)high << 20) + (uint64_t)(int64_t)(int32_t)low;
    return (float)sum * 0x1p-40f;
}

// Largest and second largest of the lanes of a group, on all of them, from those of each lane.
template <uint32_t Half>
TRINE_DEVICE void topk_merge(uint32_t &first, uint32_t &second)
{
    const uint32_t other_first = other_half<Half>(first), other_second = other_half<Half>(second);
    const uint32_t smaller = first < other_first ? first : other_first;
    first = larger(first, other_first);
    second = larger(smaller, larger(second, other_second));
}

// Is the lane's group among the topk_groups best?
template <uint32_t Lanes, uint32_t Width>
TRINE_DEVICE bool topk_group_kept(const topk_wave_params &p, const topk_lane<Width> &lane,
                                  uint32_t group)
{
    uint32_t first = 0, second = 0;
#pragma unroll
    for (uint32_t i = 0; i < Width; i++) {
        const uint32_t key = lane.key[i];
        second = larger(second, key < first ? key : first);
        first = larger(first, key);
    }
    if (p.group_shift > 0) topk_merge<1>(first, second);
    if (p.group_shift > 1) topk_merge<2>(first, second);
    if (p.group_shift > 2) topk_merge<4>(first, second);
    if constexpr (Lanes > 8)
        if (p.group_shift > 3) topk_merge<8>(first, second);
    if (p.top2_sum) first = topk_ordered(topk_from_ordered(first) + topk_from_ordered(second));
    uint32_t before = 0;
    for (uint32_t g = 0; g < p.groups; g++) {
        const uint32_t other = from_team_lane<Lanes>(first, g << p.group_shift);
        before += other > first || (other == first && g < group);
    }
    return before < p.topk_groups;
}

// Fills `lane` for the experts from `id` on; returns what values are divided by for a weight, or 0
// when they are weights themselves. `bad`: the token has no finite logit.
template <class Format, uint32_t Lanes, uint32_t Width>
TRINE_DEVICE float topk_fill(const topk_wave_params &p, topk_lane<Width> &lane, const uint8_t *row,
                             uint32_t id, uint32_t count, bool &bad)
{
    const float minus_infinity = trine_f32_from_bits(topk_minus_infinity);
    topk_load<Format, Width>(lane.value, row, id, count, p.vector);
#pragma unroll
    for (uint32_t i = 0; i < Width; i++) {
        const bool there = i < count;
        lane.value[i] = there ? topk_finite_logit(lane.value[i]) : minus_infinity;
        lane.key[i] = there ? topk_ordered(lane.value[i]) : 0;
    }
    uint32_t largest = 0;
    if (p.softcap != 0.0f) {
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) lane.value[i] = topk_softcap(lane.value[i], p.softcap);
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) largest = larger(largest, topk_ordered(lane.value[i]));
    } else {
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) largest = larger(largest, lane.key[i]);
    }
    largest = topk_team_max<Lanes>(largest);
    bad = largest == topk_lowest;
    float denominator = 0.0f;
    if (p.sigmoid) {
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) lane.value[i] = trine_sigmoid_no_nan(lane.value[i]);
    } else {
        const float max = topk_from_ordered(largest);
        uint32_t high = 0, low = 0;
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) {
            const float e = trine_exp_nonpositive(lane.value[i] - max);
            lane.value[i] = e;
            topk_add(e, high, low); // 0 for those that are not there
        }
        denominator = topk_denominator<Lanes>(high, low);
        if (p.by_score) { // the long way
#pragma unroll
            for (uint32_t i = 0; i < Width; i++)
                lane.value[i] = trine_divf(lane.value[i], denominator);
            denominator = 0.0f;
        }
    }
    if (p.by_score) {
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) {
            if (lane.key[i] == 0) continue;
            float key = lane.value[i];
            if (p.bias) key = key + p.bias[(id + i) * p.bias_stride];
            lane.key[i] = topk_ordered(key);
        }
    }
    if (bad) {
        // Then the first k ids are picked, with values that are not NaN.
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) {
            lane.key[i] = lane.key[i] != 0 ? topk_lowest : 0;
            lane.value[i] = 0.0f;
        }
        denominator = 0.0f;
    }
    return denominator;
}

template <class Format, uint32_t Lanes, uint32_t Width>
TRINE_DEVICE void topk_team(const topk_wave_params &p, int64_t token, bool live)
{
    const uint32_t l = threadIdx.x % Lanes;
    const uint32_t group = l >> p.group_shift;
    const uint32_t begin = (l - (group << p.group_shift)) * Width;
    const uint32_t left = group < p.groups && begin < p.group_size ? p.group_size - begin : 0;
    const uint32_t count = left < Width ? left : Width;
    const uint32_t id = group * p.group_size + begin;

    topk_lane<Width> lane;
    bool bad;
    const float denominator =
        topk_fill<Format, Lanes, Width>(p, lane, p.logits + token * p.logits_row, id, count, bad);
    if (p.groups > 1 && !topk_group_kept<Lanes, Width>(p, lane, group)) {
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) lane.key[i] = 0;
    }

    float *weights = p.weights + token * p.weights_row;
    int32_t *ids = p.ids + token * p.ids_row;
    float mine = 0.0f, sum = 0.0f;
    uint32_t picked = Width;
    for (uint32_t j = 0; j < p.k; j++) {
        uint32_t best = 0, at = 0;
        float held = 0.0f;
#pragma unroll
        for (uint32_t i = 0; i < Width; i++) {
            if (i == picked) lane.key[i] = 0;
            const bool better = lane.key[i] > best;
            best = better ? lane.key[i] : best;
            at = better ? i : at;
            held = better ? lane.value[i] : held;
        }
        const uint32_t winner = first_lane(team_ballot<Lanes>(best == topk_team_max<Lanes>(best)));
        picked = l == winner ? at : Width;
        if (live && l == winner) ids[j * p.ids_column] = (int32_t)(id + at);
        float weight = trine_f32_from_bits(from_team_lane<Lanes>(trine_f32_bits(held), winner));
        if (denominator != 0.0f) weight = trine_divf(weight, denominator);
        sum = sum + weight;
        if (l == j % Lanes) {
            if (live && p.k > Lanes) weights[j * p.weights_column] = weight;
            mine = weight;
        }
    }
    // Lane j has weight j; where there are more than lanes, those it wrote itself.
    if (!live) return;
    const float factor = bad ? 0.0f : p.scaling_factor;
    for (uint32_t j = l; j < p.k; j += Lanes) {
        float weight = p.k > Lanes ? weights[j * p.weights_column] : mine;
        if (p.renormalize) weight = trine_divf(weight, sum + 1e-20f);
        weights[j * p.weights_column] = weight * factor;
    }
}

template <class Format, uint32_t Lanes, uint32_t Width>
__global__ void TRINE_LAUNCH_BOUNDS(topk_wave_threads, Width > 8 ? 640 : 1024)
    topk_gating_wave(const TRINE_GRID_CONSTANT topk_wave_params p)
{
    constexpr uint32_t teams = topk_wave_threads / Lanes;
    wait_for_previous();
    let_next_start();
    for (int64_t first = (int64_t)blockIdx.x * teams; first < p.tokens;
         first += (int64_t)gridDim.x * teams) {
        // A team past the end computes along, so that waves stay whole, and writes nothing.
        const int64_t token = first + threadIdx.x / Lanes;
        const bool live = token < p.tokens;
        topk_team<Format, Lanes, Width>(p, live ? token : p.tokens - 1, live);
    }
}

} // namespace trine_gpu

#endif
