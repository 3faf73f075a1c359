// SPDX-License-Identifier: Apache-2.0
/*
 * trine-gpu-suite: what a GPU backend must hold beyond single calls - graphs, streams, threads, bad
 * input, a lost device, tensors past 2^31 elements - for every op and row that it has. Rows are
 * found in the registry, calls are drawn by the checker; nothing here knows a row by name.
 */
#ifndef TRINE_TESTS_GPU_SUITE_H
#define TRINE_TESTS_GPU_SUITE_H

#include "backends/backend.h"
#include "check/cases.h"
#include "check/judge.h"

#define SUITE_NOTES 48

/* What a part came to. */
typedef struct suite_score {
    const char *name;
    long passed, failed, skipped;
    double seconds;
    char notes[SUITE_NOTES][600]; /* failures and reasons of skips, the first ones */
    int note_count;
} suite_score;

typedef struct suite {
    const char *device; /* "cuda:0" */
    const char *ops;    /* NULL, or names separated by commas */
    uint64_t seed;
    long cases;   /* of each row */
    long repeats; /* of each call whose bits must repeat */
    long divide;  /* the sizes of `big` */
    bool child;   /* the process that may lose its device */
    trine_target target;
    const trine_module *module;
    int ordinal;
    const char *no_graphs; /* why the runtime captures none; NULL when it does */
    suite_score *score;    /* of the part that runs */
} suite;

void suite_pass(suite *s);
void suite_fail(suite *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A thing that can't be seen here, and why. */
void suite_skip(suite *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of the part's report that counts as nothing. */
void suite_note(suite *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Passes when the call came to `status` and its sentence holds `says` (NULL: anything). */
bool suite_expect(suite *s, trine_status got, trine_status status, const char *says,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

bool suite_wants_op(const suite *s, int32_t op);
/* Has the op a row of the device's backend whose code is here? */
bool suite_has_rows(const suite *s, int32_t op);

/* ---------------------------------------------------------------- calls */

/* A drawn call that a row takes. */
typedef struct suite_item {
    const trine_row *row;
    trine_context *context; /* forces the row */
    trine_case entry;
    bool deterministic; /* the row takes it under TRINE_DETERMINISTIC too */
    char text[700];     /* "vector: per_token_group_quant ..." */
} suite_item;

typedef struct suite_items {
    suite_item **items;
    size_t count;
} suite_items;

enum {
    SUITE_APART = 1u << 0, /* nothing in place, nothing added onto: a second run gives the same */
    SUITE_WORKSPACE = 1u << 1, /* needs a workspace */
};

/* `count` calls with output for each row of each op on the device; rows that nothing was found for
 * are skipped by name. */
trine_status suite_find(suite *s, long count, unsigned properties, suite_items *items);
void suite_items_destroy(suite_items *items);
/* No dimension of the tensor is 0. */
bool suite_has_elements(const trine_plan *plan, int tensor);

/* A call with data of its own and what the reference makes of it. */
typedef struct suite_data {
    trine_data data;
    trine_oracle oracle;
} suite_data;

trine_status suite_data_create(suite *s, suite_item *item, uint64_t part, suite_data *data);
void suite_data_destroy(suite_data *data);

/* Judges a run; a sentence in `reason` when it is wrong. */
bool suite_judge(suite_item *item, suite_data *data, const trine_call *call,
                 const trine_outcome *outcome, int poison, char *reason, size_t size);
/* The same, of outputs alone: the call ran on another one's workspace. */
bool suite_judge_outputs(suite_item *item, suite_data *data, const trine_call *call,
                         const trine_outcome *outcome, int poison, char *reason, size_t size);
/* Do two runs on the same data and poison have the same bytes everywhere? */
bool suite_same(const trine_call *call, const trine_outcome *a, const trine_outcome *b);

/* Is every tensor's memory on the device as it was uploaded? */
bool suite_untouched(trine_call *call);

/* Poisons, launches, waits and fetches. `graph` NULL: a call on `stream`. */
trine_status suite_launch(suite *s, suite_item *item, trine_call *call, uint32_t flags, int poison,
                          void *stream, void *graph, trine_outcome *outcome);
/* Sets s->no_graphs. */
trine_status suite_try_capture(suite *s);
/* The same call as a graph; *graph is NULL when the status is not TRINE_OK. */
trine_status suite_capture(suite *s, trine_context *context, trine_call *call, uint32_t flags,
                           void *stream, void **graph);

/* ---------------------------------------------------------------- parts */

void suite_graphs(suite *s);
void suite_streams(suite *s);
void suite_order(suite *s);
void suite_threads(suite *s);
void suite_devices(suite *s);
void suite_refusals(suite *s);
void suite_pointers(suite *s);
void suite_empty(suite *s);
void suite_lost(suite *s);
void suite_big(suite *s);

#endif
