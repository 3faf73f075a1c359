// SPDX-License-Identifier: Apache-2.0
/*
 * Two host threads on two streams of one device, in step: the same row at once, then different
 * ones. Each has tensors and workspace of its own; the contexts are shared.
 */
#include "tests/gpu/suite/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2 };

/* One call of one thread, with what its last launch left. */
typedef struct turn {
    suite_item *item;
    suite_data data;
    trine_call call;
    trine_outcome outcome;
    trine_status status;
    char error[300];
} turn;

typedef struct worker {
    suite *s;
    turn *turns; /* one for each item */
    size_t count, offset;
    long burst; /* launches of a turn before it waits */
    void *stream;
    pthread_barrier_t *barrier;
} worker;

static void take_turn(worker *w, turn *t)
{
    trine_exec exec = trine_call_exec(&t->call, t->item->deterministic ? TRINE_DETERMINISTIC : 0);

    exec.stream = w->stream;
    t->status = trine_call_upload(&t->call, TRINE_POISON_NAN);
    pthread_barrier_wait(w->barrier);
    for (long i = 0; i < w->burst && !t->status; i++)
        t->status = trine_op_run(t->item->context, &exec, t->item->row->op, &t->call.args);
    if (!t->status) t->status = w->s->module->stream_synchronize(w->s->ordinal, w->stream);
    if (!t->status) t->status = trine_call_fetch(&t->call, &t->outcome);
    if (t->status) snprintf(t->error, sizeof t->error, "%s", trine_last_error());
}

static void *work(void *argument)
{
    worker *w = argument;

    for (size_t i = 0; i < w->count; i++) take_turn(w, &w->turns[(i + w->offset) % w->count]);
    return NULL;
}

static void judge_turns(suite *s, worker *w, const char *what)
{
    char reason[600];

    for (size_t i = 0; i < w->count; i++) {
        turn *t = &w->turns[i];
        if (t->status)
            suite_fail(s, "%s, %s: %s", what, t->item->text, t->error);
        else if (!suite_judge(t->item, &t->data, &t->call, &t->outcome, 0, reason, sizeof reason))
            suite_fail(s, "%s, %s: %s", what, t->item->text, reason);
        else
            suite_pass(s);
        trine_outcome_destroy(&t->outcome);
    }
}

static void run_workers(suite *s, worker workers[THREADS], size_t offset, const char *what)
{
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    int started = 0;

    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        workers[i].barrier = &barrier;
        workers[i].offset = i ? offset : 0;
    }
    /* The first thread is this one: should the other not start, nobody waits at the barrier. */
    for (int i = 1; i < THREADS; i++)
        started += pthread_create(&threads[i], NULL, work, &workers[i]) == 0;
    if (started == THREADS - 1) {
        work(&workers[0]);
        for (int i = 1; i < THREADS; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < THREADS; i++) judge_turns(s, &workers[i], what);
    } else {
        suite_fail(s, "no second thread");
    }
    pthread_barrier_destroy(&barrier);
}

static void worker_destroy(suite *s, worker *w)
{
    for (size_t i = 0; i < w->count; i++) {
        trine_call_destroy(&w->turns[i].call);
        suite_data_destroy(&w->turns[i].data);
    }
    free(w->turns);
    if (w->stream) s->module->stream_destroy(s->ordinal, w->stream);
}

static trine_status worker_create(suite *s, const suite_items *items, uint64_t part, worker *w)
{
    trine_status status = s->module->stream_create(s->ordinal, &w->stream);

    w->s = s;
    w->burst = s->repeats < 20 ? s->repeats : 20;
    w->turns = calloc(items->count, sizeof *w->turns);
    if (!status && !w->turns) status = trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    for (size_t i = 0; i < items->count && !status; i++) {
        turn *t = &w->turns[i];
        t->item = items->items[i];
        status = suite_data_create(s, t->item, part, &t->data);
        if (status) break;
        status = trine_call_create(&t->call, &t->item->entry.plan, &t->data.data, t->item->context,
                                   s->target.device);
        if (status)
            suite_data_destroy(&t->data);
        else
            w->count++;
    }
    return status;
}

void suite_threads(suite *s)
{
    worker workers[THREADS] = {{0}};
    suite_items items;
    trine_status status = suite_find(s, 1, SUITE_APART, &items);

    if (status) {
        suite_fail(s, "%s", trine_last_error());
        return;
    }
    for (int i = 0; i < THREADS && !status; i++)
        status = worker_create(s, &items, 100 + (uint64_t)i, &workers[i]);
    if (status) {
        suite_fail(s, "%s", trine_last_error());
    } else if (items.count) {
        run_workers(s, workers, 0, "the same row on two streams");
        if (items.count > 1)
            run_workers(s, workers, items.count / 2, "different rows on two streams");
        suite_note(s, "%zu rows, %ld launches a turn", items.count, workers[0].burst);
    }
    for (int i = 0; i < THREADS; i++) worker_destroy(s, &workers[i]);
    suite_items_destroy(&items);
}
