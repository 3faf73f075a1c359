// SPDX-License-Identifier: Apache-2.0
// sanitizer_control memcheck|initcheck|racecheck|synccheck: one kernel with exactly the mistake
// that this tool of compute-sanitizer looks for. A tool that does not report it here would not
// report it in a kernel of Trine either. ci/gpu runs it; without a sanitizer it is of no use.
#include <cstdio>
#include <cstring>

__global__ void writes_past_the_end(int *data, int count)
{
    if (threadIdx.x <= count) data[threadIdx.x] = 1;
}

__global__ void reads_what_nobody_wrote(const int *data, int *out)
{
    out[threadIdx.x] = data[threadIdx.x] + 1;
}

__global__ void forgets_a_barrier(int *out)
{
    __shared__ int part[64];
    part[threadIdx.x] = threadIdx.x;
    out[threadIdx.x] = part[63 - threadIdx.x];
}

__global__ void names_the_wrong_lanes(int *out)
{
    // A lane that waits must be in its own mask.
    if (threadIdx.x % 32 == 0) __syncwarp(0xfffffffeu);
    out[threadIdx.x] = 1;
}

int main(int argc, char **argv)
{
    const char *tool = argc > 1 ? argv[1] : "";
    int *data = nullptr, *out = nullptr;
    if (cudaMalloc(&data, 63 * sizeof *data) || cudaMalloc(&out, 64 * sizeof *out)) {
        fprintf(stderr, "sanitizer_control: no CUDA device\n");
        return 77;
    }
    cudaMemset(out, 0, 64 * sizeof *out);
    if (!strcmp(tool, "memcheck")) {
        writes_past_the_end<<<1, 64>>>(data, 63);
    } else if (!strcmp(tool, "initcheck")) {
        reads_what_nobody_wrote<<<1, 63>>>(data, out);
    } else if (!strcmp(tool, "racecheck")) {
        forgets_a_barrier<<<1, 64>>>(out);
    } else if (!strcmp(tool, "synccheck")) {
        names_the_wrong_lanes<<<1, 64>>>(out);
    } else {
        fprintf(stderr, "usage: sanitizer_control memcheck|initcheck|racecheck|synccheck\n");
        return 2;
    }
    cudaDeviceSynchronize();
    return 0;
}
