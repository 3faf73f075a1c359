// SPDX-License-Identifier: Apache-2.0
// The functions that elementary_sweep walks, as loops over arrays. Each sweep_loops_*.c compiles
// the bodies once, with its own flags; the names differ by TRINE_SWEEP_SUFFIX.
#ifndef TRINE_TESTS_NUMERICS_SWEEP_LOOPS_H
#define TRINE_TESTS_NUMERICS_SWEEP_LOOPS_H

#include <stddef.h>
#include <stdint.h>

enum {
    TRINE_SWEEP_EXP,
    TRINE_SWEEP_SIGMOID,
    TRINE_SWEEP_TANH,
    TRINE_SWEEP_ERF,
    TRINE_SWEEP_ELEMENTARY, // functions before this one have a true value to be held to
    TRINE_SWEEP_SILU = TRINE_SWEEP_ELEMENTARY,
    TRINE_SWEEP_GELU_ERF,
    TRINE_SWEEP_GELU_TANH,
    TRINE_SWEEP_BF16,
    TRINE_SWEEP_F16,
    TRINE_SWEEP_E4M3FN,
    TRINE_SWEEP_E4M3FNUZ,
    TRINE_SWEEP_E5M2,
    TRINE_SWEEP_UE8M0,
    TRINE_SWEEP_COUNT
};

// out[i] = f(in[i]), f32 bits or the code widened.
typedef void trine_sweep_loop(uint32_t *out, const float *in, size_t n);

extern trine_sweep_loop *const trine_sweep_base[TRINE_SWEEP_COUNT];
extern trine_sweep_loop *const trine_sweep_fma[TRINE_SWEEP_COUNT];
extern trine_sweep_loop *const trine_sweep_avx2[TRINE_SWEEP_COUNT];
extern trine_sweep_loop *const trine_sweep_avx512[TRINE_SWEEP_COUNT];

#ifdef TRINE_SWEEP_TABLE

#include "numerics/activation.h"
#include "numerics/format.h"

#define TRINE_SWEEP_LOOP(name, expression)                                                         \
    static void name(uint32_t *restrict out, const float *restrict in, size_t n)                   \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            float x = in[i];                                                                       \
            out[i] = expression;                                                                   \
        }                                                                                          \
    }

TRINE_SWEEP_LOOP(loop_exp, trine_f32_bits(trine_expf(x)))
TRINE_SWEEP_LOOP(loop_sigmoid, trine_f32_bits(trine_sigmoidf(x)))
TRINE_SWEEP_LOOP(loop_tanh, trine_f32_bits(trine_tanhf(x)))
TRINE_SWEEP_LOOP(loop_erf, trine_f32_bits(trine_erff(x)))
TRINE_SWEEP_LOOP(loop_silu, trine_f32_bits(trine_silu(x)))
TRINE_SWEEP_LOOP(loop_gelu_erf, trine_f32_bits(trine_gelu_erf(x)))
TRINE_SWEEP_LOOP(loop_gelu_tanh, trine_f32_bits(trine_gelu_tanh(x)))
TRINE_SWEEP_LOOP(loop_bf16, trine_f32_to_bf16(x))
TRINE_SWEEP_LOOP(loop_f16, trine_f32_to_f16(x))
TRINE_SWEEP_LOOP(loop_e4m3fn, trine_f32_to_e4m3fn(x))
TRINE_SWEEP_LOOP(loop_e4m3fnuz, trine_f32_to_e4m3fnuz(x))
TRINE_SWEEP_LOOP(loop_e5m2, trine_f32_to_e5m2(x))
TRINE_SWEEP_LOOP(loop_ue8m0, trine_f32_to_ue8m0(x))

trine_sweep_loop *const TRINE_SWEEP_TABLE[TRINE_SWEEP_COUNT] = {
    loop_exp,  loop_sigmoid, loop_tanh,   loop_erf,      loop_silu, loop_gelu_erf, loop_gelu_tanh,
    loop_bf16, loop_f16,     loop_e4m3fn, loop_e4m3fnuz, loop_e5m2, loop_ue8m0,
};

#endif
#endif
