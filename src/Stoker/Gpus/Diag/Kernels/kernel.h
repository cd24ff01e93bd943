// What the kernels need of the GPU, or of the processor in the tests.
#pragma once
typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef ON_HOST
#define UNROLL
#define KERNEL __attribute__((visibility("default")))
#define INLINE inline __attribute__((always_inline))
static _Thread_local u64 host_place, host_threads, host_lane;
#define PLACE host_place
#define THREADS host_threads
#define LANE host_lane
#define ADD(at, by) __atomic_fetch_add(at, by, __ATOMIC_RELAXED)
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#else
#define UNROLL _Pragma("unroll")
#define KERNEL extern "C" __attribute__((global))
#define INLINE inline __attribute__((device, always_inline))
#define PLACE ((u64)__nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() + __nvvm_read_ptx_sreg_tid_x())
#define THREADS ((u64)__nvvm_read_ptx_sreg_nctaid_x() * __nvvm_read_ptx_sreg_ntid_x())
#define LANE ((u64)__nvvm_read_ptx_sreg_tid_x())
#define ADD(at, by) ((u64)__nvvm_atom_add_gen_ll((long long *)(at), (long long)(by)))
#define FMA(a, b, c) __nvvm_fma_rn_f(a, b, c)
#endif

static INLINE u32 BITS(float value) {
    u32 bits;
    __builtin_memcpy(&bits, &value, 4);
    return bits;
}
