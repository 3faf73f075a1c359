// SPDX-License-Identifier: Apache-2.0
/* Cases: legal, repeatable, covering; data: a function of key and place alone. */
#include "check/cases.h"
#include "check/dims.h"
#include "check/settle.h"
#include "check/target.h"
#include "check/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static trine_target target;

static void open_cpu(void)
{
    cr_assert_eq(trine_target_open(&target, "cpu", NULL, 0), TRINE_OK, "%s", trine_last_error());
}

static void close_cpu(void)
{
    trine_target_close(&target);
}

TestSuite(cases, .init = open_cpu, .fini = close_cpu);

Test(cases, are_legal_and_the_same_for_a_seed)
{
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        trine_cases a, b;
        trine_case first, second;
        cr_assert_eq(trine_cases_create(&a, op, 7, target.oracle), TRINE_OK);
        cr_assert_eq(trine_cases_create(&b, op, 7, target.oracle), TRINE_OK);
        for (int i = 0; i < 12; i++) {
            char text[2][1024];
            cr_assert(trine_cases_next(&a, &first), "%s", a.op->name);
            cr_assert(trine_cases_next(&b, &second));
            trine_plan_print(&first.plan, text[0], sizeof text[0]);
            trine_plan_print(&second.plan, text[1], sizeof text[1]);
            cr_expect_str_eq(text[0], text[1]);
            cr_expect_eq(first.key, second.key);
            cr_expect_eq(trine_plan_validate(&first.plan, target.oracle, trine_host_device, NULL),
                         TRINE_OK, "%s: %s", text[0], trine_last_error());
        }
        trine_cases_destroy(&a);
        trine_cases_destroy(&b);
    }
}

Test(cases, cover_every_legal_pair)
{
    static const int32_t ops[] = {TRINE_OP_MOE_SUM, TRINE_OP_ACT_AND_MUL, TRINE_OP_SCALED_MM,
                                  TRINE_OP_TOPK_GATING, TRINE_OP_DEQUANTIZE};

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        trine_cases cases;
        trine_case entry;
        trine_coverage coverage = {.open = 1};
        cr_assert_eq(trine_cases_create(&cases, ops[i], 3, target.oracle), TRINE_OK);
        for (int n = 0; n < 300 && coverage.open; n++) {
            cr_assert(trine_cases_next(&cases, &entry));
            coverage = trine_cases_coverage(&cases);
        }
        printf("%s: %lld of %lld pairs after %lld cases, %lld illegal\n", cases.op->name,
               (long long)coverage.covered, (long long)coverage.pairs, (long long)cases.drawn,
               (long long)coverage.refused);
        cr_expect_eq(coverage.open, 0, "%s", cases.op->name);
        cr_expect_gt(coverage.covered, coverage.refused, "%s", cases.op->name);
        /* Every dtype, word and class by itself occurs. */
        for (int f = 0; f < cases.factor_count; f++) {
            for (int c = 0; c < cases.factors[f].count; c++) {
                char name[64];
                trine_choice_name(&cases, f, c, name, sizeof name);
                if (cases.factors[f].kind == TRINE_FACTOR_FORM) continue;
                cr_expect(trine_choice_covered(&cases, f, c), "%s: %s %s never occurs",
                          cases.op->name, cases.factors[f].name, name);
            }
        }
        trine_cases_destroy(&cases);
    }
}

Test(cases, bytes_follow_from_the_key)
{
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        trine_cases cases;
        trine_case entry;
        cr_assert_eq(trine_cases_create(&cases, op, 5, target.oracle), TRINE_OK);
        for (int i = 0; i < 10; i++) {
            trine_data a, b;
            cr_assert(trine_cases_next(&cases, &entry));
            cr_assert_eq(trine_generate(&entry.plan, entry.pattern, entry.key, &a), TRINE_OK);
            cr_assert_eq(trine_generate(&entry.plan, entry.pattern, entry.key, &b), TRINE_OK);
            for (int t = 0; t < cases.op->tensor_count; t++) {
                trine_layout packed = entry.plan.layout[t];
                cr_expect_eq(a.values[t] != NULL, b.values[t] != NULL);
                if (!a.values[t]) continue;
                trine_layout_contiguous(&packed);
                cr_expect_eq(
                    memcmp(a.values[t], b.values[t],
                           (size_t)trine_layout_extent(&packed) * trine_dtype_size(packed.dtype)),
                    0);
            }
            trine_data_destroy(&a);
            trine_data_destroy(&b);
        }
        trine_cases_destroy(&cases);
    }
}

