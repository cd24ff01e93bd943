// Multiplies matrices of 16 by 16 and 16 by 8 on the tensor cores, with sums in FP32. tensor.ptx is made of it: see KernelsTests.
//
// The matrices hold whole numbers from -127 to 127, which BF16 and FP16 hold exactly; a product's sums stay under 2^20, which FP32 holds exactly, in whatever order they are added.
// The product is added and taken away in turn, so that the sum stays small, and one wrong bit is still wrong at the end. Both matrices are full of different bits, as real work is.
#include "kernel.h"

#define SUMS 8

static INLINE int value(u32 index) {
    int number = (int)((index * 2654435761u) >> 24) - 128;
    return number == -128 ? 0 : number;
}

// The upper half of an FP32 is a BF16.
static INLINE u32 bf16(int number) { return BITS((float)number) >> 16; }

// FP16: five bits of exponent around 15 and ten of fraction.
static INLINE u32 fp16(int number) {
    u32 bits = BITS((float)number);
    if (number == 0) return 0;
    return ((bits >> 16) & 0x8000) | ((((bits >> 23) & 0xFF) - 112) << 10) | ((bits >> 13) & 0x3FF);
}

#define PAIR(half, first, second) (half(first) | half(second) << 16)
#define A(row, column) value((u32)((row) * 16 + (column)))
#define B(row, column) value((u32)(1000 + (row) * 8 + (column)))

// Where a lane's parts of the matrices are is in the PTX manual, "Matrix fragments for mma.m16n8k16". `expected` has the four sums of each lane after one product; rounds are pairs.
#define PRODUCT(name, type, half)                                                                                                                     \
    KERNEL void name(u64 expected, u64 rounds, u64 found) {                                                                                           \
        u32 lane = (u32)(LANE & 31), group = lane >> 2, own = (lane & 3) * 2;                                                                          \
        u32 a[4], minus[4], b[2];                                                                                                                     \
        float sum[SUMS][4];                                                                                                                           \
        UNROLL                                                                                                                                        \
        for (int i = 0; i < 4; i++) {                                                                                                                 \
            u32 row = group + (i & 1) * 8, column = own + (i >> 1) * 8;                                                                               \
            a[i] = PAIR(half, A(row, column), A(row, column + 1));                                                                                    \
            minus[i] = a[i] ^ 0x80008000u;                                                                                                            \
        }                                                                                                                                             \
        UNROLL                                                                                                                                        \
        for (int i = 0; i < 2; i++) b[i] = PAIR(half, B(own + i * 8, group), B(own + i * 8 + 1, group));                                              \
        UNROLL                                                                                                                                        \
        for (int i = 0; i < SUMS; i++)                                                                                                                \
            UNROLL                                                                                                                                    \
            for (int j = 0; j < 4; j++) sum[i][j] = 0;                                                                                                \
        for (u64 round = 0; round < rounds; round++) {                                                                                                \
            UNROLL                                                                                                                                    \
            for (int i = 0; i < SUMS; i++) ADD_PRODUCT(type, sum[i], a, b);                                                                           \
            UNROLL                                                                                                                                    \
            for (int i = 0; i < SUMS; i++) ADD_PRODUCT(type, sum[i], minus, b);                                                                       \
        }                                                                                                                                             \
        u64 wrong = 0;                                                                                                                                \
        const u32 *want = (const u32 *)expected + lane * 4;                                                                                           \
        UNROLL                                                                                                                                        \
        for (int i = 0; i < SUMS; i++) {                                                                                                              \
            ADD_PRODUCT(type, sum[i], a, b);                                                                                                          \
            UNROLL                                                                                                                                    \
            for (int j = 0; j < 4; j++) wrong += BITS(sum[i][j]) != want[j];                                                                          \
        }                                                                                                                                             \
        if (wrong) ADD((u64 *)found, wrong);                                                                                                          \
    }

#ifdef ON_HOST
// A processor has no tensor cores: what they would add for this lane is taken from the matrices' numbers, and the fragments are not looked at.
static INLINE void host_product(float *sum, int sign, u32 group, u32 own) {
    for (u32 j = 0; j < 4; j++)
        for (u32 k = 0; k < 16; k++) sum[j] += (float)(sign * A(group + (j >> 1) * 8, k) * B(k, own + (j & 1)));
}
#define ADD_PRODUCT(type, s, a, b) ((void)b, host_product(s, &(a)[0] == &minus[0] ? -1 : 1, group, own))
#else
#define ADD_PRODUCT(type, s, a, b)                                                                                                                    \
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"              \
                     : "+f"(s[0]), "+f"(s[1]), "+f"(s[2]), "+f"(s[3])                                                                                 \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#endif

PRODUCT(tensor_bf16, "bf16", bf16)
PRODUCT(tensor_fp16, "f16", fp16)
