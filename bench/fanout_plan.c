/* Owns reading the plan that bench/fanout.mjs writes: streams with their steps, and messages. Also selects the random
 * messages that are due. */
#include "bench/fanout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_PLACE     "00000000-0000-4000-8000-000000000000"
#define NUMBER_PLACE FANOUT_MARK "##########"

static void *allocate(size_t n, size_t size)
{
        void *memory = calloc(n > 0 ? n : 1, size);

        if (memory == NULL) {
                fanout_die("memory");
        }
        return memory;
}

static char *read_bytes(FILE *file, size_t len)
{
        char *bytes = allocate(len + 1, 1);

        if (fread(bytes, 1, len, file) != len || fgetc(file) != '\n') {
                fanout_die("the plan ends too soon");
        }
        return bytes;
}

/* "NAME 1 2 3": a line of the plan. */
static void read_numbers(FILE *file, const char *name, size_t *out, size_t n)
{
        char line[200], *at = line + strlen(name), *end = NULL;

        if (fgets(line, sizeof(line), file) == NULL || strncmp(line, name, strlen(name)) != 0) {
                fanout_die("the plan has another line than was expected");
        }
        for (size_t i = 0; i < n; i++, at = end) {
                out[i] = strtoul(at, &end, 10);
                if (end == at) {
                        fanout_die("the plan lacks a number");
                }
        }
}

static void read_stream(FILE *file, struct fanout_stream *stream)
{
        read_numbers(file, "stream", &stream->n_steps, 1);
        stream->fd = -1;
        stream->steps = allocate(stream->n_steps, sizeof(*stream->steps));
        for (size_t i = 0; i < stream->n_steps; i++) {
                struct fanout_step *step = &stream->steps[i];

                size_t lengths[2];

                read_numbers(file, "", lengths, 2);
                step->send_len = lengths[0];
                step->until_len = lengths[1];
                step->send = read_bytes(file, step->send_len);
                step->until = read_bytes(file, step->until_len);
        }
}

static size_t place_of(const struct fanout_message *message, const char *what, size_t skipped)
{
        char *found = memmem(message->bytes, message->len, what, strlen(what));

        if (found == NULL) {
                fanout_die("a message has no place for what is its own");
        }
        return (size_t)(found - message->bytes) + skipped;
}

static void read_message(FILE *file, struct fanout_message *message)
{
        size_t n[3];

        read_numbers(file, "message", n, 3);
        message->stream = (long)n[0]; /* -1: none */
        message->deliveries = (uint32_t)n[1];
        message->len = n[2];
        message->bytes = read_bytes(file, message->len);
        message->number_at = place_of(message, NUMBER_PLACE, FANOUT_MARK_LEN);
        message->id_at = place_of(message, ID_PLACE, 0);
}

void fanout_read_plan(const char *name)
{
        FILE *file = fopen(name, "rb");
        uint32_t most = 0;

        size_t n[2];

        if (file == NULL) {
                fanout_die(name);
        }
        read_numbers(file, "plan", n, 2);
        fanout.n_streams = n[0];
        fanout.n_messages = n[1];
        fanout.streams = allocate(fanout.n_streams, sizeof(*fanout.streams));
        fanout.messages = allocate(fanout.n_messages, sizeof(*fanout.messages));
        for (size_t i = 0; i < fanout.n_streams; i++) {
                read_stream(file, &fanout.streams[i]);
        }
        for (size_t i = 0; i < fanout.n_messages; i++) {
                read_message(file, &fanout.messages[i]);
                most = fanout.messages[i].deliveries > most ? fanout.messages[i].deliveries : most;
        }
        fclose(file);
        fanout.sent = allocate(fanout.n_planned, sizeof(*fanout.sent));
        fanout.acks = allocate(fanout.n_planned, sizeof(*fanout.acks));
        fanout.late = allocate(fanout.n_planned, sizeof(*fanout.late));
        fanout.latencies = allocate((size_t)fanout.n_planned * most, sizeof(*fanout.latencies));
}