/* The patterns hold what they are for. */
Test(cases, special_data_is_special)
{
    const trine_request request = {.op = "act_and_mul", .shape = "M=64,I=128", .dtype = "x=f32"};
    trine_plan plan;
    trine_data data;
    int nans = 0, infinities = 0, zeros = 0;

    cr_assert_eq(
        trine_plan_from_request(&plan, &request, TRINE_E4M3FN, target.oracle, trine_host_device),
        TRINE_OK, "%s", trine_last_error());
    cr_assert_eq(trine_generate(&plan, TRINE_PATTERN_SPECIAL, 1, &data), TRINE_OK);
    const float *x = data.values[0];
    for (int i = 0; i < 64 * 256; i++) {
        nans += isnan(x[i]) != 0;
        infinities += isinf(x[i]) != 0;
        zeros += x[i] == 0 && signbit(x[i]);
    }
    cr_expect_gt(nans, 100);
    cr_expect_gt(infinities, 100);
    cr_expect_gt(zeros, 50);
    trine_data_destroy(&data);
}

Test(cases, letters_are_found_through_the_tables)
{
    const trine_request request = {.op = "fused_moe",
                                   .shape = "M=5,H=128,I=64,E=4,k=2",
                                   .dtype = "w1=u8",
                                   .names = {"quantization", "group_size"},
                                   .values = {"int4_w4a16", "32"},
                                   .param_count = 2};
    trine_plan plan;
    trine_dims dims;

    cr_assert_eq(
        trine_plan_from_request(&plan, &request, TRINE_E4M3FN, target.oracle, trine_host_device),
        TRINE_OK, "%s", trine_last_error());
    trine_dims_bind(&plan, &dims);
    cr_expect_eq(trine_dims_get(&dims, "M"), 5);
    cr_expect_eq(trine_dims_get(&dims, "H"), 128);
    cr_expect_eq(trine_dims_get(&dims, "I"), 64);
    cr_expect_eq(trine_dims_get(&dims, "E"), 4);
    cr_expect_eq(trine_dims_get(&dims, "k"), 2);
    cr_expect_eq(trine_dims_get(&dims, "Eg"), -1);
}

Test(cases, requests_are_refused_by_rule)
{
    static const struct {
        trine_request request;
        trine_status status;
        const char *says;
    } rules[] = {
        {{.op = "nothing"}, TRINE_INVALID_ARGUMENT, "no op is named"},
        {{.op = "moe_sum", .shape = "M=1,Z=2"}, TRINE_INVALID_ARGUMENT, "no dimension Z"},
        {{.op = "moe_sum", .shape = "M=x"}, TRINE_INVALID_SHAPE, "must be a whole number"},
        {{.op = "moe_sum", .shape = "M=-1"}, TRINE_INVALID_SHAPE, "not negative"},
        {{.op = "moe_sum", .shape = "M=99999999999999999999"}, TRINE_INVALID_SHAPE, "whole"},
        {{.op = "moe_sum", .shape = "=3"}, TRINE_INVALID_ARGUMENT, "no entry of a list"},
        {{.op = "moe_sum", .shape = "M=3"}, TRINE_INVALID_SHAPE, "not given: k, H"},
        {{.op = "moe_sum", .shape = "M=1,k=1,H=1", .dtype = "z=f32"},
         TRINE_INVALID_ARGUMENT,
         "no tensor z"},
        {{.op = "moe_sum", .shape = "M=1,k=1,H=1", .dtype = "y=f8"},
         TRINE_INVALID_DTYPE,
         "no dtype"},
        {{.op = "moe_sum", .shape = "M=1,k=1,H=1", .dtype = "y=i32"}, TRINE_INVALID_DTYPE, "i32"},
        {{.op = "moe_sum", .shape = "M=1,k=1,H=1", .with = "bias"},
         TRINE_INVALID_ARGUMENT,
         "no tensor bias"},
        {{.op = "moe_sum", .names = {"zzz"}, .values = {"1"}, .param_count = 1},
         TRINE_INVALID_ARGUMENT,
         "zzz"},
        {{.op = "moe_sum", .names = {"accumulate"}, .values = {"maybe"}, .param_count = 1},
         TRINE_INVALID_ARGUMENT,
         "maybe"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        trine_plan plan;
        const trine_status status = trine_plan_from_request(&plan, &rules[i].request, TRINE_E4M3FN,
                                                            target.oracle, trine_host_device);
        cr_expect_eq(status, rules[i].status, "rule %zu: %s: %s", i, trine_status_name(status),
                     trine_last_error());
        cr_expect(strstr(trine_last_error(), rules[i].says), "rule %zu: \"%s\"", i,
                  trine_last_error());
    }
}
