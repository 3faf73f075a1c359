// SPDX-License-Identifier: Apache-2.0
// The one emulated device, its properties, and the errors' names.
#define _GNU_SOURCE
#include "fakehip.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int warp(void)
{
    return fakehip_arch()[3] == '9' ? 64 : 32;
}

static _Thread_local int device;
hipError_t hipInit(unsigned f)
{
    (void)f;
    return hipSuccess;
}
hipError_t hipGetDeviceCount(int *n)
{
    *n = 1;
    return hipSuccess;
}
hipError_t hipSetDevice(int d)
{
    if (d != 0) RET(hipErrorInvalidDevice);
    device = d;
    return hipSuccess;
}
hipError_t hipGetDevice(int *d)
{
    *d = device;
    return hipSuccess;
}
hipError_t hipDeviceGet(hipDevice_t *d, int i)
{
    if (i) RET(hipErrorInvalidDevice);
    *d = 0;
    return hipSuccess;
}
hipError_t hipDeviceGetName(char *s, int n, hipDevice_t d)
{
    (void)d;
    snprintf(s, n, "Emulated AMD GPU (%s)", fakehip_arch());
    return hipSuccess;
}
hipError_t hipDeviceTotalMem(size_t *n, hipDevice_t d)
{
    (void)d;
    *n = (size_t)8 << 30;
    return hipSuccess;
}
hipError_t hipDeviceComputeCapability(int *ma, int *mi, hipDevice_t d)
{
    (void)d;
    hipDeviceProp_t p;
    hipGetDeviceProperties(&p, 0);
    *ma = p.major, *mi = p.minor;
    return hipSuccess;
}
hipError_t hipDeviceCanAccessPeer(int *c, int a, int b)
{
    (void)a, (void)b;
    *c = 0;
    return hipSuccess;
}
hipError_t hipDeviceSetCacheConfig(hipFuncCache_t c)
{
    (void)c;
    return hipSuccess;
}
hipError_t hipDeviceSetLimit(enum hipLimit_t l, size_t v)
{
    (void)l, (void)v;
    return hipSuccess;
}
hipError_t hipDeviceGetLimit(size_t *v, enum hipLimit_t l)
{
    (void)l;
    *v = 0;
    return hipSuccess;
}
hipError_t hipSetDeviceFlags(unsigned f)
{
    (void)f;
    return hipSuccess;
}
hipError_t hipDeviceReset(void)
{
    return hipSuccess;
}
hipError_t hipDeviceSynchronize(void)
{
    return hipSuccess;
}
hipError_t hipDriverGetVersion(int *v)
{
    *v = 50220000;
    return hipSuccess;
}
hipError_t hipRuntimeGetVersion(int *v)
{
    *v = 50220000;
    return hipSuccess;
}
hipError_t hipCtxGetCurrent(hipCtx_t *c)
{
    *c = 0;
    return hipSuccess;
}
hipError_t hipDevicePrimaryCtxRetain(hipCtx_t *c, hipDevice_t d)
{
    (void)d;
    *c = (hipCtx_t)&device;
    return hipSuccess;
}
hipError_t hipCtxSetCurrent(hipCtx_t c)
{
    (void)c;
    return hipSuccess;
}
hipError_t hipGetDeviceProperties(hipDeviceProp_t *p, int d)
{
    if (d) RET(hipErrorInvalidDevice);
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "Emulated AMD GPU (%s)", fakehip_arch());
    p->totalGlobalMem = (size_t)8 << 30, p->sharedMemPerBlock = fakehip_lds(),
    p->maxSharedMemoryPerMultiProcessor = fakehip_lds();
    p->regsPerBlock = 65536, p->warpSize = warp(), p->maxThreadsPerBlock = 1024;
    for (int i = 0; i < 3; i++)
        p->maxThreadsDim[i] = 1024, p->maxGridSize[i] = i ? 65536 : 2147483647;
    p->clockRate = 1000000, p->memoryClockRate = 1000000, p->memoryBusWidth = 4096,
    p->totalConstMem = 1 << 30;
    const char *a = fakehip_arch() + 3; // 90a, 942, 950, 1100, 1201
    int n = strlen(a);
    p->major = n > 2 ? atoi((char[]){a[0], n == 4 ? a[1] : 0, 0}) : 0;
    p->minor = n > 2 ? a[n - 2] - '0' : 0;
    p->multiProcessorCount = fakehip_cus(), p->l2CacheSize = 4 << 20,
    p->maxThreadsPerMultiProcessor = 2048;
    p->concurrentKernels = 1, p->canMapHostMemory = 1, p->gcnArch = atoi(a);
    snprintf(p->gcnArchName, sizeof p->gcnArchName, "%s%s", fakehip_arch(),
             fakehip_arch()[3] == '9' ? ":sramecc+:xnack-" : "");
    p->managedMemory = 1, p->memPitch = 2147483647, p->textureAlignment = 256, p->isLargeBar = 1;
    return hipSuccess;
}
hipError_t hipDeviceGetAttribute(int *v, hipDeviceAttribute_t a, int d)
{
    hipDeviceProp_t p;
    hipError_t e = hipGetDeviceProperties(&p, d);
    if (e) return e;
    switch ((int)a) {
    case hipDeviceAttributeMultiprocessorCount:
        *v = p.multiProcessorCount;
        break;
    case hipDeviceAttributeComputeCapabilityMajor:
        *v = p.major;
        break;
    case hipDeviceAttributeComputeCapabilityMinor:
        *v = p.minor;
        break;
    case hipDeviceAttributeWarpSize:
        *v = p.warpSize;
        break;
    case hipDeviceAttributeMaxSharedMemoryPerBlock:
    case hipDeviceAttributeSharedMemPerBlockOptin:
    case hipDeviceAttributeSharedMemPerMultiprocessor:
    case hipDeviceAttributeMaxSharedMemoryPerMultiprocessor:
        *v = fakehip_lds();
        break;
    case hipDeviceAttributeMaxThreadsPerBlock:
        *v = p.maxThreadsPerBlock;
        break;
    case hipDeviceAttributeMaxThreadsPerMultiProcessor:
        *v = p.maxThreadsPerMultiProcessor;
        break;
    case hipDeviceAttributeMaxBlockDimX:
    case hipDeviceAttributeMaxBlockDimY:
    case hipDeviceAttributeMaxBlockDimZ:
        *v = 1024;
        break;
    case hipDeviceAttributeMaxGridDimX:
        *v = p.maxGridSize[0];
        break;
    case hipDeviceAttributeMaxGridDimY:
    case hipDeviceAttributeMaxGridDimZ:
        *v = p.maxGridSize[1];
        break;
    case hipDeviceAttributeMaxRegistersPerBlock:
        *v = p.regsPerBlock;
        break;
    case hipDeviceAttributeL2CacheSize:
        *v = p.l2CacheSize;
        break;
    case hipDeviceAttributeClockRate:
        *v = p.clockRate;
        break;
    case hipDeviceAttributeMemoryClockRate:
        *v = p.memoryClockRate;
        break;
    case hipDeviceAttributeMemoryBusWidth:
        *v = p.memoryBusWidth;
        break;
    case hipDeviceAttributeConcurrentKernels:
    case hipDeviceAttributeManagedMemory:
    case hipDeviceAttributeCanMapHostMemory:
    case hipDeviceAttributeUnifiedAddressing:
    case hipDeviceAttributeMemoryPoolsSupported:
        *v = 1;
        break;
    default:
        *v = 0;
    }
    return hipSuccess;
}

