// SPDX-License-Identifier: Apache-2.0
// How kernels run on the emulated HIP runtime: grids, waves, LDS, atomics, scratch, divergence,
// faults; and the calls of its host side.
#include "check.h"

template <int BS>
__global__ void k_reduce(int n, const float *x, float *out, unsigned *mask)
{
    __shared__ float part[BS / 32];
    float s = 0;
    for (int i = blockIdx.x * BS + threadIdx.x; i < n; i += gridDim.x * BS) s += x[i];
    for (int o = warpSize / 2; o; o >>= 1) s += __shfl_xor(s, o);
    if (threadIdx.x % warpSize == 0) part[threadIdx.x / warpSize] = s;
    __syncthreads();
    if (threadIdx.x < warpSize) {
        s = threadIdx.x < BS / warpSize ? part[threadIdx.x] : 0.f;
        for (int o = warpSize / 2; o; o >>= 1) s += __shfl_xor(s, o);
        if (threadIdx.x == 0) out[blockIdx.x] = s;
        unsigned long long b = __ballot(threadIdx.x % 3 == 0);
        if (threadIdx.x == 1)
            mask[blockIdx.x] = (unsigned)b, mask[gridDim.x + blockIdx.x] = __popcll(b);
    }
}
static void t_reduce(int warp)
{
    const int n = 5000, g = 3;
    std::vector<float> x(n);
    for (auto &v : x) v = (int)(rnd() % 64) - 20;
    Dev<float> dx(x), d(g);
    Dev<unsigned> dm(2 * g);
    k_reduce<256><<<g, 256>>>(n, dx.p, d.p, dm.p);
    auto o = d.get();
    auto m = dm.get();
    double s = 0, w = 0;
    for (float v : o) s += v;
    for (float v : x) w += v;
    bool ok = s == w;
    unsigned long long b = 0;
    for (int i = 0; i < warp; i += 3) b |= 1ull << i;
    for (int i = 0; i < g; i++)
        ok &= m[i] == (unsigned)b && m[g + i] == (unsigned)__builtin_popcountll(b);
    report("LDS + barrier + shuffle reduction", ok);
}

typedef __bf16 bf2 __attribute__((ext_vector_type(2)));
typedef short s2 __attribute__((ext_vector_type(2)));
__device__ void atomic_bf2(uint32_t *p, float a, float b)
{
#if defined(__gfx942__) || defined(__gfx950__) || defined(__gfx1201__)
    s2 v = {(short)__builtin_bit_cast(uint16_t, (__bf16)a),
            (short)__builtin_bit_cast(uint16_t, (__bf16)b)};
    __builtin_amdgcn_global_atomic_fadd_v2bf16((__attribute__((address_space(1))) s2 *)(uintptr_t)p,
                                               v);
#else
    uint32_t old = *(volatile uint32_t *)p, seen;
    do {
        seen = old;
        __bf16 lo = (__bf16)(__uint_as_float(seen << 16) + (float)(__bf16)a),
               hi = (__bf16)(__uint_as_float(seen & 0xffff0000u) + (float)(__bf16)b);
        old = atomicCAS(p, seen,
                        (uint32_t) __builtin_bit_cast(uint16_t, lo) |
                            (uint32_t) __builtin_bit_cast(uint16_t, hi) << 16);
    } while (old != seen);
#endif
}
__global__ void k_atomic(uint32_t *pk, float *f, int *mx, unsigned *ticket, unsigned *order,
                         int *lds_out, unsigned long long *big, unsigned *ex)
{
    __shared__ int hist[16];
    __shared__ float fsum;
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    if (threadIdx.x < 16) hist[threadIdx.x] = 0;
    if (threadIdx.x == 0) fsum = 0;
    __syncthreads();
    if (threadIdx.x % 2) atomic_bf2(pk + t % 4, 1.0f, -0.5f);
    atomicAdd(f, 0.25f);
    atomicMax(mx, t * 7 % 101 - 50);
    atomicMin(mx + 1, t * 7 % 101 - 50);
    if (threadIdx.x % 3 == 0) order[t] = atomicAdd(ticket, 1u);
    int before = atomicAdd(&hist[threadIdx.x % 16], 1);
    atomicAdd(&fsum, 1.5f);
    atomicAdd(big, 1ull << 33);
    ex[t] = atomicExch(ex + gridDim.x * blockDim.x, (unsigned)t);
    __syncthreads();
    if (threadIdx.x < 16) lds_out[blockIdx.x * 17 + threadIdx.x] = hist[threadIdx.x] + 0 * before;
    if (threadIdx.x == 0) lds_out[blockIdx.x * 17 + 16] = (int)fsum;
}
static void t_atomic()
{
    const int g = 3, b = 96, n = g * b;
    Dev<uint32_t> pk(std::vector<uint32_t>(4, 0)), ex(std::vector<uint32_t>(n + 1, 0xffffffffu));
    Dev<float> f(std::vector<float>(1, 0));
    Dev<int> mx(std::vector<int>(2, 0)), lo(g * 17);
    Dev<unsigned> tk(std::vector<unsigned>(1, 0)), ord(n);
    Dev<unsigned long long> big(std::vector<unsigned long long>(1, 5));
    k_atomic<<<g, b>>>(pk.p, f.p, mx.p, tk.p, ord.p, lo.p, big.p, ex.p);
    CK(hipGetLastError());
    auto p = pk.get();
    report("packed bf16 atomic add",
           bf(p[1]) == 72 && bf(p[3]) == 72 && bf(p[1] >> 16) == -36 && p[0] == 0 && p[2] == 0);
    report("f32 / i32 atomics", f.get()[0] == n * .25f && mx.get()[0] == 50 && mx.get()[1] == -50 &&
                                    big.get()[0] == 5 + ((unsigned long long)n << 33));
    auto o = ord.get();
    std::vector<int> seen(n / 3, 0);
    bool ok = tk.get()[0] == n / 3;
    for (int t = 0; t < n; t++)
        if (t % b % 3 == 0) {
            if (o[t] < (unsigned)n / 3)
                seen[o[t]]++;
            else
                ok = false;
        }
    for (int s : seen) ok &= s == 1;
    auto e = ex.get();
    unsigned long long sum = 0;
    for (unsigned v : e) sum += (unsigned)(v + 1);
    report("atomics that return a value", ok && sum == (unsigned long long)n * (n + 1) / 2);
    auto l = lo.get();
    ok = true;
    for (int i = 0; i < g; i++) {
        for (int j = 0; j < 16; j++) ok &= l[i * 17 + j] == b / 16;
        ok &= l[i * 17 + 16] == b * 3 / 2;
    }
    report("LDS atomics", ok);
}

