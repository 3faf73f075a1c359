// SPDX-License-Identifier: Apache-2.0
/* The safetensors writer. */
#include "check/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *make_tensor(const trine_file_tensor *tensor, size_t begin)
{
    json_t *shape = json_array();

    for (int32_t i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer(tensor->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", trine_file_dtype_name(tensor->dtype), "shape",
                     shape, "data_offsets", (json_int_t)begin, (json_int_t)(begin + tensor->size));
}

/* The header as text padded to eight bytes, so that the data behind it is aligned. */
static char *make_header(const trine_file_tensor *tensors, size_t tensor_count,
                         const trine_file_entry *entries, size_t entry_count, size_t *length)
{
    json_t *header = json_object(), *metadata = json_object();
    size_t at = 0;
    bool good = json_object_set_new(header, "__metadata__", metadata) == 0;

    for (size_t i = 0; i < entry_count && good; i++)
        good = json_object_set_new(metadata, entries[i].key, json_string(entries[i].value)) == 0;
    for (size_t i = 0; i < tensor_count && good; i++) {
        good = !json_object_get(header, tensors[i].name) &&
               json_object_set_new(header, tensors[i].name, make_tensor(&tensors[i], at)) == 0;
        at += tensors[i].size;
    }
    char *text = good ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!text) return NULL;
    const size_t used = strlen(text);
    *length = (used + 7) / 8 * 8;
    char *padded = malloc(*length + 1);
    if (padded) {
        memcpy(padded, text, used);
        memset(padded + used, ' ', *length - used);
    }
    free(text);
    return padded;
}

static bool write_all(FILE *stream, const char *header, size_t length,
                      const trine_file_tensor *tensors, size_t count)
{
    uint8_t prefix[8];

    for (int i = 0; i < 8; i++) prefix[i] = (uint8_t)((uint64_t)length >> 8 * i);
    if (fwrite(prefix, 1, 8, stream) != 8 || fwrite(header, 1, length, stream) != length)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (tensors[i].size &&
            fwrite(tensors[i].data, 1, tensors[i].size, stream) != tensors[i].size)
            return false;
    }
    return true;
}

trine_status trine_file_write(const char *path, const trine_file_tensor *tensors,
                              size_t tensor_count, const trine_file_entry *entries,
                              size_t entry_count)
{
    size_t length = 0;
    char *header = make_header(tensors, tensor_count, entries, entry_count, &length);
    char *part = malloc(strlen(path) + 6);
    FILE *stream = NULL;
    bool good = header && part;

    if (!good) {
        free(header);
        free(part);
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "%s: a name is given twice or is not UTF-8, or memory is short", path);
    }
    sprintf(part, "%s.part", path);
    errno = 0;
    stream = fopen(part, "wb");
    good = stream && write_all(stream, header, length, tensors, tensor_count);
    if (stream && fclose(stream)) good = false;
    good = good && rename(part, path) == 0;
    const int reason = errno;
    if (!good && stream) remove(part);
    free(header);
    free(part);
    return good ? TRINE_OK : trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s", path, strerror(reason));
}
