// SPDX-License-Identifier: Apache-2.0
/* Which vector level the fast rows run at. */
#include "backends/host/level.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

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

/* TRINE_HOST_LEVEL can only lower the level; every level gives the same bits. */
static trine_host_level initial_level(void)
{
    trine_host_level best = best_level();
    const char *name = getenv("TRINE_HOST_LEVEL");
    for (int level = 0; name && level < (int)best; level++)
        if (!strcmp(name, trine_host_level_name((trine_host_level)level)))
            return (trine_host_level)level;
    return best;
}

trine_host_level trine_host_get_level(void)
{
    int level = atomic_load_explicit(&current, memory_order_relaxed);
    if (level < 0) {
        level = (int)initial_level();
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
