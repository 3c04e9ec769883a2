/* A connection that has left HTTP, on its I/O thread. */
#include "http/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "http/http2.h"

/* --- called by the owner --- */

static void look_again(struct http_upgraded *u)
{
        struct http_connection *c = u->connection;

        if (u->working) {
                return;
        }
        if (u->stream != NULL) {
                http2_flow_resume(u->stream);
        }
        if (!c->ready) {
                http_loop_add_ready(c->loop, c);
        }
}

void http_upgraded_send(struct http_upgraded *u, const void *bytes, size_t len)
{
        if (!u->closing) {
                buf_append(&u->out, bytes, len);
                http_unread_add(u->connection->loop, len);
                look_again(u);
        }
}

size_t http_upgraded_unsent(const struct http_upgraded *u)
{
        return u->out.len - u->out_at;
}

void http_upgraded_pause(struct http_upgraded *u)
{
        u->paused = true;
}

void http_upgraded_resume(struct http_upgraded *u)
{
        u->paused = false;
        look_again(u);
}

void http_upgraded_due(struct http_upgraded *u, int64_t due_us)
{
        u->due_us = due_us;
        if (due_us != INT64_MAX && u->stream == NULL) { /* otherwise it is one of many streams of its connection */
                http_deadline_set(u->connection, due_us);
        }
}

void http_upgraded_close(struct http_upgraded *u, int64_t wait_us)
{
        u->closing = true;
        http_upgraded_due(u, u->connection->loop->now_us + wait_us);
        look_again(u);
}

/* --- called by the connection --- */

enum http_step http_upgrade_begin(struct http_connection *c)
{
        struct http_exchange *x = c->exchange;
        struct http_loop *home = http_loop_of_long_connections(c->loop->server);
        if (c->loop != home) {
                return http_connection_move(c, home); /* where this function is called again */
        }
        struct http_upgraded *u = calloc(1, sizeof(*u));

        if (u == NULL) {
                return http_connection_end(c);
        }
        *u = (struct http_upgraded){
            .upgrade = x->upgrade, .context = x->upgrade_context, .connection = c, .due_us = INT64_MAX};
        buf_init(&u->out, HTTP_UPGRADE_UNSENT_MAX_BYTES);
        atomic_fetch_add(&c->loop->server->busy, 1);
        x->upgrade = NULL;
        c->upgraded = u;
        c->phase = HTTP_UPGRADED;
        c->exchange = NULL;
        http_exchange_end(x);
        u->working = true;
        u->upgrade->begin(u->context, u);
        if (c->loop->told_stopping) {
                u->upgrade->stop(u->context);
        }
        u->working = false;
        return HTTP_AGAIN;
}

void http_upgrade_end(struct http_connection *c)
{
        struct http_upgraded *u = c->upgraded;

        if (u == NULL) {
                return;
        }
        c->upgraded = NULL;
        u->upgrade->end(u->context);
        buf_free(&u->out);
        free(u);
        atomic_fetch_sub(&c->loop->server->busy, 1);
}

/* So that a client that is always slightly behind does not make the buffer grow. */
void http_upgrade_compact(struct http_upgraded *u)
{
        if (u->out_at > u->out.len / 2) {
                memmove(u->out.data, u->out.data + u->out_at, u->out.len - u->out_at);
                u->out.len -= u->out_at;
                u->out_at = 0;
        }
}

enum sent { SENT_ALL, SENT_PART, SENT_BROKEN };

static enum sent send_out(struct http_upgraded *u)
{
        while (u->out_at < u->out.len) {
                ssize_t n = http_connection_send(u->connection, u->out.data + u->out_at, u->out.len - u->out_at);

                if (n < 0 || u->out.overflow) {
                        return SENT_BROKEN;
                }
                if (n == 0) {
                        http_upgrade_compact(u);
                        return SENT_PART;
                }
                u->out_at += (size_t)n;
        }
        return SENT_ALL;
}

/* The next step will find again that the connection is broken. */
void http_upgraded_flush(struct http_upgraded *u)
{
        if (u->stream == NULL) {
                (void)send_out(u);
        }
}