__global__ void k_grid2d(int w, int h, int *o)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y,
        z = blockIdx.z * blockDim.z + threadIdx.z;
    if (x < w && y < h)
        o[(z * h + y) * w + x] =
            x + 1000 * y + 100000 * z + (int)(gridDim.x * 10000000 + gridDim.y * 1000000);
}
static void t_grid2d()
{
    const int w = 37, h = 21, d = 4;
    Dev<int> o(w * h * d);
    k_grid2d<<<dim3((w + 15) / 16, (h + 7) / 8, 2), dim3(16, 8, 2)>>>(w, h, o.p);
    auto v = o.get();
    int e = 0;
    for (int z = 0; z < d; z++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                e += v[(z * h + y) * w + x] != x + 1000 * y + 100000 * z + 33000000;
    report("3-D grid and block indices", !e, e);
}

extern __shared__ int dyn[];
__global__ void k_dyn(int n, const int *x, int *y, int *first)
{
    __shared__ int fixed[64];
    int t = threadIdx.x;
    for (int i = t; i < n; i += blockDim.x) dyn[i] = x[blockIdx.x * n + i];
    if (t < 64) fixed[t] = t * 3;
    __syncthreads();
    for (int i = t; i < n; i += blockDim.x) y[blockIdx.x * n + i] = dyn[n - 1 - i] + fixed[i % 64];
    if (t == 0) first[blockIdx.x] = n;
}
static void t_dyn()
{
    const int n = 3000, g = 2;
    std::vector<int> x(n * g);
    for (auto &v : x) v = rnd() % 10000;
    Dev<int> dx(x), dy(n * g), df(g);
    CK(hipFuncSetAttribute((const void *)k_dyn, hipFuncAttributeMaxDynamicSharedMemorySize, n * 4));
    k_dyn<<<g, 192, n * 4>>>(n, dx.p, dy.p, df.p);
    CK(hipGetLastError());
    auto y = dy.get();
    int e = 0;
    for (int b = 0; b < g; b++)
        for (int i = 0; i < n; i++) e += y[b * n + i] != x[b * n + n - 1 - i] + i % 64 * 3;
    report("dynamic LDS", !e, e);
}

__device__ int g_table[8] = {1, 2, 3, 5, 8, 13, 21, 34};
__constant__ float c_scale[4];
__device__ __noinline__ int through_pointer(int *p, int i)
{
    return p[i & 7] * 3;
}
__global__ void k_scratch(int n, int *o, float *s)
{
    __shared__ int sh[8];
    int local[8], t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    for (int j = 0; j < 8; j++) local[j] = t * j + g_table[j];
    if (t < 8) sh[t] = 100 + t;
    __syncthreads();
    int *p = t % 2 ? sh : local; // a generic pointer: LDS or private memory
    local[t & 7] += 1000;
    __syncthreads();
    if (i < n) {
        o[i] = through_pointer(p, t / 2) + local[(t * 5) & 7];
        s[i] = c_scale[t & 3];
    }
}
static void t_scratch()
{
    const int n = 256;
    Dev<int> o(n);
    Dev<float> s(n);
    float sc[4] = {1.5f, 2.5f, -3, 8};
    CK(hipMemcpyToSymbol(HIP_SYMBOL(c_scale), sc, sizeof sc));
    k_scratch<<<2, 128>>>(n, o.p, s.p);
    CK(hipGetLastError());
    auto v = o.get();
    auto f = s.get();
    int tb[8] = {1, 2, 3, 5, 8, 13, 21, 34}, e = 0;
    for (int i = 0; i < n; i++) {
        int t = i % 128, l[8];
        for (int j = 0; j < 8; j++) l[j] = t * j + tb[j];
        l[t & 7] += 1000;
        int q = t % 2 ? 100 + (t / 2 & 7) : l[t / 2 & 7];
        e += v[i] != q * 3 + l[(t * 5) & 7] || f[i] != sc[t & 3];
    }
    report("scratch, generic pointers, globals", !e, e);
}

__global__ void k_diverge(int n, const int *x, int *o)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int v = x[i], c = 0;
    while (v != 1 && c < 500) {
        v = v & 1 ? 3 * v + 1 : v / 2;
        c++;
    }
    switch (c % 5) {
    case 0:
        c += 10;
        break;
    case 1:
        c *= 2;
        break;
    case 3:
        c = -c;
        break;
    default:
        c ^= 7;
    }
    o[i] = c;
}
static void t_diverge()
{
    const int n = 200;
    std::vector<int> x(n);
    for (auto &v : x) v = rnd() % 1000 + 1;
    Dev<int> dx(x), d(n);
    k_diverge<<<(n + 63) / 64, 64>>>(n, dx.p, d.p);
    auto o = d.get();
    int e = 0;
    for (int i = 0; i < n; i++) {
        int v = x[i], c = 0;
        while (v != 1 && c < 500) {
            v = v & 1 ? 3 * v + 1 : v / 2;
            c++;
        }
        switch (c % 5) {
        case 0:
            c += 10;
            break;
        case 1:
            c *= 2;
            break;
        case 3:
            c = -c;
            break;
        default:
            c ^= 7;
        }
        e += o[i] != c;
    }
    report("divergent loops and switch", !e, e);
}

