// SPDX-License-Identifier: Apache-2.0
#include "ops/select.h"

#include <stdio.h>
#include <string.h>

#include "ops/tuned.h"

/* Writes a reason when one is wanted; always false, so that refusals read as one line. */
__attribute__((format(printf, 3, 4))) static bool refuse(char *reason, size_t size,
                                                         const char *format, ...)
{
    if (reason) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(reason, size, format, arguments);
        va_end(arguments);
    }
    return false;
}

static const char *support_name(trine_feature feature, unsigned support)
{
    bool atomic =
        feature == TRINE_FEATURE_ATOMIC_ADD_F32 || feature == TRINE_FEATURE_ATOMIC_ADD_F16X2 ||
        feature == TRINE_FEATURE_ATOMIC_ADD_BF16X2 ||
        feature == TRINE_FEATURE_ATOMIC_ADD_SCALAR16 ||
        feature == TRINE_FEATURE_SHARED_ATOMIC_F32 || feature == TRINE_FEATURE_SHARED_ATOMIC_BF16X2;
    if (support == TRINE_NATIVE) return "native";
    if (support == TRINE_EMULATED) return atomic ? "by compare-and-swap" : "emulated";
    return "none";
}

static bool features_accept(const trine_context *context, const trine_context_row *row,
                            const trine_caps *caps, char *reason, size_t size)
{
    uint64_t wanted = row->row.needs | row->row.needs_any;
    for (int f = 0; wanted >> f; f++) {
        if (!(wanted >> f & 1)) continue;
        bool native = row->row.needs >> f & 1;
        /* An engine's own row brings its own code: what this build was compiled for says nothing.
         */
        unsigned support = row->added ? caps->has[f] : caps->usable[f];
        if (row->added && context->mask.features >> f & 1) support = TRINE_NONE;
        if (support >= (native ? TRINE_NATIVE : TRINE_EMULATED)) continue;
        const char *why = "";
        if (support < caps->has[f])
            why = context->mask.features >> f & 1 ? " (masked)" : " (not in this build's code)";
        return refuse(reason, size, "needs %s%s; %s has it %s%s",
                      trine_feature_name((trine_feature)f), native ? " native" : "", caps->name,
                      support_name((trine_feature)f, support), why);
    }
    return true;
}

static bool limits_accept(const trine_row *row, const trine_caps *caps, char *reason, size_t size)
{
    if (row->shared_memory > caps->limits.max_shared_memory)
        return refuse(reason, size, "needs %u bytes of shared memory a block; %s has %u",
                      row->shared_memory, caps->name, caps->limits.max_shared_memory);
    if (row->wave_width && row->wave_width != caps->limits.wave_width)
        return refuse(reason, size, "is written for waves of %u; %s has %u", row->wave_width,
                      caps->name, caps->limits.wave_width);
    return true;
}

static bool tensors_accept(const trine_row *row, const trine_selection_query *query, char *reason,
                           size_t size)
{
    const trine_op_description *d = &query->entry->description;
    for (int i = 0; i < d->tensor_count; i++) {
        const trine_view *view = &query->views[i];
        if (!trine_view_present(view)) continue;
        if (row->dtypes[i] && !(row->dtypes[i] & TRINE_DTYPE_BIT(view->dtype)))
            return refuse(reason, size, "does not take %s in %s", trine_dtype_name(view->dtype),
                          d->tensors[i].name);
        if (row->alignment && (uintptr_t)view->data % row->alignment)
            return refuse(reason, size, "needs %s aligned to %u bytes", d->tensors[i].name,
                          row->alignment);
    }
    return true;
}

static bool params_accept(const trine_row *row, const trine_selection_query *query, char *reason,
                          size_t size)
{
    const trine_op_description *d = &query->entry->description;
    for (int i = 0; i < d->param_count; i++) {
        if (!row->params[i]) continue;
        int32_t value;
        memcpy(&value, (const char *)query->args + d->params[i].offset, sizeof value);
        if (row->params[i] >> value & 1) continue;
        char text[48] = "";
        if (reason) trine_args_get_param(d->op, query->args, d->params[i].name, text, sizeof text);
        return refuse(reason, size, "does not take %s = %s", d->params[i].name, text);
    }
    return true;
}

/* Rows of other backends are no candidates at all. On a simulated device the reference stands in
 * where no row of its backend is registered for the op, and wherever it is asked for by name. */
static bool candidate(const trine_context *context, const trine_context_row *row,
                      const trine_selection_query *query, const char *forced)
{
    trine_backend backend = query->caps->backend;
    if (row->row.backend == backend) return true;
    if (!query->simulated || !(row->row.flags & TRINE_ROW_REFERENCE)) return false;
    if (forced && !strcmp(forced, row->row.name)) return true;
    for (size_t i = 0; i < context->row_count[row->row.op]; i++)
        if (context->rows[row->row.op][i]->row.backend == backend) return false;
    return true;
}

static const char *forced_row(const trine_context *context, int32_t op)
{
    for (size_t i = context->forced_count; i-- > 0;)
        if (context->forced[i].op == op || context->forced[i].op < 0) return context->forced[i].row;
    return NULL;
}

