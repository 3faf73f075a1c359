// SPDX-License-Identifier: Apache-2.0
/* trine-gpu-suite: the parts of the GPU backend suite, one line each. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/gpu/suite/suite.h"

enum { GOOD = 0, BAD = 1, USAGE = 2, NOTHING = 77 };

static const struct {
    const char *name, *doc;
    void (*run)(suite *s);
    bool asked; /* only when it is named, or --big is given */
} parts[] = {
    {"graphs", "each row captured once, replayed with changed inputs and repeatedly", suite_graphs,
     false},
    {"streams", "the same by plain launches on a stream", suite_streams, false},
    {"order", "calls and kernels back to back on one stream and in one graph", suite_order, false},
    {"threads", "two host threads on two streams, same rows and different ones", suite_threads,
     false},
    {"devices", "a second device: calls there, tensors and streams of two", suite_devices, false},
    {"refusals", "the refusals of the CPU's tests: same statuses, nothing written", suite_refusals,
     false},
    {"pointers", "memory, alignment and capture that do not fit", suite_pointers, false},
    {"empty", "no output elements: success and no launch", suite_empty, false},
    {"lost", "a device that fails for good, in a child process", suite_lost, false},
    {"big", "tensors past 2^31 elements and 65535 tiles", suite_big, true},
};
enum { PARTS = sizeof parts / sizeof *parts };

static void usage(FILE *stream)
{
    fputs("trine-gpu-suite --device cuda:0|hip:0 [--part A,B] [--ops A,B] [--cases N] [--repeats N]"
          "\n                [--seed N] [--big] [--divide N] [--json FILE]\n"
          "What a GPU backend must hold beyond single calls, for every op and row it has.\n\n"
          "  --device D    the device (cuda:0)\n"
          "  --part L      only these parts\n"
          "  --ops L       only these ops\n"
          "  --cases N     drawn calls of each row (3)\n"
          "  --repeats N   repeats of a call whose bits must agree (250)\n"
          "  --seed N      calls and data follow from it (1)\n"
          "  --big         the part `big` as well: about 20 GB of device memory\n"
          "  --divide N    divide the sizes of `big`: tries the part where it does not fit (1)\n"
          "  --json FILE   write the counts there\n\nparts:\n",
          stream);
    for (int i = 0; i < PARTS; i++) fprintf(stream, "  %-9s %s\n", parts[i].name, parts[i].doc);
    fputs("\nEnds with 'N passed, N failed, N skipped'. Status 0: something passed and nothing "
          "failed; 1; 77: no such device.\n",
          stream);
}

static bool listed(const char *list, const char *name)
{
    const size_t length = strlen(name);

    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length])) return true;
    return false;
}

static bool names_known(const char *list, bool ops)
{
    char name[64];

    while (list && *list) {
        const size_t length = strcspn(list, ",");
        bool known = false;
        snprintf(name, sizeof name, "%.*s", (int)length, list);
        for (int i = 0; i < PARTS && !ops; i++) known = known || !strcmp(parts[i].name, name);
        if (!known && !(ops && trine_op_from_name(name) >= 0)) {
            fprintf(stderr, "trine-gpu-suite: no %s is named \"%s\"\n", ops ? "op" : "part", name);
            return false;
        }
        list += length + (list[length] == ',');
    }
    return true;
}

typedef struct options {
    const char *parts, *json;
    bool big, help;
} options;

static bool number(const char *text, long least, long *value)
{
    char *end;

    *value = strtol(text, &end, 10);
    return *text && !*end && *value >= least;
}

