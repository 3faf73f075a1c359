// SPDX-License-Identifier: Apache-2.0
/* Copies on a GPU. */
#include "bench/gpu_copy.h"

#include <string.h>

#define QUICK_REPLAYS 5
#define REPLAYS       20

static const bench_copy_form forms[BENCH_COPY_FORMS] = {
    {0, 0},   {128, 1}, {128, 2}, {128, 4}, {128, 8},  {256, 1},  {256, 2},  {256, 4},  {256, 8},
    {512, 1}, {512, 2}, {512, 4}, {512, 8}, {1024, 1}, {1024, 2}, {1024, 4}, {1024, 8},
};

trine_status bench_copies_make(bench_copies *c, const bench_gpu *gpu, double bytes, size_t sets)
{
    void *memory = NULL;
    uint32_t noise[1 << 14];
    uint32_t state = 1;

    *c = (bench_copies){.sets = sets};
    c->size = (size_t)(bytes / 2) / 16 * 16;
    if (c->size < 16) c->size = 16;
    c->step = (c->size + 255) / 256 * 256;
    const size_t whole = 2 * sets * c->step;
    trine_status status = gpu->module->alloc(gpu->ordinal, whole, &memory);
    if (status) return status;
    c->memory = memory;
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
        noise[i] = state = state * 1664525u + 1013904223u;
    size_t done = sizeof noise < whole ? sizeof noise : whole;
    status = gpu->module->copy(gpu->ordinal, c->memory, noise, done, true);
    while (done < whole && !status) {
        const size_t part = done < whole - done ? done : whole - done;
        status =
            gpu->module->device_copy(gpu->ordinal, gpu->stream, c->memory + done, c->memory, part);
        done += part;
    }
    if (!status) status = gpu->module->stream_synchronize(gpu->ordinal, gpu->stream);
    if (status) bench_copies_destroy(c, gpu);
    return status;
}

void bench_copies_destroy(bench_copies *c, const bench_gpu *gpu)
{
    if (c->memory) gpu->module->release(gpu->ordinal, c->memory);
    c->memory = NULL;
}

trine_status bench_enqueue_copy(void *cookie, const bench_gpu *gpu, size_t i)
{
    const bench_copies *c = cookie;
    uint8_t *from = c->memory + 2 * (i % c->sets) * c->step, *to = from + c->step;

    if (!c->form.threads)
        return gpu->module->device_copy(gpu->ordinal, gpu->stream, to, from, c->size);
    return gpu->module->copy_kernel(gpu->ordinal, gpu->stream, to, from, c->size, c->form.threads,
                                    c->form.unroll);
}

/* Seconds of a copy in one form. */
static trine_status time_form(bench_copies *c, const bench_gpu *gpu, bench_copy_form form,
                              size_t replays, double *seconds)
{
    bench_graph g, *const graphs[] = {&g};

    c->form = form;
    trine_status status = bench_graph_make(&g, gpu, bench_enqueue_copy, c, c->sets);
    if (status) return status;
    status = bench_graphs_time(graphs, 1, gpu, replays);
    *seconds = bench_graph_median(&g);
    bench_graph_destroy(&g, gpu);
    return status;
}

trine_status bench_copies_choose(bench_copies *c, const bench_gpu *gpu, bench_graph *g)
{
    static const bench_copy_form candidates[] = {{128, 1}, {256, 1}, {512, 1}, {128, 2},
                                                 {256, 2}, {256, 4}, {512, 4}};
    bench_copy_form best = candidates[0];
    double least = 1e300, seconds = 0;

    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        const trine_status status = time_form(c, gpu, candidates[i], QUICK_REPLAYS, &seconds);
        if (status) return status;
        if (seconds < least) least = seconds, best = candidates[i];
    }
    c->form = best;
    return bench_graph_make(g, gpu, bench_enqueue_copy, c, c->sets);
}

trine_status bench_ceiling_measure(bench_ceiling *ceiling, const bench_gpu *gpu, size_t size)
{
    bench_copies c;
    double seconds = 0;
    trine_status status = bench_copies_make(&c, gpu, 2.0 * (double)size, 1);

    if (status) return status;
    memset(ceiling, 0, sizeof *ceiling);
    ceiling->size = c.size;
    for (int i = 0; i < BENCH_COPY_FORMS && !status; i++) {
        ceiling->forms[i] = forms[i];
        status = time_form(&c, gpu, forms[i], REPLAYS, &seconds);
        ceiling->rates[i] = 2.0 * (double)c.size / seconds;
        if (ceiling->rates[i] > ceiling->rates[ceiling->best]) ceiling->best = i;
    }
    bench_copies_destroy(&c, gpu);
    return status;
}
