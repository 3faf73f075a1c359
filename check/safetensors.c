// SPDX-License-Identifier: Apache-2.0
/* The safetensors reader. */
#include "check/safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The format's own limit on headers. */
#define MAX_HEADER (100u * 1000u * 1000u)
/* More than any real file has: keeps a hostile header from costing more memory than it has bytes.
 */
#define MAX_NAME 4096

static const char *const dtype_names[TRINE_DTYPE_COUNT] = {
    [TRINE_F32] = "F32",        [TRINE_F16] = "F16",      [TRINE_BF16] = "BF16",
    [TRINE_E4M3FN] = "F8_E4M3", [TRINE_E5M2] = "F8_E5M2", [TRINE_E4M3FNUZ] = "F8_E4M3FNUZ",
    [TRINE_I8] = "I8",          [TRINE_U8] = "U8",        [TRINE_I32] = "I32",
};

const char *trine_file_dtype_name(trine_dtype dtype)
{
    return (unsigned)dtype < TRINE_DTYPE_COUNT ? dtype_names[dtype] : NULL;
}

bool trine_element_count(int32_t rank, const int64_t *shape, int64_t *count)
{
    const int64_t limit = INT64_C(1) << 62;
    int64_t product = 1;
    bool empty = false, fits = true;

    for (int32_t i = 0; i < rank; i++) {
        if (shape[i] < 0) return false;
        if (shape[i] == 0) {
            empty = true;
        } else if (product > limit / shape[i]) {
            fits = false;
        } else {
            product *= shape[i];
        }
    }
    *count = empty ? 0 : product;
    return empty || fits;
}

static trine_status read_dtype(const char *name, json_t *value, trine_dtype *dtype)
{
    const char *text = json_string_value(value);

    if (!text)
        return trine_fail(TRINE_INVALID_ARGUMENT, "tensor \"%s\": dtype must be a string", name);
    for (int i = 0; i < TRINE_DTYPE_COUNT; i++) {
        if (strcmp(text, dtype_names[i]) == 0) {
            *dtype = (trine_dtype)i;
            return TRINE_OK;
        }
    }
    return trine_fail(TRINE_INVALID_DTYPE,
                      "tensor \"%s\": dtype \"%.32s\" is not one of F32, F16, BF16, F8_E4M3, "
                      "F8_E4M3FNUZ, F8_E5M2, I8, U8, I32",
                      name, text);
}

static trine_status read_shape(trine_file_tensor *tensor, json_t *value)
{
    if (!json_is_array(value))
        return trine_fail(TRINE_INVALID_ARGUMENT, "tensor \"%s\": shape must be an array",
                          tensor->name);
    if (json_array_size(value) > TRINE_MAX_DIMS)
        return trine_fail(TRINE_INVALID_SHAPE, "tensor \"%s\": rank %zu, at most %d is allowed",
                          tensor->name, json_array_size(value), TRINE_MAX_DIMS);
    tensor->rank = (int32_t)json_array_size(value);
    for (int32_t i = 0; i < tensor->rank; i++) {
        const json_t *dim = json_array_get(value, (size_t)i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return trine_fail(TRINE_INVALID_SHAPE,
                              "tensor \"%s\": shape[%d] must be an integer that is not negative",
                              tensor->name, i);
        tensor->shape[i] = json_integer_value(dim);
    }
    return TRINE_OK;
}

static trine_status read_offsets(const char *name, json_t *value, size_t data_size, size_t *begin,
                                 size_t *end)
{
    const json_t *first = json_array_get(value, 0), *last = json_array_get(value, 1);

    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "tensor \"%s\": data_offsets must be an array of two integers", name);
    const int64_t b = json_integer_value(first), e = json_integer_value(last);
    if (b < 0 || e < b || (uint64_t)e > data_size)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "tensor \"%s\": data_offsets [%" PRId64 ", %" PRId64
                          "] must ascend and lie within the file's %zu bytes of data",
                          name, b, e, data_size);
    *begin = (size_t)b;
    *end = (size_t)e;
    return TRINE_OK;
}