static bool read_options(int argc, char **argv, suite *s, options *o)
{
    long seed = 1;

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        bool good = true, takes = true;
        if (!strcmp(name, "--device")) {
            s->device = value;
        } else if (!strcmp(name, "--part")) {
            o->parts = value;
            good = *value && names_known(value, false);
        } else if (!strcmp(name, "--ops")) {
            s->ops = value;
            good = *value && names_known(value, true);
        } else if (!strcmp(name, "--json")) {
            o->json = value;
            good = *value;
        } else if (!strcmp(name, "--cases")) {
            good = number(value, 1, &s->cases);
        } else if (!strcmp(name, "--repeats")) {
            good = number(value, 1, &s->repeats);
        } else if (!strcmp(name, "--divide")) {
            good = number(value, 1, &s->divide);
        } else if (!strcmp(name, "--seed")) {
            good = number(value, 0, &seed);
            s->seed = (uint64_t)seed;
        } else {
            takes = false;
            if (!strcmp(name, "--big"))
                o->big = true;
            else if (!strcmp(name, "--in-child"))
                s->child = true;
            else if (!strcmp(name, "--help") || !strcmp(name, "-h"))
                o->help = true;
            else
                good = false;
        }
        if (!good) {
            fprintf(stderr, "trine-gpu-suite: %s%s%s\n", name, takes ? " " : " is no option",
                    takes ? value : "");
            return false;
        }
        i += takes;
    }
    return true;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_part(suite *s, int part, suite_score *score)
{
    const double begin = now();

    *score = (suite_score){.name = parts[part].name};
    s->score = score;
    parts[part].run(s);
    score->seconds = now() - begin;
    if (!score->passed && !score->failed && !score->skipped)
        suite_skip(s, "there was nothing to run");
    printf("%-7s %-9s %ld passed, %ld failed, %ld skipped (%.1f s)\n",
           score->failed   ? "FAILED"
           : score->passed ? "passed"
                           : "skipped",
           score->name, score->passed, score->failed, score->skipped, score->seconds);
    for (int i = 0; i < score->note_count; i++) printf("    %s\n", score->notes[i]);
    fflush(stdout);
}

static bool write_json(const suite *s, const suite_score *scores, int count, const char *path)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++) {
        json_t *notes = json_array();
        for (int n = 0; n < scores[i].note_count; n++)
            json_array_append_new(notes, json_string(scores[i].notes[n]));
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:I, s:f, s:o}", "part", scores[i].name, "passed",
                            (json_int_t)scores[i].passed, "failed", (json_int_t)scores[i].failed,
                            "skipped", (json_int_t)scores[i].skipped, "seconds", scores[i].seconds,
                            "notes", notes));
    }
    json_t *root = json_pack("{s:s, s:s, s:I, s:o}", "device", s->device, "name",
                             s->target.info->caps.name, "seed", (json_int_t)s->seed, "parts", list);
    const bool good = root && json_dump_file(root, path, JSON_INDENT(1)) == 0;
    json_decref(root);
    if (!good) fprintf(stderr, "trine-gpu-suite: %s can't be written\n", path);
    return good;
}

static int run_parts(suite *s, const options *o)
{
    static suite_score scores[PARTS];
    long passed = 0, failed = 0, skipped = 0;
    int count = 0;

    for (int i = 0; i < PARTS; i++) {
        if (o->parts ? !listed(o->parts, parts[i].name) : parts[i].asked && !o->big) continue;
        run_part(s, i, &scores[count]);
        passed += scores[count].passed;
        failed += scores[count].failed;
        skipped += scores[count++].skipped;
    }
    const bool written = !o->json || write_json(s, scores, count, o->json);
    printf("%ld passed, %ld failed, %ld skipped\n", passed, failed, skipped);
    return passed && !failed && written ? GOOD : BAD;
}

int main(int argc, char **argv)
{
    suite s = {.device = "cuda:0", .seed = 1, .cases = 3, .repeats = 250, .divide = 1};
    options o = {0};

    if (!read_options(argc, argv, &s, &o)) {
        usage(stderr);
        return USAGE;
    }
    if (o.help) {
        usage(stdout);
        return GOOD;
    }
    const trine_status status = trine_target_open(&s.target, s.device, NULL, 0);
    if (status) {
        fprintf(stderr, "trine-gpu-suite: %s\n0 passed, 0 failed, 0 skipped\n", trine_last_error());
        return status == TRINE_INVALID_DEVICE ? NOTHING : USAGE;
    }
    s.module = trine_device_module(s.target.context, s.target.device);
    s.ordinal = s.target.device.device_id;
    if (!s.module) {
        fprintf(stderr, "trine-gpu-suite: %s is no GPU\n", s.device);
        trine_target_close(&s.target);
        return USAGE;
    }
    if (suite_try_capture(&s)) {
        fprintf(stderr, "trine-gpu-suite: %s\n", trine_last_error());
        trine_target_close(&s.target);
        return BAD;
    }
    const int code = run_parts(&s, &o);
    trine_target_close(&s.target);
    return code;
}
