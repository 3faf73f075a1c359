// SPDX-License-Identifier: Apache-2.0
// Bytes that vector instructions move between a launch and global memory, when counting is on.
//
// Requested: the 32-byte sectors that a wave's instruction reads, each once. The other two are what
// a device's memory would see behind a cache of 4 MiB (lines of 128 bytes, 16 ways, the least
// recently used leaves), which is the second level of one MI300X die: lines that are fetched
// because they are read, and sectors that are written back.
#include "emu.h"

enum { SECTOR = 5, LINE = 7, SETS = 2048, WAYS = 16, SECTORS = 1 << (LINE - SECTOR) };

static int counting;
static u64 requested, fetched, written, now;
static struct Line {
    u64 line, used;
    u32 dirty, valid; // a bit a sector; valid: all of the line was fetched
} cache[SETS][WAYS];

static void write_back(struct Line *line)
{
    written += (u64)__builtin_popcount(line->dirty) << SECTOR;
    line->dirty = 0;
}

static struct Line *find_line(u64 line)
{
    struct Line *set = cache[(line ^ line >> 11 ^ line >> 22) % SETS], *oldest = set;
    now++;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].used && set[i].line == line) {
            set[i].used = now;
            return &set[i];
        }
        if (set[i].used < oldest->used) oldest = &set[i];
    }
    write_back(oldest);
    oldest->line = line, oldest->used = now, oldest->valid = 0;
    return oldest;
}

static void read_sector(u64 sector)
{
    struct Line *line = find_line(sector / SECTORS);
    requested += 1u << SECTOR;
    if (line->valid || line->dirty >> sector % SECTORS & 1) return;
    line->valid = 1;
    fetched += 1u << LINE;
}

static void write_sector(u64 sector)
{
    find_line(sector / SECTORS)->dirty |= 1u << sector % SECTORS;
}

// One access of `size` bytes by each active lane.
void emu_count_traffic(Wave *w, int space, int kind, const u64 *address, i64 offset, int size)
{
    if (!counting || space > 1) return;
    const u64 active = exec_of(w);
    u64 seen[128];
    int count = 0;
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(active >> l & 1)) continue;
        const u64 first = address[l] + offset;
        if (space == 1 && ((first >> 32) == (emu_launch->lds_base >> 32) ||
                           (first >> 32) == emu_launch->private_hi))
            continue;
        for (u64 s = first >> SECTOR; s <= (first + size - 1) >> SECTOR; s++) {
            int i = count - 1;
            while (i >= 0 && seen[i] != s) i--;
            if (i < 0 && count < 128) seen[count++] = s;
        }
    }
    for (int i = 0; i < count; i++) {
        if (kind != 1) read_sector(seen[i]);
        if (kind != 0) write_sector(seen[i]);
    }
}

// Bytes since the last call: read as requested, fetched, written back (all of it: the cache is
// empty afterwards).
EMU_API void emu_traffic(int on, u64 *bytes)
{
    for (int i = 0; i < SETS * WAYS; i++) write_back(&cache[i / WAYS][i % WAYS]);
    bytes[0] = requested, bytes[1] = fetched, bytes[2] = written;
    counting = on;
    requested = fetched = written = now = 0;
    memset(cache, 0, sizeof cache);
}
