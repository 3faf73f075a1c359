// SPDX-License-Identifier: Apache-2.0
// Walks all 2^32 f32 inputs (or every N-th, --stride N) through the elementary functions, the
// activations and the conversions:
//  - exp, sigmoid, tanh, erf against a double-precision libm; the largest error in ulp is printed
//  and held to the limit;
//  - scalar code against the same loops vectorized for AVX2 and AVX-512 (every block), and against
//  the baseline's code, where an fma
//    is a slow library call (every 16th block): no bit may differ;
//  - a digest of all results, to be compared with a device's (elementary_device.cu reads this
//  program's output).
// Exits with 1 when a limit is passed or a bit differs, with 2 when it could not run.
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numerics/portable.h"
#include "sweep_digest.h"
#include "sweep_loops.h"

#define BLOCK      4096
#define BASE_EVERY 16

static const char *const names[TRINE_SWEEP_COUNT] = {
    "exp",  "sigmoid", "tanh",   "erf",      "silu", "gelu_erf", "gelu_tanh",
    "bf16", "f16",     "e4m3fn", "e4m3fnuz", "e5m2", "ue8m0",
};

static const double limits[TRINE_SWEEP_ELEMENTARY] = {2.0, 4.0, 4.0, 4.0};

struct result {
    double worst;       // ulp
    uint32_t worst_at;  // input bits
    uint64_t digest;    // sum of the digests of all (input, output)
    uint64_t compared;  // inputs held to a true value
    uint64_t differing; // outputs of a wider loop that differ from the scalar one's
    uint32_t differing_at;
};

// 1 / (the distance of neighbouring f32 around the true value v), v not above 2^128.
static double ulps_per_unit(double v)
{
    uint64_t u;
    memcpy(&u, &v, sizeof u);
    uint64_t e = u >> 52 & 0x7ff; // biased by 1023
    if (e < 1023 - 126) e = 1023 - 126;
    if (e > 1023 + 127) e = 1023 + 127;
    u = (2 * 1023 + 23 - e) << 52;
    memcpy(&v, &u, sizeof v);
    return v;
}

// Where libm would only be slow, the first terms of the series or the limit stand for it: what they
// leave out is below 2^-50 of the value, or below 2^-1000.
static double true_exp(double x)
{
    if (fabs(x) < 0x1p-26) return 1.0 + x;
    if (x < -700) return 0.0;
    return x > 100 ? 0x1p130 : exp(x);
}

static double true_sigmoid(double x)
{
    if (fabs(x) < 0x1p-20) return 0.5 + x / 4;
    if (x > 40) return 1.0;
    double e = true_exp(-fabs(x));
    return (x < 0 ? e : 1.0) / (1.0 + e);
}

static double true_tanh(double x)
{
    if (fabs(x) < 0x1p-12) return x - x * x * x / 3;
    if (fabs(x) > 20) return copysign(1.0, x);
    return tanh(x);
}

static double true_erf(double x)
{
    const double two_over_sqrt_pi = 1.1283791670955125739;
    if (fabs(x) < 0x1p-8) {
        double z = x * x;
        return two_over_sqrt_pi * (x - x * z * (1.0 / 3 - z * (1.0 / 10 - z / 42)));
    }
    if (fabs(x) > 6) return copysign(1.0, x);
    return erf(x);
}

static double true_value(int f, double x)
{
    switch (f) {
    case TRINE_SWEEP_EXP:
        return true_exp(x);
    case TRINE_SWEEP_SIGMOID:
        return true_sigmoid(x);
    case TRINE_SWEEP_TANH:
        return true_tanh(x);
    default:
        return true_erf(x);
    }
}

// Error of y in ulp; 1e30 where no distance says it (NaN, a wrong Inf, a wrong sign of zero).
static double error_in_ulp(int f, float x, float y)
{
    const double wrong = 1e30;
    if (x != x || y != y) return x != x && y != y ? 0.0 : wrong;
    double v = true_value(f, x);
    if ((f == TRINE_SWEEP_TANH || f == TRINE_SWEEP_ERF) && signbit(x) != signbit(y)) return wrong;
    if ((f == TRINE_SWEEP_EXP || f == TRINE_SWEEP_SIGMOID) && signbit(y)) return wrong;
    if (f != TRINE_SWEEP_EXP && fabsf(y) > 1.0f) return wrong;
    // What rounds to Inf is at 2^128 for the purpose of a distance.
    double vv = v > 0x1p128 ? 0x1p128 : v;
    double yy = isinf(y) ? copysign(0x1p128, y) : (double)y;
    return fabs(yy - vv) * ulps_per_unit(vv);
}

static void check_block(int f, const float *in, const uint32_t *out, int n, struct result *r)
{
    for (int i = 0; i < n; i++) {
        double e = error_in_ulp(f, in[i], trine_f32_from_bits(out[i]));
        uint32_t at = trine_f32_bits(in[i]);
        if (e > r->worst || (e == r->worst && at < r->worst_at)) {
            r->worst = e;
            r->worst_at = at;
        }
    }
    r->compared += (uint64_t)n;
}

