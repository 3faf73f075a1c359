// SPDX-License-Identifier: Apache-2.0
/*
 * A tensor in device memory with an image of its whole allocation on the host: guard bands before
 * and after it and in the gaps between its rows are part of the image, so a stray write shows.
 */
#ifndef TRINE_CHECK_TENSOR_H
#define TRINE_CHECK_TENSOR_H

#include <trine/trine.h>

#define TRINE_GUARD 1024 /* bytes before and after */

typedef struct trine_layout {
    trine_dtype dtype;
    int32_t rank;
    int64_t shape[TRINE_MAX_DIMS];
    int64_t stride[TRINE_MAX_DIMS]; /* elements; not negative */
    size_t misalignment;            /* bytes past a 256-byte boundary; a multiple of the element */
    bool implicit;                  /* DLPack's strides are NULL; only for row-major layouts */
} trine_layout;

typedef struct trine_tensor {
    trine_context *context;
    DLDevice device;
    trine_layout layout;
    int64_t count;  /* elements */
    int64_t extent; /* elements from the first to behind the last address */
    size_t size;    /* bytes of the image */
    size_t origin;  /* byte of the image where element 0 lies */
    uint8_t *image; /* on the host */
    void *memory;   /* the allocation, on the device */
    void *base;     /* what the image mirrors */
    DLTensor dl;
} trine_tensor;

/* a * b, or INT64_MAX: strides of a shape that validation will refuse. */
int64_t trine_saturating_product(int64_t a, int64_t b);

/* Row-major strides for layout's shape. */
void trine_layout_contiguous(trine_layout *layout);
/* Elements between the first and behind the last address; 0 when empty; -1 on overflow. */
int64_t trine_layout_extent(const trine_layout *layout);
bool trine_layout_is_contiguous(const trine_layout *layout);

/* `fenced`: the allocation ends where the tensor does, so that tools which know allocations
 * (AddressSanitizer, compute-sanitizer, an unreadable page behind it) see what is read beyond. It
 * is aligned as the allocator does. Else there is a guard band behind it, too. */
trine_status trine_tensor_create(trine_tensor *tensor, trine_context *context, DLDevice device,
                                 const trine_layout *layout, bool fenced);
void trine_tensor_destroy(trine_tensor *tensor);

/* The whole image, guards and gaps included. */
void trine_tensor_poison(trine_tensor *tensor, uint8_t byte);
/* Elements from, or to, row-major packed bytes. */
void trine_tensor_scatter(trine_tensor *tensor, const void *packed);
void trine_tensor_gather(const trine_tensor *tensor, const uint8_t *image, void *packed);
/* Image to device. */
trine_status trine_tensor_upload(trine_tensor *tensor);
/* Device into `image`, which holds tensor->size bytes. */
trine_status trine_tensor_download(const trine_tensor *tensor, uint8_t *image);

/* Walks the elements of a layout in row-major order: offset is in elements. */
typedef struct trine_walk {
    const trine_layout *layout;
    int64_t index[TRINE_MAX_DIMS];
    int64_t offset;
} trine_walk;

static inline trine_walk trine_walk_begin(const trine_layout *layout)
{
    return (trine_walk){.layout = layout};
}

static inline void trine_walk_next(trine_walk *walk)
{
    for (int32_t d = walk->layout->rank - 1; d >= 0; d--) {
        walk->offset += walk->layout->stride[d];
        if (++walk->index[d] < walk->layout->shape[d]) return;
        walk->offset -= walk->layout->stride[d] * walk->layout->shape[d];
        walk->index[d] = 0;
    }
}

#endif
