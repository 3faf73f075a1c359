// SPDX-License-Identifier: Apache-2.0
/* x86 only: asks the processor, and the operating system, which vectors may be used. */
#include "backends/host/level.h"

trine_host_level trine_host_x86_level(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return TRINE_HOST_BASELINE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return TRINE_HOST_AVX2;
    return TRINE_HOST_AVX512;
}
