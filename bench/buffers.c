// SPDX-License-Identifier: Apache-2.0
/* Sets of tensors on a GPU. */
#include "bench/buffers.h"

#include "check/generate.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT   ((size_t)256)
#define BEYOND_L2   384e6              /* bytes that calls in a row go through */
#define MOST_MEMORY ((size_t)2 << 30)  /* for the copies of one tensor */
#define DRAWN       ((int64_t)1 << 17) /* values drawn; the rest of a tensor repeats them */
#define DRAWN_ANEW  ((int64_t)1 << 14) /* tensors no larger get values of their own in each copy */

size_t bench_sets(double bytes, size_t most)
{
    const double sets = BEYOND_L2 / (bytes > 1 ? bytes : 1);

    if (sets >= (double)most) return most;
    return sets <= 1 ? 1 : (size_t)sets + 1;
}

static size_t rounded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t tensor_bytes(const trine_plan *plan, int tensor)
{
    return (size_t)trine_layout_extent(&plan->layout[tensor]) *
           trine_dtype_size(plan->layout[tensor].dtype);
}

/* Cuts the last dimensions down until no more than `most` elements are left: the first ones, which
 * say how many experts and rows there are, go last. */
static void cut(trine_layout *layout, int64_t most)
{
    trine_layout_contiguous(layout);
    for (int32_t d = layout->rank - 1; d >= 0 && trine_layout_extent(layout) > most; d--) {
        const int64_t others = trine_layout_extent(layout) / layout->shape[d];
        layout->shape[d] = others < most ? most / others : 1;
        trine_layout_contiguous(layout);
    }
    layout->implicit = false;
}

/* Some values of one tensor, packed; *count of them. */
static trine_status draw(const trine_plan *plan, int tensor, uint64_t key, void **values,
                         int64_t *count)
{
    trine_plan small = *plan;
    trine_data data;

    for (int i = 0; i < plan->op->tensor_count; i++) {
        if (plan->present[i]) cut(&small.layout[i], i == tensor ? DRAWN : 1024);
    }
    const trine_status status = trine_generate(&small, TRINE_PATTERN_NORMAL, key, &data);
    if (status) return status;
    *count = trine_layout_extent(&small.layout[tensor]);
    *values = data.values[tensor];
    data.values[tensor] = NULL;
    trine_data_destroy(&data);
    return TRINE_OK;
}

/* Puts `drawn` bytes at the start of a copy and repeats them to its end. */
static trine_status fill(const bench_gpu *gpu, uint8_t *to, size_t size, const void *values,
                         size_t drawn)
{
    size_t done = drawn < size ? drawn : size;
    trine_status status = gpu->module->copy(gpu->ordinal, to, values, done, true);

    while (done < size && !status) {
        const size_t part = done < size - done ? done : size - done;
        status = gpu->module->device_copy(gpu->ordinal, gpu->stream, to + done, to, part);
        done += part;
    }
    return status;
}

static trine_status fill_tensor(bench_buffers *b, const bench_gpu *gpu, int tensor)
{
    const trine_layout *layout = &b->plan->layout[tensor];
    const size_t width = trine_dtype_size(layout->dtype), size = tensor_bytes(b->plan, tensor);
    const bool anew = trine_layout_extent(layout) <= DRAWN_ANEW;
    trine_status status = TRINE_OK;

    for (size_t c = 0; c < b->copies[tensor] && !status; c++) {
        uint8_t *to = b->base[tensor] + c * b->step[tensor];
        if (c && !(anew && c < 64)) {
            status = gpu->module->device_copy(gpu->ordinal, gpu->stream, to,
                                              to - (anew ? 64 : 1) * b->step[tensor], size);
            continue;
        }
        void *values = NULL;
        int64_t count = 0;
        status = draw(b->plan, tensor, 1 + c, &values, &count);
        if (!status) status = fill(gpu, to, size, values, (size_t)count * width);
        free(values);
    }
    return status;
}

trine_status bench_buffers_make(bench_buffers *b, const bench_gpu *gpu, trine_context *context,
                                const trine_plan *plan, size_t sets)
{
    const trine_op_description *op = plan->op;
    size_t total = 0, at = 0;
    void *memory = NULL;

    *b = (bench_buffers){.plan = plan, .context = context, .sets = sets};
    trine_status status = trine_plan_validate(plan, context, gpu->device, &b->workspace_size);
    if (status) return status;
    for (int i = 0; i < op->tensor_count; i++) {
        if (!plan->present[i]) continue;
        b->step[i] = rounded(tensor_bytes(plan, i) + 1);
        const size_t room = MOST_MEMORY / b->step[i];
        b->copies[i] = room >= sets ? sets : room > 1 ? room : 1;
        total += b->copies[i] * b->step[i];
    }
    status =
        gpu->module->alloc(gpu->ordinal, total + rounded(b->workspace_size) + ALIGNMENT, &memory);
    if (status) return status;
    b->memory = memory;
    b->workspace = b->memory + total;
    for (int i = 0; i < op->tensor_count && !status; i++) {
        if (!plan->present[i]) continue;
        b->base[i] = b->memory + at;
        at += b->copies[i] * b->step[i];
        if (op->tensors[i].role == TRINE_IN || trine_plan_reads_outputs(plan))
            status = fill_tensor(b, gpu, i);
    }
    if (!status) status = gpu->module->stream_synchronize(gpu->ordinal, gpu->stream);
    if (status) bench_buffers_destroy(b, gpu);
    return status;
}

void bench_buffers_destroy(bench_buffers *b, const bench_gpu *gpu)
{
    if (b->memory) gpu->module->release(gpu->ordinal, b->memory);
    b->memory = NULL;
}

trine_status bench_enqueue_op(void *cookie, const bench_gpu *gpu, size_t i)
{
    const bench_buffers *b = cookie;
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    trine_exec exec = TRINE_EXEC_INIT;

    trine_plan_bind(b->plan, gpu->device, storage, &args);
    for (int t = 0; t < b->plan->op->tensor_count; t++) {
        if (b->plan->present[t])
            storage[t].data = b->base[t] + i % b->sets % b->copies[t] * b->step[t];
    }
    exec.stream = gpu->stream;
    exec.workspace = b->workspace_size ? b->workspace : NULL;
    exec.workspace_size = b->workspace_size;
    return trine_op_run(b->context, &exec, b->plan->op->op, &args);
}
