// A model server that costs nearly nothing: the same answer to each request, from one thread. What stands before it is what is measured.
//
//   upstream PORT
//
// POST anything: an answer of 450 bytes with usage. With "stream":true in the body: as many events as "max_tokens" says, one each "seed"
// microseconds; each carries the time at which it was sent, in nanoseconds of the monotonic clock, as its text. GET /metrics: 404.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX = 8192, ROOM = 1 << 20 };

struct connection {
    int fd;
    char *in;
    size_t have;
    int left;          // events still to send
    uint64_t due, gap; // nanoseconds
};

static struct connection all[MAX];
static int streaming[MAX], streams;
static int epoll;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void drop(struct connection *c) {
    for (int i = 0; i < streams; i++)
        if (streaming[i] == c->fd) { streaming[i] = streaming[--streams]; break; }
    close(c->fd);
    free(c->in);
    c->in = NULL;
}

static void put(struct connection *c, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent < 0) return;
        bytes += sent;
        length -= (size_t)sent;
    }
}

static const char *body =
    "{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion\",\"created\":1790000000,\"model\":\"bench\",\"choices\":[{\"index\":0,\"message\":"
    "{\"role\":\"assistant\",\"content\":\"The lighthouse keeper counted the ships again and found one more than there had been in the evening.\"},"
    "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":120,\"completion_tokens\":20,\"total_tokens\":140}}";
static char plain[1024];
static size_t plain_length;

static void event(struct connection *c) {
    char data[512], frame[640];
    int n;
    if (c->left > 1)
        n = snprintf(data, sizeof data, "data: {\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"bench\","
                     "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%020llu\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", (unsigned long long)now());
    else
        n = snprintf(data, sizeof data, "data: {\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"bench\","
                     "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    int f = snprintf(frame, sizeof frame, "%x\r\n%s\r\n%s", n, data, c->left > 1 ? "" : "0\r\n\r\n");
    put(c, frame, (size_t)f);
    if (--c->left == 0)
        for (int i = 0; i < streams; i++)
            if (streaming[i] == c->fd) { streaming[i] = streaming[--streams]; break; }
    c->due += c->gap;
}

static long number(const char *in, const char *key, long otherwise) {
    const char *at = strstr(in, key);
    return at ? strtol(at + strlen(key), NULL, 10) : otherwise;
}

static void answer(struct connection *c, const char *request) {
    if (strncmp(request, "GET /metrics", 12) == 0) {
        const char *none = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        put(c, none, strlen(none));
        return;
    }
    if (!strstr(request, "\"stream\":true")) {
        put(c, plain, plain_length);
        return;
    }
    const char *head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
    put(c, head, strlen(head));
    c->left = (int)number(request, "\"max_tokens\":", 16);
    c->gap = (uint64_t)number(request, "\"seed\":", 0) * 1000;
    c->due = now();
    streaming[streams++] = c->fd;
}

// Whole requests, one after the other; what is left of the next stays.
static void take(struct connection *c) {
    for (;;) {
        c->in[c->have] = 0;
        char *end = strstr(c->in, "\r\n\r\n");
        if (!end) return;
        size_t length = 0;
        for (char *line = c->in; line < end; line = strstr(line, "\r\n") + 2)
            if (strncasecmp(line, "content-length:", 15) == 0) length = (size_t)strtol(line + 15, NULL, 10);
        size_t whole = (size_t)(end + 4 - c->in) + length;
        if (c->have < whole) return;
        char kept = c->in[whole];
        c->in[whole] = 0;
        answer(c, c->in);
        c->in[whole] = kept;
        memmove(c->in, c->in + whole, c->have - whole);
        c->have -= whole;
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    signal(SIGPIPE, SIG_IGN);
    plain_length = (size_t)snprintf(plain, sizeof plain, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", strlen(body), body);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) { perror("upstream"); return 1; }
    epoll = epoll_create1(0);
    struct epoll_event watch = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &watch);
    for (;;) {
        uint64_t at = now(), next = UINT64_MAX;
        for (int i = streams - 1; i >= 0; i--) {
            struct connection *c = &all[streaming[i]];
            while (c->left > 0 && c->due <= at) event(c);
            if (c->left > 0 && c->due < next) next = c->due;
        }
        struct epoll_event ready[256];
        struct timespec wait = {0, 0};
        if (next != UINT64_MAX && next > at) wait.tv_sec = (time_t)((next - at) / 1000000000u), wait.tv_nsec = (long)((next - at) % 1000000000u);
        int count = epoll_pwait2(epoll, ready, 256, next == UINT64_MAX ? NULL : &wait, NULL);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0 || client >= MAX) continue;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                all[client] = (struct connection){.fd = client, .in = malloc(ROOM + 1)};
                struct epoll_event mine = {.events = EPOLLIN, .data.fd = client};
                epoll_ctl(epoll, EPOLL_CTL_ADD, client, &mine);
                continue;
            }
            struct connection *c = &all[fd];
            if (!c->in) continue;
            ssize_t got = recv(fd, c->in + c->have, ROOM - c->have, 0);
            if (got <= 0) { drop(c); continue; }
            c->have += (size_t)got;
            take(c);
        }
    }
}
