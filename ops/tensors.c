// SPDX-License-Identifier: Apache-2.0
/*
 * What holds for the tensors of every op: presence, dtype, device, strides, alignment, extent,
 * overlap. Op-specific rules follow in ops/<op>.c.
 */
#include "ops/tensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/shape.h"

/* First byte, and one past the last byte, that a view's elements occupy. */
typedef struct extent {
    uintptr_t low, high;
} extent;

static const DLTensor *tensor_of(const void *args, const trine_tensor_description *t)
{
    const DLTensor *tensor;
    memcpy(&tensor, (const char *)args + t->offset, sizeof tensor);
    return tensor;
}

/* "bf16, f16 or f32" */
static const char *dtype_list(uint32_t mask, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < TRINE_DTYPE_COUNT; i++) {
        if (!(mask & TRINE_DTYPE_BIT(i))) continue;
        mask &= ~TRINE_DTYPE_BIT(i);
        int n = snprintf(text + used, size - used, "%s%s", used ? (mask ? ", " : " or ") : "",
                         trine_dtype_name((trine_dtype)i));
        if (n < 0 || (size_t)n >= size - used) break;
        used += (size_t)n;
    }
    return text;
}

const void *trine_args_complete(const trine_op_description *d, const void *args, void *scratch)
{
    size_t given;
    if (!args) {
        trine_fail(TRINE_INVALID_ARGUMENT, "args is NULL; %s needs its args struct", d->name);
        return NULL;
    }
    memcpy(&given, args, sizeof given);
    if (given == d->args_size) return args;
    if (given < sizeof(size_t) + sizeof(void *) || given > d->args_size) {
        trine_fail(TRINE_ABI_MISMATCH,
                   "args.struct_size is %zu; %s takes up to %zu bytes in this version", given,
                   d->name, d->args_size);
        return NULL;
    }
    trine_args_init(d->op, scratch);
    for (int i = 0; i < d->tensor_count; i++) {
        size_t offset = d->tensors[i].offset;
        if (offset + sizeof(void *) <= given)
            memcpy((char *)scratch + offset, (const char *)args + offset, sizeof(void *));
    }
    for (int i = 0; i < d->param_count; i++) {
        size_t offset = d->params[i].offset; /* every param is four bytes wide */
        if (offset + 4 <= given) memcpy((char *)scratch + offset, (const char *)args + offset, 4);
    }
    return scratch;
}

static trine_status enum_check(const trine_op_description *d, const trine_param_description *p,
                               int32_t value)
{
    for (const trine_word *word = p->words; word->name; word++)
        if (word->value == value) return TRINE_OK;
    return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is %d, which is none of its values", d->name,
                      p->name, value);
}

trine_status trine_params_check(const trine_op_description *d, const void *args)
{
    for (int i = 0; i < d->param_count; i++) {
        const trine_param_description *p = &d->params[i];
        const char *field = (const char *)args + p->offset;
        int32_t integer;
        float number;
        memcpy(&integer, field, sizeof integer);
        memcpy(&number, field, sizeof number);
        switch ((trine_param_type)p->type) {
        case TRINE_PARAM_ENUM: {
            trine_status status = enum_check(d, p, integer);
            if (status) return status;
            break;
        }
        case TRINE_PARAM_BOOL:
            if (integer != 0 && integer != 1)
                return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is %d, must be 0 or 1", d->name,
                                  p->name, integer);
            break;
        case TRINE_PARAM_INT:
            if (integer < p->minimum || integer > p->maximum)
                return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is %d, must be %.0f to %.0f",
                                  d->name, p->name, integer, p->minimum, p->maximum);
            break;
        case TRINE_PARAM_FLOAT:
            if (number == (float)p->default_value) break;
            if (!(number >= (float)p->minimum && number <= (float)p->maximum))
                return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is %g, must be %g to %g", d->name,
                                  p->name, (double)number, p->minimum, p->maximum);
            break;
        }
    }
    return TRINE_OK;
}

