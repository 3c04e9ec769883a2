/* Owns all I/O: the steps of opening streams, outgoing messages, responses, and the marks in data on the streams. */
#include "bench/fanout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 18];

/* ---- Streams ---- */

static void begin_step(struct fanout_stream *stream)
{
        if (stream->at < stream->n_steps) {
                fanout_send(stream->fd, stream->steps[stream->at].send, stream->steps[stream->at].send_len);
        } else {
                fanout.n_opened++;
                fanout.n_opening--;
        }
}

void fanout_open_streams(int port, size_t at_once)
{
        while (fanout.n_opening < at_once && fanout.n_opened + fanout.n_opening < fanout.n_streams) {
                size_t index = fanout.n_opened + fanout.n_opening;
                struct fanout_stream *stream = &fanout.streams[index];

                while (stream->fd >= 0) { /* they do not open in the order in which they began */
                        stream = &fanout.streams[++index];
                }
                stream->fd = fanout_connect(port, index);
                fanout.n_opening++;
                begin_step(stream);
        }
}

static void count_delivery(const char *digits)
{
        uint32_t number = 0;

        for (int i = 0; i < FANOUT_DIGITS; i++) {
                number = number * 10 + (uint32_t)(digits[i] - '0');
        }
        if (number >= fanout.n_sent) {
                return; /* from another run */
        }
        struct fanout_sent *sent = &fanout.sent[number];

        if (sent->deliveries++ >= sent->expected) {
                fanout.n_doubled++;
                return;
        }
        fanout.latencies[fanout.n_delivered++] = (uint32_t)(fanout_now_us() - sent->due_us);
}

/* Returns how much of the end must be examined again, together with the next data. */
static size_t find_marks(const char *bytes, size_t len)
{
        size_t mark = FANOUT_MARK_LEN + FANOUT_DIGITS, at = 0;

        for (const char *found; (found = memmem(bytes + at, len - at, FANOUT_MARK, FANOUT_MARK_LEN)) != NULL;) {
                at = (size_t)(found - bytes);
                if (len - at < mark) {
                        return len - at;
                }
                count_delivery(found + FANOUT_MARK_LEN);
                at += mark;
        }
        return len - at < FANOUT_MARK_LEN - 1 ? len - at : FANOUT_MARK_LEN - 1;
}

static size_t find_end_of_step(struct fanout_stream *stream, const char *bytes, size_t len)
{
        const struct fanout_step *step = &stream->steps[stream->at];

        if (memmem(bytes, len, step->until, step->until_len) != NULL) {
                stream->at++;
                begin_step(stream);
                return 0;
        }
        return len < sizeof(stream->kept) ? len : sizeof(stream->kept);
}

void fanout_take_stream(size_t index)
{
        struct fanout_stream *stream = &fanout.streams[index];

        memcpy(buffer, stream->kept, stream->kept_len);
        ssize_t n = recv(stream->fd, buffer + stream->kept_len, sizeof(buffer) - stream->kept_len, 0);
        if (n < 0 && errno == EAGAIN) {
                return;
        }
        if (n == 0 && fanout.n_messages == 0 && stream->at == stream->n_steps) {
                close(stream->fd); /* a stream for registering is done */
                return;
        }
        if (n <= 0) {
                fprintf(stderr, "fanout: stream %zu was closed in step %zu: %.*s\n", index, stream->at,
                        (int)stream->kept_len, stream->kept);
                exit(1);
        }
        size_t len = stream->kept_len + (size_t)n;

        stream->kept_len =
            stream->at < stream->n_steps ? find_end_of_step(stream, buffer, len) : find_marks(buffer, len);
        memcpy(stream->kept, buffer + len - stream->kept_len, stream->kept_len);
}

/* ---- Sending ---- */

static void begin(struct fanout_http *http, const struct fanout_message *message, uint32_t number)
{
        char digits[32];

        snprintf(digits, sizeof(digits), "%010u", number);
        memcpy(message->bytes + message->number_at, digits, FANOUT_DIGITS);
        snprintf(digits, sizeof(digits), "%08lx%04lx", random() & 0xffffffff, random() & 0xffff);
        memcpy(message->bytes + message->id_at, digits, 8);
        memcpy(message->bytes + message->id_at + 9, digits + 8, 4);
        snprintf(digits, sizeof(digits), "%08x", number);
        memcpy(message->bytes + message->id_at + 28, digits, 8);
        if (http != NULL) {
                http->busy = true;
                http->number = number;
        }
        fanout_send(http != NULL ? http->fd : fanout.streams[message->stream].fd, message->bytes, message->len);
        fanout.sent[number].expected = message->deliveries;
        fanout.n_expected += message->deliveries;
}

static struct fanout_http *find_idle(void)
{
        for (size_t i = 0; i < fanout.n_http; i++) {
                if (!fanout.http[i].busy) {
                        return &fanout.http[i];
                }
        }
        return NULL;
}

void fanout_begin_due(void)
{
        while (fanout.n_begun < fanout.n_sent) {
                struct fanout_http *http = fanout.n_http > 0 ? find_idle() : NULL;

                if (fanout.n_http > 0 && http == NULL) {
                        return;
                }
                begin(http, &fanout.messages[(size_t)random() % fanout.n_messages], fanout.n_begun++);
        }
}

void fanout_open_http(int port, size_t n)
{
        fanout.http = calloc(n > 0 ? n : 1, sizeof(*fanout.http));
        fanout.n_http = n;
        for (size_t i = 0; i < n; i++) {
                fanout.http[i].fd = fanout_connect(port, (1ULL << 32) | i);
        }
}

/* Whether a response is complete. */
static bool is_whole(const struct fanout_http *http)
{
        static const char field[] = "content-length:";
        const char *end = memmem(http->buffer, http->filled, "\r\n\r\n", 4);
        const char *length = end != NULL ? strcasestr(http->buffer, field) : NULL;

        return length != NULL && length < end &&
               http->filled >= (size_t)(end + 4 - http->buffer) + strtoul(length + sizeof(field) - 1, NULL, 10);
}

void fanout_take_http(size_t index)
{
        struct fanout_http *http = &fanout.http[index];
        ssize_t n = recv(http->fd, http->buffer + http->filled, sizeof(http->buffer) - 1 - http->filled, 0);

        if (n < 0 && errno == EAGAIN) {
                return;
        }
        if (n <= 0) {
                fanout_die("a connection of a sender was closed");
        }
        http->filled += (size_t)n;
        http->buffer[http->filled] = '\0';
        if (!is_whole(http)) {
                return;
        }
        if (strncmp(http->buffer, "HTTP/1.1 201", 12) == 0) {
                fanout.acks[fanout.n_acked++] = (uint32_t)(fanout_now_us() - fanout.sent[http->number].due_us);
        } else {
                fanout_fail("a message was refused", http->buffer, http->filled);
                fanout.n_expected -= fanout.sent[http->number].expected;
        }
        http->filled = 0;
        http->busy = false;
        fanout_begin_due();
}
