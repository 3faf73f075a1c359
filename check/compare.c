// SPDX-License-Identifier: Apache-2.0
/* Comparing outputs. */
#include "check/compare.h"

#include "check/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const class_names[TRINE_ULP_CLASSES] = {"0",    "1",     "2",   "3-4",
                                                           "5-16", "17-64", ">64", "NaN"};

static int ulp_class(int64_t distance)
{
    return distance < 0     ? TRINE_ULP_NAN
           : distance == 0  ? TRINE_ULP_0
           : distance == 1  ? TRINE_ULP_1
           : distance == 2  ? TRINE_ULP_2
           : distance <= 4  ? TRINE_ULP_4
           : distance <= 16 ? TRINE_ULP_16
           : distance <= 64 ? TRINE_ULP_64
                            : TRINE_ULP_MORE;
}

void trine_comparison_histogram(const trine_comparison *comparison, char *text, size_t size)
{
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < TRINE_ULP_CLASSES && used < size; i++) {
        if (comparison->histogram[i])
            used += (size_t)snprintf(text + used, size - used, "%s%s: %" PRId64, used ? ", " : "",
                                     class_names[i], comparison->histogram[i]);
    }
}

/* "out[3, 17]" */
static size_t print_place(char *text, size_t size, const char *name, const trine_walk *walk)
{
    size_t used = (size_t)snprintf(text, size, "%s[", name);

    for (int32_t d = 0; d < walk->layout->rank && used < size; d++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%" PRId64, d ? ", " : "", walk->index[d]);
    if (used < size) used += (size_t)snprintf(text + used, size - used, "]");
    return used < size ? used : size - 1;
}

static trine_layout region(trine_dtype dtype, int32_t rank, const int64_t *shape,
                           const int64_t *stride)
{
    trine_layout layout = {.dtype = dtype, .rank = rank};

    for (int32_t d = 0; d < rank; d++) layout.shape[d] = shape[d];
    if (stride) {
        for (int32_t d = 0; d < rank; d++) layout.stride[d] = stride[d];
    } else {
        trine_layout_contiguous(&layout);
    }
    return layout;
}

static int64_t element_count(const trine_layout *layout)
{
    int64_t count = 1;

    for (int32_t d = 0; d < layout->rank; d++) count *= layout->shape[d];
    return count;
}

void trine_compare_exact(trine_comparison *comparison, const char *name, trine_dtype dtype,
                         int32_t rank, const int64_t *shape, trine_elements got,
                         trine_elements want)
{
    const size_t width = trine_dtype_size(dtype);
    const trine_layout ours = region(dtype, rank, shape, got.stride);
    const trine_layout theirs = region(dtype, rank, shape, want.stride);
    trine_walk a = trine_walk_begin(&ours), b = trine_walk_begin(&theirs);
    const int64_t count = element_count(&ours);

    for (int64_t i = 0; i < count; i++, trine_walk_next(&a), trine_walk_next(&b)) {
        const void *x = got.bytes + (size_t)a.offset * width;
        const void *y = want.bytes + (size_t)b.offset * width;
        comparison->compared++;
        if (trine_value_same(dtype, x, y)) {
            comparison->histogram[TRINE_ULP_0]++;
            continue;
        }
        const int64_t distance = trine_value_distance(dtype, x, y);
        /* +0 against -0 and NaN codes of a quantized format are wrong although no step apart. */
        comparison->histogram[distance == 0 ? TRINE_ULP_1 : ulp_class(distance)]++;
        if (comparison->wrong++ || comparison->first[0]) continue;
        const size_t used = print_place(comparison->first, sizeof comparison->first, name, &a);
        snprintf(comparison->first + used, sizeof comparison->first - used,
                 " is %s, must be %s, %" PRId64 " steps apart", trine_value_print(dtype, x).text,
                 trine_value_print(dtype, y).text, distance);
    }
}

bool trine_within_bound(trine_dtype dtype, double y, double value, double bound, double *used)
{
    const double largest = trine_value_largest(dtype);

    *used = 0;
    /* Without a bound nothing is known: infinities that partial sums reached may have met. */
    if (isnan(y) || isnan(value)) return isnan(y) && (isnan(value) || bound == INFINITY);
    if (isinf(y)) {
        if (isinf(value)) return (y > 0) == (value > 0);
        return y > 0 ? value + bound > largest : value - bound < -largest;
    }
    if (isinf(value)) return false;
    const double error = fabs(y - value);
    if (!(error <= bound)) {
        *used = INFINITY;
        return false;
    }
    *used = error > 0 ? error / bound : 0;
    return true;
}

void trine_compare_bounded(trine_comparison *comparison, const char *name, trine_dtype dtype,
                           int32_t rank, const int64_t *shape, trine_elements got,
                           const double *value, const double *bound)
{
    const size_t width = trine_dtype_size(dtype);
    const trine_layout ours = region(dtype, rank, shape, got.stride);
    trine_walk walk = trine_walk_begin(&ours);
    const int64_t count = element_count(&ours);

    for (int64_t i = 0; i < count; i++, trine_walk_next(&walk)) {
        const void *x = got.bytes + (size_t)walk.offset * width;
        uint8_t nearest[4];
        double used;
        const bool good =
            trine_within_bound(dtype, trine_value_get(dtype, x), value[i], bound[i], &used);
        comparison->compared++;
        trine_value_set(dtype, nearest, value[i]);
        const bool same = trine_value_same(dtype, x, nearest);
        comparison
            ->histogram[same ? TRINE_ULP_0 : ulp_class(trine_value_distance(dtype, x, nearest))]++;
        if (used > comparison->used) comparison->used = used;
        if (good || comparison->wrong++ || comparison->first[0]) continue;
        const size_t at = print_place(comparison->first, sizeof comparison->first, name, &walk);
        snprintf(comparison->first + at, sizeof comparison->first - at,
                 " is %s, must be %.9g +- %.3g (nearest %s), %" PRId64 " steps apart",
                 trine_value_print(dtype, x).text, value[i], bound[i],
                 trine_value_print(dtype, nearest).text, trine_value_distance(dtype, x, nearest));
    }
}
