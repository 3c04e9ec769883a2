/* One request and its response. libmicrohttpd calls on the connection's I/O thread: begin (request line), handle (once
 * with the headers, then for pieces of the body, then to be answered), end. In between the exchange belongs to the
 * owner's worker too, which answers from its own thread; whoever is last frees it.
 *
 *   PENDING ──worker──▶ ANSWERED              the answer came before the connection was suspended: nothing has to be
 * woken └──I/O──▶ SUSPENDED ──worker──▶ ANSWERED   the worker resumes the connection └──stop──▶ ABANDONED
 * http_server_stop resumes it; a late answer is thrown away */
#include "http/internal.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"

enum state { PENDING, SUSPENDED, ANSWERED, ABANDONED };

struct http_exchange {
        struct http_request request; /* first: the owner's pointer leads here */
        struct http_server *server;
        struct MHD_Connection *mhd;
        struct http_connection *connection;
        struct http_head head;
        struct buf body;
        bool headers_done;
        bool handed_over; /* to on_request */
        atomic_int references;
        _Atomic enum state state;
        struct MHD_Response *response; /* made by http_respond, until it is queued */
        unsigned status;
        size_t response_bytes;
};

static void exchange_unref(struct http_exchange *x)
{
        if (atomic_fetch_sub_explicit(&x->references, 1, memory_order_acq_rel) != 1) {
                return;
        }
        if (x->response != NULL) {
                MHD_destroy_response(x->response);
        }
        buf_free(&x->body);
        arena_free(x->request.arena); /* holds the exchange itself */
}

const char *http_request_header(const struct http_request *r, const char *name)
{
        for (size_t i = 0; i < r->n_headers; i++) {
                if (strcasecmp(r->headers[i].name, name) == 0) {
                        return r->headers[i].value;
                }
        }
        return NULL;
}

void http_response_header(struct http_response *r, const char *name, const char *value)
{
        if (r->n_headers < sizeof(r->headers) / sizeof(r->headers[0])) {
                r->headers[r->n_headers++] = (struct http_header){name, value};
        }
}

/* --- responses --- */

static void free_body(void *data)
{
        struct buf body = {.data = data};
        buf_free(&body);
}

static struct MHD_Response *body_response(struct buf *body)
{
        if (body->len == 0) {
                buf_free(body);
                return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
        }
        struct MHD_Response *mhd = MHD_create_response_from_buffer_with_free_callback(body->len, body->data, free_body);
        if (mhd == NULL) {
                buf_free(body);
        }
        *body = (struct buf){0};
        return mhd;
}

/* Takes over the response: its body goes to libmicrohttpd as it is. A body that overflowed must not be sent. */
static void take_response(struct http_exchange *x, struct http_response *response)
{
        if (response->body.overflow || response->status < 200 || response->status > 599) {
                buf_free(&response->body);
                response->status = 500;
                response->n_headers = 0;
        }
        x->status = (unsigned)response->status;
        x->response_bytes = response->body.len;
        x->response = body_response(&response->body);
        if (x->response == NULL) {
                return;
        }
        for (size_t i = 0; i < response->n_headers; i++) {
                MHD_add_response_header(x->response, response->headers[i].name,
                                        response->headers[i].value); /* refuses CR and LF */
        }
        if (response->close) {
                MHD_add_response_header(x->response, "Connection", "close");
        }
}

static enum MHD_Result queue_response(struct http_exchange *x, struct MHD_Connection *mhd)
{
        if (x->response == NULL) {
                return MHD_NO;
        }
        if (atomic_load_explicit(&x->server->stopping, memory_order_relaxed)) {
                MHD_add_response_header(x->response, "Connection", "close");
        }
        atomic_store_explicit(&x->connection->sending_bytes, x->response_bytes, memory_order_relaxed);
        http_connection_enter(x->connection, HTTP_SENDING);
        enum MHD_Result result = MHD_queue_response(mhd, x->status, x->response);
        MHD_destroy_response(x->response); /* the connection has its own reference */
        x->response = NULL;
        return result;
}

