// SPDX-License-Identifier: Apache-2.0
// Streams (which run at once) and events.
#define _GNU_SOURCE
#include "fakehip.h"
#include <stdlib.h>
#include <time.h>

static hipError_t stream_(hipStream_t *s)
{
    *s = (hipStream_t)calloc(1, sizeof(Stream));
    return hipSuccess;
}
hipError_t hipStreamCreate(hipStream_t *s)
{
    return stream_(s);
}
hipError_t hipStreamCreateWithFlags(hipStream_t *s, unsigned f)
{
    (void)f;
    return stream_(s);
}
hipError_t hipStreamCreateWithPriority(hipStream_t *s, unsigned f, int p)
{
    (void)f, (void)p;
    return stream_(s);
}
hipError_t hipDeviceGetStreamPriorityRange(int *a, int *b)
{
    if (a) *a = 0;
    if (b) *b = 0;
    return hipSuccess;
}
hipError_t hipStreamDestroy(hipStream_t s)
{
    free(s);
    return hipSuccess;
}
hipError_t hipStreamSynchronize(hipStream_t s)
{
    (void)s;
    return hipSuccess;
}
int hipGetStreamDeviceId(hipStream_t s)
{
    (void)s;
    return 0;
}
hipError_t hipStreamQuery(hipStream_t s)
{
    (void)s;
    return hipSuccess;
}
hipError_t hipStreamWaitEvent(hipStream_t s, hipEvent_t e, unsigned f)
{
    (void)s, (void)e, (void)f;
    return hipSuccess;
}
hipError_t hipStreamGetFlags(hipStream_t s, unsigned *f)
{
    (void)s;
    *f = 0;
    return hipSuccess;
}
hipError_t hipStreamAddCallback(hipStream_t s, hipStreamCallback_t cb, void *u, unsigned f)
{
    (void)f;
    cb(s, hipSuccess, u);
    return hipSuccess;
}
hipError_t hipLaunchHostFunc(hipStream_t s, hipHostFn_t fn, void *u)
{
    (void)s;
    fn(u);
    return hipSuccess;
}
hipError_t hipEventCreate(hipEvent_t *e)
{
    *e = (hipEvent_t)calloc(1, sizeof(struct timespec));
    return hipSuccess;
}
hipError_t hipEventCreateWithFlags(hipEvent_t *e, unsigned f)
{
    (void)f;
    return hipEventCreate(e);
}
hipError_t hipEventDestroy(hipEvent_t e)
{
    free(e);
    return hipSuccess;
}
hipError_t hipEventRecord(hipEvent_t e, hipStream_t s)
{
    (void)s;
    clock_gettime(CLOCK_MONOTONIC, (struct timespec *)e);
    return hipSuccess;
}
hipError_t hipEventSynchronize(hipEvent_t e)
{
    (void)e;
    return hipSuccess;
}
hipError_t hipEventQuery(hipEvent_t e)
{
    (void)e;
    return hipSuccess;
}
hipError_t hipEventElapsedTime(float *ms, hipEvent_t a, hipEvent_t b)
{
    struct timespec *x = (void *)a, *y = (void *)b;
    *ms = (y->tv_sec - x->tv_sec) * 1e3f + (y->tv_nsec - x->tv_nsec) * 1e-6f;
    return hipSuccess;
}
