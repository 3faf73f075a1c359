// SPDX-License-Identifier: Apache-2.0
/* Calls and their outcomes as files. */
#include "check/file_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct contents {
    trine_file_tensor tensors[2 * TRINE_MAX_TENSORS];
    char names[2 * TRINE_MAX_TENSORS][80];
    void *packed[2 * TRINE_MAX_TENSORS];
    size_t count;
} contents;

/* A tensor with packed elements: of the call's data (before), or of an image (after). */
static trine_status add(contents *c, const trine_call *call, int index, const uint8_t *image)
{
    const trine_plan *plan = call->plan;
    const trine_layout *layout = &plan->layout[index];
    const trine_tensor *owner = &call->tensors[trine_call_owner(plan, index)];
    const size_t size = (size_t)owner->count * trine_dtype_size(layout->dtype);
    trine_file_tensor *tensor = &c->tensors[c->count];

    c->packed[c->count] = malloc(size + 1);
    if (!c->packed[c->count]) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    if (image)
        trine_tensor_gather(owner, image, c->packed[c->count]);
    else
        memcpy(c->packed[c->count], call->data->values[index], size);
    snprintf(c->names[c->count], sizeof c->names[c->count], "%s%s", image ? "expected." : "",
             plan->op->tensors[index].name);
    *tensor = (trine_file_tensor){.name = c->names[c->count],
                                  .dtype = layout->dtype,
                                  .rank = layout->rank,
                                  .data = c->packed[c->count],
                                  .size = size};
    memcpy(tensor->shape, layout->shape, sizeof tensor->shape);
    c->count++;
    return TRINE_OK;
}

/* Wide elements first: then all data is aligned. */
static int by_width(const void *left, const void *right)
{
    const trine_file_tensor *a = left, *b = right;
    const size_t x = trine_dtype_size(a->dtype), y = trine_dtype_size(b->dtype);

    return x != y ? (x < y) - (x > y) : strcmp(a->name, b->name);
}

trine_status trine_call_write(const trine_call *call, const trine_outcome *outcome,
                              const char *source, const char *path)
{
    const trine_op_description *op = call->plan->op;
    char *params = trine_plan_write_params(call->plan);
    contents *c = calloc(1, sizeof *c);
    trine_status status = params && c ? TRINE_OK : trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");

    for (int i = 0; i < op->tensor_count && !status; i++) {
        if (!call->plan->present[i]) continue;
        if (call->data->values[i]) status = add(c, call, i, NULL);
        if (!status && op->tensors[i].role == TRINE_OUT)
            status = add(c, call, i, outcome->images[i]);
    }
    if (!status) {
        const trine_file_entry metadata[] = {{"op", op->name},
                                             {"params", params},
                                             {"compare", op->bounded ? "bounded" : "exact"},
                                             {"source", source}};
        qsort(c->tensors, c->count, sizeof *c->tensors, by_width);
        status = trine_file_write(path, c->tensors, c->count, metadata, 4);
    }
    for (size_t i = 0; c && i < c->count; i++) free(c->packed[i]);
    free(c);
    free(params);
    return status;
}
