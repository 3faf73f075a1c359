// SPDX-License-Identifier: Apache-2.0
/*
 * Dimension letters. The shape expressions are evaluated by the library alone: which dimension of
 * which tensor is which letter is found by giving the letters large primes and looking where they,
 * or small multiples of them, come out.
 */
#include "check/dims.h"

#include <stdio.h>
#include <string.h>

static const int64_t primes[2][24] = {
    {1000003, 1000033, 1000037, 1000039, 1000081, 1000099, 1000117, 1000121,
     1000133, 1000151, 1000159, 1000171, 1000183, 1000187, 1000193, 1000199,
     1000211, 1000213, 1000231, 1000249, 1000253, 1000273, 1000289, 1000291},
    {2000003, 2000029, 2000039, 2000081, 2000083, 2000093, 2000107, 2000113,
     2000143, 2000147, 2000153, 2000197, 2000207, 2000239, 2000263, 2000269,
     2000273, 2000291, 2000297, 2000303, 2000329, 2000333, 2000341, 2000347},
};

void trine_dims_of_op(const trine_op_description *op, trine_dims *dims)
{
    char name[8];

    memset(dims, 0, sizeof *dims);
    for (const char *at = op->dims; at && *at; at = strchr(at, ';')) {
        at += strspn(at, "; ");
        const size_t length = strcspn(at, " ;,");
        if (length == 0 || length >= sizeof name) continue;
        memcpy(name, at, length);
        name[length] = 0;
        trine_dims_set(dims, name, -1);
    }
}

int64_t trine_dims_get(const trine_dims *dims, const char *name)
{
    for (size_t i = 0; i < dims->count; i++) {
        if (strcmp(dims->names[i], name) == 0) return dims->values[i];
    }
    return -1;
}

/* The letters that have a value, and args with the tensors of the plan before `tensor`: shapes of
 * later tensors follow the alternatives that earlier ones took. */
static void scope_of(const trine_plan *plan, const trine_dims *dims, int tensor,
                     DLTensor storage[TRINE_MAX_TENSORS], trine_args *args, trine_dims *given)
{
    const DLTensor *none = NULL;

    trine_plan_bind(plan, (DLDevice){kDLCPU, 0}, storage, args);
    for (int i = tensor; i < plan->op->tensor_count; i++)
        memcpy(args->bytes + plan->op->tensors[i].offset, &none, sizeof none);
    memset(given, 0, sizeof *given);
    for (size_t i = 0; i < dims->count; i++) {
        if (dims->values[i] >= 0) trine_dims_set(given, dims->names[i], dims->values[i]);
    }
}

static bool evaluate(const trine_plan *plan, const trine_dims *dims, int tensor, size_t alternative,
                     int32_t *rank, int64_t *shape)
{
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    trine_dims given;

    scope_of(plan, dims, tensor, storage, &args, &given);
    return trine_op_shape(plan->op->op, &args, &given, (size_t)tensor, alternative, rank, shape) ==
           TRINE_OK;
}

trine_status trine_dims_need(const trine_plan *plan, const trine_dims *dims, int tensor,
                             trine_need *need)
{
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    trine_dims given;

    scope_of(plan, dims, tensor, storage, &args, &given);
    return trine_op_tensor_need(plan->op->op, &args, &given, (size_t)tensor, need);
}

/* Which letter times what is dimension d, seen in two evaluations? Multiple 0: neither. */
static int64_t recognise(const trine_dims letters[2], int64_t first, int64_t second, size_t *letter)
{
    for (size_t i = 0; i < letters[0].count; i++) {
        for (int64_t times = 1; times <= 4; times++) {
            if (first == times * letters[0].values[i] && second == times * letters[1].values[i]) {
                *letter = i;
                return times;
            }
        }
    }
    return 0;
}

/* Letters from one tensor: its dimensions that are a letter, or a small multiple of one. */
static void bind_tensor(const trine_plan *plan, const trine_dims letters[2], int tensor,
                        trine_dims *dims)
{
    const trine_layout *layout = &plan->layout[tensor];
    int64_t shapes[2][TRINE_MAX_DIMS];
    int32_t rank[2];
    size_t letter = 0;

    for (size_t a = 0; evaluate(plan, &letters[0], tensor, a, &rank[0], shapes[0]); a++) {
        if (!evaluate(plan, &letters[1], tensor, a, &rank[1], shapes[1])) return;
        if (rank[0] != layout->rank || rank[1] != layout->rank) continue;
        for (int32_t d = 0; d < layout->rank; d++) {
            const int64_t times = recognise(letters, shapes[0][d], shapes[1][d], &letter);
            if (times && dims->values[letter] < 0 && layout->shape[d] % times == 0)
                dims->values[letter] = layout->shape[d] / times;
        }
    }
}

/* A number that every int param of the call divides: expressions like K/group_size stay whole. */
static int64_t common_multiple(const trine_plan *plan)
{
    int64_t multiple = 2;

    for (int i = 0; i < plan->op->param_count; i++) {
        const int64_t value = (int64_t)trine_plan_number(plan, plan->op->params[i].name);
        int64_t a = multiple, b = value;
        if (plan->op->params[i].type != TRINE_PARAM_INT || value <= 0) continue;
        while (b) {
            const int64_t rest = a % b;
            a = b;
            b = rest;
        }
        if (multiple / a * value < 1000000) multiple = multiple / a * value;
    }
    return multiple;
}

static void make_letters(const trine_plan *plan, trine_dims letters[2])
{
    const int64_t multiple = common_multiple(plan);

    for (int i = 0; i < 2; i++) {
        trine_dims_of_op(plan->op, &letters[i]);
        for (size_t j = 0; j < letters[i].count; j++)
            letters[i].values[j] = primes[i][j] * multiple;
    }
}

void trine_dims_bind(const trine_plan *plan, trine_dims *dims)
{
    trine_dims letters[2];

    make_letters(plan, letters);
    trine_dims_of_op(plan->op, dims);
    for (int i = 0; i < plan->op->tensor_count; i++) {
        if (plan->present[i]) bind_tensor(plan, letters, i, dims);
    }
}

bool trine_dims_shape(trine_plan *plan, const trine_dims *dims, int tensor, size_t alternative)
{
    trine_layout *layout = &plan->layout[tensor];
    int64_t shape[TRINE_MAX_DIMS];
    int32_t rank;

    if (!evaluate(plan, dims, tensor, alternative, &rank, shape)) return false;
    for (int32_t d = 0; d < rank; d++) {
        if (shape[d] < 0) return false;
        layout->shape[d] = shape[d];
    }
    layout->rank = rank;
    trine_layout_contiguous(layout);
    return true;
}