int64_t trine_view_elements(const trine_view *view)
{
    if (!trine_view_present(view)) return 0;
    int64_t elements = 1;
    /* Beside an empty dimension the others may be too large to multiply. */
    for (int i = 0; i < view->rank; i++)
        if (!view->shape[i]) return 0;
    for (int i = 0; i < view->rank; i++) elements *= view->shape[i];
    return elements;
}

/* Shape, strides and the bytes they span; refuses what does not fit 63 bits. */
static trine_status geometry_read(const char *op, const trine_tensor_description *t,
                                  const DLTensor *tensor, trine_view *view)
{
    if (tensor->ndim < 0 || tensor->ndim > TRINE_MAX_DIMS)
        return trine_fail(TRINE_INVALID_SHAPE, "%s: %s has %d dimensions, must have 0 to %d", op,
                          t->name, tensor->ndim, TRINE_MAX_DIMS);
    if (tensor->ndim && !tensor->shape)
        return trine_fail(TRINE_INVALID_SHAPE, "%s: %s has %d dimensions but its shape is NULL", op,
                          t->name, tensor->ndim);
    view->rank = tensor->ndim;
    int64_t compact = 1, span = 0, elements = 1;
    bool overflow = false, empty = false;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        int64_t size = tensor->shape[i], stride = tensor->strides ? tensor->strides[i] : compact;
        if (size < 0)
            return trine_fail(TRINE_INVALID_SHAPE,
                              "%s: %s dimension %d is %" PRId64 ", must not be negative", op,
                              t->name, i, size);
        if (stride < 0)
            return trine_fail(TRINE_INVALID_LAYOUT,
                              "%s: %s stride %d is %" PRId64 ", must not be negative", op, t->name,
                              i, stride);
        view->shape[i] = size;
        view->stride[i] = stride;
        int64_t reach;
        empty |= size == 0;
        overflow |= __builtin_mul_overflow(elements, size, &elements);
        overflow |= __builtin_mul_overflow(size ? size - 1 : 0, stride, &reach);
        overflow |= __builtin_add_overflow(span, reach, &span);
        /* A NULL strides means compact, where an empty dimension counts as one. */
        overflow |= __builtin_mul_overflow(compact, size ? size : 1, &compact);
    }
    overflow |= __builtin_mul_overflow(span, (int64_t)trine_dtype_size(view->dtype), &span);
    overflow |= span > INT64_MAX - 16 || tensor->byte_offset > INT64_MAX;
    if (overflow && !empty)
        return trine_fail(TRINE_SIZE_OVERFLOW, "%s: %s spans more than 2^63 bytes", op, t->name);
    return TRINE_OK;
}

static trine_status tensor_read(const trine_op_description *d, const trine_tensor_description *t,
                                const DLTensor *tensor, bool planning, trine_view *view)
{
    char list[96];
    view->dtype = trine_dtype_from_dl(tensor->dtype);
    if (view->dtype == TRINE_DTYPE_COUNT)
        return trine_fail(TRINE_INVALID_DTYPE,
                          "%s: %s has DLPack type code %d, %d bits, %d lanes; must be %s", d->name,
                          t->name, tensor->dtype.code, tensor->dtype.bits, tensor->dtype.lanes,
                          dtype_list(t->dtypes, list, sizeof list));
    if (!(t->dtypes & TRINE_DTYPE_BIT(view->dtype)))
        return trine_fail(TRINE_INVALID_DTYPE, "%s: %s is %s, must be %s", d->name, t->name,
                          trine_dtype_name(view->dtype), dtype_list(t->dtypes, list, sizeof list));
    trine_status status = geometry_read(d->name, t, tensor, view);
    if (status) return status;
    int last = view->rank - 1;
    if (t->inner_contiguous && last >= 0 && view->shape[last] > 1 && view->stride[last] != 1)
        return trine_fail(TRINE_INVALID_LAYOUT, "%s: %s stride %d is %" PRId64 ", must be 1",
                          d->name, t->name, last, view->stride[last]);
    view->data = tensor->data ? (char *)tensor->data + tensor->byte_offset : NULL;
    if (planning) return TRINE_OK;
    if (!view->data && trine_view_elements(view))
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s has elements but its data is NULL",
                          d->name, t->name);
    if ((uintptr_t)view->data & (trine_dtype_size(view->dtype) - 1))
        return trine_fail(TRINE_INVALID_LAYOUT, "%s: %s is at %p, must be a multiple of %zu bytes",
                          d->name, t->name, view->data, trine_dtype_size(view->dtype));
    return TRINE_OK;
}

