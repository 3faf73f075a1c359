// SPDX-License-Identifier: Apache-2.0
// backends/gpu/group_quant_table.h takes the sigmoid of a bf16 gate from a table of fewer entries
// than there are gates. This looks up all of them, each in both halves of a word.
#include <criterion/criterion.h>

#include "backends/gpu/group_quant_gate_table.h"
#include "numerics/activation.h"

static float table[TRINE_GPU_GATE_ENTRIES];

static void fill(void)
{
    for (uint32_t i = 0; i < TRINE_GPU_GATE_ENTRIES; i++)
        table[i] = trine_sigmoid_no_nan(trine_gpu_gate_of_entry(i));
}

// Does silu through the place of one half give what it must?
static bool holds(uint32_t gate, uint32_t place)
{
    const float g = trine_f32_from_bits(gate << 16), expected = trine_silu(g);
    if (place % 4 || place / 4 >= TRINE_GPU_GATE_ENTRIES) return false;
    const float looked_up = g * table[place / 4];
    if (isnan(expected)) return isnan(looked_up);
    return trine_f32_bits(looked_up) == trine_f32_bits(expected) &&
           trine_f32_bits(table[place / 4]) == trine_f32_bits(trine_sigmoid_no_nan(g));
}

Test(gate_table, every_gate_has_its_sigmoid, .init = fill)
{
    // The other half is another gate; multipliers that are odd go through all of them, too.
    static const uint32_t others[] = {1, 0x7fff, 0x8001, 25173};
    long wrong = 0;
    for (int i = 0; i < 4; i++)
        for (uint32_t gate = 0; gate < 65536; gate++) {
            const uint32_t other = (gate * others[i] + 12345) & 0xffffu;
            const uint32_t places = trine_gpu_gate_places(other << 16 | gate);
            wrong += !holds(gate, places & 0xffffu) + !holds(other, places >> 16);
        }
    cr_assert_eq(wrong, 0, "%ld of 524288 look-ups differ", wrong);
}

// What the kernel's readers may count on: all entries are used, each by the gate it is made for.
Test(gate_table, every_entry_is_its_gates)
{
    for (uint32_t i = 0; i < TRINE_GPU_GATE_ENTRIES; i++) {
        const uint32_t gate = trine_f32_bits(trine_gpu_gate_of_entry(i)) >> 16;
        cr_assert_eq(trine_gpu_gate_places(gate) & 0xffffu, 4 * i, "entry %u", i);
    }
}
