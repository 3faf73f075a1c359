// SPDX-License-Identifier: Apache-2.0
/*
 * A file with any metadata, tensors and shapes as a call: refused or run on the CPU. The input is
 * the header's text, a zero byte, and the data, so that the length before the header is always
 * right.
 */
#include "check/file_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static trine_target target;

/* Work stays small: what would take long says nothing about reading files. */
static bool is_small(const trine_plan *plan)
{
    int64_t product = 1;

    for (int i = 0; i < plan->op->tensor_count; i++) {
        const int64_t extent = plan->present[i] ? trine_layout_extent(&plan->layout[i]) : 0;
        if (extent < 0 || extent > 4096) return false;
        if (extent > 1 && product < (1 << 24)) product *= extent;
    }
    return product < (1 << 24);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    trine_file_case entry;
    const uint8_t *zero = memchr(bytes, 0, size);
    const size_t header = zero ? (size_t)(zero - bytes) : size;
    const size_t data = zero ? size - header - 1 : 0;
    uint8_t *copy = malloc(8 + header + data);

    if (!target.context && trine_target_open(&target, "cpu", NULL, 0)) abort();
    if (!copy) return 0;
    for (int i = 0; i < 8; i++) copy[i] = (uint8_t)((uint64_t)header >> 8 * i);
    memcpy(copy + 8, bytes, header);
    if (data) memcpy(copy + 8 + header, zero + 1, data);
    if (!trine_file_case_parse(copy, 8 + header + data, &entry)) {
        trine_call call;
        trine_outcome outcome;
        if (!trine_file_case_plan(&entry, &target) && is_small(&entry.plan) &&
            !trine_call_create(&call, &entry.plan, &entry.data, target.oracle, trine_host_device)) {
            if (!trine_call_run(&call, target.oracle, TRINE_POISON_NAN, 0, &outcome)) {
                if (outcome.damage[0]) abort();
                trine_outcome_destroy(&outcome);
            }
            trine_call_destroy(&call);
        }
        trine_file_case_close(&entry);
    } else if (!trine_last_error()[0]) {
        abort();
    }
    free(copy);
    return 0;
}
