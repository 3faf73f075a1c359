// SPDX-License-Identifier: Apache-2.0
// The CUDA module's one exported symbol, and the launchers of its rows out of the shared list.
#include <stdio.h>

#include "backends/cuda/cuda_api.h"
#include "backends/gpu/yardsticks.h"
#include "ops/row_ids.h"
#include "trine_cuda_config.h"

const trine_module_host *trine_gpu_host;

// Rows of other backends leave nothing behind. A row of this one without its two functions does not
// link.
#define FOR_HOST(...)
#define FOR_HIP(...)
#define FOR_CUDA(...) __VA_ARGS__

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

static char runtime_text[96];

static const trine_module module = {
    .abi = TRINE_KERNEL_ABI,
    .backend = TRINE_BACKEND_CUDA,
    .targets = TRINE_CUDA_MODULE_TARGETS,
    .runtime = runtime_text,
    .row_count = TRINE_ROW_COUNT,
    .launch = launchers,
    .prepare = prepares,
    .device_count = trine_cuda_device_count,
    .device_query = trine_cuda_device_query,
    .device_enter = trine_cuda_device_enter,
    .device_leave = trine_cuda_device_leave,
    .pointer_query = trine_cuda_pointer_query,
    .stream_query = trine_cuda_stream_query,
    .alloc = trine_cuda_alloc,
    .release = trine_cuda_release,
    .copy = trine_cuda_copy,
    .synchronize = trine_cuda_synchronize,
    .stream_create = trine_cuda_stream_create,
    .stream_destroy = trine_cuda_stream_destroy,
    .stream_synchronize = trine_cuda_stream_synchronize,
    .capture_begin = trine_cuda_capture_begin,
    .capture_end = trine_cuda_capture_end,
    .graph_destroy = trine_cuda_graph_destroy,
    .graph_nodes = trine_cuda_graph_nodes,
    .graph_launch = trine_cuda_graph_launch,
    .graph_time = trine_cuda_graph_time,
    .device_copy = trine_cuda_device_copy,
    .copy_kernel = trine_gpu_run_copy_kernel,
    .late_copy_kernel = trine_gpu_run_late_copy_kernel,
    .empty_kernel = trine_gpu_run_empty_kernel,
};

TRINE_API const trine_module *trine_module_open(const trine_module_host *host, const char **reason);

const trine_module *trine_module_open(const trine_module_host *host, const char **reason)
{
    if (host->abi != TRINE_KERNEL_ABI) {
        *reason = "the CUDA module was built for another version of Trine";
        return NULL;
    }
    int runtime = 0, driver = 0;
    if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = CUDART_VERSION;
    if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
    int used = snprintf(runtime_text, sizeof runtime_text, "CUDA %d.%d", runtime / 1000,
                        runtime % 1000 / 10);
    if (driver)
        snprintf(runtime_text + used, sizeof runtime_text - (size_t)used, " (driver %d.%d%s)",
                 driver / 1000, driver % 1000 / 10,
                 driver / 1000 < runtime / 1000 ? ", too old" : "");
    else
        snprintf(runtime_text + used, sizeof runtime_text - (size_t)used, " (no driver)");
    trine_gpu_host = host;
    return &module;
}
