/* Load: a closed loop of keep-alive HTTP/1.1 connections on one thread, which checks responses and records every
 * latency.
 *
 * It reads prepared requests, so that it only spends time on sockets:
 *
 *   load --port N --requests FILE [--connections N] [--seconds S | --once] [--seed N] [--mix home=60,user=30] [--save
 * FILE]
 *
 * FILE contains for each request a line `CLASS STATUS MIN_BYTES MIN_ITEMS MAX_ITEMS BYTES`, then that many bytes and a
 * newline. Every response must have the status, a JSON object of the length in its head (204: nothing) and at least
 * MIN_BYTES. For each sixteenth (all with --once) the whole structure is parsed and "items" counted (MAX_ITEMS 0: a
 * list is not required; STATUS `file`: 200 of any content type). --once sends each request once; otherwise they are
 * selected at random for S seconds, classes by --mix. --save stores bodies
 * (`INDEX BYTES\n`, bytes, newline): all with --once, otherwise the first 64 that are parsed. --patient: rejected
 * connections wait as long as Retry-After says. The result is JSON on standard output; latencies only count correct
 * responses. */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct load load;

_Noreturn void load_die(const char *what, const char *why)
{
        fprintf(stderr, "load: %s: %s\n", what, why);
        exit(1);
}

void *load_must(void *memory)
{
        if (memory == NULL) {
                load_die("memory", strerror(errno));
        }
        return memory;
}

uint64_t load_now_ns(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void read_arguments(int argc, char **argv)
{
        char *mix = NULL;

        load.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        load.n_connections = 16;
        load.seconds = 10;
        load.seed = 1;
        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--once") == 0) {
                        load.once = true;
                        continue;
                }
                if (strcmp(argv[i], "--patient") == 0) {
                        load.patient = true;
                        continue;
                }
                char *value = i + 1 < argc ? argv[i + 1] : (load_die(argv[i], "needs a value"), NULL);
                if (strcmp(argv[i], "--port") == 0) {
                        load.address.sin_port = htons((uint16_t)strtoul(value, NULL, 10));
                } else if (strcmp(argv[i], "--requests") == 0) {
                        load_read_requests(value);
                } else if (strcmp(argv[i], "--connections") == 0) {
                        load.n_connections = strtoul(value, NULL, 10);
                } else if (strcmp(argv[i], "--seconds") == 0) {
                        load.seconds = strtod(value, NULL);
                } else if (strcmp(argv[i], "--seed") == 0) {
                        load.seed = strtoull(value, NULL, 10) * 2 + 1;
                } else if (strcmp(argv[i], "--mix") == 0) {
                        mix = value;
                } else if (strcmp(argv[i], "--save") == 0) {
                        load.save = load_must(fopen(value, "we"));
                } else {
                        load_die(argv[i], "unknown");
                }
                i++;
        }
        if (load.n_requests == 0 || load.address.sin_port == 0 || load.n_connections < 1 ||
            load.n_connections > MAX_CONNECTIONS) {
                load_die("usage", "load --port N --requests FILE [--connections N] [--seconds S | --once] [--seed N] "
                                  "[--patient] [--mix "
                                  "…] [--save FILE]");
        }
        if (mix != NULL) {
                load_read_mix(mix);
        }
        for (unsigned i = 0; i < load.n_classes; i++) {
                load.classes[i].weight = mix == NULL ? 1 : load.classes[i].weight;
                load.total_weight += load.classes[i].weight;
        }
}

int main(int argc, char **argv)
{
        read_arguments(argc, argv);
        uint64_t start = load_now_ns();
        load_run();
        double seconds = (double)(load_now_ns() - start) / 1e9;
        if (load.save != NULL && fclose(load.save) != 0) {
                load_die("--save", strerror(errno));
        }
        load_print_result(seconds);
        return 0;
}