static trine_status same_dtype_check(const trine_op_description *d, const trine_view *views, int i)
{
    const trine_tensor_description *t = &d->tensors[i];
    int j = 0;
    while (strcmp(d->tensors[j].name, t->same_dtype) != 0) j++;
    if (!trine_view_present(&views[j]) || views[i].dtype == views[j].dtype ||
        (t->or_f32 && views[i].dtype == TRINE_F32))
        return TRINE_OK;
    return trine_fail(TRINE_INVALID_DTYPE, "%s: %s is %s, must be as %s, which is %s%s", d->name,
                      t->name, trine_dtype_name(views[i].dtype), t->same_dtype,
                      trine_dtype_name(views[j].dtype), t->or_f32 ? ", or f32" : "");
}

static extent extent_of(const trine_view *view)
{
    extent e = {(uintptr_t)view->data, (uintptr_t)view->data};
    int64_t last = 0;
    for (int i = 0; i < view->rank; i++) {
        if (!view->shape[i]) return e;
        last += (view->shape[i] - 1) * view->stride[i];
    }
    if (!view->data) return e;
    e.high = e.low + (uintptr_t)(last + 1) * trine_dtype_size(view->dtype);
    return e;
}

/* Bytes between repeats of a view's outermost dimension, and bytes that one repeat spans. */
static void pitch_of(const trine_view *view, uintptr_t *pitch, uintptr_t *inner)
{
    int outer = -1;
    int64_t span = 0;
    for (int i = 0; i < view->rank; i++)
        if (view->shape[i] > 1 && (outer < 0 || view->stride[i] > view->stride[outer])) outer = i;
    for (int i = 0; i < view->rank; i++)
        if (i != outer) span += (view->shape[i] - 1) * view->stride[i];
    size_t size = trine_dtype_size(view->dtype);
    *pitch = outer < 0 ? 0 : (uintptr_t)view->stride[outer] * size;
    *inner = (uintptr_t)(span + 1) * size;
}

/* True when two views share no byte. Views that interleave with the same pitch (slices of one
 * packed buffer) are told apart; other interleavings count as shared. */
static bool disjoint(const trine_view *a, extent ea, const trine_view *b, extent eb)
{
    if (ea.low == ea.high || eb.low == eb.high) return true;
    if (ea.high <= eb.low || eb.high <= ea.low) return true;
    uintptr_t pitch_a, pitch_b, inner_a, inner_b;
    pitch_of(a, &pitch_a, &inner_a);
    pitch_of(b, &pitch_b, &inner_b);
    if (pitch_a != pitch_b || !pitch_a || inner_a > pitch_a || inner_b > pitch_a) return false;
    uintptr_t phase = eb.low >= ea.low ? (eb.low - ea.low) % pitch_a
                                       : (pitch_a - (ea.low - eb.low) % pitch_a) % pitch_a;
    return phase >= inner_a && phase + inner_b <= pitch_a;
}

static bool same_view(const trine_view *a, const trine_view *b)
{
    if (a->data != b->data || a->rank != b->rank ||
        trine_dtype_size(a->dtype) != trine_dtype_size(b->dtype))
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->shape[i] != b->shape[i] || (a->shape[i] > 1 && a->stride[i] != b->stride[i]))
            return false;
    return true;
}

