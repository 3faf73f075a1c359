// SPDX-License-Identifier: Apache-2.0
// What the files of the HIP runtime without a GPU share. See README.md.
#ifndef AMDEMU_FAKEHIP_H
#define AMDEMU_FAKEHIP_H
#define __HIP_PLATFORM_AMD__ 1
#include <hip/hip_runtime_api.h>
#include <pthread.h>
#include <stdint.h>
#undef hipGetDeviceProperties

// The emulator's entry points, filled by amdemu.install (amdemu/shim.py), in this order.
typedef struct Emu {
    int (*load)(uint64_t, const char *);
    int (*function)(int, const char *);
    uint64_t (*symbol)(int, const char *, uint64_t);
    int (*attr)(int, int);
    int (*launch)(int, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                  uint64_t, uint64_t, uint64_t);
} Emu;

extern Emu fakehip_emu;
extern pthread_mutex_t fakehip_lock;
extern _Thread_local hipError_t fakehip_last;

// Returns an error and remembers it for hipGetLastError.
static inline hipError_t fakehip_ret(hipError_t e)
{
    if (e != hipSuccess && e != hipErrorNotReady) fakehip_last = e;
    return e;
}
#define RET(e) return fakehip_ret(e)

// Loads Python and the emulator on the first call; whether they are there.
int fakehip_ready(void);
// The device from FAKEHIP_ARCH without its feature suffix; integers from the environment.
const char *fakehip_arch(void);
int fakehip_env(const char *name, int otherwise);
int fakehip_lds(void);
int fakehip_cus(void);

// A stream; while it captures, what it is given goes into a graph (graph.c).
typedef struct Node Node;
typedef struct Stream {
    struct Graph *capture;
} Stream;
int fakehip_capturing(hipStream_t s);
hipError_t fakehip_capture_kernel(hipStream_t s, int id, dim3 g, dim3 b, unsigned sh, void **args);
// A copy, or with from = NULL a fill with `value`.
hipError_t fakehip_capture_memory(hipStream_t s, void *to, const void *from, int value,
                                  size_t size);
// Runs a kernel now.
hipError_t fakehip_launch(int id, dim3 g, dim3 b, unsigned sh, void **args, void *extra,
                          size_t extra_size);

#endif
