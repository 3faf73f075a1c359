// SPDX-License-Identifier: Apache-2.0
/*
 * Calls written as text, over any device: "x=bf16[4,128] out=bf16[4,64] gated=true". Later words
 * replace earlier ones of the same name, so a legal call and one edit make a table of refusals.
 *
 *   name=dtype[4,128]   a tensor; after it, in any order:
 *     /strides(128,1) /offset(1) bytes  /on(1,3) DLPack device  /in(x,64) x's memory from byte 64
 *     /null (data) /noshape /ndim(9) /code(2,12,1) (DLPack dtype) /zero (bytes, not poison)
 *   name=none           no tensor
 *   name=value          a param, by trine_args_set_param
 *   name:=number        a param's field, whatever the table says ("nan" and "inf" too)
 *   args.size=24, exec.size=4, exec.flags=6
 *   exec.workspace=null|short|odd|x (none; a byte short; off by a byte; inside tensor x)
 *   args=null, context=null, exec=null
 */
#ifndef TRINE_TESTS_OPS_CALL_TEXT_H
#define TRINE_TESTS_OPS_CALL_TEXT_H

#include <trine/trine.h>

typedef struct test_tensor {
    DLTensor tensor;
    int64_t shape[16], strides[16];
    bool given, has_strides;
    void *memory;          /* on the device; NULL when it lies in another tensor */
    size_t size;           /* of memory */
    unsigned char *before; /* a host copy of what memory held */
} test_tensor;

typedef struct test_call {
    trine_context *context;
    DLDevice device;
    const trine_op_description *op;
    union {
#define TEST_CALL_ARGS(OP, op) trine_##op##_args op;
        TRINE_OPS(TEST_CALL_ARGS)
#undef TEST_CALL_ARGS
        char bytes[512];
    } args;
    trine_exec exec;
    test_tensor tensors[TRINE_MAX_TENSORS];
    void *workspace;
    bool no_args, no_context, no_exec;
    char text[1200]; /* for messages */
} test_call;

/* Makes a call of `op` on `device` from words of `base`, then of `edit` (may be NULL). Fails the
 * running test when the text makes no sense. All memory holds poison. */
void test_call_make(test_call *call, trine_context *context, DLDevice device, const char *base,
                    const char *edit);
trine_status test_call_run(test_call *call);
/* Bytes of all tensors' memory, inputs too, that differ from what they held before the run. */
size_t test_call_changed(test_call *call);
/* A host copy of a tensor's memory as it is now; the caller frees it. */
unsigned char *test_call_read(const test_call *call, const char *tensor, size_t *size);
void test_call_free(test_call *call);

#endif
