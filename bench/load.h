/* Shared by the files of the load generator: its state, and the functions of each. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_CLASSES     16
#define MAX_CONNECTIONS 4096
#define BUFFER_BYTES    (512 * 1024)
#define SAMPLE_ONE_IN   16
#define SAVED_MAX       64
#define STALL_NS        (20 * UINT64_C(1000000000))

struct latencies {
        uint32_t *us;
        size_t n, capacity;
};

struct class
{
        char name[32];
        unsigned weight;
        uint32_t *requests; /* of this class */
        size_t n;
        struct latencies latencies;
        size_t failed;
        uint64_t bytes;
};

struct request {
        unsigned class;
        int status;
        size_t min_bytes, min_items, max_items;
        const char *bytes;
        size_t len;
};

struct connection {
        int fd;
        size_t sent, filled, head_bytes, body_bytes; /* head_bytes 0: the head is incomplete */
        int status;
        bool close;
        uint32_t request;
        unsigned retry_s; /* from Retry-After; 0: none */
        uint64_t start_ns;
        uint64_t resume_ns; /* waits until then; 0: does not wait */
        char *buffer;
};

/* One thread does everything. */
struct load {
        struct sockaddr_in address;
        struct request *requests;
        size_t n_requests, next;
        struct class classes[MAX_CLASSES];
        unsigned n_classes, total_weight;
        struct connection *connections;
        size_t n_connections, busy;
        bool once;
        bool patient; /* rejected connections wait as Retry-After says */
        double seconds;
        uint64_t seed, end_ns, sampled;
        size_t failed, saved;
        char first_failure[800];
        FILE *save;
        int epoll;
};

extern struct load load;

_Noreturn void load_die(const char *what, const char *why);
void *load_must(void *memory); /* exits if there is no memory */
uint64_t load_now_ns(void);

/* Requests from a file, classes by `name=weight,…`; the next one to send. */
void load_read_requests(const char *path);
void load_read_mix(char *mix);
uint32_t load_choose_request(void);

/* NULL, or the error in a response's body. */
const char *load_check_body(const struct request *r, uint32_t number, const char *body, size_t len);

/* Sends and receives until everything is done. */
void load_run(void);

void load_keep_latency(struct latencies *l, uint64_t ns);
void load_print_result(double seconds);

#endif
