// SPDX-License-Identifier: Apache-2.0
/*
 * One context, many threads: calls that succeed, calls that are refused, and context creation
 * beside them. For ThreadSanitizer, under which the test framework does not start; without it the
 * program still checks that results and last errors do not mix.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trine/trine.h>

enum { THREADS = 4, ROUNDS = 200, M = 3, K = 8, H = 40 };

static trine_context *context;

static DLTensor tensor(float *data, int rank, int64_t *shape)
{
    DLTensor t;
    memset(&t, 0, sizeof t);
    t.data = data;
    t.device = (DLDevice){kDLCPU, 0};
    t.ndim = rank;
    t.dtype = trine_dtype_to_dl(TRINE_F32);
    t.shape = shape;
    return t;
}

static void *work(void *cookie)
{
    intptr_t number = (intptr_t)cookie, failures = 0;
    int64_t y_shape[] = {M, K, H}, out_shape[] = {M, H}, bad_shape[] = {M, H + 1 + number};
    float y_data[M * K * H], out_data[M * H];
    char expected[64];
    for (int i = 0; i < M * K * H; i++) y_data[i] = (float)number;
    DLTensor y = tensor(y_data, 3, y_shape), out = tensor(out_data, 2, out_shape);
    DLTensor bad = tensor(out_data, 2, bad_shape);
    trine_moe_sum_args args = TRINE_MOE_SUM_ARGS_INIT;
    args.y = &y;
    snprintf(expected, sizeof expected, "%ld", (long)(H + 1 + number));
    for (int round = 0; round < ROUNDS; round++) {
        args.out = &out;
        if (trine_moe_sum(context, NULL, &args)) failures++;
        for (int i = 0; i < M * H; i++) failures += out_data[i] != (float)(K * number);
        args.out = &bad;
        if (trine_moe_sum(context, NULL, &args) != TRINE_INVALID_SHAPE) failures++;
        failures += !strstr(trine_last_error(), expected);
        if (round % 50 == 0) {
            trine_context *own = NULL;
            trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
            params.no_modules = true;
            if (trine_context_create(&params, &own)) failures++;
            trine_context_destroy(&own);
        }
    }
    return (void *)failures;
}

int main(void)
{
    pthread_t threads[THREADS];
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    params.no_modules = true;
    if (trine_context_create(&params, &context)) {
        printf("%s\n", trine_last_error());
        return 1;
    }
    intptr_t failures = 0;
    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i)) return 1;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        failures += (intptr_t)result;
    }
    trine_context_destroy(&context);
    printf("%d passed, %ld failed\n", failures ? 0 : THREADS, (long)failures);
    return failures != 0;
}
