// SPDX-License-Identifier: Apache-2.0
/* Contexts: params, environment, devices, rows of one's own, memory. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/core/support.h"

static char messages[16384];

static void remember(void *cookie, trine_log_level level, const char *message)
{
    (void)level;
    cr_expect_eq(cookie, (void *)messages);
    size_t used = strlen(messages);
    if (used + strlen(message) + 2 < sizeof messages) {
        strcat(messages, message);
        strcat(messages, "\n");
    }
}

static void expect_refused(trine_context_params params, trine_status status, const char *sentence)
{
    trine_context *context = (trine_context *)messages;
    params.no_modules = params.no_modules || !params.backend_dir;
    cr_expect_eq(trine_context_create(&params, &context), status, "%s: %s", sentence,
                 trine_last_error());
    cr_expect(!context);
    cr_expect(strstr(trine_last_error(), sentence), "\"%s\" lacks \"%s\"", trine_last_error(),
              sentence);
}

Test(context, refuses_bad_params)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    static const struct {
        const char *simulate, *mask, *kernel, *directory, *sentence;
    } cases[] = {
        {"gfx942", NULL, NULL, NULL, "rocm:0=gfx942"},
        {"rocm:x=gfx942", NULL, NULL, NULL, "rocm:x"},
        {"rocm:0000=gfx942", NULL, NULL, NULL, "rocm:0000"},
        {"cuda:0=gfx942", NULL, NULL, NULL, "no cuda device"},
        {"cuda:0=sm_90,,", NULL, NULL, NULL, "simulate has"},
        {NULL, "wgmma,warp_drive", NULL, NULL, "warp_drive"},
        {NULL, NULL, "fused_mo=plain", NULL, "fused_mo"},
        {NULL, NULL, "fused_moe=", NULL, "names no row"},
        {NULL, NULL, "this_name_is_far_too_long_to_be_the_name_of_any_operation_in_here=x", NULL,
         "no op is named"},
        {NULL, NULL, "a,b,c,d,e,f,g,h,i,j,k,l,m", NULL, "more entries"},
        {NULL, NULL, NULL, "backends", "absolute"},
    };
    params.ignore_environment = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        params.simulate = cases[i].simulate;
        params.mask = cases[i].mask;
        params.kernel = cases[i].kernel;
        params.backend_dir = cases[i].directory;
        expect_refused(params, TRINE_INVALID_ARGUMENT, cases[i].sentence);
    }
    params = (trine_context_params)TRINE_CONTEXT_PARAMS_INIT;
    params.simulate = "rocm:0=gfx9";
    expect_refused(params, TRINE_INVALID_DEVICE, "gfx9");
    trine_context_params huge = TRINE_CONTEXT_PARAMS_INIT;
    huge.struct_size += 8;
    expect_refused(huge, TRINE_ABI_MISMATCH, "struct_size");
    cr_expect_eq(trine_context_create(NULL, NULL), TRINE_INVALID_ARGUMENT);
    char too_long[5000];
    memset(too_long, 'a', sizeof too_long);
    too_long[0] = '/';
    too_long[sizeof too_long - 1] = 0;
    params = (trine_context_params)TRINE_CONTEXT_PARAMS_INIT;
    params.backend_dir = too_long;
    expect_refused(params, TRINE_INVALID_ARGUMENT, "longest path");
}

Test(context, older_callers_get_defaults)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context;
    params.struct_size = sizeof(size_t);
    params.simulate = "not looked at";
    setenv("TRINE_BACKEND_DIR", "/nowhere", 1);
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    cr_expect_eq(trine_device_count(context), 1);
    trine_context_destroy(&context);
    trine_context_destroy(&context);
    trine_context_destroy(NULL);
    cr_expect(!context);
}

Test(context, reads_the_environment_once)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context;
    setenv("TRINE_SIMULATE", "hip:3=gfx950", 1);
    setenv("TRINE_MASK", "mfma", 1);
    setenv("TRINE_LOG", "info", 1);
    params.no_modules = true;
    params.log = remember;
    params.log_cookie = messages;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    const trine_device *device = trine_device_find(context, (DLDevice){kDLROCM, 3});
    cr_assert(device);
    cr_expect(device->simulated);
    cr_expect_eq(strcmp(device->caps.name, "gfx950"), 0);
    cr_expect_eq(device->caps.has[TRINE_FEATURE_MFMA], TRINE_NATIVE);
    cr_expect_eq(device->caps.usable[TRINE_FEATURE_MFMA], TRINE_NONE);
    cr_expect(strstr(messages, "hip:3: gfx950"), "%s", messages);
    cr_expect_eq(trine_device_at(context, 0)->dl.device_type, kDLCPU);
    cr_expect(!trine_device_at(context, 2));
    cr_expect(!trine_device_find(context, (DLDevice){kDLROCM, 0}));
    trine_context_destroy(&context);

    params.ignore_environment = true;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK);
    cr_expect_eq(trine_device_count(context), 1);
    trine_context_destroy(&context);
    setenv("TRINE_LOG", "loud", 1);
    params.ignore_environment = false;
    expect_refused(params, TRINE_INVALID_ARGUMENT, "loud");
}

/* A folder without modules, and a file that is none, are logged and left out. */
Test(context, modules_that_do_not_open_are_left_out)
{
    char folder[] = "/tmp/trine-modules-XXXXXX", path[128];
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context;
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/trine_cuda.so", folder);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs("this is no library", file);
    fclose(file);
    params.ignore_environment = true;
    params.backend_dir = folder;
    params.log = remember;
    params.log_cookie = messages;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    cr_expect(strstr(messages, "trine_cuda.so does not open"), "%s", messages);
    trine_context_destroy(&context);
    remove(path);
    remove(folder);
}

