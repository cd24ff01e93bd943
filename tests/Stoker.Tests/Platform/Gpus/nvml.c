/*
 * A management library as the driver's is, for tests: two cards, an RTX 4090 without MIG and an A100 with it, laid out and numbered as in nvml.h (API version 13).
 * The functions that begin with standin_ are the test's way to make something happen in its own process; in another one it is the file that STANDIN_NVML names, with lines as
 *   process GPU PID BYTES [INSTANCE] (until that process has ended)     xid GPU NUMBER (once for each such line)     lost GPU     hang
 *   refuse GPU PROFILE (no instance of it is made)
 * What the cards are divided into is then kept beside that file, with .mig behind its name, for the next process that asks; to remove it is to switch the machine off and on.
 * Compiled with
 *   -DINIT=18     nvmlInit_v2 answers this code
 *   -DOLD         without what libraries of 2020 lack
 *   -DGARBAGE     numbers that cannot be, texts without an end
 *   -DCOUNT=N     nvmlDeviceGetCount_v2 says so
 *   -DMONITORS    the cards have performance monitors (GPM), as later ones do
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef INIT
#define INIT 0
#endif
#ifndef COUNT
#define COUNT 2
#endif

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, TOO_SMALL = 7, TIMEOUT = 10, LOST = 15, IN_USE = 19, NO_ROOM = 23, MISMATCH = 25 };

typedef unsigned long long u64;
typedef struct { u64 total, free, used; } memory;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory2;
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } pci_info;
typedef struct { unsigned pid; u64 used; unsigned gi, ci; } process;
typedef struct { unsigned pid; u64 stamp; unsigned sm, mem, enc, dec; } process_use;
typedef struct { void *device; u64 type, data; unsigned gi, ci; } event;
typedef struct { unsigned field, scope; long long stamp, latency; int type, code; u64 value; } field_value;
typedef struct { unsigned version, id, p2p, slices, instances, sms, copies, decoders, encoders, jpegs, ofas; u64 mib; char name[96]; } profile_info;
typedef struct { unsigned start, size; } placement;
typedef struct { void *device; unsigned id, profile; placement at; } instance_info;
typedef struct { unsigned id, slices, instances, sms, copies, decoders, encoders, jpegs, ofas; } compute_info;
typedef struct { unsigned version, supported; } monitor_support;
typedef struct { unsigned id; int code; double value; char *short_name, *long_name, *unit; } metric;
typedef struct { unsigned version, count; void *older, *newer; metric metrics[333]; } metrics_get;

_Static_assert(sizeof(metric) == 40 && sizeof(metrics_get) == 24 + 333 * 40, "as in nvml.h");
_Static_assert(sizeof(memory2) == 40 && sizeof(pci_info) == 68 && sizeof(process) == 24 && sizeof(process_use) == 32 && sizeof(event) == 32, "as in nvml.h");
_Static_assert(sizeof(field_value) == 40 && sizeof(profile_info) == 152 && sizeof(instance_info) == 24 && sizeof(compute_info) == 36, "as in nvml.h");

typedef struct card card;
typedef struct { card *of; int used; unsigned id, profile; placement at; int compute; } instance;
struct card {
    const char *name, *uuid, *bus; unsigned pci, major, minor, cores, watts_default, watts_min, watts_max, sm_max, mem_max; u64 total; int has_mig, lost, mig;
    process processes[8]; unsigned count; instance instances[7];
};
typedef struct { card *of; unsigned gi; } mig_device;

static card cards[2] = {
    { "NVIDIA GeForce RTX 4090", "GPU-4090", "00000000:01:00.0", 0x268410DE, 8, 9, 16384, 450000, 150000, 600000, 3105, 10501, 24564ull << 20, 0 },
    { "NVIDIA A100-SXM4-40GB", "GPU-a100", "00000000:41:00.0", 0x20B010DE, 8, 0, 6912, 400000, 100000, 400000, 1410, 1215, 40960ull << 20, 1 },
};
static const struct { const char *name; unsigned id, slices, most, mib, size, starts[8], places; } profiles[] = {
    { "MIG 1g.5gb", 19, 1, 7, 4864, 1, { 0, 1, 2, 3, 4, 5, 6 }, 7 }, { "MIG 2g.10gb", 14, 2, 3, 9856, 2, { 0, 2, 4 }, 3 }, { "MIG 3g.20gb", 9, 3, 2, 19968, 4, { 0, 4 }, 2 },
    { "MIG 4g.20gb", 5, 4, 1, 19968, 4, { 0 }, 1 }, { "MIG 7g.40gb", 0, 7, 1, 40192, 8, { 0 }, 1 },
};
static int begun, set;
static volatile int hanging;
static event events[16];
static unsigned first, last;
static mig_device migs[2][7];

static unsigned xids_seen, refused[2][8], refusals[2];
static const char *kept(char *to, const char *end) { const char *path = getenv("STANDIN_NVML"); if (!path) return 0; snprintf(to, 4000, "%s.mig%s", path, end); return to; }
static void keep(void) {
    char path[4000], next[4000]; FILE *file;
    if (!kept(path, "") || !kept(next, ".new") || !(file = fopen(next, "w"))) return;
    for (int i = 0; i < 2; i++) {
        fprintf(file, "mode %d %d\n", i, cards[i].mig);
        for (int j = 0; j < 7; j++) if (cards[i].instances[j].used) {
            instance *x = &cards[i].instances[j];
            fprintf(file, "instance %d %d %u %u %u %d\n", i, j, x->profile, x->at.start, x->at.size, x->compute);
        }
    }
    fclose(file); rename(next, path);
}
static void recall(void) {
    char path[4000], line[200]; unsigned i, j, profile, start, size; int mode; FILE *file;
    if (!kept(path, "") || !(file = fopen(path, "r"))) return;
    while (fgets(line, sizeof line, file)) {
        int compute;
        if (sscanf(line, "mode %u %d", &i, &mode) == 2 && i < 2) cards[i].mig = mode;
        else if (sscanf(line, "instance %u %u %u %u %u %d", &i, &j, &profile, &start, &size, &compute) == 6 && i < 2 && j < 7)
            cards[i].instances[j] = (instance){ &cards[i], 1, j + 1, profile, { start, size }, compute };
    }
    fclose(file);
}
static void read_file(void) {
    const char *path = getenv("STANDIN_NVML");
    if (!path) return;
    for (int hangs = 1; hangs;) {
        FILE *file = fopen(path, "r");
        char line[200], what[20]; unsigned gpu, xids = 0; u64 a, b, gi;
        if (!file) return;
        hangs = 0; cards[0].count = cards[1].count = refusals[0] = refusals[1] = 0;
        while (fgets(line, sizeof line, file)) {
            int n = sscanf(line, "%19s %u %llu %llu %llu", what, &gpu, &a, &b, &gi);
            if (n >= 1 && !strcmp(what, "hang")) hangs = 1;
            else if (n < 2 || gpu > 1) continue;
            else if (!strcmp(what, "process") && n >= 4 && cards[gpu].count < 8) { if (!kill(a, 0) || errno != ESRCH) cards[gpu].processes[cards[gpu].count++] = (process){ a, b, n == 5 ? gi : ~0u, ~0u }; }
            else if (!strcmp(what, "refuse") && n >= 3 && refusals[gpu] < 8) refused[gpu][refusals[gpu]++] = a;
            else if (!strcmp(what, "lost")) cards[gpu].lost = 1;
            else if (!strcmp(what, "xid") && n >= 3 && xids++ >= xids_seen) { events[last++ % 16] = (event){ &cards[gpu], 8, a, ~0u, ~0u }; xids_seen = xids; }
        }
        fclose(file);
        if (hangs) { struct timespec t = { 0, 20000000 }; nanosleep(&t, 0); }
    }
}
static void wait_while_hanging(void) { while (hanging) { struct timespec a = { 0, 5000000 }; nanosleep(&a, 0); } }
void standin_hang(int on) { hanging = on; }
void standin_xid(unsigned index, u64 xid) { events[last++ % 16] = (event){ &cards[index], 8, xid, ~0u, ~0u }; }
void standin_lose(unsigned index) { cards[index].lost = 1; }
void standin_process(unsigned index, unsigned pid, u64 used) { cards[index].processes[cards[index].count++] = (process){ pid, used, ~0u, ~0u }; }
void standin_process_in(unsigned index, unsigned pid, u64 used, unsigned gi) { cards[index].processes[cards[index].count++] = (process){ pid, used, gi, 0 }; }
void standin_end(unsigned index) { cards[index].count = 0; }

#define ALIVE(d) card *c = d; if (!begun) return UNINITIALIZED; if (c->lost) return LOST

int nvmlInit_v2(void) { if (!begun++) recall(); return INIT; }
int nvmlShutdown(void) { begun--; return 0; }
const char *nvmlErrorString(int code) {
    switch (code) {
    case 1: return "Uninitialized"; case 2: return "Invalid Argument"; case 3: return "Not Supported"; case 4: return "Insufficient Permissions"; case 6: return "Not Found";
    case 7: return "Insufficient Size"; case 9: return "Driver Not Loaded"; case 10: return "Timeout"; case 15: return "GPU is lost"; case 18: return "Driver/library version mismatch";
    case 19: return "In use by another client"; case 23: return "Insufficient Resources"; case 25: return "Argument version mismatch"; default: return "Unknown Error";
    }
}
static int text(char *to, unsigned size, const char *from) {
#ifdef GARBAGE
    memset(to, 0xE9, size); return 0;
#endif
    strncpy(to, from, size); return 0;
}
int nvmlSystemGetDriverVersion(char *to, unsigned size) { return begun ? text(to, size, "580.65.06") : 1; }
int nvmlSystemGetNVMLVersion(char *to, unsigned size) { return text(to, size, "13.580.65.06"); }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 13000; return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { wait_while_hanging(); *count = COUNT; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { if (index > 1) return INVALID; if (cards[index].lost) return LOST; *device = &cards[index]; return 0; }
int nvmlDeviceGetUUID(void *d, char *to, unsigned size) {
    for (int i = 0; i < 2; i++) for (int j = 0; j < 7; j++) if (d == &migs[i][j]) { char uuid[] = "MIG-a100-0"; uuid[9] = '0' + j; return text(to, size, uuid); }
    ALIVE(d); return text(to, size, c->uuid);
}
static mig_device *mig_of(void *d) { for (int i = 0; i < 2; i++) for (int j = 0; j < 7; j++) if (d == &migs[i][j]) return d; return 0; }
static int profile_of(mig_device *m) { for (int i = 0; i < 5; i++) if (profiles[i].id == m->of->instances[m->gi - 1].profile) return i; return 0; }
static u64 used_in(card *c, unsigned gi) { u64 used = 0; for (unsigned i = 0; i < c->count; i++) if (c->processes[i].gi == gi) used += c->processes[i].used; return used; }
int nvmlDeviceGetName(void *d, char *to, unsigned size) {
    mig_device *m = mig_of(d); char whole[96];
    if (m) { snprintf(whole, sizeof whole, "%s %s", m->of->name, profiles[profile_of(m)].name); return text(to, size, whole); }
    ALIVE(d); return text(to, size, c->name);
}
int nvmlDeviceGetSerial(void *d, char *to, unsigned size) { ALIVE(d); return c->has_mig ? text(to, size, "1560220") : NOT_SUPPORTED; }
int nvmlDeviceGetVbiosVersion(void *d, char *to, unsigned size) { ALIVE(d); return text(to, size, c->has_mig ? "92.00.45.00.03" : "95.02.3C.00.8F"); }
int nvmlDeviceGetMinorNumber(void *d, unsigned *n) { ALIVE(d); *n = c - cards; return 0; }
int nvmlDeviceGetCudaComputeCapability(void *d, int *major, int *minor) { ALIVE(d); *major = c->major; *minor = c->minor; return 0; }
int nvmlDeviceGetPciInfo_v3(void *d, pci_info *p) { ALIVE(d); memset(p, 0, sizeof *p); p->id = c->pci; return text(p->bus_id, 32, c->bus); }
int nvmlDeviceGetMaxPcieLinkGeneration(void *d, unsigned *n) { ALIVE(d); *n = 4; return 0; }
int nvmlDeviceGetMaxPcieLinkWidth(void *d, unsigned *n) { ALIVE(d); *n = 16; return 0; }
int nvmlDeviceGetCurrPcieLinkGeneration(void *d, unsigned *n) { ALIVE(d); *n = c->count ? 4 : 1; return 0; }
int nvmlDeviceGetCurrPcieLinkWidth(void *d, unsigned *n) { ALIVE(d); *n = 16; return 0; }
int nvmlDeviceGetPcieReplayCounter(void *d, unsigned *n) { ALIVE(d); *n = 3; return 0; }
static u64 used_by(card *c) { u64 used = 0; for (unsigned i = 0; i < c->count; i++) used += c->processes[i].used; return used; }
int nvmlDeviceGetMemoryInfo(void *d, memory *m) {
    ALIVE(d); m->total = c->total; m->used = used_by(c) + (512ull << 20); m->free = m->total - m->used;
#ifdef GARBAGE
    m->used = ~0ull;
#endif
    return 0;
}
#ifndef OLD
int nvmlDeviceGetMemoryInfo_v2(void *d, memory2 *m) {
    read_file();
    if (m->version != (sizeof *m | 2u << 24)) return MISMATCH;
    mig_device *mig = mig_of(d);
    if (mig) {
        if (mig->of->lost) return LOST;
        m->total = (u64)profiles[profile_of(mig)].mib << 20; m->reserved = 0; m->used = used_in(mig->of, mig->gi); m->free = m->total - m->used; return 0;
    }
    ALIVE(d);
    m->total = c->total; m->reserved = 512ull << 20; m->used = used_by(c); m->free = m->total - m->reserved - m->used;
#ifdef GARBAGE
    m->used = ~0ull;
#endif
    return 0;
}
int nvmlDeviceGetNumGpuCores(void *d, unsigned *n) { ALIVE(d); *n = c->cores; return 0; }
int nvmlDeviceGetRemappedRows(void *d, unsigned *a, unsigned *b, unsigned *p, unsigned *f) { ALIVE(d); if (!c->has_mig) return NOT_SUPPORTED; *a = 1; *b = 2; *p = 0; *f = 0; return 0; }
int nvmlDeviceGetCurrentClocksEventReasons(void *d, u64 *r) { ALIVE(d); *r = c->count ? 4 : 1; return 0; }
#endif
int nvmlDeviceGetUtilizationRates(void *d, unsigned *r) {
    ALIVE(d); if (c->mig) return NOT_SUPPORTED; r[0] = c->count ? 87 : 0; r[1] = c->count ? 41 : 0;
#ifdef GARBAGE
    r[0] = 4000000000u;
#endif
    return 0;
}
int nvmlDeviceGetEncoderUtilization(void *d, unsigned *n, unsigned *period) { ALIVE(d); *n = 5; *period = 1000; return 0; }
int nvmlDeviceGetDecoderUtilization(void *d, unsigned *n, unsigned *period) { ALIVE(d); *n = 0; *period = 1000; return 0; }
int nvmlDeviceGetTemperature(void *d, int sensor, unsigned *n) {
    ALIVE(d); if (sensor) return INVALID; *n = c->count ? 71 : 34;
#ifdef GARBAGE
    *n = 65535;
#endif
    return 0;
}
int nvmlDeviceGetTemperatureThreshold(void *d, int which, unsigned *n) { ALIVE(d); if (!c->has_mig) return NOT_SUPPORTED; *n = which == 0 ? 92 : which == 1 ? 89 : 85; return 0; }
int nvmlDeviceGetFanSpeed(void *d, unsigned *n) { ALIVE(d); if (c->has_mig) return NOT_SUPPORTED; *n = 30; return 0; }
int nvmlDeviceGetPowerUsage(void *d, unsigned *n) { ALIVE(d); *n = c->count ? 310500 : 21500; return 0; }
int nvmlDeviceGetEnforcedPowerLimit(void *d, unsigned *n) { ALIVE(d); *n = c->watts_default; return 0; }
int nvmlDeviceGetPowerManagementDefaultLimit(void *d, unsigned *n) { ALIVE(d); *n = c->watts_default; return 0; }
int nvmlDeviceGetPowerManagementLimitConstraints(void *d, unsigned *a, unsigned *b) { ALIVE(d); *a = c->watts_min; *b = c->watts_max; return 0; }
int nvmlDeviceGetTotalEnergyConsumption(void *d, u64 *n) { ALIVE(d); *n = 123456789; return 0; }
int nvmlDeviceGetClockInfo(void *d, int which, unsigned *n) { ALIVE(d); *n = which == 1 ? (c->count ? c->sm_max : 210) : which == 2 ? (c->count ? c->mem_max : 405) : 0; return 0; }
int nvmlDeviceGetMaxClockInfo(void *d, int which, unsigned *n) { ALIVE(d); *n = which == 1 ? c->sm_max : which == 2 ? c->mem_max : 0; return 0; }
int nvmlDeviceGetPerformanceState(void *d, unsigned *n) { ALIVE(d); *n = c->count ? 0 : 8; return 0; }
int nvmlDeviceGetEccMode(void *d, unsigned *now, unsigned *then) { ALIVE(d); *now = *then = c->has_mig; return 0; }
int nvmlDeviceGetTotalEccErrors(void *d, int error, int counter, u64 *n) { ALIVE(d); if (!c->has_mig) return NOT_SUPPORTED; *n = counter ? 7 : error ? 0 : 2; return 0; }
int nvmlDeviceGetPersistenceMode(void *d, unsigned *n) { ALIVE(d); *n = 1; return 0; }
int nvmlDeviceGetComputeMode(void *d, unsigned *n) { ALIVE(d); *n = 0; return 0; }
int nvmlDeviceGetFieldValues(void *d, int count, field_value *v) {
    ALIVE(d);
    for (int i = 0; i < count; i++) {
        v[i].code = c->has_mig ? 0 : NOT_SUPPORTED; v[i].type = v[i].field == 82 ? 1 : 3; v[i].value = v[i].field == 82 ? 48 : 0;
    }
    return 0;
}
static int list(card *c, unsigned *count, process *p) {
    if (*count < c->count) { *count = c->count; return TOO_SMALL; }
    *count = c->count; memcpy(p, c->processes, c->count * sizeof *p); return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *d, unsigned *count, process *p) { ALIVE(d); return list(c, count, p); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *d, unsigned *count, process *p) { ALIVE(d); (void)p; *count = 0; return 0; }
int nvmlDeviceGetProcessUtilization(void *d, process_use *u, unsigned *count, u64 since) {
    ALIVE(d); if (!c->count || since >= 1000) return NOT_FOUND;
    for (unsigned i = 0; i < c->count; i++) u[i] = (process_use){ c->processes[i].pid, 1000, 60, 20, 0, 0 };
    *count = c->count; return 0;
}
int nvmlEventSetCreate(void **s) { *s = &set; return 0; }
int nvmlEventSetFree(void *s) { (void)s; return 0; }
int nvmlDeviceGetSupportedEventTypes(void *d, u64 *types) { ALIVE(d); *types = 0x9F; return 0; }
int nvmlDeviceRegisterEvents(void *d, u64 types, void *s) { ALIVE(d); return types & ~0x9Full || s != &set ? INVALID : 0; }
int nvmlEventSetWait_v2(void *s, event *e, unsigned ms) { (void)s; (void)ms; if (first == last) return TIMEOUT; *e = events[first++ % 16]; return 0; }

int nvmlDeviceGetMigMode(void *d, unsigned *now, unsigned *then) { ALIVE(d); if (!c->has_mig) return NOT_SUPPORTED; *now = *then = c->mig; return 0; }
int nvmlDeviceSetMigMode(void *d, unsigned mode, int *activation) {
    ALIVE(d); if (!c->has_mig) return NOT_SUPPORTED; *activation = 0;
    read_file();
    if (c->count) return IN_USE;
    for (int i = 0; i < 7; i++) if (c->instances[i].used) return IN_USE;
    c->mig = mode; keep(); return 0;
}
int nvmlDeviceGetGpuInstanceProfileInfoV(void *d, unsigned number, profile_info *p) {
    ALIVE(d); if (!c->has_mig) return NOT_SUPPORTED; if (p->version != (sizeof *p | 2u << 24)) return MISMATCH;
    static const int order[] = { 0, 1, 2, 3, 4, -1, -1, -1 };
    if (number >= 8) return INVALID; if (order[number] < 0) return NOT_SUPPORTED;
    int i = order[number]; p->id = profiles[i].id; p->slices = profiles[i].slices; p->instances = profiles[i].most; p->mib = profiles[i].mib; return text(p->name, 96, profiles[i].name);
}
int nvmlDeviceGetGpuInstancePossiblePlacements_v2(void *d, unsigned id, placement *p, unsigned *count) {
    ALIVE(d);
    for (int i = 0; i < 5; i++) if (profiles[i].id == id) { for (unsigned j = 0; j < profiles[i].places; j++) p[j] = (placement){ profiles[i].starts[j], profiles[i].size }; *count = profiles[i].places; return 0; }
    return INVALID;
}
int nvmlDeviceCreateGpuInstanceWithPlacement(void *d, unsigned id, const placement *at, void **made) {
    ALIVE(d); if (!c->mig) return NOT_SUPPORTED;
    read_file();
    for (unsigned i = 0; i < refusals[c - cards]; i++) if (refused[c - cards][i] == id) return NO_ROOM;
    int known = 0, room = -1;
    for (int i = 0; i < 5; i++) if (profiles[i].id == id && profiles[i].size == at->size) for (unsigned j = 0; j < profiles[i].places; j++) known |= profiles[i].starts[j] == at->start;
    if (!known) return INVALID;
    for (int i = 6; i >= 0; i--) {
        instance *x = &c->instances[i];
        if (!x->used) room = i; else if (at->start < x->at.start + x->at.size && x->at.start < at->start + at->size) return NO_ROOM;
    }
    if (room < 0) return NO_ROOM;
    c->instances[room] = (instance){ c, 1, room + 1, id, *at, 0 }; *made = &c->instances[room]; return 0;
}
int nvmlGpuInstanceGetComputeInstanceProfileInfo(void *i, unsigned number, unsigned engine, compute_info *p) {
    static const unsigned slices[] = { 1, 2, 3, 4, 7 };
    (void)i; (void)engine; if (number > 4) return number < 9 ? NOT_SUPPORTED : INVALID; memset(p, 0, sizeof *p); p->id = number; p->slices = slices[number]; return 0;
}
int nvmlGpuInstanceCreateComputeInstance(void *i, unsigned id, void **made) { instance *x = i; x->compute = id + 1; *made = &x->compute; keep(); return 0; }
int nvmlGpuInstanceGetComputeInstances(void *i, unsigned id, void **found, unsigned *count) { instance *x = i; *count = x->compute == (int)id + 1; if (*count) found[0] = &x->compute; return 0; }
int nvmlComputeInstanceDestroy(void *i) {
    read_file();
    for (int c = 0; c < 2; c++) for (int j = 0; j < 7; j++) if (i == &cards[c].instances[j].compute)
        for (unsigned p = 0; p < cards[c].count; p++) if (cards[c].processes[p].gi == cards[c].instances[j].id) return IN_USE;
    *(int *)i = 0; keep(); return 0;
}
int nvmlGpuInstanceDestroy(void *i) { instance *x = i; if (x->compute) return IN_USE; x->used = 0; keep(); return 0; }
int nvmlGpuInstanceGetInfo(void *i, instance_info *p) { instance *x = i; *p = (instance_info){ x->of, x->id, x->profile, x->at }; return 0; }
int nvmlDeviceGetGpuInstanceById(void *d, unsigned id, void **found) { ALIVE(d); if (id < 1 || id > 7 || !c->instances[id - 1].used) return NOT_FOUND; *found = &c->instances[id - 1]; return 0; }
int nvmlDeviceGetGpuInstances(void *d, unsigned id, void **found, unsigned *count) {
    ALIVE(d); *count = 0; for (int i = 0; i < 7; i++) if (c->instances[i].used && c->instances[i].profile == id) found[(*count)++] = &c->instances[i]; return 0;
}
int nvmlDeviceGetMaxMigDeviceCount(void *d, unsigned *count) { ALIVE(d); *count = c->has_mig ? 7 : 0; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *d, unsigned index, void **mig) {
    ALIVE(d); if (index > 6 || !c->instances[index].used || !c->instances[index].compute) return NOT_FOUND;
    mig_device *m = &migs[c - cards][index]; m->of = c; m->gi = c->instances[index].id; *mig = m; return 0;
}
int nvmlDeviceGetGpuInstanceId(void *d, unsigned *id) { mig_device *m = d; *id = m->gi; return 0; }

static int samples;
int standin_samples(void) { return samples; }
#ifdef MONITORS
typedef struct { card *of; int gi, busy; unsigned number; } sample;
static unsigned taken;
static int fill(void *s, card *c, int gi) {
    sample *to = s; int busy = 0;
    for (unsigned i = 0; i < c->count; i++) busy |= gi < 0 || c->processes[i].gi == (unsigned)gi;
    *to = (sample){ c, gi, busy, ++taken }; return 0;
}
int nvmlGpmQueryDeviceSupport(void *d, monitor_support *s) { ALIVE(d); if (s->version != 1) return MISMATCH; s->supported = 1; return 0; }
int nvmlGpmSampleAlloc(void **s) { *s = calloc(1, sizeof(sample)); samples++; return 0; }
int nvmlGpmSampleFree(void *s) { free(s); samples--; return 0; }
int nvmlGpmSampleGet(void *d, void *s) { ALIVE(d); return c->mig ? NOT_SUPPORTED : fill(s, c, -1); }
int nvmlGpmMigSampleGet(void *d, unsigned gi, void *s) { ALIVE(d); return !c->mig || gi < 1 || gi > 7 || !c->instances[gi - 1].used ? INVALID : fill(s, c, gi); }
/* Of the two samples the first must be the older one, and both of the same place. */
int nvmlGpmMetricsGet(metrics_get *g) {
    if (g->version != 1) return MISMATCH;
    sample *a = g->older, *b = g->newer;
    if (a->of != b->of || a->gi != b->gi || a->number >= b->number) return INVALID;
    for (unsigned i = 0; i < g->count; i++) {
        metric *m = &g->metrics[i]; m->code = 0;
        switch (m->id) {
        case 1: m->value = b->busy * 87; break; case 2: m->value = b->busy * 80; break; case 3: m->value = b->busy * 31; break; case 5: m->value = b->busy * 35.5; break;
        case 10: m->value = b->busy * 62; break; case 11: m->value = 0; break; case 12: m->value = b->busy * 11; break; case 13: m->value = b->busy * 4; break;
        case 20: m->value = b->busy * 48; break; case 21: m->value = b->busy * 210; break;
        case 60: case 61: m->value = 0; if (!b->of->has_mig) m->code = NOT_SUPPORTED; break;
        default: m->code = INVALID;
        }
#ifdef GARBAGE
        if (m->id == 5) m->value = 4000000000u;
        if (m->id == 11) m->code = NOT_SUPPORTED;
#endif
    }
    return 0;
}
#endif
