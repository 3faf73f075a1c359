// SPDX-License-Identifier: Apache-2.0
// What all tests of the emulated HIP runtime share: every check prints one line, and `bad` counts
// failures.
#ifndef AMDEMU_TESTS_CHECK_H
#define AMDEMU_TESTS_CHECK_H

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <hip/hip_runtime.h>
#include <vector>

#define CK(x)                                                                                      \
    do {                                                                                           \
        hipError_t e_ = (x);                                                                       \
        if (e_ != hipSuccess) {                                                                    \
            printf("%s:%d %s\n", __FILE__, __LINE__, hipGetErrorString(e_));                       \
            bad++;                                                                                 \
        }                                                                                          \
    } while (0)
static int bad;
static void report(const char *name, bool ok, double err = -1)
{
    if (err >= 0)
        printf("%-34s %s  (max err %.3g)\n", name, ok ? "ok" : "FAIL", err);
    else
        printf("%-34s %s\n", name, ok ? "ok" : "FAIL");
    if (!ok) bad++;
}
template <class T>
struct Dev {
    T *p;
    size_t n;
    Dev(size_t n_) : n(n_) { CK(hipMalloc((void **)&p, n * sizeof(T))); }
    Dev(const std::vector<T> &v) : Dev(v.size())
    {
        CK(hipMemcpy(p, v.data(), n * sizeof(T), hipMemcpyHostToDevice));
    }
    ~Dev() { CK(hipFree(p)); }
    std::vector<T> get()
    {
        std::vector<T> v(n);
        CK(hipMemcpy(v.data(), p, n * sizeof(T), hipMemcpyDeviceToHost));
        return v;
    }
};
static uint32_t rs = 12345; // a test may begin elsewhere
static uint32_t rnd()
{
    rs ^= rs << 13;
    rs ^= rs >> 17;
    rs ^= rs << 5;
    return rs;
}
static float uni(float a, float b)
{
    return a + (b - a) * (rnd() >> 8) / 16777216.f;
}
static float bf(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}
static uint16_t tobf(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) > 0x7f800000) return u >> 16 | 0x40;
    return (u + 0x7fff + (u >> 16 & 1)) >> 16;
}

static void print_device()
{
    hipDeviceProp_t p;
    CK(hipGetDeviceProperties(&p, 0));
    printf("device: %s, %s, warp %d, LDS %zu\n", p.name, p.gcnArchName, p.warpSize,
           p.sharedMemPerBlock);
}

#endif
