// SPDX-License-Identifier: Apache-2.0
// Code: fat binaries, modules, symbols, launches.
#define _GNU_SOURCE
#include "fakehip.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    unsigned magic, version;
    const void *binary;
    void *unused;
} Wrapper;
typedef struct {
    const void *binary;
    int handle, tried;
} Fat;
typedef struct Func {
    const void *host;
    Fat *fat;
    char *name;
    int id;
    struct Func *next;
} Func;
static Func *funcs, *vars;
static int fat_handle(Fat *f)
{
    if (!f->tried) {
        f->tried = 1;
        f->handle =
            fakehip_ready() ? fakehip_emu.load((uint64_t)(uintptr_t)f->binary, fakehip_arch()) : 0;
    }
    return f->handle;
}
void **__hipRegisterFatBinary(const void *data)
{
    Fat *f = calloc(1, sizeof *f);
    f->binary = ((const Wrapper *)data)->binary;
    return (void **)f;
}
void __hipUnregisterFatBinary(void **m)
{
    (void)m;
}
static void add(Func **list, Fat *fat, const void *host, const char *name)
{
    Func *f = malloc(sizeof *f);
    *f = (Func){host, fat, strdup(name), 0, *list};
    pthread_mutex_lock(&fakehip_lock);
    f->next = *list, *list = f;
    pthread_mutex_unlock(&fakehip_lock);
}
void __hipRegisterFunction(void **m, const void *host, char *devname, const char *name,
                           unsigned limit, void *tid, void *bid, void *bd, void *gd, int *ws)
{
    (void)devname, (void)limit, (void)tid, (void)bid, (void)bd, (void)gd, (void)ws;
    add(&funcs, (Fat *)m, host, name);
}
void __hipRegisterVar(void **m, void *var, char *host, char *dev, int ext, size_t size,
                      int constant, int global)
{
    (void)host, (void)ext, (void)size, (void)constant, (void)global;
    add(&vars, (Fat *)m, var, dev);
}
void __hipRegisterManagedVar(void *m, void **p, void *init, const char *name, size_t size,
                             unsigned align)
{
    (void)m, (void)p, (void)init, (void)name, (void)size, (void)align;
}
static hipError_t host_func(const void *host, int *id)
{
    for (Func *f = funcs; f; f = f->next)
        if (f->host == host) {
            if (!f->id) {
                int h = fat_handle(f->fat);
                if (!h) return hipErrorNoBinaryForGpu;
                f->id = fakehip_emu.function(h, f->name);
            }
            *id = f->id;
            return f->id ? hipSuccess : hipErrorInvalidDeviceFunction;
        }
    return hipErrorInvalidDeviceFunction;
}
hipError_t fakehip_launch(int id, dim3 g, dim3 b, unsigned sh, void **args, void *extra, size_t en)
{
    if (!g.x || !g.y || !g.z || !b.x || !b.y || !b.z || (uint64_t)b.x * b.y * b.z > 1024)
        return hipErrorInvalidConfiguration;
    static pthread_mutex_t run = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&run);
    hipError_t e = fakehip_emu.launch(id, g.x, g.y, g.z, b.x, b.y, b.z, sh,
                                      (uint64_t)(uintptr_t)args, (uint64_t)(uintptr_t)extra, en);
    pthread_mutex_unlock(&run);
    if (e && fakehip_env("FAKEHIP_ABORT", 0)) abort();
    return e;
}
hipError_t hipLaunchKernel(const void *f, dim3 g, dim3 b, void **args, size_t sh, hipStream_t s)
{
    int id = 0;
    hipError_t e = host_func(f, &id);
    if (!e && fakehip_capturing(s)) RET(fakehip_capture_kernel(s, id, g, b, sh, args));
    RET(e ? e : fakehip_launch(id, g, b, sh, args, 0, 0));
}
hipError_t hipLaunchCooperativeKernel(const void *f, dim3 g, dim3 b, void **args, unsigned sh,
                                      hipStream_t s)
{
    (void)f, (void)g, (void)b, (void)args, (void)sh, (void)s;
    RET(hipErrorNotSupported); // blocks run one after another
}
hipError_t hipExtLaunchKernel(const void *f, dim3 g, dim3 b, void **args, size_t sh, hipStream_t s,
                              hipEvent_t e0, hipEvent_t e1, int fl)
{
    (void)fl;
    if (e0) hipEventRecord(e0, s);
    hipError_t e = hipLaunchKernel(f, g, b, args, sh, s);
    if (e1) hipEventRecord(e1, s);
    return e;
}
static _Thread_local struct {
    dim3 g, b;
    size_t sh;
    hipStream_t s;
} conf[16];
static _Thread_local int depth;
hipError_t __hipPushCallConfiguration(dim3 g, dim3 b, size_t sh, hipStream_t s)
{
    if (depth >= 16) return hipErrorInvalidValue;
    conf[depth].g = g, conf[depth].b = b, conf[depth].sh = sh, conf[depth].s = s, depth++;
    return hipSuccess;
}
hipError_t __hipPopCallConfiguration(dim3 *g, dim3 *b, size_t *sh, hipStream_t *s)
{
    if (!depth) return hipErrorInvalidValue;
    depth--;
    *g = conf[depth].g, *b = conf[depth].b, *sh = conf[depth].sh, *s = conf[depth].s;
    return hipSuccess;
}
static hipError_t var_addr(const void *v, uint64_t *a, size_t *n)
{
    for (Func *f = vars; f; f = f->next)
        if (f->host == v) {
            int h = fat_handle(f->fat);
            uint64_t sz = 0;
            if (!h) return hipErrorNoBinaryForGpu;
            *a = fakehip_emu.symbol(h, f->name, (uint64_t)(uintptr_t)&sz);
            if (n) *n = sz;
            return *a ? hipSuccess : hipErrorNotFound;
        }
    return hipErrorInvalidSymbol;
}
hipError_t hipGetSymbolAddress(void **p, const void *v)
{
    uint64_t a = 0;
    hipError_t e = var_addr(v, &a, 0);
    *p = (void *)a;
    RET(e);
}
hipError_t hipGetSymbolSize(size_t *n, const void *v)
{
    uint64_t a;
    RET(var_addr(v, &a, n));
}
hipError_t hipMemcpyToSymbol(const void *v, const void *s, size_t n, size_t o, hipMemcpyKind k)
{
    (void)k;
    uint64_t a;
    hipError_t e = var_addr(v, &a, 0);
    if (!e) memcpy((char *)a + o, s, n);
    RET(e);
}
hipError_t hipMemcpyFromSymbol(void *d, const void *v, size_t n, size_t o, hipMemcpyKind k)
{
    (void)k;
    uint64_t a;
    hipError_t e = var_addr(v, &a, 0);
    if (!e) memcpy(d, (char *)a + o, n);
    RET(e);
}
hipError_t hipMemcpyToSymbolAsync(const void *v, const void *s, size_t n, size_t o, hipMemcpyKind k,
                                  hipStream_t t)
{
    (void)t;
    return hipMemcpyToSymbol(v, s, n, o, k);
}
hipError_t hipModuleLoadData(hipModule_t *m, const void *image)
{
    Fat *f = calloc(1, sizeof *f);
    f->binary = image;
    if (!fat_handle(f)) {
        free(f);
        RET(hipErrorNoBinaryForGpu);
    }
    *m = (hipModule_t)f;
    return hipSuccess;
}
hipError_t hipModuleLoadDataEx(hipModule_t *m, const void *image, unsigned n, hipJitOption *o,
                               void **v)
{
    (void)n, (void)o, (void)v;
    return hipModuleLoadData(m, image);
}
hipError_t hipModuleLoad(hipModule_t *m, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) RET(hipErrorFileNotFound);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    void *p = calloc(1, n + 64);
    size_t got = fread(p, 1, n, f);
    fclose(f);
    if ((long)got != n) RET(hipErrorInvalidImage);
    return hipModuleLoadData(m, p);
}
hipError_t hipModuleUnload(hipModule_t m)
{
    (void)m;
    return hipSuccess;
}
hipError_t hipModuleGetFunction(hipFunction_t *f, hipModule_t m, const char *name)
{
    int id = fakehip_emu.function(((Fat *)m)->handle, name);
    *f = (hipFunction_t)(uintptr_t)id;
    RET(id ? hipSuccess : hipErrorNotFound);
}
hipError_t hipModuleGetGlobal(hipDeviceptr_t *p, size_t *n, hipModule_t m, const char *name)
{
    uint64_t sz = 0, a = fakehip_emu.symbol(((Fat *)m)->handle, name, (uint64_t)(uintptr_t)&sz);
    if (p) *p = (void *)a;
    if (n) *n = sz;
    RET(a ? hipSuccess : hipErrorNotFound);
}
hipError_t hipModuleLaunchKernel(hipFunction_t f, unsigned gx, unsigned gy, unsigned gz,
                                 unsigned bx, unsigned by, unsigned bz, unsigned sh, hipStream_t s,
                                 void **args, void **extra)
{
    (void)s;
    void *raw = 0;
    size_t n = 0;
    for (void **e = extra; e && *e != HIP_LAUNCH_PARAM_END; e += 2) {
        if (*e == HIP_LAUNCH_PARAM_BUFFER_POINTER)
            raw = e[1];
        else if (*e == HIP_LAUNCH_PARAM_BUFFER_SIZE)
            n = *(size_t *)e[1];
    }
    RET(fakehip_launch((int)(uintptr_t)f, (dim3){gx, gy, gz}, (dim3){bx, by, bz}, sh, args, raw,
                       n));
}
hipError_t hipFuncSetAttribute(const void *f, hipFuncAttribute a, int v)
{
    (void)f;
    if (a == hipFuncAttributeMaxDynamicSharedMemorySize && v > fakehip_lds())
        RET(hipErrorInvalidValue);
    return hipSuccess;
}
hipError_t hipFuncSetCacheConfig(const void *f, hipFuncCache_t c)
{
    (void)f, (void)c;
    return hipSuccess;
}
hipError_t hipFuncSetSharedMemConfig(const void *f, hipSharedMemConfig c)
{
    (void)f, (void)c;
    return hipSuccess;
}
hipError_t hipFuncGetAttributes(hipFuncAttributes *a, const void *f)
{
    int id = 0;
    memset(a, 0, sizeof *a);
    hipError_t e = host_func(f, &id);
    if (e) RET(e);
    a->maxThreadsPerBlock = fakehip_emu.attr(id, 0), a->sharedSizeBytes = fakehip_emu.attr(id, 1),
    a->localSizeBytes = fakehip_emu.attr(id, 2), a->numRegs = fakehip_emu.attr(id, 3);
    a->maxDynamicSharedSizeBytes = fakehip_lds() - (int)a->sharedSizeBytes;
    return hipSuccess;
}
static hipError_t occupancy(int id, int *n, int threads, size_t sh)
{
    size_t use = fakehip_emu.attr(id, 1) + sh;
    int by = threads > 0 ? 2048 / threads : 0;
    if (use && (int)(fakehip_lds() / use) < by) by = fakehip_lds() / use;
    *n = by;
    return hipSuccess;
}
hipError_t hipOccupancyMaxActiveBlocksPerMultiprocessor(int *n, const void *f, int threads,
                                                        size_t sh)
{
    int id = 0;
    hipError_t e = host_func(f, &id);
    RET(e ? e : occupancy(id, n, threads, sh));
}
hipError_t hipOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, const void *f, int threads,
                                                                 size_t sh, unsigned fl)
{
    (void)fl;
    return hipOccupancyMaxActiveBlocksPerMultiprocessor(n, f, threads, sh);
}
hipError_t hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(int *n, hipFunction_t f, int threads,
                                                              size_t sh)
{
    RET(occupancy((int)(uintptr_t)f, n, threads, sh));
}
hipError_t hipOccupancyMaxPotentialBlockSize(int *g, int *b, const void *f, size_t sh, int lim)
{
    (void)f, (void)sh;
    *b = lim > 0 && lim < 256 ? lim : 256, *g = fakehip_cus() * 8;
    return hipSuccess;
}
