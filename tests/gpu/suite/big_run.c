// SPDX-License-Identifier: Apache-2.0
/* A large call that repeats a small one's rows. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/compare.h"
#include "check/settle.h"
#include "tests/gpu/suite/big.h"

/* A tensor of the large call. Its bytes repeat every `period` bytes. */
typedef struct big_tensor {
    DLTensor dl;
    void *memory;
    size_t size, period;
    void *block; /* what it repeats: an input's values, or what an output must be */
} big_tensor;

typedef struct big_call {
    suite *s;
    const big_spec *spec;
    trine_plan small, large;
    trine_data data; /* the small call's */
    trine_oracle oracle;
    bool judged; /* the oracle is there */
    big_tensor tensors[TRINE_MAX_TENSORS];
    trine_args args;
    void *stream, *workspace;
    size_t workspace_size;
    uint8_t *chunk;
} big_call;

enum { CHUNK = 64 << 20, WINDOW = 4 << 20 };

/* ---------------------------------------------------------------- plans */

static trine_status make_plan(suite *s, const big_spec *spec, int64_t size, trine_plan *plan)
{
    char shape[160], words[300];
    trine_request request = {
        .op = spec->op, .shape = shape, .dtype = spec->dtype, .with = spec->with};
    char *rest = words;

    snprintf(shape, sizeof shape, "%s=%" PRId64 "%s%s", spec->letter, size, spec->shape ? "," : "",
             spec->shape ? spec->shape : "");
    snprintf(words, sizeof words, "%s", spec->params ? spec->params : "");
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
        char *equals = strchr(word, '=');
        *equals = 0;
        request.names[request.param_count] = word;
        request.values[request.param_count++] = equals + 1;
    }
    return trine_plan_from_request(plan, &request, TRINE_E4M3FN, s->target.context,
                                   s->target.device);
}

static size_t layout_bytes(const trine_layout *layout)
{
    return (size_t)trine_layout_extent(layout) * trine_dtype_size(layout->dtype);
}

/* The large tensor must be the small one going on: the sizes differ in the outermost one alone. */
static trine_status check_shapes(const big_call *c)
{
    for (int i = 0; i < c->small.op->tensor_count; i++) {
        const trine_layout *a = &c->small.layout[i], *b = &c->large.layout[i];
        bool grew = false;
        if (!c->small.present[i]) continue;
        for (int32_t d = 0; d < a->rank; d++) {
            if (grew && a->shape[d] != b->shape[d])
                return trine_fail(TRINE_INVALID_SHAPE, "%s grows in dimension %d",
                                  c->small.op->tensors[i].name, d);
            grew = grew || a->shape[d] != 1 || b->shape[d] != 1;
        }
        if (!trine_layout_is_contiguous(a) || !trine_layout_is_contiguous(b))
            return trine_fail(TRINE_INVALID_LAYOUT, "%s is not row-major",
                              c->small.op->tensors[i].name);
    }
    return TRINE_OK;
}

/* ---------------------------------------------------------------- data */

/* Small calls name experts below `period`; in the large call each becomes one that repeats it, in
 * the last, the first and the middle ones by turns. */
static void spread_experts(const big_call *c, int tensor, int32_t *ids, bool large)
{
    const int64_t period = c->spec->small,
                  all = c->large.layout[trine_plan_tensor(c->large.op, "w1")].shape[0];
    const int64_t turns = all / period;
    const int64_t places[] = {turns - 1, 0, turns / 2, turns - 2, turns * 3 / 4};
    const trine_layout *layout = &c->small.layout[tensor];

    for (int64_t i = 0; i < layout->shape[0] * layout->shape[1]; i++) {
        ids[i] = (int32_t)(((ids[i] % period) + period) % period);
        if (large) ids[i] += (int32_t)(period * places[i % 5]);
    }
}

