// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a safetensors file: refused with a sentence, or read within their bounds. */
#include "check/file_case.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A copy of just that size: a read past its end is seen. */
    uint8_t *copy = malloc(size ? size : 1);
    trine_file *file;
    volatile uint8_t sum = 0;

    if (!copy) return 0;
    memcpy(copy, bytes, size);
    if (trine_file_parse(copy, size, &file)) {
        if (file || !trine_last_error()[0]) abort();
    } else {
        for (size_t i = 0; i < file->tensor_count; i++) {
            const uint8_t *data = file->tensors[i].data;
            for (size_t b = 0; b < file->tensors[i].size; b++) sum = (uint8_t)(sum + data[b]);
        }
        trine_file_close(&file);
    }
    free(copy);
    return 0;
}
