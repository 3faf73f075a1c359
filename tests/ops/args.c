// SPDX-License-Identifier: Apache-2.0
/* Args structs by name: what is set reads back, defaults agree with the ARGS_INIT macros. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <trine/trine.h>

Test(args, init_agrees_with_the_macros)
{
#define CHECK_INIT(OP, op)                                                                         \
    {                                                                                              \
        trine_##op##_args by_table, by_macro = TRINE_##OP##_ARGS_INIT;                             \
        cr_assert_eq(trine_args_init(TRINE_OP_##OP, &by_table), TRINE_OK);                         \
        const trine_op_description *d = trine_op_describe(TRINE_OP_##OP);                          \
        cr_expect_eq(d->args_size, sizeof by_macro);                                               \
        cr_expect_eq(by_table.struct_size, by_macro.struct_size);                                  \
        for (int i = 0; i < d->tensor_count; i++)                                                  \
            cr_expect(!memcmp((char *)&by_table + d->tensors[i].offset,                            \
                              (char *)&by_macro + d->tensors[i].offset, sizeof(void *)),           \
                      "%s.%s", d->name, d->tensors[i].name);                                       \
        for (int i = 0; i < d->param_count; i++)                                                   \
            cr_expect(!memcmp((char *)&by_table + d->params[i].offset,                             \
                              (char *)&by_macro + d->params[i].offset, 4),                         \
                      "%s.%s", d->name, d->params[i].name);                                        \
    }
    TRINE_OPS(CHECK_INIT)
}

static void set_and_get(int32_t op, void *args, const char *param, const char *value,
                        const char *want)
{
    char text[64] = "";
    cr_expect_eq(trine_args_set_param(op, args, param, value), TRINE_OK, "%s", trine_last_error());
    cr_expect_eq(trine_args_get_param(op, args, param, text, sizeof text), TRINE_OK, "%s",
                 trine_last_error());
    cr_expect_str_eq(text, want, "%s set to %s reads %s", param, value, text);
}

Test(args, params_read_back)
{
    size_t words = 0;
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        const trine_op_description *d = trine_op_describe(op);
        char args[512];
        trine_args_init(op, args);
        for (int i = 0; i < d->param_count; i++) {
            const char *name = d->params[i].name;
            for (const trine_word *w = d->params[i].words; w && w->name; w++, words++)
                set_and_get(op, args, name, w->name, w->name);
            if (d->params[i].type == TRINE_PARAM_BOOL) {
                set_and_get(op, args, name, "true", "true");
                set_and_get(op, args, name, "0", "false");
                set_and_get(op, args, name, "1", "true");
                set_and_get(op, args, name, "false", "false");
            } else if (d->params[i].type == TRINE_PARAM_INT) {
                set_and_get(op, args, name, "77", "77");
                set_and_get(op, args, name, "-2147483648", "-2147483648");
            } else if (d->params[i].type == TRINE_PARAM_FLOAT) {
                set_and_get(op, args, name, "0.1", "0.100000001");
                set_and_get(op, args, name, "1e-20", "9.99999968e-21");
                set_and_get(op, args, name, "-3", "-3");
            }
        }
    }
    cr_assert_gt(words, 40);
}

/* A value that is no word reads as a number; a struct too small for the param reads its default. */
Test(args, odd_values_read)
{
    trine_act_and_mul_args args = TRINE_ACT_AND_MUL_ARGS_INIT;
    char text[16];
    args.activation = 42;
    cr_assert_eq(trine_args_get_param(TRINE_OP_ACT_AND_MUL, &args, "activation", text, 16),
                 TRINE_OK);
    cr_expect_str_eq(text, "42");
    args.alpha = 7;
    args.struct_size = offsetof(trine_act_and_mul_args, alpha);
    cr_assert_eq(trine_args_get_param(TRINE_OP_ACT_AND_MUL, &args, "alpha", text, 16), TRINE_OK);
    cr_expect_str_eq(text, "1.70200002");
    args.struct_size = offsetof(trine_act_and_mul_args, alpha) + 4;
    cr_assert_eq(trine_args_get_param(TRINE_OP_ACT_AND_MUL, &args, "alpha", text, 16), TRINE_OK);
    cr_expect_str_eq(text, "7");
    args.struct_size = 8;
    cr_assert_eq(trine_args_get_param(TRINE_OP_ACT_AND_MUL, &args, "activation", text, 16),
                 TRINE_OK);
    cr_expect_str_eq(text, "silu");
}

Test(args, tensors_by_name)
{
    DLTensor tensors[TRINE_MAX_TENSORS];
    trine_fused_moe_args args = TRINE_FUSED_MOE_ARGS_INIT;
    const trine_op_description *d = trine_op_describe(TRINE_OP_FUSED_MOE);
    for (int i = 0; i < d->tensor_count; i++)
        cr_assert_eq(
            trine_args_set_tensor(TRINE_OP_FUSED_MOE, &args, d->tensors[i].name, &tensors[i]),
            TRINE_OK);
    cr_expect_eq(args.x, &tensors[0]);
    cr_expect_eq(args.w1_zero, &tensors[7]);
    cr_expect_eq(args.out, &tensors[14]);
    cr_assert_eq(trine_args_set_tensor(TRINE_OP_FUSED_MOE, &args, "x", NULL), TRINE_OK);
    cr_expect_null(args.x);
}

Test(args, dims_hold_letters)
{
    trine_dims dims = {.count = 0};
    char name[16];
    cr_expect(trine_dims_set(&dims, "M", 3) && trine_dims_set(&dims, "M", 4));
    cr_expect_eq(dims.count, 1);
    cr_expect_eq(dims.values[0], 4);
    cr_expect(!trine_dims_set(&dims, "", 1));
    cr_expect(!trine_dims_set(&dims, "abcdefgh", 1));
    cr_expect(trine_dims_set(&dims, "abcdefg", 1));
    for (int i = 2; i < 24; i++) {
        snprintf(name, sizeof name, "L%d", i);
        cr_expect(trine_dims_set(&dims, name, i));
    }
    cr_expect(!trine_dims_set(&dims, "Z", 1));
    cr_expect(trine_dims_set(&dims, "M", 5));
    cr_expect_eq(dims.count, 24);
}