static trine_status read_tensor(const char *name, json_t *entry, const uint8_t *data,
                                size_t data_size, trine_file_tensor *tensor)
{
    size_t begin = 0, end = 0;
    int64_t count;
    trine_status status;

    if (strlen(name) > MAX_NAME)
        return trine_fail(TRINE_INVALID_ARGUMENT, "a tensor name of %zu bytes, at most %d allowed",
                          strlen(name), MAX_NAME);
    tensor->name = name;
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return trine_fail(
            TRINE_INVALID_ARGUMENT,
            "tensor \"%s\": must be an object of exactly dtype, shape and data_offsets", name);
    if ((status = read_dtype(name, json_object_get(entry, "dtype"), &tensor->dtype)) ||
        (status = read_shape(tensor, json_object_get(entry, "shape"))) ||
        (status =
             read_offsets(name, json_object_get(entry, "data_offsets"), data_size, &begin, &end)))
        return status;
    const uint64_t width = trine_dtype_size(tensor->dtype);
    if (!trine_element_count(tensor->rank, tensor->shape, &count) ||
        (uint64_t)count > (uint64_t)INT64_MAX / width)
        return trine_fail(TRINE_SIZE_OVERFLOW, "tensor \"%s\": its shape overflows 63 bits", name);
    if ((uint64_t)count * width != end - begin)
        return trine_fail(TRINE_INVALID_SHAPE,
                          "tensor \"%s\": shape and dtype need %" PRIu64
                          " bytes, data_offsets hold %zu",
                          name, (uint64_t)count * width, end - begin);
    tensor->data = data + begin;
    tensor->size = end - begin;
    return TRINE_OK;
}

static int by_address(const void *left, const void *right)
{
    const trine_file_tensor *a = *(const trine_file_tensor *const *)left;
    const trine_file_tensor *b = *(const trine_file_tensor *const *)right;

    if (a->data != b->data) return (const char *)a->data < (const char *)b->data ? -1 : 1;
    return a->size < b->size ? -1 : a->size > b->size;
}

/* The data of the tensors must fill the file: no overlap, no hole, nothing behind. */
static trine_status check_cover(const trine_file *file, const uint8_t *data, size_t data_size)
{
    const trine_file_tensor **sorted = calloc(file->tensor_count + 1, sizeof *sorted);
    size_t at = 0;
    trine_status status = TRINE_OK;

    if (!sorted) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    for (size_t i = 0; i < file->tensor_count; i++) sorted[i] = &file->tensors[i];
    qsort(sorted, file->tensor_count, sizeof *sorted, by_address);
    for (size_t i = 0; i < file->tensor_count && !status; i++) {
        const size_t begin = (size_t)((const uint8_t *)sorted[i]->data - data);
        if (begin != at)
            status = trine_fail(TRINE_INVALID_ARGUMENT,
                                "tensor \"%s\": its data begins at %zu, %s: %zu was expected",
                                sorted[i]->name, begin,
                                begin < at ? "inside another tensor" : "after a hole", at);
        at = begin + sorted[i]->size;
    }
    if (!status && at != data_size)
        status = trine_fail(TRINE_INVALID_ARGUMENT,
                            "%zu bytes behind the last tensor belong to none", data_size - at);
    free(sorted);
    return status;
}

static trine_status read_metadata(trine_file *file, json_t *metadata)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata))
        return trine_fail(TRINE_INVALID_ARGUMENT, "__metadata__ must be an object of strings");
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
            return trine_fail(TRINE_INVALID_ARGUMENT, "__metadata__ \"%.64s\" must be a string",
                              key);
        file->entries[file->entry_count++] = (trine_file_entry){key, json_string_value(value)};
    }
    return TRINE_OK;
}

