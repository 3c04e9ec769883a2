/* A conversation is a flow (http/server.h): messages are read from what was received, and answers are written to
 * what is sent. HTTP/2's window limits what was received and not answered yet. */
#include "rpc/grpc_conversation.h"

#include <string.h>

#include "base/clock.h"
#include "rpc/client_address.h"
#include "rpc/dispatch.h"

struct conversation {
        struct http_flow flow; /* first */
        struct conversations *all;
        struct conversation *next, **at;
        conversation_answer *answer;
        struct rpc_call call;
        struct buf in, out;
        size_t in_at, out_at;
        bool last;   /* the request is complete */
        bool failed; /* the call's problem says why */
};

/* ---- One message ---- */

static sn_status fail_too_large(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL, "a message may have at most %d bytes",
                             CONVERSATION_MESSAGE_BYTES);
}

static sn_status fail_unreadable(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "message_unreadable", NULL,
                             "send complete, uncompressed messages");
}

static sn_status answer_message(struct conversation *v, struct str message)
{
        struct rate_verdict verdict;
        ProtobufCMessage *answer;
        TRY(rpc_take_rate(&v->call, &verdict));
        TRY(v->answer(&v->call, message, &answer));
        return grpc_frame_write(answer, &v->out) ? SN_OK
                                                 : rpc_fail_code(&v->call, SN_RESOURCE_EXHAUSTED, "too_large", NULL,
                                                                 "the response would be too large");
}

/* The next message, once it is complete. */
static void take_message(struct conversation *v)
{
        const struct arena_mark mark = arena_mark(v->call.arena);
        struct str bytes = {v->in.data + v->in_at, v->in.len - v->in_at}, message = {"", 0};
        bool compressed = false;
        enum grpc_frame frame = grpc_frame_read(bytes, &compressed, &message);
        if (frame == GRPC_FRAME_PART && bytes.len <= CONVERSATION_MESSAGE_BYTES && !v->last) {
                return;
        }
        sn_status status;
        if (frame == GRPC_FRAME_TOO_LARGE || message.len > CONVERSATION_MESSAGE_BYTES ||
            (frame == GRPC_FRAME_PART && bytes.len > CONVERSATION_MESSAGE_BYTES)) {
                status = fail_too_large(&v->call);
        } else if (frame != GRPC_FRAME_WHOLE || compressed) {
                status = fail_unreadable(&v->call);
        } else {
                status = answer_message(v, message);
                v->in_at += GRPC_PREFIX_BYTES + message.len;
                v->flow.done += GRPC_PREFIX_BYTES + message.len;
        }
        v->failed = status != SN_OK;
        if (!v->failed) { /* the problem's text is in the arena */
                arena_reset(v->call.arena, mark);
        }
}

/* ---- Sending ---- */

static ssize_t put_some(struct conversation *v, char *into, size_t size)
{
        size_t n = v->out.len - v->out_at < size ? v->out.len - v->out_at : size;
        memcpy(into, v->out.data + v->out_at, n);
        v->out_at += n;
        if (v->out_at == v->out.len) {
                buf_free(&v->out);
                v->out_at = 0;
        }
        return (ssize_t)n;
}

static void end_conversation(struct conversation *v, struct http_response *response)
{
        v->flow.ended = true;
        if (v->failed) {
                grpc_trailers_of_problem(v->call.arena, &v->call.problem, response);
        } else {
                http_response_trailer(response, MD_STATUS, "0");
        }
}

static ssize_t conversation_read(struct http_flow *flow, char *into, size_t size, struct http_response *response)
{
        struct conversation *v = (struct conversation *)flow;
        if (v->out.len == 0 && !v->failed && v->in_at < v->in.len) {
                take_message(v);
        }
        if (v->out.len > 0) {
                return put_some(v, into, size);
        }
        if (!v->failed && !v->last) {
                if (clock_monotonic_us() < flow->until_us) {
                        return HTTP_FLOW_WAITS;
                }
                (void)rpc_fail_deadline(&v->call);
                v->failed = true;
        }
        end_conversation(v, response);
        return 0;
}

/* ---- Receiving ---- */

static int64_t idle_until_us(const struct conversation *v)
{
        int64_t until_us = clock_monotonic_us() + CONVERSATION_IDLE_MS * INT64_C(1000);
        return until_us < v->call.deadline_us ? until_us : v->call.deadline_us;
}

static void conversation_take(struct http_flow *flow, struct str piece, bool last)
{
        struct conversation *v = (struct conversation *)flow;
        if (v->in_at > 0) {
                memmove(v->in.data, v->in.data + v->in_at, v->in.len - v->in_at);
                v->in.len -= v->in_at;
                v->in_at = 0;
        }
        buf_append(&v->in, piece.ptr, piece.len);
        v->last |= last;
        flow->until_us = idle_until_us(v);
        if (v->in.overflow && !v->failed) { /* more than the window allows */
                (void)fail_too_large(&v->call);
                v->failed = true;
        }
}

/* ---- Lifetime ---- */

static void conversation_close(struct http_flow *flow)
{
        struct conversation *v = (struct conversation *)flow;
        *v->at = v->next;
        if (v->next != NULL) {
                v->next->at = v->at;
        }
        v->all->n--;
        buf_free(&v->in);
        buf_free(&v->out);
}

/* Whether one more is allowed. */
static bool has_room(const struct conversations *all, const char *address)
{
        int of_one = 0;
        for (const struct conversation *v = all->first; v != NULL; v = v->next) {
                of_one += strcmp(v->call.client_address, address) == 0;
        }
        return all->n < CONVERSATIONS_MAX && of_one < CONVERSATIONS_OF_ONE_MAX;
}

static void add_conversation(struct conversations *all, struct conversation *v)
{
        v->all = all;
        v->next = all->first;
        v->at = &all->first;
        if (v->next != NULL) {
                v->next->at = &v->next;
        }
        all->first = v;
        all->n++;
}

void conversation_begin(struct conversations *all, struct grpc_request *r, conversation_answer *answer,
                        struct http_response *response)
{
        static const struct rpc_problem full = {SN_RESOURCE_EXHAUSTED,
                                                "too_many_streams",
                                                NULL,
                                                "too many streams of this kind are open; close one, or try again",
                                                1,
                                                NULL};
        struct arena *arena = r->http->arena;
        const char *address = rpc_client_address(arena, r->http->peer, r->forwarded, r->x_forwarded_for);
        if (!has_room(all, address)) {
                grpc_response_of_problem(arena, &full, response);
                return;
        }
        struct conversation *v = ARENA_NEW(arena, struct conversation);
        v->flow = (struct http_flow){.read = conversation_read, .take = conversation_take, .close = conversation_close};
        v->answer = answer;
        v->call = (struct rpc_call){.arena = arena,
                                    .method = r->served->method,
                                    CALL_OF_NOBODY,
                                    .client_address = address,
                                    .deadline_us = r->work.deadline_us,
                                    .now_ms = clock_wall_ms()};
        v->flow.until_us = idle_until_us(v);
        buf_init(&v->in, GRPC_WINDOW_BYTES);
        add_conversation(all, v);
        grpc_response_begin(response);
        response->flow = &v->flow;
}