static const struct {
    int e;
    const char *name, *text;
} errors[] = {
    {0, "hipSuccess", "no error"},
    {1, "hipErrorInvalidValue", "invalid argument"},
    {2, "hipErrorOutOfMemory", "out of memory"},
    {98, "hipErrorInvalidDeviceFunction", "invalid device function"},
    {100, "hipErrorNoDevice", "no ROCm-capable device is detected"},
    {101, "hipErrorInvalidDevice", "invalid device ordinal"},
    {200, "hipErrorInvalidImage", "device kernel image is invalid"},
    {209, "hipErrorNoBinaryForGpu", "no kernel image is available for execution on the device"},
    {400, "hipErrorInvalidHandle", "invalid resource handle"},
    {500, "hipErrorNotFound", "named symbol not found"},
    {600, "hipErrorNotReady", "device not ready"},
    {700, "hipErrorIllegalAddress", "an illegal memory access was encountered"},
    {719, "hipErrorLaunchFailure", "unspecified launch failure"},
    {801, "hipErrorNotSupported", "operation not supported"},
    {900, "hipErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"}};
const char *hipGetErrorString(hipError_t e)
{
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].e == (int)e) return errors[i].text;
    return "unknown error";
}
const char *hipGetErrorName(hipError_t e)
{
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].e == (int)e) return errors[i].name;
    return "hipErrorUnknown";
}
hipError_t hipGetLastError(void)
{
    hipError_t e = fakehip_last;
    fakehip_last = hipSuccess;
    return e;
}
hipError_t hipPeekAtLastError(void)
{
    return fakehip_last;
}
