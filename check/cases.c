// SPDX-License-Identifier: Apache-2.0
/* Drawing cases by pairs. */
#include "check/cases.h"

#include "check/case_plan.h"
#include "check/hints.h"
#include "check/rng.h"
#include "check/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS = 80, GOOD_TRIALS = 8, GIVE_UP = 2 };

static const char *const size_names[TRINE_SIZE_CLASSES] = {"small", "odd", "tile", "large",
                                                           "empty"};
static const char *const layout_names[TRINE_LAYOUT_CLASSES] = {
    "packed", "strided", "pitched", "misaligned", "strided+misaligned", "broadcast", "outputs"};

/* ---------------------------------------------------------------- factors */

static trine_factor *add_factor(trine_cases *cases, trine_factor_kind kind, int index,
                                const char *format, const char *name)
{
    trine_factor *factor = &cases->factors[cases->factor_count];

    if (cases->factor_count == TRINE_MAX_FACTORS) return NULL;
    cases->factor_count++;
    *factor = (trine_factor){.kind = kind, .index = index};
    snprintf(factor->name, sizeof factor->name, format, name);
    return factor;
}

static void add_value(trine_factor *factor, double value)
{
    if (factor->count < TRINE_MAX_CHOICES) factor->values[factor->count++] = value;
}

static void add_tensor(trine_cases *cases, int index)
{
    const trine_tensor_description *tensor = &cases->op->tensors[index];
    trine_factor *factor;
    int forms = 1;

    for (const char *c = tensor->shape; *c; c++) forms += *c == ';';
    if (tensor->optional &&
        (factor = add_factor(cases, TRINE_FACTOR_HAS, index, "%s", tensor->name)) != NULL)
        factor->count = 2;
    if (forms > 1 &&
        (factor = add_factor(cases, TRINE_FACTOR_FORM, index, "%s.form", tensor->name)) != NULL)
        factor->count = forms > 4 ? 4 : forms;
    if (tensor->same_dtype && !tensor->or_f32) return;
    if (!(factor = add_factor(cases, TRINE_FACTOR_DTYPE, index, "%s.dtype", tensor->name))) return;
    if (tensor->same_dtype) {
        add_value(factor, -1); /* the same */
        add_value(factor, TRINE_F32);
    }
    for (int i = 0; i < TRINE_DTYPE_COUNT && !tensor->same_dtype; i++) {
        if (tensor->dtypes & TRINE_DTYPE_BIT(i)) add_value(factor, i);
    }
}

static void add_param(trine_cases *cases, int index)
{
    const trine_param_description *param = &cases->op->params[index];
    const trine_value_hint *hint = trine_value_hint_of(cases->op->op, param->name);
    trine_factor *factor = add_factor(cases, TRINE_FACTOR_PARAM, index, "%s", param->name);

    if (!factor) return;
    if (param->type == TRINE_PARAM_ENUM) {
        for (const trine_word *word = param->words; word->name; word++)
            add_value(factor, word->value);
    } else if (param->type == TRINE_PARAM_BOOL) {
        add_value(factor, 0);
        add_value(factor, 1);
    } else if (hint) {
        for (int32_t i = 0; i < hint->count; i++) add_value(factor, hint->values[i]);
    } else {
        add_value(factor, param->default_value);
        if (param->minimum > -1e9) add_value(factor, param->minimum);
    }
}

