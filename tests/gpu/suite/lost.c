// SPDX-License-Identifier: Apache-2.0
/*
 * A device that fails for good: a kernel is given an address that is no memory. The process must
 * learn of it, keep the reason, fail at once from then on, and go on without the device. It happens
 * in a child process, which is lost with its device.
 */
#include "tests/gpu/suite/suite.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Aligned for any kernel, and below what an operating system maps. */
#define NO_MEMORY ((void *)(uintptr_t)0x1000)

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The first input with elements is read from nowhere. The launch may succeed: the device learns of
 * the fault when the kernel runs. */
static trine_status break_device(suite *s, suite_item *item, trine_call *call)
{
    const trine_op_description *op = call->plan->op;
    const trine_exec exec = trine_call_exec(call, 0);
    trine_status status = TRINE_OK;

    for (int i = 0; i < op->tensor_count; i++) {
        trine_tensor *tensor = &call->tensors[i];
        if (!tensor->image || !tensor->count || op->tensors[i].role != TRINE_IN) continue;
        const DLTensor kept = tensor->dl;
        tensor->dl.data = NO_MEMORY;
        status = trine_op_run(item->context, &exec, item->row->op, &call->args);
        tensor->dl = kept;
        break;
    }
    if (status && status != TRINE_DEVICE_LOST) return status;
    return status ? status : trine_device_synchronize(item->context, s->target.device);
}

/* Everything that needs the device fails, fast, with the first reason; the CPU does not care. */
static void live_without(suite *s, suite_item *item, suite_data *data, trine_call *call,
                         const char *reason)
{
    const trine_exec exec = trine_call_exec(call, 0);
    trine_context *fresh = NULL;
    void *memory = NULL;
    char byte = 0;
    double slowest = 0;

    for (int i = 0; i < 10; i++) {
        const double begin = now();
        const trine_status status = trine_op_run(item->context, &exec, item->row->op, &call->args);
        if (now() - begin > slowest) slowest = now() - begin;
        suite_expect(s, status, TRINE_DEVICE_LOST, reason, "a later call");
    }
    if (slowest > 0.05)
        suite_fail(s, "a later call took %.3f s to fail", slowest);
    else
        suite_note(s, "later calls fail within %.0f us", 1e6 * slowest);
    suite_expect(s, trine_device_synchronize(item->context, s->target.device), TRINE_DEVICE_LOST,
                 reason, "a later synchronize");
    suite_expect(s, trine_device_alloc(item->context, s->target.device, 256, &memory),
                 TRINE_DEVICE_LOST, reason, "a later allocation");
    suite_expect(
        s,
        trine_device_copy(item->context, s->target.device, call->tensors[0].base, &byte, 1, true),
        TRINE_DEVICE_LOST, reason, "a later copy");
    suite_expect(s, trine_prepare(item->context, s->target.device, item->row->op),
                 TRINE_DEVICE_LOST, NULL, "a later prepare");

    /* Another context of the process has the same device, if it still has it. */
    if (trine_context_create(NULL, &fresh)) {
        suite_fail(s, "a new context: %s", trine_last_error());
    } else if (trine_device_find(fresh, s->target.device)) {
        suite_expect(s, trine_op_run(fresh, &exec, item->row->op, &call->args), TRINE_DEVICE_LOST,
                     reason, "a later call in a new context");
    } else {
        suite_note(s, "a new context leaves the device out");
    }
    trine_context_destroy(&fresh);

    suite_expect(s,
                 trine_op_run(s->target.oracle, NULL, data->oracle.call.plan->op->op,
                              &data->oracle.call.args),
                 TRINE_OK, NULL, "a call on the cpu");
}

/* The name of the driver's error in "moe_sum: cudaErrorIllegalAddress: ...". */
static void error_name(const char *sentence, char *name, size_t size)
{
    const char *at = strstr(sentence, "cudaError");

    if (!at) at = strstr(sentence, "hipError");
    snprintf(name, size, "%.*s", at ? (int)strcspn(at, " :,;)(") : 0, at ? at : "");
}

static void lose(suite *s, suite_item *item)
{
    suite_data data;
    trine_call call;
    trine_outcome outcome;
    char reason[64];

    if (suite_data_create(s, item, 11, &data) ||
        trine_call_create(&call, &item->entry.plan, &data.data, item->context, s->target.device) ||
        trine_call_run(&call, item->context, TRINE_POISON_NAN, 0, &outcome)) {
        suite_fail(s, "%s: %s", item->text, trine_last_error());
        return;
    }
    suite_expect(s, outcome.status, TRINE_OK, NULL, "%s before", item->text);
    const trine_status status = break_device(s, item, &call);
    if (suite_expect(s, status, TRINE_DEVICE_LOST, NULL, "%s with an input at %p", item->text,
                     NO_MEMORY)) {
        suite_note(s, "%s", trine_last_error());
        error_name(trine_last_error(), reason, sizeof reason);
        if (!reason[0]) suite_fail(s, "\"%s\" names no driver error", trine_last_error());
        live_without(s, item, &data, &call, reason);
    }
    /* Frees memory of a lost device: an error that nobody sees, and no crash. */
    trine_outcome_destroy(&outcome);
    trine_call_destroy(&call);
    suite_data_destroy(&data);
}

static void lose_in_this_process(suite *s)
{
    suite_items items;

    if (suite_find(s, 1, SUITE_APART, &items)) {
        suite_fail(s, "%s", trine_last_error());
        return;
    }
    if (items.count) lose(s, items.items[0]);
    suite_items_destroy(&items);
}

/* ---------------------------------------------------------------- the child */

/* This program again, for this part alone; its output comes through a pipe. */
static pid_t start_child(suite *s, int *from)
{
    int pipes[2];

    if (pipe(pipes)) return -1;
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        if (s->ops)
            execl("/proc/self/exe", "trine-gpu-suite", "--device", s->device, "--part", "lost",
                  "--in-child", "--ops", s->ops, (char *)NULL);
        else
            execl("/proc/self/exe", "trine-gpu-suite", "--device", s->device, "--part", "lost",
                  "--in-child", (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    if (child < 0) close(pipes[0]);
    *from = pipes[0];
    return child;
}

/* Takes over what the child counted and noted; false when it did not say. */
static bool read_child(suite *s, int from)
{
    char line[1200];
    long passed, failed, skipped;
    bool counted = false;
    FILE *stream = fdopen(from, "r");

    if (!stream) return false;
    while (fgets(line, sizeof line, stream)) {
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, "%ld passed, %ld failed, %ld skipped", &passed, &failed, &skipped) == 3) {
            s->score->passed += passed;
            s->score->failed += failed;
            s->score->skipped += skipped;
            counted = true;
        } else if (strncmp(line, "    ", 4) == 0) {
            suite_note(s, "%s", line + 4);
        }
    }
    fclose(stream);
    return counted;
}

void suite_lost(suite *s)
{
    int from = -1, status = 0;

    if (s->child) {
        lose_in_this_process(s);
        return;
    }
    fflush(stdout);
    const pid_t child = start_child(s, &from);
    if (child < 0) {
        suite_fail(s, "no child process");
        return;
    }
    const bool counted = read_child(s, from);
    waitpid(child, &status, 0);
    if (!WIFEXITED(status))
        suite_fail(s, "the process that lost its device ended by signal %d", WTERMSIG(status));
    else if (!counted || WEXITSTATUS(status) > 1)
        suite_fail(s, "the process that lost its device ended with status %d and %s counts",
                   WEXITSTATUS(status), counted ? "its" : "no");
}
