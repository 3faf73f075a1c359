// SPDX-License-Identifier: Apache-2.0
/* serve-mutants DEVICE STATE: trine check for many mutants in one process, because a GPU's context,
 * the cases and their reference take longer to make than most mutants to catch. ci/mutate compiles
 * it into the mutated copy and talks to it.
 *
 * In: OP ROW SEED CASES LEAST BYTES FROM GRID GRID_Y COUNT, then a line NUMBER UNITS for each
 * mutant. Each case runs without a mutant first, then with each one that no case has caught yet,
 * and without once more after each one that it catches: what a mutant breaks may stay broken.
 *
 * Out: "caught NUMBER REASON"; "broken CASE REASON" when a case fails without a mutant (it is left
 * out); "done CASES" at the end, with how many were compared; "lost CASE REASON" when the device
 * can't be used any more without a mutant having run, "tainted" when the case no longer passes
 * without: then this process ends, and ci/mutate begins another one. The file STATE holds the
 * number and the case that run: what to blame when this process ends or hangs. */
#include "check/suite.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 512

typedef struct mutant {
    char number[16], units[1024];
    bool caught;
} mutant;

typedef struct state {
    volatile int64_t number, at;
} state;

typedef struct session {
    const trine_target *target;
    state *state;
    mutant mutants[MOST];
    int count, current; /* -1: none */
    bool rechecks;      /* without a mutant after one that was caught */
    long compared;
} session;

static void set(const char *name, const char *value)
{
    if (strcmp(value, "-") == 0)
        unsetenv(name);
    else
        setenv(name, value, 1);
}

/* Chooses a mutant, or none. */
static void choose(session *s, int index)
{
    set("TRINE_MUTANT", index < 0 ? "-" : s->mutants[index].number);
    set("TRINE_MUTANT_UNITS", index < 0 ? "-" : s->mutants[index].units);
    s->state->number = index < 0 ? 0 : atoll(s->mutants[index].number);
}

static bool next(session *s)
{
    s->rechecks = false;
    do s->current++;
    while (s->current < s->count && s->mutants[s->current].caught);
    if (s->current < s->count) choose(s, s->current);
    return s->current < s->count;
}

static void say(const char *word, const char *subject, const char *reason)
{
    char text[200];

    snprintf(text, sizeof text, "%.199s", reason);
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = ' ';
    printf("%s %s %s\n", word, subject, text);
    fflush(stdout);
}

static bool again(void *cookie, int64_t number, const trine_result *result)
{
    session *s = cookie;
    const bool failed = result->verdict == TRINE_FAILED;
    char text[400];

    s->state->at = number;
    if (s->rechecks && failed) {
        say("tainted", "-", result->reason);
        exit(3);
    }
    if (s->current < 0) {
        snprintf(text, sizeof text, "%" PRId64, number);
        if (failed && trine_device_synchronize(s->target->context, s->target->device)) {
            say("lost", text, result->reason);
            exit(3);
        }
        if (failed) say("broken", text, result->reason);
        if (result->verdict != TRINE_PASSED) return false;
        s->compared++;
    } else if (failed && !s->rechecks) {
        snprintf(text, sizeof text, "case %" PRId64 ": %.300s", number, result->reason);
        say("caught", s->mutants[s->current].number, text);
        s->mutants[s->current].caught = s->rechecks = true;
        choose(s, -1);
        return true;
    }
    return next(s);
}

static bool begin_case(void *cookie)
{
    session *s = cookie;
    int alive = 0;

    for (int i = 0; i < s->count; i++) alive += !s->mutants[i].caught;
    s->current = -1;
    s->rechecks = false;
    choose(s, -1);
    return alive == 0;
}

int main(int count, char **words)
{
    static trine_target target;
    static trine_suite suite;
    static session s;
    char line[2048], op[64], row[64], grid[16], grid_y[16];
    const int file = count == 3 ? open(words[2], O_RDWR | O_CREAT, 0600) : -1;

    if (file < 0 || ftruncate(file, sizeof(state))) {
        fprintf(stderr, "serve-mutants: two arguments, a device and a file for the state\n");
        return 2;
    }
    s.state = mmap(NULL, sizeof(state), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (s.state == MAP_FAILED || trine_target_open(&target, words[1], NULL, 0)) {
        fprintf(stderr, "serve-mutants: %s\n", trine_last_error());
        return 2;
    }
    s.target = &target;
    while (fgets(line, sizeof line, stdin)) {
        unsigned long long seed;
        long long from;
        long cases, least;
        double bytes;
        if (sscanf(line, "%63s %63s %llu %ld %ld %lf %lld %15s %15s %d", op, row, &seed, &cases,
                   &least, &bytes, &from, grid, grid_y, &s.count) != 10 ||
            s.count > MOST)
            return 2;
        for (int i = 0; i < s.count; i++) {
            s.mutants[i].caught = false;
            if (!fgets(line, sizeof line, stdin) ||
                sscanf(line, "%15s %1023s", s.mutants[i].number, s.mutants[i].units) != 2)
                return 2;
        }
        set("TRINE_MUTANT_GRID", grid);
        set("TRINE_MUTANT_GRID_Y", grid_y);
        s.compared = 0;
        trine_suite_init(&suite, &target, trine_op_from_name(op));
        suite.cookie = &s;
        suite.again = again;
        suite.enough = begin_case;
        suite.seed = seed;
        suite.case_limit = suite.case_minimum = cases; /* more than it takes to cover all pairs */
        suite.row_minimum = least;
        suite.max_bytes = bytes;
        suite.from = from;
        suite.row = row;
        if (trine_suite_run(&suite, NULL)) return 2;
        choose(&s, -1);
        printf("done %ld\n", s.compared);
        fflush(stdout);
    }
    trine_target_close(&target);
    return 0;
}
