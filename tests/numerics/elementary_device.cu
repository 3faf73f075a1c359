// SPDX-License-Identifier: Apache-2.0
// The digests of elementary_sweep, computed on a CUDA device: elementary_device SWEEP_OUTPUT walks
// the inputs that a run of elementary_sweep walked and exits with 1 unless every function has the
// digest that is written there. Also holds the device's reciprocal in [1, 2] to the IEEE quotient,
// for all 2^23 denominators.
#include <cstdio>
#include <cstring>

#include "numerics/activation.h"
#include "numerics/format.h"
#include "sweep_digest.h"

#define BLOCKS  4096
#define THREADS 256

struct exp_f {
    static __device__ uint32_t of(float x) { return trine_f32_bits(trine_expf(x)); }
};
struct sigmoid_f {
    static __device__ uint32_t of(float x) { return trine_f32_bits(trine_sigmoidf(x)); }
};
struct tanh_f {
    static __device__ uint32_t of(float x) { return trine_f32_bits(trine_tanhf(x)); }
};
struct erf_f {
    static __device__ uint32_t of(float x) { return trine_f32_bits(trine_erff(x)); }
};
struct silu_f {
    static __device__ uint32_t of(float x) { return trine_f32_bits(trine_silu(x)); }
};
struct gelu_erf_f {
    static __device__ uint32_t of(float x) { return trine_f32_bits(trine_gelu_erf(x)); }
};
struct gelu_tanh_f {
    static __device__ uint32_t of(float x) { return trine_f32_bits(trine_gelu_tanh(x)); }
};
struct bf16_f {
    static __device__ uint32_t of(float x) { return trine_f32_to_bf16(x); }
};
struct f16_f {
    static __device__ uint32_t of(float x) { return trine_f32_to_f16(x); }
};
struct e4m3fn_f {
    static __device__ uint32_t of(float x) { return trine_f32_to_e4m3fn(x); }
};
struct e4m3fnuz_f {
    static __device__ uint32_t of(float x) { return trine_f32_to_e4m3fnuz(x); }
};
struct e5m2_f {
    static __device__ uint32_t of(float x) { return trine_f32_to_e5m2(x); }
};
struct ue8m0_f {
    static __device__ uint32_t of(float x) { return trine_f32_to_ue8m0(x); }
};

template <typename F>
__global__ void digest(unsigned long long *sum, uint64_t stride, uint64_t total)
{
    unsigned long long mine = 0;
    uint64_t step = (uint64_t)gridDim.x * blockDim.x;
    for (uint64_t i = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x; i < total; i += step) {
        uint32_t in = (uint32_t)(i * stride);
        mine += trine_sweep_digest(in, F::of(trine_f32_from_bits(in)));
    }
    atomicAdd(sum, mine);
}

__global__ void wrong_reciprocals(unsigned long long *wrong)
{
    for (uint32_t m = blockIdx.x * blockDim.x + threadIdx.x; m <= 1u << 23;
         m += gridDim.x * blockDim.x) {
        float d = trine_f32_from_bits(0x3f800000u + m);
        if (trine_f32_bits(trine_rcp_unit(d)) != trine_f32_bits(trine_divf(1.0f, d)))
            atomicAdd(wrong, 1ull);
    }
}

struct function {
    const char *name;
    void (*kernel)(unsigned long long *, uint64_t, uint64_t);
};

static const function functions[] = {
    {"exp", digest<exp_f>},
    {"sigmoid", digest<sigmoid_f>},
    {"tanh", digest<tanh_f>},
    {"erf", digest<erf_f>},
    {"silu", digest<silu_f>},
    {"gelu_erf", digest<gelu_erf_f>},
    {"gelu_tanh", digest<gelu_tanh_f>},
    {"bf16", digest<bf16_f>},
    {"f16", digest<f16_f>},
    {"e4m3fn", digest<e4m3fn_f>},
    {"e4m3fnuz", digest<e4m3fnuz_f>},
    {"e5m2", digest<e5m2_f>},
    {"ue8m0", digest<ue8m0_f>},
};
static const size_t function_count = sizeof functions / sizeof functions[0];

static unsigned long long *counter;

static bool read_counter(unsigned long long *value)
{
    return cudaMemcpy(value, counter, sizeof *value, cudaMemcpyDeviceToHost) == cudaSuccess &&
           cudaMemset(counter, 0, sizeof *counter) == cudaSuccess;
}

// One line of the sweep's output: "NAME ... digest HEX ...".
static bool compare_line(const char *line, uint64_t stride, int *compared, int *failed)
{
    char name[32];
    const char *at = strstr(line, "digest ");
    unsigned long long want, got;
    if (at == nullptr || sscanf(line, "%31s", name) != 1 || sscanf(at, "digest %llx", &want) != 1)
        return true;
    for (size_t i = 0; i < function_count; i++) {
        if (strcmp(name, functions[i].name) != 0) continue;
        uint64_t total = ((UINT64_C(1) << 32) + stride - 1) / stride;
        functions[i].kernel<<<BLOCKS, THREADS>>>(counter, stride, total);
        if (!read_counter(&got)) return false;
        printf("%-9s digest %016llx, cpu %016llx: %s\n", name, got, want,
               got == want ? "ok" : "FAILED");
        *compared += 1;
        *failed += got != want;
        return true;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SWEEP_OUTPUT\n", argv[0]);
        return 2;
    }
    FILE *file = fopen(argv[1], "r");
    if (file == nullptr) {
        fprintf(stderr, "%s: can't open %s\n", argv[0], argv[1]);
        return 2;
    }
    if (cudaMalloc(&counter, sizeof *counter) != cudaSuccess ||
        cudaMemset(counter, 0, sizeof *counter) != cudaSuccess) {
        fprintf(stderr, "no CUDA device: %s\n", cudaGetErrorString(cudaGetLastError()));
        return 2;
    }
    unsigned long long wrong;
    wrong_reciprocals<<<BLOCKS, THREADS>>>(counter);
    bool good = read_counter(&wrong);
    if (good) printf("reciprocals of [1, 2]: %u compared, %llu differ\n", (1u << 23) + 1, wrong);
    char line[512];
    unsigned long long stride = 0;
    int compared = 0, failed = wrong != 0;
    while (good && fgets(line, sizeof line, file) != nullptr) {
        if (stride == 0) {
            if (sscanf(line, "stride %llu:", &stride) != 1 || stride == 0) break;
        } else {
            good = compare_line(line, stride, &compared, &failed);
        }
    }
    fclose(file);
    if (!good) fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(cudaGetLastError()));
    printf("%d of %zu functions compared, %d failed\n", compared, function_count, failed);
    return good && failed == 0 && compared == (int)function_count ? 0 : 1;
}