static trine_status make_data(big_call *c)
{
    const int ids = trine_plan_tensor(c->small.op, "topk_ids");
    const trine_pattern pattern = c->spec->exact_data ? TRINE_PATTERN_EXACT : TRINE_PATTERN_NORMAL;
    trine_status status;

    if (c->spec->exact_data && !trine_exact_possible(&c->small))
        return trine_fail(TRINE_UNSUPPORTED, "no exact data for this call");
    status = trine_generate(&c->small, pattern, c->s->seed, &c->data);
    if (!status && c->spec->experts) spread_experts(c, ids, c->data.values[ids], false);
    if (!status) status = trine_oracle_create(&c->oracle, &c->s->target, &c->small, &c->data);
    c->judged = !status;
    return status;
}

/* ---------------------------------------------------------------- memory */

trine_status big_fill(suite *s, void *stream, void *memory, size_t size, const void *block,
                      size_t block_size)
{
    uint8_t *to = memory;
    size_t filled = block_size < size ? block_size : size;
    trine_status status =
        trine_device_copy(s->target.context, s->target.device, to, block, filled, true);

    while (!status && filled < size) {
        const size_t more = filled < size - filled ? filled : size - filled;
        status = s->module->device_copy(s->ordinal, stream, to + filled, to, more);
        filled += more;
    }
    return status ? status : s->module->stream_synchronize(s->ordinal, stream);
}

static trine_status fill_poison(big_call *c, big_tensor *t)
{
    memset(c->chunk, TRINE_POISON_NAN, WINDOW);
    return big_fill(c->s, c->stream, t->memory, t->size + BIG_TAIL, c->chunk, WINDOW);
}

static trine_status make_tensor(big_call *c, int index)
{
    const trine_layout *layout = &c->large.layout[index];
    big_tensor *t = &c->tensors[index];
    trine_tensor *small = &c->oracle.call.tensors[index];
    trine_status status;

    t->size = layout_bytes(layout);
    t->period = layout_bytes(&c->small.layout[index]);
    t->block = malloc(t->period + 1);
    if (!t->block) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    status = trine_device_alloc(c->s->target.context, c->s->target.device, t->size + BIG_TAIL,
                                &t->memory);
    if (status) return status;
    t->dl = (DLTensor){.data = t->memory,
                       .ndim = layout->rank,
                       .dtype = trine_dtype_to_dl(layout->dtype),
                       .shape = c->large.layout[index].shape};
    t->dl.device = c->s->target.device;
    const DLTensor *dl = &t->dl;
    memcpy(c->args.bytes + c->large.op->tensors[index].offset, &dl, sizeof dl);
    if (c->large.op->tensors[index].role == TRINE_OUT) {
        trine_tensor_gather(small, c->oracle.outcome[0].images[index], t->block);
        return TRINE_OK;
    }
    memcpy(t->block, c->data.values[index], t->period);
    if (c->spec->experts && index == trine_plan_tensor(c->large.op, "topk_ids"))
        spread_experts(c, index, t->block, true);
    return big_fill(c->s, c->stream, t->memory, t->size, t->block, t->period);
}

static void big_destroy(big_call *c)
{
    for (int i = 0; i < TRINE_MAX_TENSORS; i++) {
        trine_device_free(c->s->target.context, c->s->target.device, c->tensors[i].memory);
        free(c->tensors[i].block);
    }
    trine_device_free(c->s->target.context, c->s->target.device, c->workspace);
    if (c->stream) c->s->module->stream_destroy(c->s->ordinal, c->stream);
    if (c->judged) trine_oracle_destroy(&c->oracle);
    trine_data_destroy(&c->data);
    free(c->chunk);
}

