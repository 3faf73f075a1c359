// SPDX-License-Identifier: Apache-2.0
/* The reader of safetensors files: what it takes, and each rule refused at least once. */
#include "check/safetensors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of a header and `data_size` bytes of data; `length` -1: the header's own. */
static uint8_t *make_file(const char *header, size_t header_size, long long length,
                          size_t data_size, size_t *size)
{
    const uint64_t claimed = length < 0 ? header_size : (uint64_t)length;
    uint8_t *bytes = calloc(1, 8 + header_size + data_size + 1);

    cr_assert(bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(claimed >> 8 * i);
    memcpy(bytes + 8, header, header_size);
    for (size_t i = 0; i < data_size; i++) bytes[8 + header_size + i] = (uint8_t)i;
    *size = 8 + header_size + data_size;
    return bytes;
}

static trine_status parse(const char *header, size_t data_size, trine_file **file, uint8_t **bytes)
{
    size_t size;

    *bytes = make_file(header, strlen(header), -1, data_size, &size);
    return trine_file_parse(*bytes, size, file);
}

Test(safetensors, reads_tensors_and_metadata)
{
    static const char header[] =
        "{\"__metadata__\":{\"op\":\"moe_sum\",\"params\":\"{}\"},"
        "\"y\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[4,16]},"
        "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
        "\"none\":{\"dtype\":\"I32\",\"shape\":[0,5],\"data_offsets\":[16,16]}}   ";
    trine_file *file;
    uint8_t *bytes;

    cr_assert_eq(parse(header, 16, &file, &bytes), TRINE_OK, "%s", trine_last_error());
    cr_expect_eq(file->tensor_count, 3);
    cr_expect_str_eq(trine_file_metadata(file, "op"), "moe_sum");
    cr_expect_null(trine_file_metadata(file, "nothing"));
    const trine_file_tensor *y = trine_file_find(file, "y");
    cr_assert(y);
    cr_expect_eq(y->dtype, TRINE_BF16);
    cr_expect_eq(y->rank, 2);
    cr_expect_eq(y->shape[1], 3);
    cr_expect_eq(y->size, 12);
    cr_expect_eq(*(const uint8_t *)y->data, 4);
    cr_expect_eq(trine_file_find(file, "scalar")->rank, 0);
    cr_expect_eq(trine_file_find(file, "none")->size, 0);
    cr_expect_null(trine_file_find(file, "z"));
    trine_file_close(&file);
    cr_expect_null(file);
    trine_file_close(&file);
    free(bytes);
}

typedef struct refusal {
    const char *header;
    size_t data_size;
    trine_status status;
    const char *says; /* part of the sentence */
} refusal;

#define T(dtype, shape, offsets)                                                                   \
    "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const refusal refusals[] = {
    {"[]", 0, TRINE_INVALID_ARGUMENT, "must begin with {"},
    {" {}", 0, TRINE_INVALID_ARGUMENT, "must begin with {"},
    {"{", 0, TRINE_INVALID_ARGUMENT, "not valid JSON"},
    {"{} x", 0, TRINE_INVALID_ARGUMENT, "not valid JSON"},
    {"{\"\xff\":{}}", 0, TRINE_INVALID_ARGUMENT, "not valid JSON"},
    {"{\"a\\u0000b\":{}}", 0, TRINE_INVALID_ARGUMENT, "not valid JSON"},
    {"{\"t\":{},\"t\":{}}", 0, TRINE_INVALID_ARGUMENT, "not valid JSON"},
    {"{\"__metadata__\":[]}", 0, TRINE_INVALID_ARGUMENT, "__metadata__ must be an object"},
    {"{\"__metadata__\":{\"op\":1}}", 0, TRINE_INVALID_ARGUMENT, "must be a string"},
    {"{\"t\":5}", 0, TRINE_INVALID_ARGUMENT, "exactly dtype, shape and data_offsets"},
    {"{\"t\":{\"dtype\":\"I8\",\"shape\":[0]}}", 0, TRINE_INVALID_ARGUMENT, "exactly"},
    {T("5", "[1]", "[0,4]"), 4, TRINE_INVALID_ARGUMENT, "dtype must be a string"},
    {T("\"F64\"", "[1]", "[0,8]"), 8, TRINE_INVALID_DTYPE, "\"F64\" is not one of"},
    {T("\"F32\"", "5", "[0,4]"), 4, TRINE_INVALID_ARGUMENT, "shape must be an array"},
    {T("\"F32\"", "[-1]", "[0,4]"), 4, TRINE_INVALID_SHAPE, "not negative"},
    {T("\"F32\"", "[1.5]", "[0,4]"), 4, TRINE_INVALID_SHAPE, "must be an integer"},
    {T("\"I8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, TRINE_INVALID_SHAPE, "rank 9"},
    {T("\"F32\"", "[99999999999999999999]", "[0,4]"), 4, TRINE_INVALID_ARGUMENT, "JSON"},
    {T("\"F32\"", "[4611686018427387904,4]", "[0,4]"), 4, TRINE_SIZE_OVERFLOW, "overflows"},
    {T("\"F32\"", "[4611686018427387904]", "[0,4]"), 4, TRINE_SIZE_OVERFLOW, "overflows"},
    {T("\"F32\"", "[1]", "5"), 4, TRINE_INVALID_ARGUMENT, "array of two integers"},
    {T("\"F32\"", "[1]", "[0,4,8]"), 4, TRINE_INVALID_ARGUMENT, "array of two integers"},
    {T("\"F32\"", "[1]", "[0,\"4\"]"), 4, TRINE_INVALID_ARGUMENT, "array of two integers"},
    {T("\"F32\"", "[1]", "[4,0]"), 4, TRINE_INVALID_ARGUMENT, "must ascend"},
    {T("\"F32\"", "[1]", "[-4,0]"), 4, TRINE_INVALID_ARGUMENT, "must ascend"},
    {T("\"F32\"", "[2]", "[0,8]"), 4, TRINE_INVALID_ARGUMENT, "lie within"},
    {T("\"F32\"", "[2]", "[0,4]"), 4, TRINE_INVALID_SHAPE, "need 8 bytes"},
    {T("\"F32\"", "[1]", "[4,8]"), 8, TRINE_INVALID_ARGUMENT, "after a hole"},
    {T("\"F32\"", "[1]", "[0,4]"), 8, TRINE_INVALID_ARGUMENT, "belong to none"},
    {"{}", 4, TRINE_INVALID_ARGUMENT, "belong to none"},
    {"{\"a\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"I8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
     6, TRINE_INVALID_ARGUMENT, "inside another tensor"},
};

Test(safetensors, refuses_by_rule)
{
    size_t covered = 0;

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        trine_file *file = (trine_file *)1;
        uint8_t *bytes;
        const trine_status status = parse(r->header, r->data_size, &file, &bytes);
        cr_expect_eq(status, r->status, "%s: %s", r->header, trine_status_name(status));
        cr_expect(strstr(trine_last_error(), r->says), "%s: \"%s\" does not say \"%s\"", r->header,
                  trine_last_error(), r->says);
        cr_expect_null(file);
        covered += status == r->status;
        free(bytes);
    }
    printf("rules covered: %zu of %zu\n", covered, sizeof refusals / sizeof *refusals);
}

Test(safetensors, refuses_lengths)
{
    static const struct {
        size_t keep; /* bytes of the file that are there */
        long long length;
        const char *says;
    } lengths[] = {
        {0, -1, "0 bytes are no safetensors file"},
        {7, -1, "7 bytes are no safetensors file"},
        {8, -1, "only 0 bytes follow"},
        {9, -1, "only 1 bytes follow"},
        {100, 0, "must begin with {"},
        {100, 3, "only 2 bytes follow"},
        {100, 100000001, "at most 100000000 bytes"},
        {100, 0x7FFFFFFFFFFFFFFF, "at most 100000000 bytes"},
    };

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        trine_file *file;
        size_t size;
        uint8_t *bytes = make_file("{}", 2, lengths[i].length, 0, &size);
        if (lengths[i].keep < size) size = lengths[i].keep;
        cr_expect_eq(trine_file_parse(bytes, size, &file), TRINE_INVALID_ARGUMENT);
        cr_expect(strstr(trine_last_error(), lengths[i].says), "%s", trine_last_error());
        free(bytes);
    }
}

