/* Responses: from the owner's thread to the I/O thread, and there to the session, which sends them as the client
 * reads them. */
#include "http/http2.h"

#include <sched.h>
#include <string.h>
#include <strings.h>

enum {
        OWN_FIELDS = 3, /* status, date, length */
        FIELDS_MAX = OWN_FIELDS + sizeof(((struct http_response *)0)->headers) / sizeof(struct http_header),
        INDEXED_BYTES_MAX = 512,
        STALL_FACTOR = 3,                /* as over HTTP/1.1: three times the time that a request may take to arrive, */
        SENDING_BYTES_PER_SECOND = 4096, /* plus the time for everything to be sent at this rate */
};

/* --- fields --- */

/* A long value is not repeated, and would displace all others from the table of header compression. */
static nghttp2_nv field_of(struct str name, struct str value)
{
        return (nghttp2_nv){(uint8_t *)name.ptr, (uint8_t *)value.ptr, name.len, value.len,
                            value.len > INDEXED_BYTES_MAX ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE};
}

/* RFC 9113, 8.2: names are in lowercase. */
static struct str lowercase(struct arena *arena, const char *name)
{
        size_t len = strlen(name);
        char *text = arena_strndup(arena, name, len);
        for (size_t i = 0; i < len; i++) {
                if (text[i] >= 'A' && text[i] <= 'Z') {
                        text[i] = (char)(text[i] | 0x20);
                }
        }
        return (struct str){text, len};
}

static size_t put_fields(struct arena *arena, const struct http_header *fields, size_t n, nghttp2_nv *out)
{
        size_t made = 0;
        for (size_t i = 0; i < n; i++) {
                if (strpbrk(fields[i].name, "\r\n") == NULL && strpbrk(fields[i].value, "\r\n") == NULL) {
                        out[made++] = field_of(lowercase(arena, fields[i].name), str_of(fields[i].value));
                }
        }
        return made;
}

static size_t put_head(struct http2_stream *s, nghttp2_nv out[FIELDS_MAX])
{
        struct http_exchange *x = s->exchange;
        struct arena *arena = x->request.arena;
        const struct http_response *response = &s->response;
        size_t n = 0;
        out[n++] = field_of(STR(":status"), str_of(arena_printf(arena, "%d", response->status)));
        out[n++] = field_of(STR("date"), str_of(http_date()));
        bool known = !response->no_length && response->n_trailers == 0 && (x->flow == NULL || x->file != NULL);
        if (!http_status_has_no_length(response->status) && known) {
                size_t length = x->file != NULL ? (size_t)x->file->length : x->answer.len;
                out[n++] = field_of(STR("content-length"), str_of(arena_printf(arena, "%zu", length)));
        }
        return n + put_fields(arena, response->headers, response->n_headers, out + n);
}

/* --- the body --- */

static void end_with_trailers(struct http2_stream *s, uint32_t *flags)
{
        const struct http_response *response = &s->response;
        nghttp2_nv trailers[sizeof(response->trailers) / sizeof(response->trailers[0])];
        if (response->n_trailers > 0) {
                size_t n = put_fields(s->exchange->request.arena, response->trailers, response->n_trailers, trailers);
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                (void)nghttp2_submit_trailer(s->http2->session, s->id, trailers, n);
        }
}

static ssize_t read_flow(nghttp2_session *session, int32_t id, uint8_t *into, size_t size, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
        struct http2_stream *s = source->ptr;
        ssize_t n = http2_flow_read(s, (char *)into, size);
        if (n >= 0 && s->exchange->flow->ended) {
                *flags |= NGHTTP2_DATA_FLAG_EOF;
                end_with_trailers(s, flags);
        }
        return n;
}

static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *into, size_t size, uint32_t *flags,
                           nghttp2_data_source *source, void *user)
{
        struct http2_stream *s = source->ptr;
        struct http_exchange *x = s->exchange;
        size_t n = x->answer_len - x->sent;
        n = n < size ? n : size;
        if (n > 0) {
                memcpy(into, x->answer.data + x->sent, n);
        }
        x->sent += n;
        s->http2->unsent -= n;
        if (x->sent == x->answer_len) {
                *flags |= NGHTTP2_DATA_FLAG_EOF;
                end_with_trailers(s, flags);
        }
        return (ssize_t)n;
}

/* --- the response --- */

static void let_go(struct http2_stream *s)
{
        *s->held_at = s->held_next;
        if (s->held_next != NULL) {
                s->held_next->held_at = s->held_at;
        }
        if (s->http2 != NULL) {
                s->http2->n_held--;
        }
        atomic_store(&s->owner, HTTP_OWNER_IO);
}

