// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* dladdr */
#include "backends/loader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static const trine_module_host module_host = {TRINE_KERNEL_ABI, trine_fail};

/* Modules stay open for good: a driver that has been started can't be unloaded safely. */
static const trine_module *module_open(trine_context *context, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        trine_log(context, TRINE_LOG_WARN, "%s does not open: %s", path, dlerror());
        return NULL;
    }
    trine_module_open_fn open = NULL;
    void *symbol = dlsym(library, TRINE_MODULE_SYMBOL);
    const char *reason = "it exports no " TRINE_MODULE_SYMBOL;
    memcpy(&open, &symbol, sizeof open); /* ISO C has no cast from object to function pointer */
    const trine_module *module = open ? open(&module_host, &reason) : NULL;
    if (module && module->abi != TRINE_KERNEL_ABI) {
        trine_log(context, TRINE_LOG_WARN, "%s left out: it has ABI %u, this library %u", path,
                  module->abi, TRINE_KERNEL_ABI);
        module = NULL;
    } else if (module && module->row_count != TRINE_ROW_COUNT) {
        trine_log(context, TRINE_LOG_WARN, "%s left out: it has %zu rows, this library %d", path,
                  module->row_count, TRINE_ROW_COUNT);
        module = NULL;
    } else if (!module) {
        trine_log(context, TRINE_LOG_WARN, "%s left out: %s", path, reason);
    } else {
        trine_log(context, TRINE_LOG_INFO, "%s: %s; compiled for %s", path, module->runtime,
                  module->targets);
    }
    if (!module) dlclose(library);
    return module;
}

static void directory_search(trine_context *context, const char *directory)
{
    static const struct {
        trine_backend backend;
        const char *file;
    } files[] = {{TRINE_BACKEND_CUDA, "trine_cuda.so"}, {TRINE_BACKEND_HIP, "trine_hip.so"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s", directory, files[i].file);
        if (n < 0 || (size_t)n >= sizeof path || context->modules[files[i].backend]) continue;
        if (access(path, R_OK)) continue;
        context->modules[files[i].backend] = module_open(context, path);
    }
}

/* The "trine" folder beside libtrine.so: finds the modules of a tree that was moved as a whole. */
static void own_directory_search(trine_context *context)
{
    Dl_info info;
    char directory[4096];
    if (!dladdr((const void *)&module_host, &info) || !info.dli_fname) return;
    const char *slash = strrchr(info.dli_fname, '/');
    if (info.dli_fname[0] != '/' || !slash) return;
    int n = snprintf(directory, sizeof directory, "%.*s/trine", (int)(slash - info.dli_fname),
                     info.dli_fname);
    if (n > 0 && (size_t)n < sizeof directory) directory_search(context, directory);
}

trine_status trine_modules_load(trine_context *context, const char *directories)
{
    if (!directories) {
        directory_search(context, TRINE_MODULE_DIR);
        own_directory_search(context);
        return TRINE_OK;
    }
    while (*directories) {
        char directory[4096];
        size_t length = strcspn(directories, ":");
        if (length >= sizeof directory)
            return trine_fail(TRINE_INVALID_ARGUMENT,
                              "backend_dir has an entry of %zu bytes, the "
                              "longest path is %zu",
                              length, sizeof directory - 1);
        memcpy(directory, directories, length);
        directory[length] = 0;
        if (directory[0] != '/')
            return trine_fail(TRINE_INVALID_ARGUMENT,
                              "backend_dir is \"%s\", must be an absolute path", directory);
        directory_search(context, directory);
        directories += length + (directories[length] == ':');
    }
    return TRINE_OK;
}
