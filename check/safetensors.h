// SPDX-License-Identifier: Apache-2.0
/*
 * Reading and writing safetensors files: eight bytes of header length, a JSON header, tensor bytes.
 * The reader trusts nothing: every length, offset, name and number of the header is checked before
 * it is used, and a refusal names the tensor and the rule.
 */
#ifndef TRINE_CHECK_SAFETENSORS_H
#define TRINE_CHECK_SAFETENSORS_H

#include <trine/trine.h>

/* A tensor of a file; data is unaligned and lives as long as the file's bytes. */
typedef struct trine_file_tensor {
    const char *name;
    trine_dtype dtype;
    int32_t rank;
    int64_t shape[TRINE_MAX_DIMS];
    const void *data;
    size_t size; /* bytes */
} trine_file_tensor;

typedef struct trine_file_entry {
    const char *key, *value;
} trine_file_entry;

typedef struct trine_file {
    size_t tensor_count, entry_count;
    trine_file_tensor *tensors; /* in the order of the header */
    trine_file_entry *entries;  /* __metadata__ */
    void *owned;                /* bytes read from disk, or NULL */
    void *header;               /* the parsed header, which owns all names */
} trine_file;

/* Reads a file, or bytes that outlive *file. On failure *file is NULL. */
trine_status trine_file_open(const char *path, trine_file **file);
trine_status trine_file_parse(const void *bytes, size_t size, trine_file **file);
/* Frees and sets *file to NULL; NULL is fine. */
void trine_file_close(trine_file **file);

/* NULL when there is none. */
const trine_file_tensor *trine_file_find(const trine_file *file, const char *name);
const char *trine_file_metadata(const trine_file *file, const char *key);

/* Writes tensors, in this order, and metadata. The file appears whole or not at all. */
trine_status trine_file_write(const char *path, const trine_file_tensor *tensors,
                              size_t tensor_count, const trine_file_entry *entries,
                              size_t entry_count);

/* "F8_E4M3", "BF16", ...; NULL for an unknown dtype. */
const char *trine_file_dtype_name(trine_dtype dtype);

/* Elements of a shape; false when the product does not fit 62 bits or a size is negative. */
bool trine_element_count(int32_t rank, const int64_t *shape, int64_t *count);

#endif
