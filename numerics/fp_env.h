// SPDX-License-Identifier: Apache-2.0
/*
 * The floating-point mode of the CPU path: round to nearest even, subnormals kept, whatever the
 * embedding program has set. Each thread enters before it computes and leaves afterwards.
 */
#ifndef TRINE_NUMERICS_FP_ENV_H
#define TRINE_NUMERICS_FP_ENV_H

#include <fenv.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <xmmintrin.h>

typedef uint32_t trine_fp_env;

static inline trine_fp_env trine_fp_enter(void)
{
    trine_fp_env saved = _mm_getcsr();
    _mm_setcsr(0x1f80u); /* all exceptions masked, nearest even, no FTZ, no DAZ */
    return saved;
}

static inline void trine_fp_leave(trine_fp_env saved)
{
    _mm_setcsr(saved);
}

#elif defined(__aarch64__)

typedef uint64_t trine_fp_env;

static inline trine_fp_env trine_fp_enter(void)
{
    uint64_t saved, zero = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(zero));
    return saved;
}

static inline void trine_fp_leave(trine_fp_env saved)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(saved));
}

#else

typedef fenv_t trine_fp_env;

static inline trine_fp_env trine_fp_enter(void)
{
    fenv_t saved;
    fegetenv(&saved);
    fesetenv(FE_DFL_ENV);
    return saved;
}

static inline void trine_fp_leave(trine_fp_env saved)
{
    fesetenv(&saved);
}

#endif

#endif
