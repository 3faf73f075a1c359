// SPDX-License-Identifier: Apache-2.0
// The start of the HIP runtime without a GPU: settings from the environment, and the Python
// interpreter that emulates.
#define _GNU_SOURCE
#include "fakehip.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Emu fakehip_emu;
pthread_mutex_t fakehip_lock = PTHREAD_MUTEX_INITIALIZER;
_Thread_local hipError_t fakehip_last;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int emu_ok;

const char *fakehip_arch(void)
{
    static char a[64];
    if (!a[0]) {
        const char *e = getenv("FAKEHIP_ARCH");
        snprintf(a, sizeof a, "%s", e && *e ? e : "gfx950");
        char *c = strchr(a, ':');
        if (c) *c = 0;
    }
    return a;
}
int fakehip_env(const char *n, int d)
{
    const char *e = getenv(n);
    return e && *e ? atoi(e) : d;
}
int fakehip_lds(void)
{
    return strcmp(fakehip_arch(), "gfx950") ? 65536 : 163840;
}
int fakehip_cus(void)
{
    return fakehip_env("FAKEHIP_CUS", 4);
}

// The interpreter: the process's own when it is a Python program, else libpython.
static void start(void)
{
    Dl_info me;
    if (!dladdr((void *)start, &me)) return;
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", me.dli_fname);
    char *s = strrchr(dir, '/');
    if (s)
        *s = 0;
    else
        strcpy(dir, ".");
    int (*inited)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "Py_IsInitialized");
    if (!inited) {
        const char *name = getenv("FAKEHIP_LIBPYTHON");
        void *h = dlopen(name && *name ? name : LIBPYTHON, RTLD_NOW | RTLD_GLOBAL);
        if (!h) {
            fprintf(stderr, "[fakehip] %s\n", dlerror());
            return;
        }
        inited = (int (*)(void))dlsym(h, "Py_IsInitialized");
    }
    int fresh = !inited();
    if (fresh) {
        ((void (*)(int))dlsym(RTLD_DEFAULT, "Py_InitializeEx"))(0);
    }
    int g = 0;
    if (!fresh) g = ((int (*)(void))dlsym(RTLD_DEFAULT, "PyGILState_Ensure"))();
    char code[9000];
    const char *py = getenv("AMDEMU_PYTHON");
    if (!py || !*py) py = AMDEMU_PYTHON;
    snprintf(code, sizeof code,
             "import sys\nsys.path.insert(0, r'''%s''')\nimport amdemu\namdemu.install(%llu, "
             "r'''%s''')\n",
             py, (unsigned long long)(uintptr_t)&fakehip_emu, dir);
    int rc = ((int (*)(const char *))dlsym(RTLD_DEFAULT, "PyRun_SimpleString"))(code);
    if (fresh)
        ((void *(*)(void))dlsym(RTLD_DEFAULT, "PyEval_SaveThread"))();
    else
        ((void (*)(int))dlsym(RTLD_DEFAULT, "PyGILState_Release"))(g);
    emu_ok = rc == 0 && fakehip_emu.launch;
}
int fakehip_ready(void)
{
    pthread_once(&once, start);
    return emu_ok;
}
