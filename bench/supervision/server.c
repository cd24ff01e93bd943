/* The service that every supervisor of the benchmark runs.
 *
 *   server PORT                      answers every HTTP request with 200 and its own pid
 *   server flood LINES RATE RESULT   writes LINES numbered lines of 80 bytes at RATE a second, in blocks of 4 KiB as stdio
 *                                    does to a pipe, then the seconds it took to the file RESULT, and waits to be stopped
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int serve(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 128)) {
        perror("bind");
        return 1;
    }
    printf("listening on %d\n", port);
    fflush(stdout);
    char answer[128], request[4096];
    int length = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n%8d", getpid());
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) continue;
        if (read(client, request, sizeof request) > 0 && write(client, answer, length) != length) perror("write");
        close(client);
    }
}

static int flood(long lines, double rate, const char *result) {
    enum { line = 80, block = 4096 };
    char out[block + line];
    int used = 0;
    double begun = now();
    for (long i = 0; i < lines; i++) {
        used += sprintf(out + used, "flood %012ld %.*s\n", i, line - 20, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
        if (used < block && i < lines - 1) continue;
        for (int sent = 0, n; sent < used; sent += n)
            if ((n = write(1, out + sent, used - sent)) < 0) return 1;
        used = 0;
        double ahead = begun + i / rate - now();
        if (ahead > 0.001) usleep(ahead * 1e6);
    }
    FILE *file = fopen(result, "w");
    fprintf(file, "%.3f\n", now() - begun);
    fclose(file);
    for (;;) pause();
}

int main(int count, char **words) {
    if (count == 2) return serve(atoi(words[1]));
    if (count == 5 && !strcmp(words[1], "flood")) return flood(atol(words[2]), atof(words[3]), words[4]);
    fprintf(stderr, "usage: server PORT | server flood LINES RATE RESULT\n");
    return 2;
}
