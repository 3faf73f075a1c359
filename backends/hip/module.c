// SPDX-License-Identifier: Apache-2.0
// The HIP module's one exported symbol, and the launchers of its rows out of the shared list.
#include "backends/gpu/yardsticks.h"
#include "backends/hip/hip_api.h"
#include "ops/row_ids.h"
#include "trine_hip_config.h"

#include <stdio.h>

#if defined(__GNUC__)
#define TRINE_MODULE_EXPORT __attribute__((visibility("default")))
#else
#define TRINE_MODULE_EXPORT
#endif

const trine_module_host *trine_gpu_host;

// Rows of other backends leave nothing behind.
#define FOR_HOST(...)
#define FOR_CUDA(...)
#define FOR_HIP(...) __VA_ARGS__

#define ROW(BACKEND, OP, op, row, ...)                                                             \
    FOR_##BACKEND(trine_status trine_gpu_##op##_##row(const trine_launch *launch);                 \
                  trine_status trine_gpu_##op##_##row##_prepare(                                   \
                      const trine_row *row_, const trine_caps *caps, int32_t ordinal);)
#include "ops/rows.h"
#undef ROW

static const trine_launch_fn launchers[TRINE_ROW_COUNT + 1] = {
    [TRINE_ROW_COUNT] = NULL,
#define ROW(BACKEND, OP, op, row, ...)                                                             \
    FOR_##BACKEND([TRINE_ROW_##BACKEND##_##OP##_##row] = trine_gpu_##op##_##row, )
#include "ops/rows.h"
#undef ROW
};

typedef trine_status (*prepare_fn)(const trine_row *row, const trine_caps *caps, int32_t ordinal);
static const prepare_fn prepares[TRINE_ROW_COUNT + 1] = {
    [TRINE_ROW_COUNT] = NULL,
#define ROW(BACKEND, OP, op, row, ...)                                                             \
    FOR_##BACKEND([TRINE_ROW_##BACKEND##_##OP##_##row] = trine_gpu_##op##_##row##_prepare, )
#include "ops/rows.h"
#undef ROW
};

static char runtime_text[64];

static const trine_module module = {
    .abi = TRINE_KERNEL_ABI,
    .backend = TRINE_BACKEND_HIP,
    .targets = TRINE_HIP_MODULE_TARGETS,
    .runtime = runtime_text,
    .row_count = TRINE_ROW_COUNT,
    .launch = launchers,
    .prepare = prepares,
    .device_count = trine_hip_device_count,
    .device_query = trine_hip_device_query,
    .device_enter = trine_hip_device_enter,
    .device_leave = trine_hip_device_leave,
    .pointer_query = trine_hip_pointer_query,
    .stream_query = trine_hip_stream_query,
    .alloc = trine_hip_alloc,
    .release = trine_hip_release,
    .copy = trine_hip_copy,
    .synchronize = trine_hip_synchronize,
    .stream_create = trine_hip_stream_create,
    .stream_destroy = trine_hip_stream_destroy,
    .stream_synchronize = trine_hip_stream_synchronize,
    .capture_begin = trine_hip_capture_begin,
    .capture_end = trine_hip_capture_end,
    .graph_destroy = trine_hip_graph_destroy,
    .graph_nodes = trine_hip_graph_nodes,
    .graph_launch = trine_hip_graph_launch,
    .graph_time = trine_hip_graph_time,
    .device_copy = trine_hip_device_copy,
    .copy_kernel = trine_gpu_run_copy_kernel,
    .late_copy_kernel = trine_gpu_run_late_copy_kernel,
    .empty_kernel = trine_gpu_run_empty_kernel,
};

TRINE_MODULE_EXPORT const trine_module *trine_module_open(const trine_module_host *host,
                                                          const char **reason);

const trine_module *trine_module_open(const trine_module_host *host, const char **reason)
{
    if (host->abi != TRINE_KERNEL_ABI) {
        *reason = "the HIP module was built for another version of Trine";
        return NULL;
    }
    int version = 0;
    if (hipRuntimeGetVersion(&version) != hipSuccess) version = 0;
    // major * 10^7 + minor * 10^5 + patch, as HIP_VERSION counts.
    snprintf(runtime_text, sizeof runtime_text, "HIP %d.%d (built with %d.%d)", version / 10000000,
             version / 100000 % 100, HIP_VERSION_MAJOR, HIP_VERSION_MINOR);
    trine_gpu_host = host;
    return &module;
}