trine_status trine_cases_create(trine_cases *cases, int32_t op, uint64_t seed,
                                trine_context *context)
{
    trine_factor *factor;
    bool alias = false;

    memset(cases, 0, sizeof *cases);
    cases->op = trine_op_describe(op);
    cases->context = context;
    cases->seed = trine_rng_key_text(trine_rng_mix(seed), cases->op->name);
    cases->max_bytes = TRINE_CASE_BYTES;
    factor = add_factor(cases, TRINE_FACTOR_SIZE, 0, "%s", "size");
    factor->count = TRINE_SIZE_CLASSES;
    factor = add_factor(cases, TRINE_FACTOR_LAYOUT, 0, "%s", "layout");
    factor->count = TRINE_LAYOUT_CLASSES;
    factor = add_factor(cases, TRINE_FACTOR_PATTERN, 0, "%s", "pattern");
    for (int i = 0; i < TRINE_PATTERN_COUNT; i++) {
        if (trine_pattern_fits(cases->op, (trine_pattern)i)) add_value(factor, i);
    }
    for (int i = 0; i < cases->op->tensor_count; i++) alias |= cases->op->tensors[i].alias != NULL;
    if (alias) {
        factor = add_factor(cases, TRINE_FACTOR_IN_PLACE, 0, "%s", "in_place");
        factor->count = 2;
    }
    for (int i = 0; i < cases->op->tensor_count; i++) add_tensor(cases, i);
    for (int i = 0; i < cases->op->param_count; i++) add_param(cases, i);
    for (int i = 0; i < cases->factor_count; i++) {
        cases->factors[i].first = cases->choice_count;
        cases->choice_count += cases->factors[i].count;
    }
    const size_t size = (size_t)cases->choice_count * (size_t)cases->choice_count;
    cases->covered = calloc(size, 1);
    cases->tried = calloc(size, 1);
    if (cases->covered && cases->tried) return TRINE_OK;
    trine_cases_destroy(cases);
    return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
}

void trine_cases_destroy(trine_cases *cases)
{
    free(cases->covered);
    free(cases->tried);
    cases->covered = cases->tried = NULL;
}

/* ---------------------------------------------------------------- pairs */

/* A pair of choices (of different factors), by number; a < b. */
typedef struct pair {
    int factor[2], choice[2];
    size_t slot;
} pair;

static size_t slot_of(const trine_cases *cases, int f, int a, int g, int b)
{
    return (size_t)(cases->factors[f].first + a) * (size_t)cases->choice_count +
           (size_t)(cases->factors[g].first + b);
}

/* Walks all pairs; false at the end. Start with factor = {0, 1}, choice = {0, -1}. */
static bool next_pair(const trine_cases *cases, pair *p)
{
    if (++p->choice[1] >= cases->factors[p->factor[1]].count) {
        p->choice[1] = 0;
        if (++p->choice[0] >= cases->factors[p->factor[0]].count) {
            p->choice[0] = 0;
            if (++p->factor[1] >= cases->factor_count) {
                if (++p->factor[0] >= cases->factor_count - 1) return false;
                p->factor[1] = p->factor[0] + 1;
            }
        }
    }
    p->slot = slot_of(cases, p->factor[0], p->choice[0], p->factor[1], p->choice[1]);
    return true;
}

static const pair first_pair = {{0, 1}, {0, -1}, 0};

trine_coverage trine_cases_coverage(const trine_cases *cases)
{
    trine_coverage coverage = {0};
    pair p = first_pair;

    while (next_pair(cases, &p)) {
        coverage.pairs++;
        if (cases->covered[p.slot])
            coverage.covered++;
        else if (cases->tried[p.slot] >= GIVE_UP)
            coverage.refused++;
        else
            coverage.open++;
    }
    return coverage;
}

/* An uncovered pair among those that were asked for least. */
static bool pick_pair(const trine_cases *cases, trine_rng *rng, pair *chosen)
{
    pair p = first_pair;
    uint64_t seen = 0;
    int least = GIVE_UP;

    while (next_pair(cases, &p)) {
        const int tried = cases->tried[p.slot];
        if (cases->covered[p.slot] || tried > least || tried >= GIVE_UP) continue;
        if (tried < least) {
            least = tried;
            seen = 0;
        }
        if (trine_rng_draw(rng, ++seen) == 0) *chosen = p;
    }
    return seen > 0;
}

/* The dtype and form of a tensor that is not there mean nothing. */
static bool matters(const trine_cases *cases, const trine_case *entry, int factor)
{
    const trine_factor *f = &cases->factors[factor];

    return (f->kind != TRINE_FACTOR_DTYPE && f->kind != TRINE_FACTOR_FORM) ||
           entry->plan.present[f->index];
}

/* Counts the pairs of a case that did not occur yet; marks them if asked to. */
static int64_t new_pairs(const trine_cases *cases, const trine_case *entry, bool mark)
{
    int64_t count = 0;

    for (int f = 0; f < cases->factor_count; f++) {
        for (int g = f + 1; g < cases->factor_count && matters(cases, entry, f); g++) {
            if (!matters(cases, entry, g)) continue;
            uint8_t *covered =
                &cases->covered[slot_of(cases, f, entry->choice[f], g, entry->choice[g])];
            count += !*covered;
            if (mark) *covered = 1;
        }
    }
    return count;
}