Test(safetensors, refuses_deep_nesting)
{
    enum { DEPTH = 100000 };
    char *header = malloc(DEPTH + 16);
    trine_file *file;
    uint8_t *bytes;

    strcpy(header, "{\"t\":");
    memset(header + 5, '[', DEPTH);
    header[5 + DEPTH] = 0;
    cr_expect_eq(parse(header, 0, &file, &bytes), TRINE_INVALID_ARGUMENT);
    cr_expect(strstr(trine_last_error(), "depth"), "%s", trine_last_error());
    free(header);
    free(bytes);
}

Test(safetensors, survives_every_truncation_and_flip)
{
    static const char header[] =
        "{\"__metadata__\":{\"op\":\"x\"},"
        "\"a\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[0,8]}}";
    size_t size, refused = 0;
    uint8_t *bytes = make_file(header, sizeof header - 1, -1, 8, &size);
    trine_file *file;

    for (size_t keep = 0; keep < size; keep++) {
        cr_expect_neq(trine_file_parse(bytes, keep, &file), TRINE_OK, "%zu bytes taken", keep);
    }
    for (size_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (trine_file_parse(bytes, size, &file)) refused++;
        trine_file_close(&file);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    cr_expect_gt(refused, size);
    free(bytes);
}

Test(safetensors, writes_what_it_reads)
{
    static const float values[] = {1, -2, 3};
    static const uint8_t codes[] = {0x7F, 0x80};
    const trine_file_tensor tensors[] = {
        {"x", TRINE_F32, 1, {3}, values, sizeof values},
        {"q", TRINE_E4M3FNUZ, 2, {1, 2}, codes, sizeof codes},
        {"empty", TRINE_I32, 2, {0, 4}, NULL, 0},
    };
    const trine_file_entry entries[] = {{"op", "moe_sum"}, {"note", "\xc3\xa9 \"quoted\"\n"}};
    char path[] = "/tmp/trine_safetensors_XXXXXX";
    trine_file *file;

    const int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    close(descriptor);
    cr_assert_eq(trine_file_write(path, tensors, 3, entries, 2), TRINE_OK, "%s",
                 trine_last_error());
    cr_assert_eq(trine_file_open(path, &file), TRINE_OK, "%s", trine_last_error());
    cr_expect_eq(file->tensor_count, 3);
    cr_expect_arr_eq(trine_file_find(file, "x")->data, values, sizeof values);
    cr_expect_arr_eq(trine_file_find(file, "q")->data, codes, sizeof codes);
    cr_expect_eq(trine_file_find(file, "q")->dtype, TRINE_E4M3FNUZ);
    cr_expect_str_eq(trine_file_metadata(file, "note"), entries[1].value);
    trine_file_close(&file);

    const trine_file_tensor twice[] = {tensors[0], tensors[0]};
    cr_expect_neq(trine_file_write(path, twice, 2, NULL, 0), TRINE_OK);
    cr_expect_neq(trine_file_write("/nonexistent/file", tensors, 3, entries, 2), TRINE_OK);
    unlink(path);
    cr_expect_neq(trine_file_open(path, &file), TRINE_OK);
    cr_expect_neq(trine_file_open("/", &file), TRINE_OK);
}
