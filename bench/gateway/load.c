// Clients of a gateway, from one thread.
//
//   load turns   ROUNDS BODY NAME=PORT...     one request to each in turn, in fresh random order each round: microseconds to the whole answer
//   load streams ROUNDS EVENTS GAP NAME=PORT  the same with streams: microseconds to the first event, from each event's
//                                             sending to its arrival, and by how much the time between two events differs at their arrival
//   load flood   SECONDS CONNECTIONS BODY PORT     as many requests as go, closed loop
//   load hold    SECONDS CONNECTIONS EVENTS GAP PORT   that many streams at once: from each event's sending to its arrival
//
// BODY: bytes of a request. GAP: microseconds between events. The key comes from KEY. Prints one line of numbers for each target.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char *request, *key;
static size_t request_length;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct numbers { double *at; size_t count, room; };

static void note(struct numbers *n, double value) {
    if (n->count == n->room) n->at = realloc(n->at, (n->room = n->room ? n->room * 2 : 4096) * sizeof *n->at);
    n->at[n->count++] = value;
}

static int compare(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

static double part(struct numbers *n, double share) {
    if (n->count == 0) return -1;
    qsort(n->at, n->count, sizeof *n->at, compare);
    return n->at[(size_t)(share * (double)(n->count - 1))];
}

static void make(size_t size, int stream, int events, long gap) {
    char *body = malloc(size + 512);
    int n = stream
        ? sprintf(body, "{\"model\":\"bench\",\"stream\":true,\"max_tokens\":%d,\"seed\":%ld,\"messages\":[{\"role\":\"user\",\"content\":\"", events, gap)
        : sprintf(body, "{\"model\":\"bench\",\"max_tokens\":20,\"messages\":[{\"role\":\"user\",\"content\":\"");
    // Lines of text, as prompts are: each of their ends is an escape.
    for (int words = 1; n < (int)size - 5; words++) n += sprintf(body + n, "%s", words % 10 ? "a ship " : "ashore\\n");
    n += sprintf(body + n, "\"}]}");
    request = malloc((size_t)n + 512);
    request_length = (size_t)sprintf(request, "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: Bearer %s\r\n"
        "x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:%s/v1\r\ncontent-length: %d\r\n\r\n%s", key, getenv("UPSTREAM") ? getenv("UPSTREAM") : "0", n, body);
    free(body);
}

static int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) { perror("connect"); exit(1); }
    return fd;
}

struct client { int fd; char in[65536]; size_t have; uint64_t sent, first; double age; int streaming; long length; };

// Of the events of streams: from their sending to their arrival, and from one to the next how much that differs.
struct events { struct numbers ages, gaps; };

static void begin(struct client *c) {
    c->have = 0;
    c->first = 0;
    c->length = -1;
    c->sent = now();
    for (size_t at = 0; at < request_length;) {
        ssize_t n = send(c->fd, request + at, request_length - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) continue;
        if (n < 0) { perror("send"); exit(1); }
        at += (size_t)n;
    }
}

// Reads once. 1: the answer is whole.
static int more(struct client *c, struct events *events) {
    ssize_t got = recv(c->fd, c->in + c->have, sizeof c->in - 1 - c->have, 0);
    if (got <= 0) { fprintf(stderr, "the connection ended: %s\n", got ? strerror(errno) : "closed"); exit(1); }
    uint64_t at = now();
    c->have += (size_t)got;
    c->in[c->have] = 0;
    if (c->length == -1) {
        char *end = strstr(c->in, "\r\n\r\n");
        if (!end) return 0;
        if (strncmp(c->in, "HTTP/1.1 200", 12)) { fprintf(stderr, "refused: %.600s\n", c->in); exit(1); }
        *end = 0;
        char *length = strcasestr(c->in, "content-length:");
        c->streaming = strcasestr(c->in, "transfer-encoding: chunked") != NULL;
        c->length = length ? strtol(length + 15, NULL, 10) : -2;
        c->have -= (size_t)(end + 4 - c->in);
        memmove(c->in, end + 4, c->have + 1);
    }
    if (!c->streaming) return (long)c->have >= c->length;
    int done = 0;
    char *from = c->in, *text;
    while ((text = strstr(from, "\"content\":\""))) {
        char *close = strchr(text + 11, '"');
        if (!close) break;
        if (close - text - 11 == 20) {
            double age = (double)(at - strtoull(text + 11, NULL, 10)) / 1000;
            note(&events->ages, age);
            if (c->first) note(&events->gaps, fabs(age - c->age));
            c->age = age;
        }
        if (!c->first) c->first = at;
        from = close + 1;
    }
    if (strstr(c->in, "\r\n0\r\n\r\n") || strncmp(c->in, "0\r\n\r\n", 5) == 0) done = 1;
    // What is read stays only as far as it may be the beginning of something.
    size_t keep = c->have - (size_t)(from - c->in);
    if (keep > 2048) { from += keep - 2048; keep = 2048; }
    memmove(c->in, from, keep + 1);
    c->have = keep;
    return done;
}

