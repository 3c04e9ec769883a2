/* Owns sending on a stream, on the I/O thread: frames or server-sent events, slow readers, and the end of the
 * stream. */
#include <stdio.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "gateway/stream.h"

#define FULL_US     INT64_C(1000000) /* how long the buffer may exceed the limit, */
#define BURST_PARTS 4                /* by at most this factor */
#define LOSSY_PART  4                /* of the limit: above it, lossy messages are dropped */

void stream_send_frame(struct stream *s, enum websocket_opcode opcode, const void *bytes, size_t len)
{
        struct buf frame;

        buf_init(&frame, len + WEBSOCKET_FRAME_HEAD_SIZE);
        websocket_write(&frame, opcode, bytes, len);
        http_upgraded_send(s->u, frame.data, frame.len);
        buf_free(&frame);
}

static void send_event(struct stream *s, const char *text, size_t len, const char *id)
{
        struct buf event;

        buf_init(&event, len + 64 + strlen(id));
        if (id[0] != '\0') {
                buf_printf(&event, "id: %s\n", id);
        }
        buf_append_c(&event, "data: ");
        buf_append(&event, text, len);
        buf_append_c(&event, "\n\n");
        http_upgraded_send(s->u, event.data, event.len);
        buf_free(&event);
}

static int64_t unsent_max(const struct stream *s)
{
        return s->hub->gateway->options.settings->stream_unsent_bytes;
}

static bool leaves_more_than(struct stream *s, int64_t bytes)
{
        if ((int64_t)http_upgraded_unsent(s->u) > bytes) {
                http_upgraded_flush(s->u);
        }
        return (int64_t)http_upgraded_unsent(s->u) > bytes;
}

/* A burst may arrive faster than anyone can read: over HTTP/2 within one turn of the loop, in which nothing is sent.
 * So the limit may be exceeded for a second, up to a second limit. */
static bool is_too_slow(struct stream *s)
{
        int64_t now_us = clock_monotonic_us();

        if (!leaves_more_than(s, unsent_max(s))) {
                s->full_us = 0;
                return false;
        }
        if (s->full_us == 0) {
                s->full_us = now_us;
        }
        return now_us - s->full_us >= FULL_US || leaves_more_than(s, BURST_PARTS * unsent_max(s));
}

/* The buffer is limited, except for one last message: a client that does not read gets a problem after it, and is
 * disconnected if it does not read that either. */
bool stream_may_be_sent(struct stream *s)
{
        if (s->closing) {
                return false;
        }
        if (!is_too_slow(s)) {
                return true;
        }
        metric_add(s->hub->metrics.slow, 1);
        stream_end(s, WEBSOCKET_POLICY, "slow_reader",
                   &(struct rpc_problem){SN_RESOURCE_EXHAUSTED, "slow_reader", NULL,
                                         "the client reads too slowly; reconnect and resume from "
                                         "the last position",
                                         1, NULL});
        return false;
}

static void send_text(struct stream *s, const char *text, size_t len)
{
        if (s->is_sse) {
                send_event(s, text, len, "");
        } else {
                stream_send_frame(s, WEBSOCKET_OP_TEXT, text, len);
        }
}

void stream_send(struct stream *s, const char *text, size_t len)
{
        if (stream_may_be_sent(s)) {
                send_text(s, text, len);
        }
}

void stream_send_lossy(struct stream *s, const char *text, size_t len)
{
        if (s->closing) {
                return;
        }
        if (leaves_more_than(s, unsent_max(s) / LOSSY_PART)) {
                metric_add(s->hub->metrics.dropped, 1);
                return;
        }
        send_text(s, text, len);
}

/* A position for each log that the channels follow, from which a client resumes. */
static const char *event_id(const struct stream *s, struct buf *id)
{
        for (size_t i = 0; i < s->hub->n_logs; i++) {
                if (s->positions[i][0] != '\0') {
                        buf_printf(id, "%s%s", id->len > 0 ? STREAM_POSITIONS_SEPARATOR : "", s->positions[i]);
                }
        }
        return id->len > 0 ? id->data : "";
}

void stream_send_at(struct stream *s, const char *text, size_t len, const struct stream_log *log, const char *position,
                    bool is_last)
{
        struct buf id;

        if (!s->is_sse) {
                stream_send(s, text, len);
                return;
        }
        if (!stream_may_be_sent(s)) {
                return;
        }
        if (log != NULL) {
                (void)snprintf(s->positions[log - s->hub->logs], STREAM_POSITION_SIZE, "%s", position);
        }
        buf_init(&id, s->hub->n_logs * STREAM_POSITION_SIZE);
        send_event(s, text, len, is_last ? event_id(s, &id) : "");
        buf_free(&id);
}

static void send_problem(struct stream *s, const struct rpc_problem *problem)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(&s->hub->gateway->service, STREAM_COMMAND_MS);
        struct buf text;

        buf_init(&text, STREAM_MESSAGE_BYTES * 2);
        stream_write_problem(&text, c, problem, s->request_id);
        send_text(s, text.data, text.len);
        buf_free(&text);
}

void stream_close(struct stream *s, int code, const char *reason)
{
        struct buf frame;

        s->closing = true;
        if (!s->is_sse) {
                buf_init(&frame, WEBSOCKET_CONTROL_BYTES + WEBSOCKET_FRAME_HEAD_SIZE);
                websocket_write_close(&frame, code, reason);
                http_upgraded_send(s->u, frame.data, frame.len);
                buf_free(&frame);
        }
        http_upgraded_close(s->u, STREAM_CLOSE_MS * INT64_C(1000));
}

void stream_end(struct stream *s, int code, const char *reason, const struct rpc_problem *problem)
{
        if (s->u == NULL || s->closing) {
                return;
        }
        if (problem != NULL) {
                send_problem(s, problem);
        }
        stream_close(s, code, reason);
}

void stream_end_if_revoked(struct stream *s)
{
        if (s->session[0] == '\0') {
                return;
        }
        if (token_session_revoked(s->session)) {
                stream_end_token(s, "token_revoked", "this session has ended; log in again");
        } else if (token_epoch_ended(s->viewer, s->epoch)) {
                stream_end_token(s, "token_outdated", "your account has changed; refresh the token and reconnect");
        }
}

void stream_end_token(struct stream *s, const char *code, const char *detail)
{
        stream_end(s, WEBSOCKET_POLICY, code, &(struct rpc_problem){SN_UNAUTHENTICATED, code, NULL, detail, 0, NULL});
}
