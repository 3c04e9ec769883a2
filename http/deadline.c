/* Timeouts: requests that do not arrive, responses that are not read, connections that are idle. */
#include "http/http2.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

enum {
        SENDING_BYTES_PER_SECOND = 4096,      /* the slowest rate at which a response may be read, */
        SENDING_CREDIT_MAX_US = 60 * 1000000, /* of which this much time may be saved up */
};

void http_deadline_set(struct http_connection *c, int64_t due_us)
{
        http_wheel_set(&c->loop->wheel, &c->timer, due_us);
}

int64_t http_deadline_idle(const struct http_connection *c)
{
        return c->active_us + (int64_t)c->loop->server->options.idle_ms * 1000;
}

/* One tick less than the limit, so that the client is disconnected within it. */
int64_t http_deadline_slow(const struct http_connection *c)
{
        if (c->phase == HTTP_READING_BODY && c->exchange->request.sink != NULL) {
                return http_sink_due(c->exchange);
        }
        return c->begun_us + (int64_t)c->loop->server->options.slow_client_ms * 1000 - c->loop->wheel.tick_us;
}

static int64_t stall_us(const struct http_connection *c)
{
        return (int64_t)c->loop->server->options.slow_client_ms * 3000;
}

void http_deadline_begin_sending(struct http_connection *c)
{
        struct http_exchange *x = c->exchange;
        x->progress_us = c->loop->now_us;
        x->sending_due_us = c->loop->now_us + stall_us(c);
}

/* Bytes sent extend the deadline at the slowest rate, up to a limit. */
static void buy_time(struct http_connection *c, int64_t bytes, int64_t now_us)
{
        struct http_exchange *x = c->exchange;
        int64_t due_us = x->sending_due_us + bytes * 1000000 / SENDING_BYTES_PER_SECOND;
        int64_t latest_us = now_us + stall_us(c) + SENDING_CREDIT_MAX_US;
        x->progress_us = now_us;
        x->sending_due_us = due_us < latest_us ? due_us : latest_us;
}

/* Bytes given to the kernel count only once the client has acknowledged them. */
static bool takes_its_answer(struct http_connection *c, int64_t now_us)
{
        struct http_exchange *x = c->exchange;
        int waiting = 0;
        if (x->fetch == HTTP_FETCH_UNDER_WAY) { /* the client is not the slow one */
                http_deadline_begin_sending(c);
                return true;
        }
        if (ioctl(c->fd, SIOCOUTQ, &waiting) == 0 && (int64_t)x->sent - waiting > x->acknowledged) {
                buy_time(c, (int64_t)x->sent - waiting - x->acknowledged, now_us);
                x->acknowledged = (int64_t)x->sent - waiting;
        }
        return now_us - x->progress_us < stall_us(c) && now_us < x->sending_due_us;
}

static void slow_client(struct http_connection *c)
{
        metric_add(c->loop->server->metrics.slow_clients, 1);
        if (c->phase == HTTP_READING_BODY && http_sink_keeps_part(c->exchange)) {
                if (http_request_hand_over_part(c) == HTTP_AGAIN) {
                        http_connection_work(c);
                }
                return;
        }
        if (c->tls != NULL || c->loop->server->options.http2_only) { /* no error can be sent to it */
                http_connection_end(c);
                return;
        }
        if (http_request_refuse_part(c, 408, "The request did not arrive in time.") == HTTP_AGAIN) {
                http_connection_work(c);
        }
}

static void due_reading(struct http_connection *c, int64_t now_us)
{
        int64_t due_us = c->begun_us != 0 ? http_deadline_slow(c) : http_deadline_idle(c);
        if (now_us < due_us) {
                http_deadline_set(c, due_us);
        } else if (c->begun_us != 0) {
                slow_client(c);
        } else {
                http_connection_end(c);
        }
}

static void due_sending(struct http_connection *c, int64_t now_us)
{
        if (takes_its_answer(c, now_us)) {
                http_deadline_set(c, now_us + (int64_t)c->loop->server->options.slow_client_ms * 1000);
        } else {
                metric_add(c->loop->server->metrics.slow_clients, 1);
                http_connection_end_hard(c);
        }
}

void http_deadline_due(struct http_timer *timer, int64_t now_us)
{
        struct http_connection *c = (struct http_connection *)(void *)timer;
        if (c->ready) {
                http_deadline_set(c, now_us);
                return;
        }
        if (atomic_load(&c->owner) != HTTP_OWNER_IO) { /* if it becomes idle after that, it is for at least this long */
                http_deadline_set(c, now_us + (int64_t)c->loop->server->options.idle_ms * 1000);
                return;
        }
        switch (c->phase) {
        case HTTP_READING_HEAD:
        case HTTP_READING_BODY:
        case HTTP_SECURING:
                due_reading(c, now_us);
                return;
        case HTTP_SENDING:
                due_sending(c, now_us);
                return;
        case HTTP_SPEAKING_2:
                http2_due(c, now_us);
                return;
        case HTTP_UPGRADED:
                http_upgrade_due(c, now_us);
                return;
        case HTTP_LINGERING:
                if (now_us < c->linger_us) {
                        http_deadline_set(c, c->linger_us);
                } else {
                        http_connection_end(c);
                }
                return;
        }
}
