// SPDX-License-Identifier: Apache-2.0
/* serve-mutants DEVICE: what `trine check --first` would say with one mutant after the other, all in one process, because a
 * GPU's context takes longer to make than most mutants to catch. ci/mutate compiles it into the mutated copy and talks to it.
 *
 * A line in: NUMBER UNITS OP ROW SEED CASES GRID GRID_Y. A line out: "caught REASON", "passed CASES", "idle" (nothing was
 * compared) or "error REASON". What a mutant breaks may stay broken: after each one that is caught a few cases run without; a
 * line "clean" says that they pass, else this process ends, and ci/mutate begins a new one. */
#define _POSIX_C_SOURCE 200112L
#include "check/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct finding {
    bool failed;
    char reason[240];
} finding;

static void on_failure(void *cookie, const trine_failure *failure)
{
    finding *found = cookie;

    if (!found->failed)
        snprintf(found->reason, sizeof found->reason, "%s, case %lld: %.180s", failure->row, (long long)failure->number, failure->reason);
    found->failed = true;
}

static bool has_failed(void *cookie) { return ((finding *)cookie)->failed; }

/* Cases that were compared, -1 when the suite could not run. */
static long run(trine_target *target, int32_t op, const char *row, unsigned long long seed, long cases, finding *found)
{
    static trine_suite suite;

    memset(found, 0, sizeof *found);
    trine_suite_init(&suite, target, op);
    suite.failed = on_failure;
    suite.enough = has_failed;
    suite.cookie = found;
    suite.seed = seed;
    suite.case_limit = cases;
    suite.row = row;
    return trine_suite_run(&suite, NULL) ? -1 : suite.passed;
}

static void set(const char *name, const char *value)
{
    if (strcmp(value, "-") == 0)
        unsetenv(name);
    else
        setenv(name, value, 1);
}

int main(int count, char **words)
{
    static trine_target target;
    char line[4096], number[32], units[2048], op_name[64], row[64], grid[32], grid_y[32];
    unsigned long long seed;
    long cases;

    if (count != 2 || trine_target_open(&target, words[1], NULL, 0)) {
        fprintf(stderr, "serve-mutants: %s\n", count == 2 ? trine_last_error() : "one argument, the device");
        return 2;
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        finding found;
        if (sscanf(line, "%31s %2047s %63s %63s %llu %ld %31s %31s", number, units, op_name, row, &seed, &cases, grid, grid_y) != 8) return 2;
        const int32_t op = trine_op_from_name(op_name);
        set("TRINE_MUTANT", number);
        set("TRINE_MUTANT_UNITS", units);
        set("TRINE_MUTANT_GRID", grid);
        set("TRINE_MUTANT_GRID_Y", grid_y);
        const long passed = run(&target, op, row, seed, cases, &found);
        for (char *c = found.reason; *c; c++)
            if (*c == '\n') *c = ' ';
        if (found.failed)
            printf("caught %s\n", found.reason);
        else if (passed < 0)
            printf("error %s\n", trine_last_error());
        else if (passed == 0)
            puts("idle");
        else
            printf("passed %ld\n", passed);
        fflush(stdout);
        if (!found.failed) continue;
        set("TRINE_MUTANT", "-");
        set("TRINE_MUTANT_GRID", "-");
        set("TRINE_MUTANT_GRID_Y", "-");
        if (run(&target, op, row, 1, 6, &found) < 0 || found.failed) return 3;
        puts("clean");
        fflush(stdout);
    }
    trine_target_close(&target);
    return 0;
}