static enum MHD_Result answer_now(struct http_exchange *x, struct MHD_Connection *mhd, struct http_response *response)
{
        take_response(x, response);
        return queue_response(x, mhd);
}

static enum MHD_Result refuse(struct http_exchange *x, struct MHD_Connection *mhd, int status, const char *detail)
{
        struct http_response response;
        http_refusal(x->server, &x->request, status, detail, &response);
        x->connection->linger = true;
        return answer_now(x, mhd, &response);
}

/* --- a request comes in --- */

/* libmicrohttpd goes on to cut the query into parameters, which nobody here asks for; and when there are more than fit
 * into the connection's memory, 0.9.75 forgets its own refusal and waits for ever. So the query ends here for it. */
static void hide_query(const char *uri)
{
        char *query = strchr(uri, '?');
        if (query != NULL && query[1] != '\0') {
                query[1] = '\0'; /* it is libmicrohttpd's read buffer, handed out as const */
        }
}

void *http_exchange_begin(void *server, const char *uri, struct MHD_Connection *mhd)
{
        struct http_connection *c = http_connection_of(mhd);
        struct arena *arena = c == NULL ? NULL : arena_new(((struct http_server *)server)->options.arena_bytes);
        if (arena == NULL) {
                return NULL;
        }
        struct http_exchange *x = ARENA_NEW(arena, struct http_exchange);
        x->request.arena = arena;
        x->request.method = "";
        x->request.path = "";
        x->request.peer = arena_strdup(arena, c->peer); /* the connection may go before the request does */
        x->server = server;
        x->mhd = mhd;
        x->connection = c;
        x->head.uri_at = uri;
        x->head.uri_len = strlen(uri);
        x->head.uri = arena_strndup(arena, uri, x->head.uri_len);
        hide_query(uri);
        atomic_init(&x->references, 1);
        atomic_init(&x->state, PENDING);
        http_connection_enter(c, HTTP_HEADERS);
        return x;
}

static enum MHD_Result handle_headers(struct http_exchange *x, struct MHD_Connection *mhd, const char *method,
                                      const char *version)
{
        struct http_server *server = x->server;
        x->headers_done = true;
        x->head.method = method;
        x->head.version = version;
        x->request.started_us = clock_monotonic_us();
        size_t max_body = HTTP_DEFAULT_MAX_BODY;
        const char *detail;
        int status = http_check_head(server, mhd, &x->head, &x->request, &detail);
        if (status != 0) {
                return refuse(x, mhd, status, detail);
        }
        struct http_response early = {0};
        buf_init(&early.body, HTTP_REFUSAL_BYTES);
        if (!server->handlers.on_headers(server->handlers.context, &x->request, &max_body, &early)) {
                early.close = true;
                x->connection->linger = x->head.chunked || x->head.content_length > 0;
                return answer_now(x, mhd, &early);
        }
        buf_free(&early.body);
        if (x->head.content_length > max_body) {
                return refuse(x, mhd, 413, "The body is larger than this address takes.");
        }
        buf_init(&x->body, max_body);
        if (x->head.chunked || x->head.content_length > 0) {
                http_connection_enter(x->connection, HTTP_BODY);
        }
        return MHD_YES;
}

/* libmicrohttpd takes no response in the middle of a body: an answer at this place goes to the socket directly. */
static enum MHD_Result handle_body(struct http_exchange *x, const char *upload, size_t *upload_size)
{
        buf_append(&x->body, upload, *upload_size);
        *upload_size = 0;
        if (!x->body.overflow) {
                return MHD_YES;
        }
        http_refuse_raw(x->server, x->connection->fd, 413, "The body is larger than this address takes.");
        x->connection->linger = true;
        return MHD_NO;
}

static void set_exchange(struct http_connection *c, struct http_exchange *x)
{
        pthread_mutex_lock(&c->lock);
        c->exchange = x;
        pthread_mutex_unlock(&c->lock);
}