/* Draws around a wanted pair (or none) and keeps the legal case with most new pairs. */
static bool draw(trine_cases *cases, const pair *wanted, trine_rng *rng, trine_case *best)
{
    int64_t best_score = -1;
    bool pinned[TRINE_MAX_FACTORS] = {false};
    int good = 0;
    trine_case trial;

    for (int i = 0; wanted && i < 2; i++) pinned[wanted->factor[i]] = true;
    for (int t = 0; t < TRIALS && good < GOOD_TRIALS; t++) {
        memset(&trial, 0, sizeof trial);
        for (int f = 0; f < cases->factor_count; f++)
            trial.choice[f] = (uint8_t)trine_rng_draw(rng, (uint64_t)cases->factors[f].count);
        /* Empty problems tell little: seldom. */
        if (trial.choice[0] == TRINE_SIZE_EMPTY && trine_rng_draw(rng, 4))
            trial.choice[0] = (uint8_t)trine_rng_draw(rng, TRINE_SIZE_EMPTY);
        for (int i = 0; wanted && i < 2; i++)
            trial.choice[wanted->factor[i]] = (uint8_t)wanted->choice[i];
        trial.key = trine_rng_key(rng->key, rng->next);
        if (!trine_case_plan(cases, &trial, pinned)) continue;
        if (wanted && (!matters(cases, &trial, wanted->factor[0]) ||
                       !matters(cases, &trial, wanted->factor[1])))
            continue; /* legal, but a tensor of the pair is not there */
        good++;
        const int64_t score = new_pairs(cases, &trial, false);
        if (score > best_score) {
            best_score = score;
            *best = trial;
        }
    }
    return good > 0;
}

bool trine_cases_next(trine_cases *cases, trine_case *entry)
{
    trine_rng rng = {.key = trine_rng_key(cases->seed, (uint64_t)cases->drawn), .next = 0};
    pair wanted;
    bool found = false;

    for (int attempt = 0; attempt < 16 && !found && pick_pair(cases, &rng, &wanted); attempt++) {
        found = draw(cases, &wanted, &rng, entry);
        if (!found) cases->tried[wanted.slot]++;
    }
    if (!found) found = draw(cases, NULL, &rng, entry);
    if (!found) return false;
    entry->number = cases->drawn++;
    new_pairs(cases, entry, true);
    return true;
}

/* The choice that a call has when nothing is said of it. */
static int default_choice(const trine_cases *cases, const trine_factor *factor)
{
    if (factor->kind != TRINE_FACTOR_PARAM) return 0;
    for (int c = 0; c < factor->count; c++)
        if ((float)factor->values[c] == (float)cases->op->params[factor->index].default_value)
            return c;
    return 0;
}

/* Does a row's own table rule out this choice of a factor? */
static bool ruled_out(const trine_row *row, const trine_factor *factor, int choice)
{
    const double value = factor->values[choice];
    uint32_t mask = 0;

    if (row && factor->kind == TRINE_FACTOR_DTYPE) mask = row->dtypes[factor->index];
    if (row && factor->kind == TRINE_FACTOR_PARAM) mask = row->params[factor->index];
    return mask && value >= 0 && value < 32 && !(mask >> (int)value & 1);
}

/* Of how many plain cases does one draw the factor, instead of taking its default? None of a dtype,
 * a form, an optional tensor and the first param of several words, which says what the op does, is
 * the usual one; other words are few, and whole numbers are sizes of a kind. */
static uint64_t plain_rarity(const trine_cases *cases, const trine_factor *factor)
{
    switch (factor->kind) {
    case TRINE_FACTOR_SIZE:
    case TRINE_FACTOR_PATTERN:
    case TRINE_FACTOR_DTYPE:
    case TRINE_FACTOR_FORM:
    case TRINE_FACTOR_HAS:
        return 1;
    case TRINE_FACTOR_PARAM: {
        const trine_param_type type = cases->op->params[factor->index].type;
        if (type == TRINE_PARAM_ENUM && factor->index == 0) return 1;
        return type == TRINE_PARAM_ENUM || type == TRINE_PARAM_BOOL || type == TRINE_PARAM_INT ? 2
                                                                                               : 4;
    }
    default:
        return 2;
    }
}