static trine_status big_create(big_call *c, suite *s, const big_spec *spec, int64_t divide)
{
    const int64_t least = 3 * spec->small + 17, divided = spec->large / divide;
    trine_status status = make_plan(s, spec, spec->small, &c->small);

    c->s = s;
    c->spec = spec;
    if (!status)
        status = make_plan(s, spec, divide > 1 && divided < least ? least : divided, &c->large);
    if (!status) status = check_shapes(c);
    if (!status) status = make_data(c);
    c->chunk = malloc(CHUNK);
    if (!status && !c->chunk) status = trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    if (!status) status = s->module->stream_create(s->ordinal, &c->stream);
    c->args = c->large.args;
    for (int i = 0; i < c->large.op->tensor_count && !status; i++)
        if (c->large.present[i]) status = make_tensor(c, i);
    if (!status)
        status =
            trine_plan_validate(&c->large, s->target.context, s->target.device, &c->workspace_size);
    if (!status && c->workspace_size)
        status = trine_device_alloc(s->target.context, s->target.device, c->workspace_size,
                                    &c->workspace);
    return status;
}

/* ---------------------------------------------------------------- comparison */

/* Bytes [at, at + size) of an output, in the chunk, against what they repeat. The sentence of the
 * first wrong element goes to `reason`. */
static bool compare_bytes(big_call *c, int index, size_t at, size_t size, char *reason,
                          size_t reason_size)
{
    const big_tensor *t = &c->tensors[index];
    const trine_layout *layout = &c->large.layout[index];
    const size_t width = trine_dtype_size(layout->dtype);

    for (size_t done = 0; done < size;) {
        const size_t from = (at + done) % t->period;
        const size_t part = t->period - from < size - done ? t->period - from : size - done;
        const uint8_t *got = c->chunk + done, *want = (const uint8_t *)t->block + from;
        if (memcmp(got, want, part) != 0) {
            /* NaNs of other bits are the same NaN: the checker knows. */
            const int64_t count = (int64_t)(part / width);
            trine_comparison comparison = {0};
            trine_compare_exact(&comparison, c->large.op->tensors[index].name, layout->dtype, 1,
                                &count, (trine_elements){got, NULL}, (trine_elements){want, NULL});
            if (comparison.wrong) {
                snprintf(reason, reason_size, "counted from element %zu of %zu: %s",
                         (at + done) / width, t->size / width, comparison.first);
                return false;
            }
        }
        done += part;
    }
    return true;
}

static bool compare_range(big_call *c, int index, size_t from, size_t to, char *reason,
                          size_t reason_size)
{
    const big_tensor *t = &c->tensors[index];

    if (to > t->size) to = t->size;
    for (size_t at = from; at < to; at += CHUNK) {
        const size_t size = to - at < CHUNK ? to - at : CHUNK;
        if (trine_device_copy(c->s->target.context, c->s->target.device, c->chunk,
                              (uint8_t *)t->memory + at, size, false)) {
            snprintf(reason, reason_size, "%s", trine_last_error());
            return false;
        }
        if (!compare_bytes(c, index, at, size, reason, reason_size)) return false;
    }
    return true;
}

/* A window around `place`, a byte of the output. */
static bool compare_window(big_call *c, int index, size_t place, char *reason, size_t size)
{
    const size_t width = trine_dtype_size(c->large.layout[index].dtype);
    const size_t from = place > WINDOW / 2 ? (place - WINDOW / 2) / width * width : 0;

    return place > c->tensors[index].size + WINDOW ||
           compare_range(c, index, from, from + WINDOW, reason, size);
}

/* The ends, both sides of 2^31 elements and bytes, and of 65535 tiles of 1 to 256 rows. */
static bool compare_windows(big_call *c, int index, char *reason, size_t size)
{
    const big_tensor *t = &c->tensors[index];
    const size_t width = trine_dtype_size(c->large.layout[index].dtype);
    const size_t row = t->size / (size_t)c->large.layout[index].shape[0];
    bool good = compare_window(c, index, 0, reason, size) &&
                compare_window(c, index, t->size, reason, size);

    for (int bit = 31; bit < 35 && good; bit++)
        good = compare_window(c, index, (size_t)1 << bit, reason, size) &&
               compare_window(c, index, width << bit, reason, size);
    for (size_t tile = 1; tile <= 256 && good; tile *= 2)
        good = compare_window(c, index, 65535 * tile * row, reason, size);
    return good;
}