/* Suspends the connection unless the answer is there already. */
static enum MHD_Result wait_for_answer(struct http_exchange *x, struct MHD_Connection *mhd)
{
        struct http_server *server = x->server;
        if (atomic_load_explicit(&x->state, memory_order_acquire) == ANSWERED) {
                return queue_response(x, mhd);
        }
        MHD_suspend_connection(mhd);
        atomic_fetch_add(&server->suspended, 1);
        enum state expected = PENDING;
        if (!atomic_compare_exchange_strong(&x->state, &expected, SUSPENDED)) {
                MHD_resume_connection(mhd); /* answered in between: we are called again at once */
                atomic_fetch_sub(&server->suspended, 1);
        }
        return MHD_YES;
}

static enum MHD_Result handle_complete(struct http_exchange *x, struct MHD_Connection *mhd)
{
        struct http_connection *c = x->connection;
        struct http_server *server = c->server;
        x->handed_over = true;
        x->request.body = (struct str){x->body.data == NULL ? "" : x->body.data, x->body.len};
        metric_add(server->metrics.in_flight, 1);
        atomic_fetch_add(&server->busy, 1);
        if (atomic_load(&server->stopping)) {
                return refuse(x, mhd, 503, "The server is shutting down.");
        }
        set_exchange(c, x);
        http_connection_enter(c, HTTP_RUNNING);
        struct http_response early = {0};
        buf_init(&early.body, HTTP_REFUSAL_BYTES);
        atomic_fetch_add_explicit(&x->references, 1, memory_order_relaxed); /* the worker's */
        if (!server->handlers.on_request(server->handlers.context, &x->request, &early)) {
                atomic_fetch_sub_explicit(&x->references, 1, memory_order_relaxed);
                return answer_now(x, mhd, &early);
        }
        buf_free(&early.body);
        return wait_for_answer(x, mhd);
}

enum MHD_Result http_exchange_handle(void *server, struct MHD_Connection *mhd, const char *url, const char *method,
                                     const char *version, const char *upload, size_t *upload_size, void **exchange)
{
        struct http_exchange *x = *exchange;
        if (x == NULL) {
                return MHD_NO; /* there was no memory for it */
        }
        if (!x->headers_done) {
                return handle_headers(x, mhd, method, version);
        }
        if (*upload_size > 0) {
                return handle_body(x, upload, upload_size);
        }
        if (!x->handed_over) {
                return handle_complete(x, mhd);
        }
        return atomic_load_explicit(&x->state, memory_order_acquire) == ANSWERED ? queue_response(x, mhd)
                                                                                 : MHD_NO; /* abandoned */
}

void http_exchange_end(void *arg, struct MHD_Connection *mhd, void **exchange, enum MHD_RequestTerminationCode code)
{
        struct http_exchange *x = *exchange;
        struct http_server *server = arg;
        if (x == NULL) {
                return;
        }
        *exchange = NULL;
        bool counted = x->handed_over;
        if (counted) {
                set_exchange(x->connection, NULL);
                metric_add(server->metrics.in_flight, -1);
        }
        atomic_fetch_add_explicit(&x->connection->requests, 1, memory_order_relaxed);
        http_connection_enter(x->connection, HTTP_IDLE);
        exchange_unref(x);
        if (counted) {
                atomic_fetch_sub(&server->busy, 1);
        }
}

/* --- the answer --- */

void http_respond(struct http_request *r, struct http_response *response)
{
        struct http_exchange *x = (struct http_exchange *)(void *)r;
        take_response(x, response);
        /* Connection and server live as long as the connection is suspended: otherwise nothing of them may be touched
         * here. */
        if (atomic_exchange(&x->state, ANSWERED) == SUSPENDED) {
                MHD_resume_connection(x->mhd);
                atomic_fetch_sub(&x->server->suspended, 1);
        }
        exchange_unref(x);
}

void http_exchange_abandon(struct http_connection *c)
{
        pthread_mutex_lock(&c->lock);
        struct http_exchange *x = c->exchange;
        enum state expected = SUSPENDED;
        if (x != NULL && atomic_compare_exchange_strong(&x->state, &expected, ABANDONED)) {
                MHD_resume_connection(c->mhd);
                atomic_fetch_sub(&c->server->suspended, 1);
        }
        pthread_mutex_unlock(&c->lock);
}
