/* The client of `bench messages`: many streams, messages at a steady rate, and the latency of each on each stream. It
 * is protocol-independent: opening a stream is a list of data to send and to wait for, and messages are recognized in
 * incoming data by a mark in them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FANOUT_MARK     "fanout-number-"
#define FANOUT_MARK_LEN 14
#define FANOUT_DIGITS   10 /* of the number after the mark */

struct fanout_step {
        char *send, *until; /* on receiving `until`: the next step */
        size_t send_len, until_len;
};

struct fanout_stream {
        int fd;
        struct fanout_step *steps;
        size_t n_steps, at;
        char kept[256]; /* the end of the received data: it may end within a mark, or within `until` */
        size_t kept_len;
};

/* A message: with placeholders for a number and an ID. */
struct fanout_message {
        long stream; /* on this one; -1: by HTTP, with response 201 */
        char *bytes;
        size_t len, number_at, id_at;
        uint32_t deliveries;
};

struct fanout_http {
        int fd;
        bool busy;
        uint32_t number;
        char buffer[65536];
        size_t filled;
};

struct fanout_sent {
        int64_t due_us;
        uint32_t deliveries, expected;
};

struct fanout {
        int epoll;
        struct fanout_stream *streams;
        struct fanout_message *messages;
        size_t n_streams, n_messages, n_opened, n_opening;
        struct fanout_http *http;
        size_t n_http;
        struct fanout_sent *sent;
        uint32_t n_sent, n_begun, n_planned; /* due; written to a socket; total */
        uint64_t n_acked, n_failed, n_delivered, n_expected, n_doubled;
        uint32_t *latencies, *acks, *late;
        char first_failure[300];
};

extern struct fanout fanout;

int64_t fanout_now_us(void);
_Noreturn void fanout_die(const char *what);
void fanout_fail(const char *what, const char *bytes, size_t len);
int fanout_connect(int port, uint64_t tag);
void fanout_send(int fd, const char *bytes, size_t len); /* all of it */

void fanout_read_plan(const char *file);
void fanout_open_streams(int port, size_t at_once);
void fanout_take_stream(size_t index); /* handles received data */
void fanout_open_http(int port, size_t n);
void fanout_take_http(size_t index);
void fanout_begin_due(void); /* sends due messages while there are free sockets */
