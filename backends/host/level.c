// SPDX-License-Identifier: Apache-2.0
/* Which vector level the fast rows run at. */
#include "backends/host/level.h"

#include <stdatomic.h>

/* -1: not asked yet. Several threads may ask at once; they get the same answer. */
static atomic_int current = -1;

static trine_host_level best_level(void)
{
#ifdef TRINE_HOST_X86
    return trine_host_x86_level();
#else
    return TRINE_HOST_BASELINE;
#endif
}

trine_host_level trine_host_get_level(void)
{
    int level = atomic_load_explicit(&current, memory_order_relaxed);
    if (level < 0) {
        level = (int)best_level();
        atomic_store_explicit(&current, level, memory_order_relaxed);
    }
    return (trine_host_level)level;
}

trine_host_level trine_host_set_level(trine_host_level level)
{
    trine_host_level best = best_level();
    if (level > best) level = best;
    atomic_store_explicit(&current, (int)level, memory_order_relaxed);
    return level;
}

const char *trine_host_level_name(trine_host_level level)
{
    static const char *const names[TRINE_HOST_LEVEL_COUNT] = {"baseline", "avx2", "avx512"};
    return level < TRINE_HOST_LEVEL_COUNT ? names[level] : "?";
}
