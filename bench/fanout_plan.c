/* Owns reading the plan, as bench/fanout.mjs writes it: streams with their steps, and what is sent. Each random message
 * that is due is drawn here. */
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

static void read_stream(FILE *file, struct fanout_stream *stream)
{
        if (fscanf(file, "stream %zu\n", &stream->n_steps) != 1) {
                fanout_die("a stream was expected");
        }
        stream->fd = -1;
        stream->steps = allocate(stream->n_steps, sizeof(*stream->steps));
        for (size_t i = 0; i < stream->n_steps; i++) {
                struct fanout_step *step = &stream->steps[i];

                if (fscanf(file, "%zu %zu", &step->send_len, &step->until_len) != 2 || fgetc(file) != '\n') {
                        fanout_die("a step was expected");
                }
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
        if (fscanf(file, "message %ld %u %zu", &message->stream, &message->deliveries, &message->len) != 3 ||
            fgetc(file) != '\n') {
                fanout_die("a message was expected");
        }
        message->bytes = read_bytes(file, message->len);
        message->number_at = place_of(message, NUMBER_PLACE, FANOUT_MARK_LEN);
        message->id_at = place_of(message, ID_PLACE, 0);
}

void fanout_read_plan(const char *name)
{
        FILE *file = fopen(name, "rb");
        uint32_t most = 0;

        if (file == NULL || fscanf(file, "plan %zu %zu\n", &fanout.n_streams, &fanout.n_messages) != 2) {
                fanout_die(name);
        }
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