static trine_status launch_one(const trine_launch *launch)
{
    return launch_mark(launch, 1);
}
static trine_status launch_two(const trine_launch *launch)
{
    return launch_mark(launch, 2);
}

Test(context, own_rows_come_first)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    trine_row rows[2] = {{.op = TRINE_OP_MOE_SUM, .name = "one", .launch = launch_one},
                         {.op = TRINE_OP_MOE_SUM, .name = "two", .launch = launch_two}};
    float y_data[2] = {3, 4}, out_data[1] = {0};
    int64_t y_shape[] = {1, 2, 1}, out_shape[] = {1, 1};
    DLTensor y = tensor_of(TRINE_F32, (DLDevice){kDLCPU, 0}, 3, y_shape, y_data);
    DLTensor out = tensor_of(TRINE_F32, (DLDevice){kDLCPU, 0}, 2, out_shape, out_data);
    trine_moe_sum_args args = TRINE_MOE_SUM_ARGS_INIT;
    args.y = &y;
    args.out = &out;
    cr_assert_eq(trine_moe_sum(context, NULL, &args), TRINE_OK);
    cr_expect_eq(out_data[0], 7);
    cr_assert_eq(trine_context_add_rows(context, rows, 2), TRINE_OK);
    cr_assert_eq(trine_moe_sum(context, NULL, &args), TRINE_OK);
    cr_expect_eq(out_data[0], 1, "the first added row is preferred");
    cr_expect_eq(strcmp(trine_row_at(context, TRINE_OP_MOE_SUM, 1)->name, "two"), 0);
    cr_expect_eq(trine_context_add_rows(context, rows, 1), TRINE_INVALID_ARGUMENT);
    cr_expect(strstr(trine_last_error(), "one already"), "%s", trine_last_error());
    trine_context_destroy(&context);
}

Test(context, refuses_rows_that_can_not_be)
{
    trine_context *context = context_with(NULL, NULL, NULL);
    const trine_row good = {.op = TRINE_OP_MOE_SUM, .name = "good", .launch = launch_one};
    trine_row bad[6] = {good, good, good, good, good, good};
    bad[0].op = TRINE_OP_COUNT;
    bad[1].backend = TRINE_BACKEND_COUNT;
    bad[2].name = "";
    bad[3].launch = NULL;
    bad[4].flags = TRINE_ROW_REFERENCE;
    bad[5].name = "reference";
    for (int i = 0; i < 6; i++) {
        trine_row batch[2] = {good, bad[i]};
        cr_expect_eq(trine_context_add_rows(context, batch, 2), TRINE_INVALID_ARGUMENT, "%d", i);
    }
    trine_row twice[2] = {good, good};
    cr_expect_eq(trine_context_add_rows(context, twice, 2), TRINE_INVALID_ARGUMENT);
    cr_expect_neq(strcmp(trine_row_at(context, TRINE_OP_MOE_SUM, 0)->name, "good"), 0,
                  "a refused batch adds nothing");
    cr_expect_eq(trine_context_add_rows(NULL, &good, 1), TRINE_INVALID_ARGUMENT);
    cr_expect_eq(trine_context_add_rows(context, NULL, 1), TRINE_INVALID_ARGUMENT);
    trine_context_destroy(&context);
}

