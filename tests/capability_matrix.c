// SPDX-License-Identifier: Apache-2.0
// capability_matrix            prints the tables of docs/capabilities.md
// capability_matrix FILE       fails unless FILE holds exactly them between its markers
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capability_table.h"

static char text[1 << 16];
static size_t used;

static void put(const char *string)
{
    size_t length = strlen(string);
    if (used + length >= sizeof text) {
        fprintf(stderr, "capability_matrix: text buffer too small\n");
        exit(1);
    }
    memcpy(text + used, string, length + 1);
    used += length;
}

/* A cell of a markdown table. */
static void put_cell(const char *string)
{
    put(" ");
    put(string);
    put(" |");
}

static void put_number(uint64_t number)
{
    char string[32];
    snprintf(string, sizeof string, "%llu", (unsigned long long)number);
    put_cell(number ? string : "-");
}

static void put_features(const trine_capability_vendor *vendor)
{
    put("\n### ");
    put(vendor->title);
    put("\n\n|");
    put_cell("feature");
    for (size_t d = 0; d < vendor->device_count; d++) {
        const char *name = vendor->devices[d].name;
        put_cell(!strncmp(name, "sm_", 3) || !strncmp(name, "gfx", 3) ? name + 3 : name);
    }
    put_cell("evidence");
    put_cell("how");
    put("\n|");
    for (size_t d = 0; d < vendor->device_count + 3; d++) put("---|");
    put("\n");
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        put("|");
        put_cell(trine_feature_name((trine_feature)f));
        for (size_t d = 0; d < vendor->device_count; d++) {
            char cell[2] = {trine_capability_cell(vendor, d, (trine_feature)f), 0};
            put_cell(cell);
        }
        put_cell(vendor->features[f].evidence);
        put_cell(vendor->features[f].how);
        put("\n");
    }
}

static void put_devices(void)
{
    put("\n### Devices\n\n"
        "| device | family | FP8 | wave | threads/block | shared bytes | load bytes | grid x | "
        "grid y, z | work items | how |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t v = 0; v < TRINE_CAPABILITY_VENDOR_COUNT; v++)
        for (size_t d = 0; d < trine_capability_vendors[v].device_count; d++) {
            const trine_capability_device *device = &trine_capability_vendors[v].devices[d];
            put("|");
            put_cell(device->name);
            put_cell(device->family);
            put_cell(trine_dtype_name(device->fp8));
            put_number(device->limits.wave_width);
            put_number(device->limits.max_block_threads);
            put_number(device->limits.max_shared_memory);
            put_number(device->limits.max_load_bytes);
            put_number(device->limits.max_grid_x);
            put_number(device->limits.max_grid_yz);
            put_number(device->limits.max_grid_work_items);
            put_cell(device->how);
            put("\n");
        }
}

static void put_meanings(void)
{
    put("\n### Features\n\n| feature | what it is |\n|---|---|\n");
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        put("|");
        put_cell(trine_feature_name((trine_feature)f));
        put_cell(trine_feature_doc((trine_feature)f));
        put("\n");
    }
}

static int check(const char *path)
{
    static const char begin[] = "<!-- table: begin -->\n", end[] = "\n<!-- table: end -->";
    static char file[sizeof text * 2];
    FILE *stream = fopen(path, "rb");
    size_t size = stream ? fread(file, 1, sizeof file - 1, stream) : 0;
    if (stream) fclose(stream);
    file[size] = 0;
    const char *from = strstr(file, begin), *to = strstr(file, end);
    if (!from || !to || to < from) {
        fprintf(stderr, "%s: no table between its markers\n", path);
        return 1;
    }
    from += sizeof begin - 1;
    if ((size_t)(to - from) == used && !memcmp(from, text, used)) return 0;
    size_t at = 0, line = 1;
    for (; at < used && from + at < to && from[at] == text[at]; at++) line += text[at] == '\n';
    fprintf(stderr,
            "%s: line %zu of the table is not what the code has; replace the text between the "
            "markers by "
            "what capability_matrix prints\n",
            path, line);
    return 1;
}

int main(int argc, char **argv)
{
    for (size_t v = 0; v < TRINE_CAPABILITY_VENDOR_COUNT; v++)
        put_features(&trine_capability_vendors[v]);
    put_devices();
    put_meanings();
    if (argc == 2) return check(argv[1]);
    fputs(text, stdout);
    return 0;
}
