// SPDX-License-Identifier: Apache-2.0
// Stream capture and graphs: what a capturing stream is given is written down instead of run, and
// run in that order by each launch of the graph.
#define _GNU_SOURCE
#include "fakehip.h"
#include <stdlib.h>
#include <string.h>

struct Node {
    struct Node *next;
    // A kernel: its values, and pointers to them as hipLaunchKernel takes them.
    int id;
    dim3 grid, block;
    unsigned shared;
    void **args;
    // Or a copy, or with no source a fill.
    void *to;
    const void *from;
    size_t size;
    int value;
};

typedef struct Graph {
    Node *first, **last;
    size_t count;
    int owners; // the graph and what was made of it
} Graph;

static void release(Graph *g)
{
    if (!g || --g->owners) return;
    for (Node *n = g->first, *next; n; n = next) {
        next = n->next;
        free(n->args);
        free(n);
    }
    free(g);
}

static Node *add(hipStream_t s)
{
    Graph *g = ((Stream *)s)->capture;
    Node *n = calloc(1, sizeof *n);
    *g->last = n, g->last = &n->next, g->count++;
    return n;
}

int fakehip_capturing(hipStream_t s)
{
    return s && ((Stream *)s)->capture;
}

hipError_t fakehip_capture_kernel(hipStream_t s, int id, dim3 g, dim3 b, unsigned sh, void **args)
{
    enum { SIZES = 100, MOST = 64 }; // amdemu/shim.py: attribute 100 + i is argument i's size
    size_t size[MOST], total = 0;
    int count = 0, bytes;
    while (count < MOST && (bytes = fakehip_emu.attr(id, SIZES + count)) > 0)
        total += (size[count++] = ((size_t)bytes + 15) & ~(size_t)15);
    char *store = calloc(1, count * sizeof(void *) + 16 + total);
    void **list = (void **)store;
    char *at = store + ((count * sizeof(void *) + 15) & ~(size_t)15);
    for (int i = 0; i < count; at += size[i++]) {
        memcpy(at, args[i], fakehip_emu.attr(id, SIZES + i));
        list[i] = at;
    }
    Node *n = add(s);
    n->id = id, n->grid = g, n->block = b, n->shared = sh, n->args = list;
    return hipSuccess;
}

hipError_t fakehip_capture_memory(hipStream_t s, void *to, const void *from, int value, size_t size)
{
    Node *n = add(s);
    n->to = to, n->from = from, n->value = value, n->size = size;
    return hipSuccess;
}

hipError_t hipStreamBeginCapture(hipStream_t s, hipStreamCaptureMode m)
{
    (void)m;
    if (!s) RET(hipErrorStreamCaptureUnsupported);
    if (fakehip_capturing(s)) RET(hipErrorIllegalState);
    Graph *g = calloc(1, sizeof *g);
    g->last = &g->first, g->owners = 1;
    ((Stream *)s)->capture = g;
    return hipSuccess;
}

hipError_t hipStreamEndCapture(hipStream_t s, hipGraph_t *g)
{
    *g = NULL;
    if (!fakehip_capturing(s)) RET(hipErrorIllegalState);
    *g = (hipGraph_t)((Stream *)s)->capture;
    ((Stream *)s)->capture = NULL;
    return hipSuccess;
}

hipError_t hipStreamIsCapturing(hipStream_t s, hipStreamCaptureStatus *c)
{
    *c = fakehip_capturing(s) ? hipStreamCaptureStatusActive : hipStreamCaptureStatusNone;
    return hipSuccess;
}

hipError_t hipStreamGetCaptureInfo(hipStream_t s, hipStreamCaptureStatus *c, unsigned long long *id)
{
    if (id) *id = (uintptr_t)s;
    return hipStreamIsCapturing(s, c);
}

hipError_t hipGraphGetNodes(hipGraph_t g, hipGraphNode_t *nodes, size_t *count)
{
    if (nodes) RET(hipErrorNotSupported);
    *count = ((Graph *)g)->count;
    return hipSuccess;
}

hipError_t hipGraphInstantiate(hipGraphExec_t *e, hipGraph_t g, hipGraphNode_t *n, char *b,
                               size_t s)
{
    (void)n, (void)b, (void)s;
    ((Graph *)g)->owners++;
    *e = (hipGraphExec_t)g;
    return hipSuccess;
}

hipError_t hipGraphLaunch(hipGraphExec_t e, hipStream_t s)
{
    (void)s;
    for (Node *n = ((Graph *)e)->first; n; n = n->next) {
        hipError_t error = hipSuccess;
        if (n->id)
            error = fakehip_launch(n->id, n->grid, n->block, n->shared, n->args, 0, 0);
        else if (n->from)
            memmove(n->to, n->from, n->size);
        else
            memset(n->to, n->value, n->size);
        if (error) RET(error);
    }
    return hipSuccess;
}

hipError_t hipGraphDestroy(hipGraph_t g)
{
    release((Graph *)g);
    return hipSuccess;
}

hipError_t hipGraphExecDestroy(hipGraphExec_t e)
{
    release((Graph *)e);
    return hipSuccess;
}