Test(context, memory_of_host_and_simulated_devices)
{
    trine_context *context = context_with("cuda:0=sm_90", NULL, NULL);
    const DLDevice devices[] = {{kDLCPU, 0}, {kDLCUDA, 0}};
    for (int i = 0; i < 2; i++) {
        char from[] = "bytes", to[sizeof from];
        void *data = NULL;
        cr_assert_eq(trine_device_alloc(context, devices[i], sizeof from, &data), TRINE_OK);
        cr_expect_eq((uintptr_t)data % TRINE_WORKSPACE_ALIGNMENT, 0);
        cr_expect_eq(trine_device_copy(context, devices[i], data, from, sizeof from, true),
                     TRINE_OK);
        cr_expect_eq(trine_device_copy(context, devices[i], to, data, sizeof to, false), TRINE_OK);
        cr_expect_eq(strcmp(to, from), 0);
        cr_expect_eq(trine_device_copy(context, devices[i], NULL, data, 1, false),
                     TRINE_INVALID_ARGUMENT);
        cr_expect_eq(trine_device_synchronize(context, devices[i]), TRINE_OK);
        cr_expect_eq(trine_prepare(context, devices[i], -1), TRINE_OK);
        trine_device_free(context, devices[i], data);
        cr_expect_eq(trine_device_alloc(context, devices[i], SIZE_MAX, &data), TRINE_OUT_OF_MEMORY);
        cr_expect_eq(trine_device_alloc(context, devices[i], 1, NULL), TRINE_INVALID_ARGUMENT);
    }
    const DLDevice missing = {kDLROCM, 0};
    void *data;
    cr_expect_eq(trine_device_alloc(context, missing, 1, &data), TRINE_INVALID_DEVICE);
    cr_expect_eq(trine_device_copy(context, missing, &data, &data, 1, true), TRINE_INVALID_DEVICE);
    cr_expect_eq(trine_device_synchronize(context, missing), TRINE_INVALID_DEVICE);
    cr_expect_eq(trine_prepare(context, missing, -1), TRINE_INVALID_DEVICE);
    cr_expect_eq(trine_prepare(context, devices[0], TRINE_OP_COUNT), TRINE_INVALID_ARGUMENT);
    trine_device_free(context, missing, NULL);
    trine_context_destroy(&context);
}

Test(context, names_of_everything)
{
    for (int i = 0; i < TRINE_STATUS_COUNT; i++)
        cr_expect(*trine_status_name((trine_status)i) &&
                  strlen(trine_status_name((trine_status)i)));
    cr_expect_eq(strcmp(trine_status_name(TRINE_STATUS_COUNT), "unknown_status"), 0);
    for (int i = 0; i < TRINE_DTYPE_COUNT; i++) {
        cr_expect_eq(trine_dtype_from_dl(trine_dtype_to_dl((trine_dtype)i)), (trine_dtype)i);
        cr_expect(trine_dtype_size((trine_dtype)i) > 0);
    }
    cr_expect_eq(trine_dtype_size(TRINE_DTYPE_COUNT), 0);
    cr_expect_eq(trine_dtype_to_dl(TRINE_DTYPE_COUNT).bits, 0);
    cr_expect_eq(strcmp(trine_dtype_name(TRINE_DTYPE_COUNT), "unknown"), 0);
    cr_expect_eq(trine_dtype_from_dl((DLDataType){kDLFloat, 64, 1}), TRINE_DTYPE_COUNT);
    cr_expect_eq(trine_dtype_from_dl((DLDataType){kDLFloat, 32, 2}), TRINE_DTYPE_COUNT);
    for (int i = 0; i < TRINE_FEATURE_COUNT; i++)
        cr_expect(trine_feature_name((trine_feature)i) && trine_feature_doc((trine_feature)i));
    cr_expect(!trine_feature_name(TRINE_FEATURE_COUNT) && !trine_feature_doc(TRINE_FEATURE_COUNT));
    cr_expect_eq(strcmp(trine_backend_name(TRINE_BACKEND_HIP), "hip"), 0);
    cr_expect_eq(strcmp(trine_backend_name(TRINE_BACKEND_COUNT), "unknown"), 0);
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++)
        cr_expect_eq(trine_op_from_name(trine_op_describe(op)->name), op);
    cr_expect_eq(trine_op_from_name("conv2d"), -1);
    cr_expect_eq(trine_op_from_name(NULL), -1);
    cr_expect(!trine_op_describe(-1) && !trine_op_describe(TRINE_OP_COUNT));
    cr_expect(!trine_row_at(NULL, 0, 0));
    cr_expect_eq(trine_device_count(NULL), 0);
    cr_expect(strchr(trine_version(), '.'));
}
