/* Owns a run: opens the streams, sends at a steady rate, waits for outstanding messages, and prints latencies as JSON.
 * fanout PLAN STREAM_PORT HTTP_PORT RATE SECONDS SEED WARM_SECONDS A message is due according to the rate, regardless
 * of earlier ones, and its latency is measured from then. The same load is run for WARM_SECONDS before that, uncounted:
 * connections, plans and caches are those of a server that has been running. */
#include "bench/fanout.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OPENING_AT_ONCE 40
#define SENDERS         64 /* HTTP connections */
#define HTTP_TAG        (1ULL << 32)
#define PATIENCE_US     10000000 /* without any incoming data */

struct fanout fanout;

int64_t fanout_now_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void fanout_die(const char *what)
{
        fprintf(stderr, "fanout: %s: %s\n", what, strerror(errno));
        exit(1);
}

void fanout_fail(const char *what, const char *bytes, size_t len)
{
        fanout.n_failed++;
        if (fanout.first_failure[0] == '\0') {
                snprintf(fanout.first_failure, sizeof(fanout.first_failure), "%s: %.*s", what,
                         len > 200 ? 200 : (int)len, bytes);
        }
}

int fanout_connect(int port, uint64_t tag)
{
        struct sockaddr_in to = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
        int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
                fanout_die("connect");
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        if (epoll_ctl(fanout.epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
                fanout_die("epoll_ctl");
        }
        return fd;
}

void fanout_send(int fd, const char *bytes, size_t len)
{
        for (size_t at = 0; at < len;) {
                ssize_t n = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
                struct pollfd room = {.fd = fd, .events = POLLOUT};

                if (n < 0 && errno == EAGAIN) {
                        poll(&room, 1, 1000);
                } else if (n < 0) {
                        fanout_die("send");
                } else {
                        at += (size_t)n;
                }
        }
}

/* Handles data that arrives within wait_ms; returns whether there was any. */
static bool take(int wait_ms)
{
        struct epoll_event events[256];
        int n = epoll_wait(fanout.epoll, events, 256, wait_ms);

        for (int i = 0; i < n; i++) {
                if (events[i].data.u64 & HTTP_TAG) {
                        fanout_take_http((size_t)(events[i].data.u64 & ~HTTP_TAG));
                } else {
                        fanout_take_stream((size_t)events[i].data.u64);
                }
        }
        return n > 0;
}

static void wait_for_streams(int port)
{
        int64_t heard_us = fanout_now_us();

        while (fanout.n_opened < fanout.n_streams) {
                fanout_open_streams(port, OPENING_AT_ONCE);
                if (take(100)) {
                        heard_us = fanout_now_us();
                } else if (fanout_now_us() - heard_us > PATIENCE_US) {
                        fprintf(stderr, "fanout: only %zu of %zu streams are open\n", fanout.n_opened,
                                fanout.n_streams);
                        exit(1);
                }
        }
        while (take(500)) { /* presence of others who have joined */
        }
}

static void send_all(double rate)
{
        int64_t start_us = fanout_now_us();
        uint32_t first = fanout.n_sent;

        while (fanout.n_sent < fanout.n_planned) {
                int64_t now_us = fanout_now_us();

                while (fanout.n_sent < fanout.n_planned) {
                        int64_t due_us = start_us + (int64_t)((double)(fanout.n_sent - first) * 1e6 / rate);

                        if (due_us > now_us) {
                                break;
                        }
                        fanout.late[fanout.n_sent] = (uint32_t)(now_us - due_us);
                        fanout.sent[fanout.n_sent++].due_us = due_us;
                }
                fanout_begin_due();
                take(1);
        }
}

static void wait_for_the_rest(void)
{
        int64_t heard_us = fanout_now_us();

        while ((fanout.n_begun < fanout.n_planned || fanout.n_delivered < fanout.n_expected) &&
               fanout_now_us() - heard_us < PATIENCE_US) {
                fanout_begin_due();
                heard_us = take(10) ? fanout_now_us() : heard_us;
        }
}

static int compare(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static void print_times(const char *name, uint32_t *values, uint64_t n)
{
        qsort(values, n, sizeof(*values), compare);
        printf(", \"%s_p50_us\": %u, \"%s_p99_us\": %u", name, n ? values[n / 2] : 0, name,
               n ? values[n * 99 / 100] : 0);
}

static double cpu_s(void)
{
        struct rusage usage;

        getrusage(RUSAGE_SELF, &usage);
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void warm_up(double rate, uint32_t n)
{
        uint32_t n_planned = fanout.n_planned;

        fanout.n_planned = n;
        send_all(rate);
        wait_for_the_rest();
        fanout.n_planned = n_planned;
        fanout.n_acked = fanout.n_failed = fanout.n_delivered = fanout.n_expected = fanout.n_doubled = 0;
}

static void send_and_wait(double rate, uint32_t n_warm)
{
        double cpu_before_s = cpu_s();
        int64_t start_us = fanout_now_us(), idle_us;

        send_all(rate);
        wait_for_the_rest();
        idle_us = fanout.n_delivered < fanout.n_expected ? PATIENCE_US : 0;
        double seconds = (double)(fanout_now_us() - start_us - idle_us) / 1e6;
        printf("{\"sent\": %u, \"acked\": %llu, \"failed\": %llu, \"expected\": %llu, \"delivered\": %llu, "
               "\"doubled\": %llu, \"seconds\": %.3f, \"cpu_s\": %.3f",
               fanout.n_begun - n_warm, (unsigned long long)fanout.n_acked, (unsigned long long)fanout.n_failed,
               (unsigned long long)fanout.n_expected, (unsigned long long)fanout.n_delivered,
               (unsigned long long)fanout.n_doubled, seconds, cpu_s() - cpu_before_s);
        print_times("delivery", fanout.latencies, fanout.n_delivered);
        print_times("ack", fanout.acks, fanout.n_acked);
        print_times("late", fanout.late + n_warm, fanout.n_sent - n_warm);
        printf("}\n");
}

int main(int argc, char **argv)
{
        if (argc != 8) {
                fprintf(stderr, "usage: fanout PLAN STREAM_PORT HTTP_PORT RATE SECONDS SEED WARM_SECONDS\n");
                return 2;
        }
        double rate = strtod(argv[4], NULL);

        fanout.epoll = epoll_create1(EPOLL_CLOEXEC);
        uint32_t n_warm = (uint32_t)(rate * strtod(argv[7], NULL));

        fanout.n_planned = n_warm + (uint32_t)(rate * strtod(argv[5], NULL));
        srandom((unsigned)strtoul(argv[6], NULL, 10));
        fanout_read_plan(argv[1]);
        wait_for_streams((int)strtol(argv[2], NULL, 10));
        fanout_open_http((int)strtol(argv[3], NULL, 10),
                         fanout.n_messages > 0 && fanout.messages[0].stream < 0 ? SENDERS : 0);
        warm_up(rate, n_warm);
        fprintf(stderr, "open\n"); /* signals measuring programs to start */
        send_and_wait(rate, n_warm);
        if (fanout.first_failure[0] != '\0') {
                fprintf(stderr, "fanout: %s\n", fanout.first_failure);
        }
        return 0;
}
