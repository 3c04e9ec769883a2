/* The cost of a gRPC call: a process with N callers, and one that serves the tests' echo service, over loopback.
 *   bench_grpc [callers [seconds]]
 * Prints calls per second, and microseconds of CPU per call (getrusage, both processes, all threads). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/grpc.h"
#include "rpc/lanes.h"
#include "rpc/testdata/echo.h"

enum { CALLERS_MAX = 256, WORKERS = 8 };

static struct sonet_grpc_channel *channel;
static atomic_bool over;
static atomic_long n_calls;

static void *call_main(void *arg)
{
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        in.text = (char *)"twenty bytes of text";
        while (!atomic_load_explicit(&over, memory_order_relaxed)) {
                struct rpc_call *c = echo_call_new();
                Echo__Echoed out = ECHO__ECHOED__INIT;
                if (sonet_grpc_channel_call(channel, c, &echo_methods[ECHO_ECHO], NULL, &in.base, &out.base) != SN_OK) {
                        fprintf(stderr, "a call failed: %s\n", c->problem.detail);
                        exit(EXIT_FAILURE);
                }
                rpc_call_free(c);
                atomic_fetch_add_explicit(&n_calls, 1, memory_order_relaxed);
        }
        return NULL;
}

static double cpu_us(int who)
{
        struct rusage usage;
        getrusage(who, &usage);
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void fail(const struct buf *error)
{
        fprintf(stderr, "bench_grpc: %s\n", error->len > 0 ? error->data : "cannot start");
        exit(EXIT_FAILURE);
}

/* Sends its port, and serves until the other end of the pipe is closed. */
static void serve(int out, int in)
{
        struct sonet_grpc_server *server;
        struct rpc_lanes *lanes = rpc_lanes_new(WORKERS, 1, 512);
        struct buf error;
        char byte;
        buf_init(&error, 1000);
        rpc_register_local(&echo_service);
        if (sonet_grpc_server_start("127.0.0.1:0", NULL, lanes, 100, NULL, NULL, &server, &error) != SN_OK) {
                fail(&error);
        }
        int port = sonet_grpc_server_port(server);
        if (write(out, &port, sizeof(port)) == sizeof(port) && read(in, &byte, 1) == 0) {
                sonet_grpc_server_stop(server, 1000);
        }
        exit(EXIT_SUCCESS);
}

/* A separate process, as in split mode. Returns its port; closing the descriptor *stop ends it. */
static int start_server(int *stop)
{
        int up[2], down[2], port = 0;
        if (pipe(up) != 0 || pipe(down) != 0) {
                exit(EXIT_FAILURE);
        }
        if (fork() == 0) {
                close(down[1]);
                serve(up[1], down[0]);
        }
        close(down[0]);
        if (read(up[0], &port, sizeof(port)) != sizeof(port)) {
                exit(EXIT_FAILURE);
        }
        *stop = down[1];
        return port;
}

static void open_channel(int port)
{
        char url[64];
        struct buf error;
        buf_init(&error, 1000);
        snprintf(url, sizeof(url), "grpc://127.0.0.1:%d", port);
        if (sonet_grpc_channel_open(url, NULL, 64, &channel, &error) != SN_OK) {
                fail(&error);
        }
}

static void measure(int callers, int seconds)
{
        pthread_t threads[CALLERS_MAX];
        for (int i = 0; i < callers; i++) {
                pthread_create(&threads[i], NULL, call_main, NULL);
        }
        clock_sleep_ms(seconds * INT64_C(1000));
        atomic_store(&over, true);
        for (int i = 0; i < callers; i++) {
                pthread_join(threads[i], NULL);
        }
}

int main(int argc, char **argv)
{
        int64_t callers = 8, seconds = 5;
        int stop;
        if ((argc > 1 && !str_to_i64(str_of(argv[1]), &callers)) ||
            (argc > 2 && !str_to_i64(str_of(argv[2]), &seconds)) || callers < 1 || callers > CALLERS_MAX) {
                fprintf(stderr, "bench_grpc [callers [seconds]]\n");
                return EXIT_FAILURE;
        }
        log_setup("bench", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        int port = start_server(&stop);
        open_channel(port);
        double before_us = cpu_us(RUSAGE_SELF);
        int64_t began_us = clock_monotonic_us();
        measure((int)callers, (int)seconds);
        double client_us = cpu_us(RUSAGE_SELF) - before_us, n = (double)atomic_load(&n_calls);
        double took_s = (double)(clock_monotonic_us() - began_us) / 1e6;
        sonet_grpc_channel_close(channel);
        close(stop);
        while (wait(NULL) > 0) {
        }
        printf("%d callers: %.0f calls/s, %.1f us of CPU a call (client %.1f, server %.1f)\n", (int)callers, n / took_s,
               (client_us + cpu_us(RUSAGE_CHILDREN)) / n, client_us / n, cpu_us(RUSAGE_CHILDREN) / n);
        return 0;
}