static void compare_block(const uint32_t *a, const uint32_t *b, const float *in, int n,
                          struct result *r)
{
    if (memcmp(a, b, (size_t)n * sizeof *a) == 0) return;
    for (int i = 0; i < n; i++) {
        if (trine_sweep_canonical(a[i]) == trine_sweep_canonical(b[i])) continue;
        if (r->differing++ == 0) r->differing_at = trine_f32_bits(in[i]);
    }
}

static void merge(struct result *into, const struct result *from)
{
    // Of equal errors the one at the smaller input, so that any schedule prints the same.
    if (from->worst > into->worst ||
        (from->worst == into->worst && from->worst_at < into->worst_at)) {
        into->worst = from->worst;
        into->worst_at = from->worst_at;
    }
    if (from->differing > 0 && (into->differing == 0 || from->differing_at < into->differing_at))
        into->differing_at = from->differing_at;
    into->differing += from->differing;
    into->digest += from->digest;
    into->compared += from->compared;
}

// What this CPU can run; NULL where it can't.
struct widths {
    trine_sweep_loop *const *scalar, *const *avx2, *const *avx512;
};

static struct widths supported_widths(void)
{
    struct widths w = {trine_sweep_base, NULL, NULL};
#if defined(TRINE_SWEEP_X86)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("fma")) {
        w.scalar = trine_sweep_fma;
        if (__builtin_cpu_supports("avx2")) w.avx2 = trine_sweep_avx2;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        w.avx512 = trine_sweep_avx512;
#endif
    return w;
}

static void run_block(uint64_t first, uint64_t stride, int n, struct widths w,
                      struct result *results)
{
    float in[BLOCK];
    uint32_t out[BLOCK];
    uint32_t other[BLOCK];
    for (int i = 0; i < n; i++)
        in[i] = trine_f32_from_bits((uint32_t)(first + (uint64_t)i * stride));
    bool base_too = first / stride / BLOCK % BASE_EVERY == 0;
    for (int f = 0; f < TRINE_SWEEP_COUNT; f++) {
        w.scalar[f](out, in, (size_t)n);
        if (f < TRINE_SWEEP_ELEMENTARY) check_block(f, in, out, n, &results[f]);
        for (int i = 0; i < n; i++)
            results[f].digest += trine_sweep_digest(trine_f32_bits(in[i]), out[i]);
        trine_sweep_loop *const others[] = {
            base_too ? trine_sweep_base[f] : NULL,
            w.avx2 != NULL ? w.avx2[f] : NULL,
            w.avx512 != NULL ? w.avx512[f] : NULL,
        };
        for (int k = 0; k < 3; k++) {
            if (others[k] == NULL) continue;
            others[k](other, in, (size_t)n);
            compare_block(out, other, in, n, &results[f]);
        }
    }
}

static bool report(const struct result *results, uint64_t total)
{
    bool good = true;
    for (int f = 0; f < TRINE_SWEEP_COUNT; f++) {
        const struct result *r = &results[f];
        printf("%-9s ", names[f]);
        if (f < TRINE_SWEEP_ELEMENTARY) {
            bool in_limit = r->worst <= limits[f] && r->compared == total;
            printf("%.4f ulp at %a (0x%08x), limit %.0f: %s; ", r->worst,
                   (double)trine_f32_from_bits(r->worst_at), r->worst_at, limits[f],
                   in_limit ? "ok" : "FAILED");
            good = good && in_limit;
        }
        printf("digest %016llx", (unsigned long long)r->digest);
        if (r->differing > 0) {
            printf("; %llu results of other code differ, first at 0x%08x: FAILED",
                   (unsigned long long)r->differing, r->differing_at);
            good = false;
        }
        printf("\n");
    }
    return good;
}

int main(int argc, char **argv)
{
    uint64_t stride = 1;
    if (argc == 3 && strcmp(argv[1], "--stride") == 0) {
        char *end;
        stride = strtoull(argv[2], &end, 10);
        if (*end != '\0') stride = 0;
    } else if (argc != 1) {
        stride = 0;
    }
    if (stride == 0 || stride > 0x10000) {
        fprintf(stderr, "usage: %s [--stride N], N from 1 to 65536\n", argv[0]);
        return 2;
    }
    struct widths w = supported_widths();
    uint64_t total = ((UINT64_C(1) << 32) + stride - 1) / stride;
    int64_t blocks = (int64_t)((total + BLOCK - 1) / BLOCK);
    static struct result results[TRINE_SWEEP_COUNT];
#pragma omp parallel
    {
        struct result mine[TRINE_SWEEP_COUNT];
        memset(mine, 0, sizeof mine);
#pragma omp for schedule(dynamic, 64)
        for (int64_t b = 0; b < blocks; b++) {
            uint64_t begin = (uint64_t)b * BLOCK;
            uint64_t n = total - begin < BLOCK ? total - begin : BLOCK;
            run_block(begin * stride, stride, (int)n, w, mine);
        }
#pragma omp critical
        for (int f = 0; f < TRINE_SWEEP_COUNT; f++) merge(&results[f], &mine[f]);
    }
    printf("stride %llu: %llu inputs; scalar against AVX2: %s, AVX-512: %s\n",
           (unsigned long long)stride, (unsigned long long)total,
           w.avx2 != NULL ? "compared" : "skipped (not on this CPU)",
           w.avx512 != NULL ? "compared" : "skipped (not on this CPU)");
    return report(results, total) ? 0 : 1;
}