static trine_status read_header(trine_file *file, const uint8_t *data, size_t data_size)
{
    json_t *header = file->header, *value;
    json_t *metadata = json_object_get(header, "__metadata__");
    const char *name;
    trine_status status;

    file->tensors = calloc(json_object_size(header) + 1, sizeof *file->tensors);
    file->entries = calloc(json_object_size(metadata) + 1, sizeof *file->entries);
    if (!file->tensors || !file->entries) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    json_object_foreach(header, name, value)
    {
        if (value == metadata) {
            status = read_metadata(file, metadata);
        } else {
            status = read_tensor(name, value, data, data_size, &file->tensors[file->tensor_count]);
            file->tensor_count++;
        }
        if (status) return status;
    }
    return check_cover(file, data, data_size);
}

trine_status trine_file_parse(const void *bytes, size_t size, trine_file **file)
{
    const uint8_t *p = bytes;
    uint64_t length = 0;
    json_error_t error;
    trine_status status;

    *file = NULL;
    if (size < 8)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%zu bytes are no safetensors file: 8 needed",
                          size);
    for (int i = 7; i >= 0; i--) length = length << 8 | p[i];
    if (length > MAX_HEADER)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "header length %" PRIu64 ": at most %u bytes are allowed", length,
                          MAX_HEADER);
    if (length > size - 8)
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "header length %" PRIu64 ": only %zu bytes follow it", length, size - 8);
    if (length == 0 || p[8] != '{')
        return trine_fail(TRINE_INVALID_ARGUMENT, "the header must begin with {");
    *file = calloc(1, sizeof **file);
    if (!*file) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    (*file)->header =
        json_loadb((const char *)p + 8, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (!(*file)->header) {
        status = trine_fail(TRINE_INVALID_ARGUMENT, "the header is not valid JSON: %s (byte %d)",
                            error.text, error.position);
    } else {
        status = read_header(*file, p + 8 + length, size - 8 - (size_t)length);
    }
    if (status) trine_file_close(file);
    return status;
}

static trine_status read_all(const char *path, FILE *stream, uint8_t **bytes, size_t *size)
{
    long end;

    if (fseek(stream, 0, SEEK_END) || (end = ftell(stream)) < 0 || fseek(stream, 0, SEEK_SET))
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s", path, strerror(errno));
    if (end == LONG_MAX) return trine_fail(TRINE_INVALID_ARGUMENT, "%s: not a regular file", path);
    *bytes = malloc((size_t)end + 1);
    if (!*bytes)
        return trine_fail(TRINE_OUT_OF_MEMORY, "%s: %ld bytes do not fit memory", path, end);
    *size = fread(*bytes, 1, (size_t)end, stream);
    if (*size != (size_t)end || ferror(stream))
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: reading failed after %zu of %ld bytes", path,
                          *size, end);
    return TRINE_OK;
}

trine_status trine_file_open(const char *path, trine_file **file)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    FILE *stream = fopen(path, "rb");
    trine_status status;

    *file = NULL;
    if (!stream) return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s", path, strerror(errno));
    status = read_all(path, stream, &bytes, &size);
    fclose(stream);
    if (!status) status = trine_file_parse(bytes, size, file);
    if (status) {
        free(bytes);
        return status;
    }
    (*file)->owned = bytes;
    return TRINE_OK;
}

void trine_file_close(trine_file **file)
{
    if (!file || !*file) return;
    json_decref((*file)->header);
    free((*file)->tensors);
    free((*file)->entries);
    free((*file)->owned);
    free(*file);
    *file = NULL;
}

const trine_file_tensor *trine_file_find(const trine_file *file, const char *name)
{
    for (size_t i = 0; i < file->tensor_count; i++) {
        if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
    }
    return NULL;
}

const char *trine_file_metadata(const trine_file *file, const char *key)
{
    for (size_t i = 0; i < file->entry_count; i++) {
        if (strcmp(file->entries[i].key, key) == 0) return file->entries[i].value;
    }
    return NULL;
}
