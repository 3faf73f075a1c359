// SPDX-License-Identifier: Apache-2.0
// Device memory as host memory: each allocation ends at an unreadable page.
#define _GNU_SOURCE
#include "fakehip.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct Block {
    char *base, *user;
    size_t map, size;
    struct Block *next;
} Block;
static Block *blocks;
static size_t used;
static void *grab(size_t n, int fill)
{
    size_t pg = 4096, al = fakehip_env("FAKEHIP_ALIGN", 256), body = (n + al - 1) / al * al;
    if (!body) body = al;
    size_t map = (body + pg - 1) / pg * pg + 2 * pg;
    char *m = mmap(0, map, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED) return 0;
    if (mprotect(m + pg, map - 2 * pg, PROT_READ | PROT_WRITE)) {
        munmap(m, map);
        return 0;
    }
    Block *b = malloc(sizeof *b);
    *b = (Block){m, m + map - pg - body, map, n, 0};
    if (fill && n <= (size_t)64 << 20)
        memset(b->user, 0xff, body); // NaNs, so that a missing write shows
    pthread_mutex_lock(&fakehip_lock);
    b->next = blocks, blocks = b, used += n;
    pthread_mutex_unlock(&fakehip_lock);
    return b->user;
}
static int drop(void *p)
{
    pthread_mutex_lock(&fakehip_lock);
    for (Block **b = &blocks; *b; b = &(*b)->next)
        if ((*b)->user == p) {
            Block *x = *b;
            *b = x->next, used -= x->size;
            pthread_mutex_unlock(&fakehip_lock);
            munmap(x->base, x->map);
            free(x);
            return 1;
        }
    pthread_mutex_unlock(&fakehip_lock);
    return 0;
}
static Block *find(const void *p)
{
    for (Block *b = blocks; b; b = b->next)
        if ((char *)p >= b->user && (char *)p < b->user + (b->size ? b->size : 1)) return b;
    return 0;
}
static hipError_t alloc_(void **p, size_t n, int fill)
{
    if (!p) return hipErrorInvalidValue;
    *p = 0;
    if (!n) return hipSuccess;
    if (n > (size_t)1 << 40) return hipErrorOutOfMemory;
    *p = grab(n, fill);
    return *p ? hipSuccess : hipErrorOutOfMemory;
}
hipError_t hipMalloc(void **p, size_t n)
{
    RET(alloc_(p, n, 1));
}
hipError_t hipExtMallocWithFlags(void **p, size_t n, unsigned f)
{
    (void)f;
    RET(alloc_(p, n, 1));
}
hipError_t hipMallocManaged(void **p, size_t n, unsigned f)
{
    (void)f;
    RET(alloc_(p, n, 1));
}
hipError_t hipMallocAsync(void **p, size_t n, hipStream_t s)
{
    (void)s;
    RET(alloc_(p, n, 1));
}
hipError_t hipHostMalloc(void **p, size_t n, unsigned f)
{
    (void)f;
    RET(alloc_(p, n, 1));
}
hipError_t hipMallocHost(void **p, size_t n)
{
    RET(alloc_(p, n, 1));
}
hipError_t hipHostAlloc(void **p, size_t n, unsigned f)
{
    (void)f;
    RET(alloc_(p, n, 1));
}
hipError_t hipFree(void *p)
{
    RET(!p || drop(p) ? hipSuccess : hipErrorInvalidValue);
}
hipError_t hipFreeAsync(void *p, hipStream_t s)
{
    (void)s;
    RET(!p || drop(p) ? hipSuccess : hipErrorInvalidValue);
}
hipError_t hipHostFree(void *p)
{
    RET(!p || drop(p) ? hipSuccess : hipErrorInvalidValue);
}
hipError_t hipFreeHost(void *p)
{
    return hipHostFree(p);
}
hipError_t hipHostRegister(void *p, size_t n, unsigned f)
{
    (void)p, (void)n, (void)f;
    return hipSuccess;
}
hipError_t hipHostUnregister(void *p)
{
    (void)p;
    return hipSuccess;
}
hipError_t hipHostGetDevicePointer(void **d, void *h, unsigned f)
{
    (void)f;
    *d = h;
    return hipSuccess;
}
hipError_t hipMemcpy(void *d, const void *s, size_t n, hipMemcpyKind k)
{
    (void)k;
    if (n) memmove(d, s, n);
    return hipSuccess;
}
hipError_t hipMemcpyAsync(void *d, const void *s, size_t n, hipMemcpyKind k, hipStream_t t)
{
    if (fakehip_capturing(t)) RET(fakehip_capture_memory(t, d, s, 0, n));
    return hipMemcpy(d, s, n, k);
}
hipError_t hipMemcpyWithStream(void *d, const void *s, size_t n, hipMemcpyKind k, hipStream_t t)
{
    (void)t;
    return hipMemcpy(d, s, n, k);
}
hipError_t hipMemcpyHtoD(hipDeviceptr_t d, void *s, size_t n)
{
    return hipMemcpy(d, s, n, hipMemcpyHostToDevice);
}
hipError_t hipMemcpyDtoH(void *d, hipDeviceptr_t s, size_t n)
{
    return hipMemcpy(d, s, n, hipMemcpyDeviceToHost);
}
hipError_t hipMemcpyDtoD(hipDeviceptr_t d, hipDeviceptr_t s, size_t n)
{
    return hipMemcpy(d, s, n, hipMemcpyDeviceToDevice);
}
hipError_t hipMemcpyHtoDAsync(hipDeviceptr_t d, void *s, size_t n, hipStream_t t)
{
    (void)t;
    return hipMemcpyHtoD(d, s, n);
}
hipError_t hipMemcpyDtoHAsync(void *d, hipDeviceptr_t s, size_t n, hipStream_t t)
{
    (void)t;
    return hipMemcpyDtoH(d, s, n);
}
hipError_t hipMemcpyDtoDAsync(hipDeviceptr_t d, hipDeviceptr_t s, size_t n, hipStream_t t)
{
    (void)t;
    return hipMemcpyDtoD(d, s, n);
}
hipError_t hipMemcpy2D(void *d, size_t dp, const void *s, size_t sp, size_t w, size_t h,
                       hipMemcpyKind k)
{
    for (size_t i = 0; i < h; i++) hipMemcpy((char *)d + i * dp, (const char *)s + i * sp, w, k);
    return hipSuccess;
}
hipError_t hipMemcpy2DAsync(void *d, size_t dp, const void *s, size_t sp, size_t w, size_t h,
                            hipMemcpyKind k, hipStream_t t)
{
    (void)t;
    return hipMemcpy2D(d, dp, s, sp, w, h, k);
}
hipError_t hipMemset(void *d, int v, size_t n)
{
    if (n) memset(d, v, n);
    return hipSuccess;
}
hipError_t hipMemsetAsync(void *d, int v, size_t n, hipStream_t t)
{
    if (fakehip_capturing(t)) RET(fakehip_capture_memory(t, d, NULL, v, n));
    return hipMemset(d, v, n);
}
hipError_t hipMemsetD8(hipDeviceptr_t d, unsigned char v, size_t n)
{
    return hipMemset(d, v, n);
}
hipError_t hipMemsetD16(hipDeviceptr_t d, unsigned short v, size_t n)
{
    for (size_t i = 0; i < n; i++) ((unsigned short *)d)[i] = v;
    return hipSuccess;
}
hipError_t hipMemsetD32(hipDeviceptr_t d, int v, size_t n)
{
    for (size_t i = 0; i < n; i++) ((int *)d)[i] = v;
    return hipSuccess;
}
hipError_t hipMemsetD32Async(hipDeviceptr_t d, int v, size_t n, hipStream_t t)
{
    (void)t;
    return hipMemsetD32(d, v, n);
}
hipError_t hipMemGetInfo(size_t *f, size_t *t)
{
    if (f) *f = ((size_t)8 << 30) - used;
    if (t) *t = (size_t)8 << 30;
    return hipSuccess;
}
hipError_t hipPointerGetAttributes(hipPointerAttribute_t *a, const void *p)
{
    memset(a, 0, sizeof *a);
    if (!find(p)) RET(hipErrorInvalidValue);
    a->memoryType = hipMemoryTypeDevice, a->devicePointer = (void *)p;
    return hipSuccess;
}
hipError_t hipMemGetAddressRange(hipDeviceptr_t *b, size_t *n, hipDeviceptr_t p)
{
    Block *x = find(p);
    if (!x) RET(hipErrorNotFound);
    if (b) *b = x->user;
    if (n) *n = x->size;
    return hipSuccess;
}
hipError_t hipDeviceGetDefaultMemPool(hipMemPool_t *p, int d)
{
    (void)d;
    *p = (hipMemPool_t)&blocks;
    return hipSuccess;
}
hipError_t hipDeviceGetMemPool(hipMemPool_t *p, int d)
{
    return hipDeviceGetDefaultMemPool(p, d);
}
hipError_t hipMemPoolSetAttribute(hipMemPool_t p, hipMemPoolAttr a, void *v)
{
    (void)p, (void)a, (void)v;
    return hipSuccess;
}