static void submit_response(struct http2_stream *s)
{
        struct http_exchange *x = s->exchange;
        nghttp2_nv head[FIELDS_MAX];
        nghttp2_data_provider body = {.source.ptr = s, .read_callback = x->flow != NULL ? read_flow : read_answer};
        bool has_body = x->flow != NULL || x->answer_len > 0 || s->response.n_trailers > 0;
        size_t n = put_head(s, head);
        if (nghttp2_submit_response(s->http2->session, s->id, head, n, has_body ? &body : NULL) != 0) {
                (void)nghttp2_submit_rst_stream(s->http2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_INTERNAL_ERROR);
        }
}

void http2_answer(struct http2_stream *s, struct http_response *response)
{
        struct http_exchange *x = s->exchange;
        if (atomic_load(&s->owner) != HTTP_OWNER_IO) {
                let_go(s);
        }
        http_sink_resume(x);
        s->waiting = false;
        http_answer_check(response);
        s->response = *response;
        x->answer = response->body;
        http_file_begin(x, response);
        x->flow = x->file_len > 0 ? http_file_flow(x) : response->flow;
        x->upgrade = response->upgrade;
        x->upgrade_context = response->upgrade_context;
        if (!s->open) {
                http_exchange_end(x);
                return;
        }
        if (x->upgrade != NULL) {
                http2_upgrade_make(s);
        }
        struct http2 *h = s->http2;
        struct http_connection *c = h->connection;
        int64_t slow_us = (int64_t)c->loop->server->options.slow_client_ms * 1000;
        x->answer_len = x->is_head || http_status_has_no_length(response->status) ? 0 : x->answer.len;
        if (h->unsent == 0) {
                h->progress_us = c->loop->now_us;
        }
        h->unsent += x->answer_len;
        http_unread_add(c->loop, x->answer_len);
        s->answering = true;
        s->due_us =
            c->loop->now_us + STALL_FACTOR * slow_us + (int64_t)(h->unsent / SENDING_BYTES_PER_SECOND) * 1000000;
        http_deadline_set(c, c->loop->now_us + slow_us);
        submit_response(s);
        if (s->upgraded != NULL) {
                http2_upgrade_begin(s);
        }
}

/* --- from other threads --- */

static void give_back(struct http_loop *loop, struct http2_stream *s)
{
        struct http2_stream *first = atomic_load_explicit(&loop->answered, memory_order_relaxed);
        do {
                s->answered_next = first;
        } while (!atomic_compare_exchange_weak_explicit(&loop->answered, &first, s, memory_order_release,
                                                        memory_order_relaxed));
        if (first == NULL) { /* otherwise the loop was already woken */
                http_loop_wake(loop);
        }
}

/* The count keeps the server alive while its thread is woken: the request may have ended by then. */
bool http2_respond(struct http2_stream *s, struct http_response *response)
{
        struct http_exchange *x = s->exchange;
        struct http_server *server = x->server;
        if ((atomic_fetch_or(&s->owner, HTTP_OWNER_SENDING) & HTTP_OWNER_ABANDONED) != 0) {
                return false;
        }
        s->response = *response;
        atomic_fetch_add(&server->busy, 1);
        give_back(s->loop, s);
        atomic_fetch_sub(&server->busy, 1);
        return true;
}

/* --- on the loop --- */

static struct http2_stream *oldest_first(struct http2_stream *s)
{
        struct http2_stream *turned = NULL;
        while (s != NULL) {
                struct http2_stream *next = s->answered_next;
                s->answered_next = turned;
                turned = s;
                s = next;
        }
        return turned;
}

void http2_take_answered(struct http_loop *loop)
{
        if (atomic_load_explicit(&loop->answered, memory_order_acquire) == NULL) {
                return;
        }
        struct http2_stream *s = oldest_first(atomic_exchange_explicit(&loop->answered, NULL, memory_order_acquire));
        while (s != NULL) {
                struct http2_stream *next = s->answered_next;
                struct http_connection *c = s->open ? s->http2->connection : NULL;
                struct http_response response = s->response;
                http2_answer(s, &response);
                if (c != NULL && !c->ready) { /* all of its responses are sent together */
                        http_loop_add_ready(loop, c);
                }
                s = next;
        }
}

void http2_abandon_held(struct http_loop *loop)
{
        for (http2_take_answered(loop); loop->held != NULL; http2_take_answered(loop)) {
                struct http2_stream *s = loop->held;
                struct http_server *server = loop->server;
                unsigned held = HTTP_OWNER_HELD;
                if (atomic_compare_exchange_strong(&s->owner, &held, HTTP_OWNER_HELD | HTTP_OWNER_ABANDONED)) {
                        loop->held = s->held_next; /* from here on the owner has it */
                        if (loop->held != NULL) {
                                loop->held->held_at = &loop->held;
                        }
                        http_server_uncount(server);
                } else {
                        sched_yield(); /* ownership is just being returned */
                }
        }
}