/* An output whose own elements share memory can't be written in parallel. */
static bool overlaps_itself(const trine_view *view)
{
    int order[TRINE_MAX_DIMS], count = 0;
    if (!trine_view_elements(view)) return false;
    for (int i = 0; i < view->rank; i++) {
        if (view->shape[i] <= 1) continue;
        int at = count++;
        for (; at > 0 && view->stride[order[at - 1]] > view->stride[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    int64_t reach = 0;
    for (int i = 0; i < count; i++) {
        if (view->stride[order[i]] <= reach) return true;
        reach += (view->shape[order[i]] - 1) * view->stride[order[i]];
    }
    return false;
}

trine_status trine_overlap_check(const trine_op_description *d, const trine_view *views)
{
    extent extents[TRINE_MAX_TENSORS];
    for (int i = 0; i < d->tensor_count; i++)
        if (trine_view_present(&views[i])) extents[i] = extent_of(&views[i]);
    for (int i = 0; i < d->tensor_count; i++) {
        const trine_tensor_description *t = &d->tensors[i];
        if (t->role != TRINE_OUT || !trine_view_present(&views[i])) continue;
        if (overlaps_itself(&views[i]))
            return trine_fail(TRINE_INVALID_LAYOUT,
                              "%s: %s has strides with which its elements share memory", d->name,
                              t->name);
        for (int j = 0; j < d->tensor_count; j++) {
            const trine_tensor_description *other = &d->tensors[j];
            if (j == i || !trine_view_present(&views[j])) continue;
            if (other->role == TRINE_OUT && j < i) continue; /* each pair once */
            if (disjoint(&views[i], extents[i], &views[j], extents[j])) continue;
            bool may = t->alias && !strcmp(t->alias, other->name);
            if (may && same_view(&views[i], &views[j])) continue;
            return trine_fail(TRINE_OVERLAP, "%s: %s at %p overlaps %s at %p%s", d->name, t->name,
                              views[i].data, other->name, views[j].data,
                              may ? "; it may be that tensor only with the same strides" : "");
        }
    }
    return TRINE_OK;
}

trine_status trine_tensors_read(const trine_op_description *d, const void *args, bool planning,
                                trine_view *views, DLDevice *device)
{
    const char *first = NULL;
    for (int i = 0; i < d->tensor_count; i++) {
        const trine_tensor_description *t = &d->tensors[i];
        const DLTensor *tensor = tensor_of(args, t);
        if (!tensor) {
            if (!t->optional)
                return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is NULL, it is required", d->name,
                                  t->name);
            views[i].rank = -1;
            views[i].data = NULL;
            continue;
        }
        trine_status status = tensor_read(d, t, tensor, planning, &views[i]);
        if (status) return status;
        if (!first) {
            first = t->name;
            *device = tensor->device;
        } else if (tensor->device.device_type != device->device_type ||
                   tensor->device.device_id != device->device_id) {
            return trine_fail(TRINE_INVALID_DEVICE,
                              "%s: %s is on device (%d, %d), %s on (%d, %d); all must share one",
                              d->name, t->name, tensor->device.device_type,
                              tensor->device.device_id, first, device->device_type,
                              device->device_id);
        }
    }
    for (int i = 0; i < d->tensor_count; i++) {
        if (!d->tensors[i].same_dtype || !trine_view_present(&views[i])) continue;
        trine_status status = same_dtype_check(d, views, i);
        if (status) return status;
    }
    return trine_shape_match(d, args, views);
}

trine_status trine_workspace_check(const trine_op_description *d, const trine_view *views,
                                   const void *workspace, size_t size)
{
    uintptr_t low = (uintptr_t)workspace, high = low + size;
    for (int i = 0; i < d->tensor_count; i++) {
        if (!trine_view_present(&views[i])) continue;
        extent e = extent_of(&views[i]);
        if (e.low < high && low < e.high)
            return trine_fail(TRINE_OVERLAP, "%s: exec.workspace at %p overlaps %s at %p", d->name,
                              workspace, d->tensors[i].name, views[i].data);
    }
    return TRINE_OK;
}
