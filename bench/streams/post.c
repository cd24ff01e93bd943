// Producers on many connections, from one thread, each with one request under way.
//
//   post http|redis|nats SECONDS CONNECTIONS PORT FILE [RATE]
//
// RATE: requests per second that are begun at most, of all connections together; left out, as many as are answered.
//
// FILE is a request as it goes over the wire; each run of twelve @ in it becomes a number of its own every time it is sent, each run of four # the connection's. An
// answer is good when it begins with `HTTP/1.1 202`, or with `$`, or is a message to the connection's subject for each #### and names no error. Prints requests per
// second and microseconds from sending to the whole answer.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DIGITS = 12, OWN_DIGITS = 4 };

struct client { int fd, own; char in[262144]; size_t have; uint64_t sent; };

static char *request;
static size_t length, *places, count_of_places, *own_places, count_of_own_places;
static uint64_t number;
static enum { HTTP, REDIS, NATS } protocol;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void load(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) { perror(path); exit(1); }
    request = malloc(64 << 20);
    length = fread(request, 1, 64 << 20, file);
    fclose(file);
    places = malloc(sizeof *places * (length / DIGITS + 1));
    for (char *at = request; (at = memmem(at, length - (size_t)(at - request), "@@@@@@@@@@@@", DIGITS)); at += DIGITS) places[count_of_places++] = (size_t)(at - request);
    own_places = malloc(sizeof *own_places * (length / OWN_DIGITS + 1));
    for (char *at = request; (at = memmem(at, length - (size_t)(at - request), "####", OWN_DIGITS)); at += OWN_DIGITS) own_places[count_of_own_places++] = (size_t)(at - request);
    number = now() / 1000 % 1000000u * 1000000u;
}

static void put(size_t place, int digits, uint64_t value) {
    while (digits-- > 0) {
        request[place + (size_t)digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void renumber(const struct client *c) {
    for (size_t i = 0; i < count_of_places; i++) put(places[i], DIGITS, ++number);
    for (size_t i = 0; i < count_of_own_places; i++) put(own_places[i], OWN_DIGITS, (uint64_t)c->own);
}

static int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) { perror("connect"); exit(1); }
    return fd;
}

// Each connection hears of its own messages at a subject of its own.
static void subscribe(const struct client *c) {
    char words[256], said[4096];
    if (recv(c->fd, said, sizeof said, 0) <= 0) { perror("no INFO"); exit(1); }
    int size = snprintf(words, sizeof words, "CONNECT {\"verbose\":false}\r\nSUB own.%04d 1\r\n", c->own);
    if (send(c->fd, words, (size_t)size, MSG_NOSIGNAL) != size) { perror("send"); exit(1); }
}

static void begin(struct client *c) {
    c->have = 0;
    renumber(c);
    c->sent = now();
    for (size_t at = 0; at < length;) {
        ssize_t n = send(c->fd, request + at, length - at, MSG_NOSIGNAL);
        if (n < 0) { perror("send"); exit(1); }
        at += (size_t)n;
    }
}

// Reads once. 1: the answer is whole.
static int more(struct client *c) {
    ssize_t got = recv(c->fd, c->in + c->have, sizeof c->in - 1 - c->have, 0);
    if (got <= 0) { fprintf(stderr, "the connection ended: %s\n", got ? strerror(errno) : "closed"); exit(1); }
    c->have += (size_t)got;
    c->in[c->have] = 0;
    if (protocol == NATS) {
        if (strstr(c->in, "\"error\"") || c->in[0] == '-') { fprintf(stderr, "refused: %.300s\n", c->in); exit(1); }
        size_t lines = 0;
        for (char *at = c->in; (at = memchr(at, '\n', c->have - (size_t)(at - c->in))); at++) lines++;
        return lines >= 2 * count_of_own_places;
    }
    if (protocol == REDIS) {
        if (c->in[0] != '$') { fprintf(stderr, "refused: %.300s\n", c->in); exit(1); }
        char *line = strstr(c->in, "\r\n");
        return line && strstr(line + 2, "\r\n") != NULL;
    }
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return 0;
    if (strncmp(c->in, "HTTP/1.1 202", 12)) { fprintf(stderr, "refused: %.600s\n", c->in); exit(1); }
    char *field = strcasestr(c->in, "content-length:");
    return field && c->have >= (size_t)(end + 4 - c->in) + strtoul(field + 15, NULL, 10);
}

static int compare(const void *a, const void *b) { return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b); }

int main(int argc, char **argv) {
    if (argc < 6) { fprintf(stderr, "see the head of post.c\n"); return 2; }
    protocol = !strcmp(argv[1], "redis") ? REDIS : !strcmp(argv[1], "nats") ? NATS : HTTP;
    double seconds = atof(argv[2]);
    int count = atoi(argv[3]), port = atoi(argv[4]);
    load(argv[5]);
    int poll = epoll_create1(0);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    for (int i = 0; i < count; i++) {
        clients[i].fd = dial(port);
        clients[i].own = i;
        if (protocol == NATS) subscribe(&clients[i]);
        struct epoll_event watch = {.events = EPOLLIN, .data.ptr = &clients[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &watch);
    }
    double rate = argc > 6 ? atof(argv[6]) : 0;
    struct client **idle = calloc((size_t)count, sizeof *idle);
    int waiting = 0;
    uint64_t next = now();
    size_t room = 1 << 20, done = 0, all = 0;
    float *times = malloc(room * sizeof *times);
    uint64_t warm = now() + 1000000000u, end = warm + (uint64_t)(seconds * 1e9);
    for (int i = count; i-- > 0;) idle[waiting++] = &clients[i];
    for (int busy = 0;;) {
        uint64_t at = now();
        for (; waiting > 0 && at < end && (rate == 0 || next <= at); next += rate == 0 ? 0 : (uint64_t)(1e9 / rate)) {
            begin(idle[--waiting]);
            busy++;
        }
        if (busy == 0 && at >= end) break;
        struct epoll_event ready[256];
        int n = epoll_wait(poll, ready, 256, waiting > 0 ? 1 : 1000);
        at = now();
        for (int i = 0; i < n; i++) {
            struct client *c = ready[i].data.ptr;
            if (!more(c)) continue;
            all++;
            if (at >= warm && at < end) {
                if (done == room) times = realloc(times, (room *= 2) * sizeof *times);
                times[done++] = (float)(now() - c->sent) / 1000;
            }
            idle[waiting++] = c;
            busy--;
        }
    }
    qsort(times, done, sizeof *times, compare);
    printf("{\"rate\": %.0f, \"p50\": %.0f, \"p99\": %.0f, \"max\": %.0f, \"requests\": %zu}\n", (double)done / seconds, done ? times[done / 2] : 0, done ? times[done * 99 / 100] : 0,
        done ? times[done - 1] : 0, all);
    return 0;
}