static void forget(struct events *events) {
    free(events->ages.at);
    free(events->gaps.at);
}

static void row(const char *name, const char *what, struct numbers *n) {
    printf("%s %s count=%zu p50=%.1f p90=%.1f p99=%.1f p999=%.1f max=%.1f\n", name, what, n->count, part(n, .5), part(n, .9), part(n, .99), part(n, .999), part(n, 1));
}

static int in_turns(int argc, char **argv, int streams) {
    int rounds = atoi(argv[2]), first = streams ? 5 : 4, targets = argc - first;
    if (streams) make(600, 1, atoi(argv[3]), atol(argv[4]));
    else make((size_t)atol(argv[3]), 0, 0, 0);
    struct client *clients = calloc((size_t)targets, sizeof *clients);
    struct numbers *times = calloc((size_t)targets, sizeof *times);
    struct events *events = calloc((size_t)targets, sizeof *events);
    for (int i = 0; i < targets; i++) clients[i].fd = dial(atoi(strchr(argv[first + i], '=') + 1));
    srand(1);
    int warm = rounds / 5 + 20;
    for (int round = -warm; round < rounds; round++) {
        int order[64];
        for (int i = 0; i < targets; i++) order[i] = i;
        for (int i = targets - 1; i > 0; i--) { int j = rand() % (i + 1), kept = order[i]; order[i] = order[j]; order[j] = kept; }
        for (int i = 0; i < targets; i++) {
            struct client *c = &clients[order[i]];
            struct events unused = {0};
            begin(c);
            while (!more(c, round < 0 ? &unused : &events[order[i]])) {}
            forget(&unused);
            if (round >= 0) note(&times[order[i]], (double)((streams ? c->first : now()) - c->sent) / 1000);
        }
    }
    for (int i = 0; i < targets; i++) {
        char *name = argv[first + i];
        *strchr(name, '=') = 0;
        row(name, streams ? "first" : "whole", &times[i]);
        if (streams) row(name, "event", &events[i].ages);
        if (streams) row(name, "gap", &events[i].gaps);
    }
    return 0;
}

static int together(int argc, char **argv, int streams) {
    (void)argc;
    double seconds = atof(argv[2]);
    int count = atoi(argv[3]), port = atoi(argv[streams ? 6 : 5]);
    if (streams) make(600, 1, atoi(argv[4]), atol(argv[5]));
    else make((size_t)atol(argv[4]), 0, 0, 0);
    struct rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    int epoll = epoll_create1(0);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    struct numbers times = {0};
    struct events events = {0};
    for (int i = 0; i < count; i++) {
        clients[i].fd = dial(port);
        struct epoll_event watch = {.events = EPOLLIN, .data.ptr = &clients[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &watch);
    }
    uint64_t warm = now() + 1000000000u, end = warm + (uint64_t)(seconds * 1e9);
    size_t done = 0;
    struct timespec pause = {0, streams ? 1000000000L / 20 / (count > 50 ? count : 50) : 0};
    for (int i = 0; i < count; i++) { begin(&clients[i]); if (streams) nanosleep(&pause, NULL); }
    while (now() < end) {
        struct epoll_event ready[256];
        int n = epoll_wait(epoll, ready, 256, 100);
        for (int i = 0; i < n; i++) {
            struct client *c = ready[i].data.ptr;
            struct events unused = {0};
            int whole = more(c, now() < warm ? &unused : &events);
            forget(&unused);
            if (!whole) continue;
            uint64_t at = now();
            if (at >= warm) { done++; note(&times, (double)(at - c->sent) / 1000); }
            begin(c);
        }
    }
    printf("rate=%.0f ", (double)done / seconds);
    if (streams) row("all", "event", &events.ages);
    else row("all", "whole", &times);
    return 0;
}

int main(int argc, char **argv) {
    key = getenv("KEY") ? getenv("KEY") : "none";
    if (argc > 4 && !strcmp(argv[1], "turns")) return in_turns(argc, argv, 0);
    if (argc > 5 && !strcmp(argv[1], "streams")) return in_turns(argc, argv, 1);
    if (argc > 5 && !strcmp(argv[1], "flood")) return together(argc, argv, 0);
    if (argc > 6 && !strcmp(argv[1], "hold")) return together(argc, argv, 1);
    fprintf(stderr, "see the head of load.c\n");
    return 2;
}