bool trine_row_accepts(const trine_context *context, const trine_context_row *entry,
                       const trine_selection_query *query, char *reason, size_t size)
{
    const trine_row *row = &entry->row;
    const char *forced = forced_row(context, row->op);
    if (!candidate(context, entry, query, forced))
        return refuse(reason, size, "runs on %s devices; %s is not one",
                      trine_backend_name(row->backend), query->caps->name);
    if (forced && strcmp(forced, row->name)) return refuse(reason, size, "%s is forced", forced);
    /* Standing in on a simulated device, the reference is held to no gate. */
    if (row->backend == query->caps->backend) {
        if (!entry->added && !query->caps->compiled)
            return refuse(reason, size, "this build holds no code for %s", query->caps->name);
        if (!features_accept(context, entry, query->caps, reason, size) ||
            !limits_accept(row, query->caps, reason, size))
            return false;
    }
    if (!tensors_accept(row, query, reason, size) || !params_accept(row, query, reason, size))
        return false;
    if (query->flags & TRINE_DETERMINISTIC && !(row->flags & TRINE_ROW_DETERMINISTIC))
        return refuse(reason, size, "is not deterministic, which exec.flags asks for");
    const char *unordered = query->flags & TRINE_DETERMINISTIC && query->entry->nondeterministic
                                ? query->entry->nondeterministic(query->problem)
                                : NULL;
    if (unordered)
        return refuse(reason, size, "%s, which exec.flags' deterministic rules out", unordered);
    if (!query->simulated && !query->absent && !row->launch)
        return refuse(reason, size, "the %s module is not loaded",
                      trine_backend_name(row->backend));
    const char *why = row->refuse ? row->refuse(query->problem, query->caps) : NULL;
    return why ? refuse(reason, size, "%s", why) : true;
}

/* The row that a list of measured preferences has for this call, if it takes it. */
static const trine_context_row *tuned_row(const trine_context *context,
                                          const trine_selection_query *query,
                                          const trine_tuned *list, size_t count)
{
    int32_t op = query->entry->description.op;
    const char *name = NULL;
    double bytes = -1;
    for (size_t i = 0; !name && i < count; i++) {
        const trine_tuned *tuned = &list[i];
        if (tuned->op != op || strcmp(tuned->device, query->caps->name)) continue;
        if (bytes < 0) bytes = query->entry->cost(query->problem).bytes;
        if (bytes >= tuned->min_bytes && bytes < tuned->max_bytes) name = tuned->row;
    }
    for (size_t i = 0; name && i < context->row_count[op]; i++) {
        const trine_context_row *row = context->rows[op][i];
        if (!strcmp(row->row.name, name) && trine_row_accepts(context, row, query, NULL, 0))
            return row;
    }
    return NULL;
}

static const trine_context_row *choose(const trine_context *context,
                                       const trine_selection_query *query)
{
    int32_t op = query->entry->description.op;
    const trine_context_row *row = tuned_row(context, query, context->tuned, context->tuned_count);
    trine_context_row *const *rows = context->rows[op];
    size_t i = 0, count = context->row_count[op];
    for (; !row && i < count && rows[i]->added; i++)
        if (trine_row_accepts(context, rows[i], query, NULL, 0)) row = rows[i];
    if (!row) row = tuned_row(context, query, trine_builtin_tuned, trine_builtin_tuned_count);
    for (; !row && i < count; i++)
        if (trine_row_accepts(context, rows[i], query, NULL, 0)) row = rows[i];
    return row;
}

/* One sentence with the reason of every candidate, the likeliest first; of a forced one alone. */
static void refusal_report(const trine_context *context, const trine_selection_query *query)
{
    const trine_op_description *d = &query->entry->description;
    const char *forced = forced_row(context, d->op);
    char text[400] = "", reason[160];
    size_t used = 0;
    for (size_t i = 0; i < context->row_count[d->op]; i++) {
        const trine_context_row *row = context->rows[d->op][i];
        if (!candidate(context, row, query, forced)) continue;
        if (forced && strcmp(forced, row->row.name)) continue;
        trine_row_accepts(context, row, query, reason, sizeof reason);
        int n = snprintf(text + used, sizeof text - used, "%s%s %s", used ? "; " : "",
                         row->row.name, reason);
        if (n < 0 || (size_t)n >= sizeof text - used) break;
        used += (size_t)n;
    }
    char ending[160] = "";
    if (forced)
        snprintf(ending, sizeof ending, "%.100s is forced%s", forced,
                 used ? "" : ", and none is called that");
    else if (!used)
        snprintf(ending, sizeof ending, "none is registered");
    trine_fail(TRINE_UNSUPPORTED, "%s: no kernel for this call on %s: %s%s%s", d->name,
               query->caps->name, text, used && forced ? "; " : "", ending);
}

const trine_context_row *trine_select(const trine_context *context,
                                      const trine_selection_query *query)
{
    const trine_context_row *row = choose(context, query);
    if (!row) refusal_report(context, query);
    return row;
}

size_t trine_select_explain(const trine_context *context, const trine_selection_query *query,
                            trine_explanation *entries, size_t capacity)
{
    int32_t op = query->entry->description.op;
    const trine_context_row *chosen = choose(context, query);
    size_t count = context->row_count[op];
    for (size_t i = 0; i < count && i < capacity; i++) {
        const trine_context_row *row = context->rows[op][i];
        trine_explanation *entry = &entries[i];
        memset(entry, 0, sizeof *entry);
        entry->row = row->row.name;
        entry->backend = row->row.backend;
        entry->accepts =
            trine_row_accepts(context, row, query, entry->reason, sizeof entry->reason);
        entry->runs = row == chosen;
        if (entry->accepts && !entry->runs)
            snprintf(entry->reason, sizeof entry->reason, "would run; %s is preferred",
                     chosen->row.name);
    }
    return count;
}
