// SPDX-License-Identifier: Apache-2.0
/*
 * A plan with memory on a device: runs it on poisoned outputs and workspace, and keeps the images
 * of everything before and after.
 */
#ifndef TRINE_CHECK_CALL_H
#define TRINE_CHECK_CALL_H

#include "check/plan.h"

/* Row-major packed elements of each tensor the plan has; outputs only where they are read. */
typedef struct trine_data {
    void *values[TRINE_MAX_TENSORS];
} trine_data;

void trine_data_destroy(trine_data *data);

/* Four of them as an index lead far below any memory. */
enum { TRINE_POISON_INDEX = 0x80 };

typedef struct trine_call {
    const trine_plan *plan;
    const trine_data *data;
    DLDevice device;
    trine_tensor tensors[TRINE_MAX_TENSORS]; /* in place: the input's alone */
    trine_tensor workspace;                  /* with guards; none when no bytes are needed */
    size_t workspace_size;
    bool wild;                            /* the workspace is poisoned with TRINE_POISON_INDEX */
    DLTensor in_place[TRINE_MAX_TENSORS]; /* an input's memory with the output's dtype */
    trine_args args;
} trine_call;

/* plan and data outlive the call. */
trine_status trine_call_create(trine_call *call, const trine_plan *plan, const trine_data *data,
                               trine_context *context, DLDevice device);
void trine_call_destroy(trine_call *call);

/* What a run left behind: the tensors' images, by index of the table; NULL where absent. An output
 * in place has its input's image. */
typedef struct trine_outcome {
    trine_status status;
    char error[256];
    uint8_t *images[TRINE_MAX_TENSORS];
    bool borrowed[TRINE_MAX_TENSORS];
    uint8_t *workspace; /* its image; NULL where there is none */
    char damage[256];   /* a sentence on a stray write or a changed input; "" if there was none */
} trine_outcome;

void trine_outcome_destroy(trine_outcome *outcome);

/* The byte of element 0 in a tensor's image. */
const uint8_t *trine_outcome_elements(const trine_outcome *outcome, const trine_call *call,
                                      int tensor);
/* The first byte of the workspace as the run left it; NULL where there is none. */
const uint8_t *trine_outcome_workspace(const trine_outcome *outcome, const trine_call *call);

/* Poisons outputs, gaps and workspace with `poison`, runs in `context`, waits, fetches. Fails only
 * when memory or the device fails; how the op ended is in outcome->status. */
trine_status trine_call_run(trine_call *call, trine_context *context, uint8_t poison,
                            uint32_t flags, trine_outcome *outcome);

/* Fetches what a run left behind, once the device is done with it: outcome->status and error are
 * the caller's. */
trine_status trine_call_fetch(trine_call *call, trine_outcome *outcome);

/* Brings every tensor and the workspace to the device as they must be before a run; for callers
 * that run call->args themselves. */
trine_status trine_call_upload(trine_call *call, uint8_t poison);
/* Workspace of the call. */
trine_exec trine_call_exec(const trine_call *call, uint32_t flags);

/* The tensor that holds `tensor`'s memory: itself, or its alias when in place. */
int trine_call_owner(const trine_plan *plan, int tensor);

#endif