/* False: the connection is broken. */
static bool send_unsent(struct http_upgraded *u)
{
        while (u->out.len > 0) {
                enum sent sent = send_out(u);

                if (sent != SENT_ALL) {
                        return sent == SENT_PART;
                }
                buf_free(&u->out); /* an idle connection has none */
                buf_init(&u->out, HTTP_UPGRADE_UNSENT_MAX_BYTES);
                u->out_at = 0;
                if (u->upgrade->sent != NULL && !u->closing) {
                        u->working = true;
                        u->upgrade->sent(u->context);
                        u->working = false;
                }
        }
        return true;
}

static void offer(struct http_connection *c, struct str *in)
{
        struct http_upgraded *u = c->upgraded;

        u->working = true;
        while (in->len > 0 && !u->paused && !u->closing) {
                u->upgrade->bytes(u->context, in);
        }
        u->working = false;
}

/* Bytes that arrived while the owner did not read. */
static void offer_kept(struct http_connection *c)
{
        struct buf kept = c->in;
        struct str in = {kept.data + c->in_at, kept.len - c->in_at};

        c->in = (struct buf){0};
        c->in_at = 0;
        offer(c, &in);
        if (in.len == 0 || c->upgraded->closing) {
                buf_free(&kept);
                return;
        }
        c->in = kept;
        c->in_at = kept.len - in.len;
}

static enum http_step receive_bytes(struct http_connection *c)
{
        ssize_t n = http_connection_receive(c, c->loop->scratch, c->loop->scratch_bytes);
        struct str in = {c->loop->scratch, n > 0 ? (size_t)n : 0};

        if (n <= 0) {
                return n < 0 ? http_connection_end(c) : HTTP_ENOUGH;
        }
        offer(c, &in);
        if (in.len > 0 && !c->upgraded->closing) {
                buf_init(&c->in, c->loop->scratch_bytes);
                buf_append(&c->in, in.ptr, in.len);
        }
        return HTTP_AGAIN;
}

/* What the owner sends while it is given bytes is sent in the next step. */
enum http_step http_upgrade_work(struct http_connection *c)
{
        struct http_upgraded *u = c->upgraded;

        if (!send_unsent(u)) {
                return http_connection_end(c);
        }
        if (u->closing) {
                return u->out.len == 0 ? http_connection_linger(c) : HTTP_ENOUGH;
        }
        if (u->paused) {
                return HTTP_ENOUGH;
        }
        if (c->in.len > c->in_at) {
                offer_kept(c);
                return HTTP_AGAIN;
        }
        return receive_bytes(c);
}

size_t http_upgrade_unsent(const struct http_connection *c)
{
        return http_upgraded_unsent(c->upgraded);
}

void http_upgrade_due(struct http_connection *c, int64_t now_us)
{
        struct http_upgraded *u = c->upgraded;

        if (now_us < u->due_us) {
                http_upgraded_due(u, u->due_us);
        } else if (u->closing) {
                http_connection_end_hard(c);
        } else {
                u->due_us = INT64_MAX;
                u->upgrade->due(u->context, now_us);
        }
}

void http_upgrade_stop(struct http_loop *loop)
{
        for (struct http_connection *c = loop->connections; c != NULL; c = c->next) {
                if (c->upgraded != NULL) {
                        c->upgraded->upgrade->stop(c->upgraded->context);
                } else if (c->http2 != NULL) {
                        http2_upgrade_stop(c->http2);
                }
        }
}

/* --- tasks --- */

void http_server_post(struct http_server *server, struct http_task *task)
{
        struct http_loop *loop = http_loop_of_long_connections(server);
        struct http_task *first = atomic_load_explicit(&loop->posted, memory_order_relaxed);

        do {
                task->next = first;
        } while (!atomic_compare_exchange_weak_explicit(&loop->posted, &first, task, memory_order_release,
                                                        memory_order_relaxed));
        if (first == NULL) { /* otherwise the loop was already woken */
                http_loop_wake(loop);
        }
}

void http_loop_run_posted(struct http_loop *loop)
{
        struct http_task *newest = atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire), *oldest = NULL;

        while (newest != NULL) {
                struct http_task *next = newest->next;

                newest->next = oldest;
                oldest = newest;
                newest = next;
        }
        while (oldest != NULL) {
                struct http_task *next = oldest->next;

                oldest->run(oldest);
                oldest = next;
        }
}
