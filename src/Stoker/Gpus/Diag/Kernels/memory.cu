// Writes patterns over a GPU's memory and looks whether they are still there; and multiplies and adds in FP32 with results that are known.
// memory.ptx is made of it: see KernelsTests. Compiled for the processor (-DON_HOST) the same text runs in the tests.
#include "kernel.h"

// What belongs at a word: 0 the pattern itself; 1 the word's own address, with the pattern's bits turned over; 2 a number mixed of pattern and place.
static INLINE u64 wanted(u64 kind, u64 pattern, u64 address, u64 index) {
    if (kind == 1) return address ^ pattern;
    if (kind == 2) {
        u64 mixed = (index + pattern) * 0x9E3779B97F4A7C15ull;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ull;
        return mixed ^ (mixed >> 31);
    }
    return pattern;
}

KERNEL void fill(u64 at, u64 words, u64 kind, u64 pattern) {
    u64 *memory = (u64 *)at;
    for (u64 i = PLACE; i < words; i += THREADS) memory[i] = wanted(kind, pattern, at + i * 8, i);
}

// found: how many words differ; then of the first `most` each address, what was wanted, and what is there.
KERNEL void check(u64 at, u64 words, u64 kind, u64 pattern, u64 found, u64 most) {
    const volatile u64 *memory = (const volatile u64 *)at;
    u64 *result = (u64 *)found;
    for (u64 i = PLACE; i < words; i += THREADS) {
        u64 want = wanted(kind, pattern, at + i * 8, i), have = memory[i];
        if (want == have) continue;
        u64 number = ADD(result, 1);
        if (number >= most) continue;
        result[1 + number * 3] = at + i * 8;
        result[2 + number * 3] = want;
        result[3 + number * 3] = have;
    }
}

#define PAIRS 8

// Each thread turns eight points about the origin by shears, each of two fused multiplications and additions: x += t*y; y -= t*x. The turn keeps what it is given, so that one
// wrong bit is still wrong at the end. A thread's points follow from its place in the block alone; `expected` has the 16 results of each such place, and found[0] counts those that differ.
KERNEL void fma32(u64 expected, u64 rounds, u64 found) {
    const u32 *want = (const u32 *)expected + LANE * PAIRS * 2;
    float x[PAIRS], y[PAIRS];
    const float t = 0.7071f;
    UNROLL
    for (int i = 0; i < PAIRS; i++) {
        x[i] = 1.0f + (float)(LANE * PAIRS + i) * 0.001953125f;
        y[i] = 0.5f;
    }
    for (u64 round = 0; round < rounds; round++) {
        UNROLL
        for (int i = 0; i < PAIRS; i++) {
            x[i] = FMA(t, y[i], x[i]);
            y[i] = FMA(-t, x[i], y[i]);
        }
    }
    u64 wrong = 0;
    UNROLL
    for (int i = 0; i < PAIRS; i++) {
        wrong += BITS(x[i]) != want[i * 2];
        wrong += BITS(y[i]) != want[i * 2 + 1];
    }
    if (wrong) ADD((u64 *)found, wrong);
}
