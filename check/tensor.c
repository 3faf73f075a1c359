// SPDX-License-Identifier: Apache-2.0
/* Tensors with guard bands. */
#include "check/tensor.h"

#include "check/safetensors.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 256

int64_t trine_saturating_product(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

void trine_layout_contiguous(trine_layout *layout)
{
    int64_t stride = 1;

    for (int32_t d = layout->rank - 1; d >= 0; d--) {
        layout->stride[d] = stride;
        if (layout->shape[d] > 0) stride = trine_saturating_product(stride, layout->shape[d]);
    }
}

int64_t trine_layout_extent(const trine_layout *layout)
{
    int64_t last = 0, part;

    for (int32_t d = 0; d < layout->rank; d++) {
        if (layout->shape[d] == 0) return 0;
        if (__builtin_mul_overflow(layout->shape[d] - 1, layout->stride[d], &part) ||
            __builtin_add_overflow(last, part, &last))
            return -1;
    }
    return last + 1;
}

bool trine_layout_is_contiguous(const trine_layout *layout)
{
    int64_t stride = 1;

    for (int32_t d = layout->rank - 1; d >= 0; d--) {
        if (layout->shape[d] > 1 && layout->stride[d] != stride) return false;
        stride = trine_saturating_product(stride, layout->shape[d]);
    }
    return true;
}

trine_status trine_tensor_create(trine_tensor *tensor, trine_context *context, DLDevice device,
                                 const trine_layout *layout, bool fenced)
{
    const size_t width = trine_dtype_size(layout->dtype);
    trine_status status;

    memset(tensor, 0, sizeof *tensor);
    tensor->context = context;
    tensor->device = device;
    tensor->layout = *layout;
    tensor->extent = trine_layout_extent(layout);
    if (!trine_element_count(layout->rank, layout->shape, &tensor->count) || tensor->extent < 0 ||
        tensor->extent > (INT64_C(1) << 46) / (int64_t)width)
        return trine_fail(TRINE_SIZE_OVERFLOW, "a tensor of this shape does not fit memory");
    tensor->origin = TRINE_GUARD + layout->misalignment;
    tensor->size = tensor->origin + (size_t)tensor->extent * width + (fenced ? 0 : TRINE_GUARD);
    tensor->image = malloc(tensor->size);
    if (!tensor->image)
        return trine_fail(TRINE_OUT_OF_MEMORY, "no host memory for a tensor of %zu bytes",
                          tensor->size);
    status = trine_device_alloc(context, device, tensor->size + (fenced ? 0 : ALIGNMENT),
                                &tensor->memory);
    if (status) {
        trine_tensor_destroy(tensor);
        return status;
    }
    const uintptr_t gap =
        fenced ? 0 : (ALIGNMENT - (uintptr_t)tensor->memory % ALIGNMENT) % ALIGNMENT;
    tensor->base = (uint8_t *)tensor->memory + gap;
    memset(tensor->image, 0, tensor->size);
    tensor->dl = (DLTensor){
        .data = (uint8_t *)tensor->base + TRINE_GUARD,
        .ndim = layout->rank,
        .dtype = trine_dtype_to_dl(layout->dtype),
        .shape = tensor->layout.shape,
        .strides = layout->implicit ? NULL : tensor->layout.stride,
        .byte_offset = layout->misalignment,
    };
    tensor->dl.device = device;
    return TRINE_OK;
}

void trine_tensor_destroy(trine_tensor *tensor)
{
    if (tensor->memory) trine_device_free(tensor->context, tensor->device, tensor->memory);
    free(tensor->image);
    memset(tensor, 0, sizeof *tensor);
}

void trine_tensor_poison(trine_tensor *tensor, uint8_t byte)
{
    memset(tensor->image, byte, tensor->size);
}

void trine_tensor_scatter(trine_tensor *tensor, const void *packed)
{
    const size_t width = trine_dtype_size(tensor->layout.dtype);
    const uint8_t *from = packed;
    trine_walk walk = trine_walk_begin(&tensor->layout);

    for (int64_t i = 0; i < tensor->count; i++, trine_walk_next(&walk), from += width)
        memcpy(tensor->image + tensor->origin + (size_t)walk.offset * width, from, width);
}

void trine_tensor_gather(const trine_tensor *tensor, const uint8_t *image, void *packed)
{
    const size_t width = trine_dtype_size(tensor->layout.dtype);
    uint8_t *to = packed;
    trine_walk walk = trine_walk_begin(&tensor->layout);

    for (int64_t i = 0; i < tensor->count; i++, trine_walk_next(&walk), to += width)
        memcpy(to, image + tensor->origin + (size_t)walk.offset * width, width);
}

trine_status trine_tensor_upload(trine_tensor *tensor)
{
    return trine_device_copy(tensor->context, tensor->device, tensor->base, tensor->image,
                             tensor->size, true);
}

trine_status trine_tensor_download(const trine_tensor *tensor, uint8_t *image)
{
    return trine_device_copy(tensor->context, tensor->device, image, tensor->base, tensor->size,
                             false);
}