__global__ void k_oob(float *p, size_t off)
{
    p[off + threadIdx.x] = 1.0f;
}
__global__ void k_trap(int *p)
{
    if (threadIdx.x == 3 && *p) __builtin_trap();
}
static void t_errors()
{
    Dev<float> d(64);
    k_oob<<<1, 64>>>(d.p, 0);
    bool ok = hipGetLastError() == hipSuccess;
    setenv("FAKEHIP_QUIET", "1", 1);
    k_oob<<<1, 64>>>(d.p, 64);
    ok &= hipGetLastError() == hipErrorIllegalAddress;
    ok &= hipGetLastError() == hipSuccess;
    Dev<int> one(std::vector<int>(1, 1));
    k_trap<<<1, 64>>>(one.p);
    ok &= hipGetLastError() == hipErrorLaunchFailure;
    unsetenv("FAKEHIP_QUIET");
    report("out-of-bounds store and trap caught", ok);
}

int main()
{
    hipDeviceProp_t p;
    CK(hipGetDeviceProperties(&p, 0));
    print_device();
    t_reduce(p.warpSize);
    t_atomic();
    t_grid2d();
    t_dyn();
    t_scratch();
    t_diverge();
    t_errors();
    hipStream_t s;
    hipEvent_t a, b;
    CK(hipStreamCreate(&s));
    CK(hipEventCreate(&a));
    CK(hipEventCreate(&b));
    CK(hipEventRecord(a, s));
    CK(hipEventRecord(b, s));
    CK(hipStreamSynchronize(s));
    float ms;
    CK(hipEventElapsedTime(&ms, a, b));
    void *q;
    CK(hipMallocAsync(&q, 100, s));
    CK(hipMemsetAsync(q, 0, 100, s));
    CK(hipFreeAsync(q, s));
    hipGraph_t graph;
    size_t nodes = 0;
    CK(hipStreamBeginCapture(s, hipStreamCaptureModeGlobal));
    k_grid2d<<<1, 1, 0, s>>>(0, 0, nullptr);
    CK(hipStreamEndCapture(s, &graph));
    CK(hipGraphGetNodes(graph, nullptr, &nodes));
    CK(hipGraphDestroy(graph));
    hipFuncAttributes fa;
    CK(hipFuncGetAttributes(&fa, (const void *)k_dyn));
    int nb = 0;
    CK(hipOccupancyMaxActiveBlocksPerMultiprocessor(&nb, (const void *)k_dyn, 192, 12000));
    report("runtime calls", nodes == 1 && fa.sharedSizeBytes == 256 && nb > 0);
    printf("%s\n", bad ? "FAILED" : "all passed");
    return bad;
}
