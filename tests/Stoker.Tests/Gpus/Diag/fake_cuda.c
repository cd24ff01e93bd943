// A CUDA driver for tests: one card whose memory is this process', and which runs the kernels' own source on the processor.
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <time.h>
#include "memory.cu"
#include "tensor.cu"

#define OUT_OF_MEMORY 2
#define INVALID_PTX 218
#define NOT_FOUND 500

static size_t budget = 16 << 20, used;
static int fails;

// The test sets these: how much memory there is, and whether every call from now on fails as if the card were gone.
void fake_set(size_t bytes, int lost) { budget = bytes; fails = lost; }

#define API __attribute__((visibility("default"))) int
#define LIVES if (fails) return 719

API cuInit(unsigned flags) { return flags; }
API cuDeviceGetCount(int *count) { *count = 1; return 0; }
API cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
API cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Fake card %d", device); return 0; }
API cuDeviceGetUuid(unsigned char *uuid, int device) { (void)device; for (int i = 0; i < 16; i++) uuid[i] = i * 17; return 0; }
API cuDeviceGetAttribute(int *value, int attribute, int device) { (void)device; *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 4; return 0; }
API cuDevicePrimaryCtxRetain(void **context, int device) { (void)device; *context = &used; return 0; }
API cuDevicePrimaryCtxRelease_v2(int device) { (void)device; return used ? 1 : 0; }
API cuCtxSetCurrent(void *context) { return context == &used ? 0 : 201; }
API cuMemGetInfo_v2(size_t *freed, size_t *total) { LIVES; *freed = budget - used; *total = budget; return 0; }
API cuMemAlloc_v2(u64 *address, size_t bytes) {
    LIVES;
    if (bytes > budget - used) return OUT_OF_MEMORY;
    size_t *block = malloc(bytes + 64);
    *block = bytes;
    used += bytes;
    *address = (u64)block + 64;
    return 0;
}
API cuMemFree_v2(u64 address) { size_t *block = (size_t *)(address - 64); used -= *block; free(block); return 0; }
API cuMemHostAlloc(void **address, size_t bytes, unsigned flags) { LIVES; *address = malloc(bytes); return flags; }
API cuMemFreeHost(void *address) { free(address); return 0; }
API cuModuleLoadDataEx(void **module, const char *text, unsigned count, int *options, void **values) {
    if (strstr(text, ".entry")) { *module = strdup(text); return 0; }
    for (unsigned i = 0; i < count; i++)
        if (options[i] == 5) strcpy(values[i], "line 1: no kernel in it");
    return INVALID_PTX;
}
API cuModuleUnload(void *module) { free(module); return 0; }
API cuModuleGetFunction(void **function, const char *module, const char *name) {
    static const char *names[] = {"fill", "check", "fma32", "tensor_bf16", "tensor_fp16"};
    char entry[64];
    snprintf(entry, sizeof entry, ".entry %s(", name);
    for (int i = 0; i < 5; i++)
        if (!strcmp(names[i], name) && strstr(module, entry)) { *function = (void *)names[i]; return 0; }
    return NOT_FOUND;
}
API cuLaunchKernel(const char *function, unsigned bx, unsigned by, unsigned bz, unsigned tx, unsigned ty, unsigned tz, unsigned shared, void *stream, void **a, void **extra) {
    LIVES;
    if (by != 1 || bz != 1 || ty != 1 || tz != 1 || shared || stream || extra) return 1;
#define V(i) (*(u64 *)a[i])
    // Of arithmetic one block stands for all: they do the same.
    host_threads = (u64)(strcmp(function, "fill") && strcmp(function, "check") ? 1 : bx) * tx;
    for (host_place = 0; host_place < host_threads; host_place++) {
        host_lane = host_place % tx;
        if (!strcmp(function, "fill")) fill(V(0), V(1), V(2), V(3));
        else if (!strcmp(function, "check")) check(V(0), V(1), V(2), V(3), V(4), V(5));
        else if (!strcmp(function, "tensor_bf16")) tensor_bf16(V(0), V(1), V(2));
        else if (!strcmp(function, "tensor_fp16")) tensor_fp16(V(0), V(1), V(2));
        else fma32(V(0), V(1), V(2));
    }
    return 0;
}
API cuMemcpyAsync(u64 to, u64 from, size_t bytes, void *stream) { LIVES; (void)stream; memcpy((void *)to, (void *)from, bytes); return 0; }
API cuMemcpyHtoD_v2(u64 to, const void *from, size_t bytes) { LIVES; memcpy((void *)to, from, bytes); return 0; }
API cuMemcpyDtoH_v2(void *to, u64 from, size_t bytes) { LIVES; memcpy(to, (void *)from, bytes); return 0; }
API cuEventCreate(struct timespec **event, unsigned flags) { *event = calloc(1, sizeof **event); return flags; }
API cuEventRecord(struct timespec *event, void *stream) { LIVES; (void)stream; return clock_gettime(CLOCK_MONOTONIC, event); }
API cuEventSynchronize(struct timespec *event) { LIVES; return event->tv_sec ? 0 : 1; }
API cuEventElapsedTime(float *milliseconds, struct timespec *from, struct timespec *to) {
    *milliseconds = (to->tv_sec - from->tv_sec) * 1e3f + (to->tv_nsec - from->tv_nsec) / 1e6f;
    return 0;
}
API cuEventDestroy_v2(void *event) { free(event); return 0; }
API cuGetErrorName(int code, const char **name) { *name = code == 719 ? "CUDA_ERROR_LAUNCH_FAILED" : code == INVALID_PTX ? "CUDA_ERROR_INVALID_PTX" : "CUDA_ERROR"; return 0; }
API cuGetErrorString(int code, const char **text) { *text = code == 719 ? "unspecified launch failure" : "it did not go well"; return 0; }