static bool compare_output(big_call *c, int index, bool full, char *reason, size_t size)
{
    const big_tensor *t = &c->tensors[index];
    const bool good = full ? compare_range(c, index, 0, t->size, reason, size)
                           : compare_windows(c, index, reason, size);

    if (!good) return false;
    if (trine_device_copy(c->s->target.context, c->s->target.device, c->chunk,
                          (uint8_t *)t->memory + t->size, BIG_TAIL, false)) {
        snprintf(reason, size, "%s", trine_last_error());
        return false;
    }
    for (int i = 0; i < BIG_TAIL; i++) {
        if (c->chunk[i] == TRINE_POISON_NAN) continue;
        snprintf(reason, size, "wrote byte %d behind the end", i);
        return false;
    }
    return true;
}

/* ---------------------------------------------------------------- running */

static bool run_row(big_call *c, const trine_row *row, bool full, char *reason, size_t size)
{
    trine_exec exec = TRINE_EXEC_INIT;
    trine_context *context = NULL;
    trine_status status = trine_target_force(&c->s->target, row->op, row->name, &context);

    exec.stream = c->stream;
    exec.workspace = c->workspace;
    exec.workspace_size = c->workspace_size;
    for (int i = 0; i < c->large.op->tensor_count && !status; i++)
        if (c->large.present[i] && c->large.op->tensors[i].role == TRINE_OUT)
            status = fill_poison(c, &c->tensors[i]);
    if (!status) status = trine_op_run(context, &exec, row->op, &c->args);
    if (!status) status = c->s->module->stream_synchronize(c->s->ordinal, c->stream);
    if (status) {
        snprintf(reason, size, "%s", trine_last_error());
        return false;
    }
    for (int i = 0; i < c->large.op->tensor_count; i++)
        if (c->large.present[i] && c->large.op->tensors[i].role == TRINE_OUT &&
            !compare_output(c, i, full, reason, size))
            return false;
    return true;
}

static void run_rows(big_call *c, double begin, double until)
{
    suite *s = c->s;
    const trine_row *rows[64];
    size_t count = 0, total = 0;
    int selected;
    char reason[600], names[300] = "";
    const double ready = big_now();
    bool full = true;

    for (int i = 0; i < c->large.op->tensor_count; i++) total += c->tensors[i].size;
    if (trine_accepting_rows(&s->target, &c->large, 0, rows, 64, &count, &selected, reason,
                             sizeof reason)) {
        suite_fail(s, "%s, %s: %s", c->spec->op, c->spec->what, trine_last_error());
        return;
    }
    if (!count) suite_fail(s, "%s, %s: no row takes it: %s", c->spec->op, c->spec->what, reason);
    for (size_t i = 0; i < count; i++) {
        full = big_now() < until;
        strncat(names, names[0] ? ", " : "", sizeof names - strlen(names) - 1);
        strncat(names, rows[i]->name, sizeof names - strlen(names) - 1);
        if (run_row(c, rows[i], full, reason, sizeof reason))
            suite_pass(s);
        else
            suite_fail(s, "%s, %s, row %s: %s", c->spec->op, c->spec->what, rows[i]->name, reason);
    }
    suite_note(s, "%s, %s: %.1f GB of tensors by %s, %s (%.1f s to make, %.1f s to run)",
               c->spec->op, c->spec->what, 1e-9 * (double)(total + c->workspace_size), names,
               full ? "all compared" : "in part by windows", ready - begin, big_now() - ready);
}

void big_run(suite *s, const big_spec *spec, int64_t divide, double until)
{
    const double begin = big_now();
    big_call *c = calloc(1, sizeof *c);

    if (!c) {
        suite_fail(s, "out of memory");
        return;
    }
    c->s = s;
    const trine_status status = big_create(c, s, spec, divide);
    if (status == TRINE_OUT_OF_MEMORY)
        suite_skip(s, "%s, %s: %s", spec->op, spec->what, trine_last_error());
    else if (status)
        suite_fail(s, "%s, %s: %s", spec->op, spec->what, trine_last_error());
    else
        run_rows(c, begin, until);
    big_destroy(c);
    free(c);
}
