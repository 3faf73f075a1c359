// SPDX-License-Identifier: Apache-2.0
/*
 * The interface of a GPU module: trine_cuda.so and trine_hip.so export one symbol,
 * TRINE_MODULE_SYMBOL, and link against nothing of Trine.
 */
#ifndef TRINE_BACKENDS_BACKEND_H
#define TRINE_BACKENDS_BACKEND_H

#include <trine/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the core lends to a module: its error and log channels. */
typedef struct trine_module_host {
    uint32_t abi;
    /* Sets the calling thread's last error and returns status. */
    trine_status (*fail)(trine_status status, const char *format, ...);
} trine_module_host;

/* What a module says of one of its devices; the capability table adds the rest by `name`. */
typedef struct trine_module_device {
    char name[32];       /* "sm_90", "gfx942" */
    char product[96];    /* marketing name */
    trine_limits limits; /* as queried; 0 keeps the table's value */
} trine_module_device;

typedef struct trine_module {
    uint32_t abi; /* TRINE_KERNEL_ABI */
    trine_backend backend;
    const char
        *targets; /* what was compiled: "sm_75 sm_80 sm_90a compute_120" or "gfx942 gfx1100" */
    const char *runtime; /* what it runs on, for people: "CUDA 13.0 (driver 13.0)" */
    size_t row_count;    /* TRINE_ROW_COUNT of the list it was built with */
    /* Launcher and prepare step of each row of the shared list, by row number; NULL for rows of
     * other backends. prepare may be NULL. */
    const trine_launch_fn *launch;
    trine_status (*const *prepare)(const trine_row *row, const trine_caps *caps, int32_t ordinal);

    int (*device_count)(void); /* 0 without a driver or a GPU: never an error */
    trine_status (*device_query)(int ordinal, trine_module_device *device);
    /* Makes `ordinal` current and returns the device that was; -1 on failure. */
    int (*device_enter)(int ordinal);
    void (*device_leave)(int previous);
    /* Whose memory is `pointer`? kind: 0 host, 1 this backend's device `*ordinal`, 2 managed. */
    trine_status (*pointer_query)(const void *pointer, int *kind, int *ordinal);
    /* The device `stream` belongs to (-1: unknown) and whether it is capturing. */
    trine_status (*stream_query)(void *stream, int *ordinal, bool *capturing);

    /* For tools and tests; each makes `ordinal` current itself. */
    trine_status (*alloc)(int ordinal, size_t size, void **data);
    void (*release)(int ordinal, void *data);
    trine_status (*copy)(int ordinal, void *dst, const void *src, size_t size, bool to_device);
    trine_status (*synchronize)(int ordinal);

    /* Streams, graphs and time, likewise for tools and tests. A stream does not wait for the
     * default one. Between capture_begin and capture_end, what is launched on the stream becomes
     * the nodes of *graph, which can be launched again and again. */
    trine_status (*stream_create)(int ordinal, void **stream);
    void (*stream_destroy)(int ordinal, void *stream);
    trine_status (*stream_synchronize)(int ordinal, void *stream);
    trine_status (*capture_begin)(int ordinal, void *stream);
    trine_status (*capture_end)(int ordinal, void *stream, void **graph);
    void (*graph_destroy)(int ordinal, void *graph);
    trine_status (*graph_nodes)(int ordinal, void *graph, size_t *count);
    trine_status (*graph_launch)(int ordinal, void *graph, void *stream);
    /* Launches the graph between two events and waits: *seconds is the device's own time. */
    trine_status (*graph_time)(int ordinal, void *graph, void *stream, double *seconds);

    /* Yardsticks on a stream: the driver's device-to-device copy; a plain kernel that copies
     * `size` bytes (a multiple of 16) in 16-byte accesses with `threads` a block, each thread
     * copying `unroll` (1, 2, 4 or 8) of them; one for tests that lets the next kernel start 50 us
     * before it copies, where the device can (else it copies at once); and a kernel that does
     * nothing. */
    trine_status (*device_copy)(int ordinal, void *stream, void *dst, const void *src, size_t size);
    trine_status (*copy_kernel)(int ordinal, void *stream, void *dst, const void *src, size_t size,
                                uint32_t threads, uint32_t unroll);
    trine_status (*late_copy_kernel)(int ordinal, void *stream, void *dst, const void *src,
                                     size_t size);
    trine_status (*empty_kernel)(int ordinal, void *stream);
} trine_module;

#define TRINE_MODULE_SYMBOL "trine_module_open"
/* NULL, with *reason set, when host->abi does not match. */
typedef const trine_module *(*trine_module_open_fn)(const trine_module_host *host,
                                                    const char **reason);

/* The module behind a device of the context, NULL for cpu and simulated devices; for tools and
 * tests. */
TRINE_API const trine_module *trine_device_module(trine_context *context, DLDevice device);

#ifdef __cplusplus
}
#endif

#endif