/* Draws until the row allows it, which it may not do at all. */
static int plain_choice(const trine_cases *cases, const trine_factor *factor, const trine_row *row,
                        trine_rng *rng)
{
    const bool drawn = trine_rng_draw(rng, plain_rarity(cases, factor)) == 0;
    int choice =
        drawn ? (int)trine_rng_draw(rng, (uint64_t)factor->count) : default_choice(cases, factor);

    for (int i = 0; i < 32 && ruled_out(row, factor, choice); i++)
        choice = (int)trine_rng_draw(rng, (uint64_t)factor->count);
    return choice;
}

bool trine_cases_plain(const trine_cases *cases, int64_t n, const trine_row *row, trine_case *entry)
{
    const bool pinned[TRINE_MAX_FACTORS] = {false};
    trine_rng rng = {.key = trine_rng_key(trine_rng_key_text(cases->seed, "plain"), (uint64_t)n),
                     .next = 0};

    memset(entry, 0, sizeof *entry);
    for (int f = 0; f < cases->factor_count; f++) {
        entry->choice[f] = (uint8_t)plain_choice(cases, &cases->factors[f], row, &rng);
    }
    /* The first factor is the size. Most empty problems tell nothing; but where a sum is empty
     * there is something to write. */
    if (entry->choice[0] == TRINE_SIZE_EMPTY && trine_rng_draw(&rng, 4))
        entry->choice[0] = TRINE_SIZE_TILE;
    entry->key = trine_rng_key(rng.key, rng.next);
    entry->number = TRINE_PLAIN_CASES + n;
    return trine_case_plan(cases, entry, pinned);
}

/* ---------------------------------------------------------------- names */

void trine_choice_name(const trine_cases *cases, int factor, int choice, char *text, size_t size)
{
    const trine_factor *f = &cases->factors[factor];
    const double value = f->values[choice];

    switch (f->kind) {
    case TRINE_FACTOR_SIZE:
        snprintf(text, size, "%s", size_names[choice]);
        return;
    case TRINE_FACTOR_LAYOUT:
        snprintf(text, size, "%s", layout_names[choice]);
        return;
    case TRINE_FACTOR_PATTERN:
        snprintf(text, size, "%s", trine_pattern_name((trine_pattern)value));
        return;
    case TRINE_FACTOR_DTYPE:
        snprintf(text, size, "%s", value < 0 ? "same" : trine_dtype_name((trine_dtype)value));
        return;
    case TRINE_FACTOR_IN_PLACE:
    case TRINE_FACTOR_HAS:
        snprintf(text, size, "%s", choice ? "yes" : "no");
        return;
    case TRINE_FACTOR_FORM:
        snprintf(text, size, "%d", choice);
        return;
    case TRINE_FACTOR_PARAM:
        break;
    }
    const trine_param_description *param = &cases->op->params[f->index];
    snprintf(text, size, "%g", value);
    if (param->type == TRINE_PARAM_BOOL) snprintf(text, size, "%s", value != 0 ? "true" : "false");
    for (const trine_word *word = param->words;
         param->type == TRINE_PARAM_ENUM && word && word->name; word++) {
        if (word->value == (int32_t)value) snprintf(text, size, "%s", word->name);
    }
}

bool trine_choice_covered(const trine_cases *cases, int factor, int choice)
{
    for (int g = 0; g < cases->factor_count; g++) {
        for (int b = 0; g != factor && b < cases->factors[g].count; b++) {
            const size_t slot = g > factor ? slot_of(cases, factor, choice, g, b)
                                           : slot_of(cases, g, b, factor, choice);
            if (cases->covered[slot]) return true;
        }
    }
    return false;
}

bool trine_case_matches(const trine_cases *cases, const trine_case *entry, const char *name,
                        const char *value)
{
    char text[64];

    for (int f = 0; f < cases->factor_count; f++) {
        if (strcmp(cases->factors[f].name, name) != 0) continue;
        trine_choice_name(cases, f, entry->choice[f], text, sizeof text);
        return strcmp(text, value) == 0;
    }
    return false;
}
