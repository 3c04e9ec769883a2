/* Owns a stream's lifetime and limits, on the I/O thread. */
#include "gateway/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "base/metrics.h"

#define SECOND_US        INT64_C(1000000)
#define MESSAGE_COST_US  (SECOND_US / 20) /* of a client: 20 messages per second */
#define MESSAGE_SPARE_US (10 * SECOND_US) /* and a burst of 200 */
#define MOST_UNANSWERED  2                /* pings */

/* ---- Life ---- */

/* The key for counting streams by address: an IPv6 /64 is one customer. */
static void counted_address(const char *text, char out[ADDRESS_TEXT_SIZE])
{
        uint8_t address[ADDRESS_BYTES];

        (void)snprintf(out, ADDRESS_TEXT_SIZE, "%s", text);
        if (address_parse(str_of(text), address)) {
                address_to_network(address);
                address_write(address, out);
        }
}

static sn_status too_many(struct rpc_call *c, const char *whose, int64_t most)
{
        return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_streams", NULL,
                             "%s already has %lld open streams, the maximum; close one first", whose, (long long)most);
}

sn_status stream_count_member(struct rpc_call *c, struct stream *s, const char *member)
{
        int64_t most = s->hub->gateway->options.settings->streams_per_member;

        pthread_mutex_lock(&s->hub->lock);
        s->counted_member = stream_table_count(s->hub->members, member, (unsigned)most);
        if (s->counted_member) {
                memcpy(s->viewer, member, UUID_SIZE);
        }
        pthread_mutex_unlock(&s->hub->lock);
        return s->counted_member ? SN_OK : too_many(c, "this member", most);
}

static void free_stream(struct stream *s)
{
        char address[ADDRESS_TEXT_SIZE];

        counted_address(s->address, address);
        pthread_mutex_lock(&s->hub->lock);
        stream_table_discount(s->hub->addresses, address);
        if (s->counted_member) {
                stream_table_discount(s->hub->members, s->viewer);
        }
        pthread_mutex_unlock(&s->hub->lock);
        websocket_free(&s->websocket);
        free(s->bearer);
        free(s->wanted);
        free(s->since);
        free(s);
}

void stream_unref(struct stream *s)
{
        if (atomic_fetch_sub(&s->references, 1) == 1) {
                free_stream(s);
        }
}

static bool count_address(struct stream *s, int64_t most)
{
        char address[ADDRESS_TEXT_SIZE];

        counted_address(s->address, address);
        pthread_mutex_lock(&s->hub->lock);
        bool fits = stream_table_count(s->hub->addresses, address, (unsigned)most);
        pthread_mutex_unlock(&s->hub->lock);
        return fits;
}

sn_status stream_new(struct rpc_call *c, struct stream_hub *hub, const struct stream_identity *identity, bool is_sse,
                     struct stream **out)
{
        int64_t most = hub->gateway->options.settings->streams_per_address;
        struct stream *s = calloc(1, sizeof(*s) + (is_sse ? hub->n_logs * sizeof(s->positions[0]) : 0));

        if (s == NULL) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory for another stream; try again later");
        }
        s->hub = hub;
        s->is_sse = is_sse;
        atomic_init(&s->references, 1);
        (void)snprintf(s->address, sizeof(s->address), "%s", c->client_address);
        (void)snprintf(s->request_id, sizeof(s->request_id), "%s", c->request_id);
        if (!count_address(s, most)) {
                free(s);
                return too_many(c, "your address", most);
        }
        (void)snprintf(s->session, sizeof(s->session), "%s", identity->session);
        (void)snprintf(s->scope, sizeof(s->scope), "%s", identity->scope);
        s->bearer = strdup(identity->bearer);
        s->expires_s = identity->expires_s;
        s->epoch = identity->epoch;
        websocket_init(&s->websocket, STREAM_MESSAGE_BYTES);
        if (identity->viewer[0] != '\0' && stream_count_member(c, s, identity->viewer) != SN_OK) {
                stream_unref(s);
                return c->problem.status;
        }
        *out = s;
        return SN_OK;
}

/* ---- What the client sends ---- */

/* Each message costs allowance, which time restores. */
static bool spend_allowance(struct stream *s)
{
        int64_t now_us = clock_monotonic_us();

        s->allowance_us = (s->allowance_us > now_us ? s->allowance_us : now_us) + MESSAGE_COST_US;
        if (s->allowance_us - now_us <= MESSAGE_SPARE_US) {
                return true;
        }
        stream_end(s, WEBSOCKET_POLICY, "too_many_messages", NULL);
        return false;
}

static void take_close(struct stream *s, const struct websocket_event *event)
{
        stream_close(s, event->code == WEBSOCKET_NO_CODE ? WEBSOCKET_NORMAL : event->code, "");
}

static void take_event(struct stream *s, const struct websocket_event *event)
{
        switch (event->kind) {
        case WEBSOCKET_MORE:
                return;
        case WEBSOCKET_TEXT:
                if (spend_allowance(s) && stream_command_start(s, event->payload)) {
                        http_upgraded_pause(s->u);
                }
                return;
        case WEBSOCKET_BINARY:
                stream_end(s, WEBSOCKET_UNSUPPORTED_DATA, "messages must be JSON text", NULL);
                return;
        case WEBSOCKET_PING:
                if (spend_allowance(s) && stream_may_be_sent(s)) {
                        stream_send_frame(s, WEBSOCKET_OP_PONG, event->payload.ptr, event->payload.len);
                }
                return;
        case WEBSOCKET_PONG:
                (void)spend_allowance(s);
                return;
        case WEBSOCKET_CLOSE:
                take_close(s, event);
                return;
        case WEBSOCKET_FAILED:
                stream_end(s, event->code, event->payload.ptr, NULL);
                return;
        }
}

static void on_bytes(void *context, struct str *in)
{
        struct stream *s = context;

        s->unanswered_pings = 0;
        if (s->is_sse) { /* clients send nothing */
                in->ptr += in->len;
                in->len = 0;
                return;
        }
        struct websocket_event event = websocket_read(&s->websocket, in);

        take_event(s, &event);
}

/* ---- Time ---- */

static void set_due(struct stream *s, int64_t now_us)
{
        int64_t due_us = s->pinged_us + STREAM_PING_S * SECOND_US;

        if (s->expires_s != 0) {
                int64_t expires_us = now_us + s->expires_s * SECOND_US - clock_wall_us();

                due_us = expires_us < due_us ? expires_us : due_us;
        }
        http_upgraded_due(s->u, due_us);
}

void stream_renew_due(struct stream *s)
{
        set_due(s, clock_monotonic_us());
}

static void ping(struct stream *s, int64_t now_us)
{
        s->pinged_us = now_us;
        if (s->is_sse) {
                http_upgraded_send(s->u, ":\n\n", 3);
        } else if (s->unanswered_pings++ == MOST_UNANSWERED) {
                stream_end(s, WEBSOCKET_POLICY, "no_pong", NULL);
        } else {
                stream_send_frame(s, WEBSOCKET_OP_PING, "", 0);
        }
}

static void on_due(void *context, int64_t now_us)
{
        struct stream *s = context;

        if (s->closing) {
                return;
        }
        if (s->expires_s != 0 && clock_wall_ms() >= s->expires_s * 1000) {
                stream_end_token(s, "token_expired", "the access token has expired; refresh it and authenticate again");
                return;
        }
        if (now_us - s->pinged_us >= STREAM_PING_S * SECOND_US) {
                ping(s, now_us);
        }
        if (!s->closing) {
                set_due(s, now_us);
        }
}

/* ---- Begin and end ---- */

static struct metric *kind_metric(const struct stream *s)
{
        return s->is_sse ? s->hub->metrics.event_sources : s->hub->metrics.sockets;
}

static void greet(struct stream *s)
{
        struct buf text;

        if (s->is_sse) {
                http_upgraded_send(s->u, "retry: 2000\n\n", 13);
        }
        if (s->viewer[0] != '\0') {
                buf_init(&text, STREAM_MESSAGE_BYTES);
                stream_write_authenticated(&text, s->viewer, s->expires_s);
                stream_send(s, text.data, text.len);
                buf_free(&text);
        }
}

static void on_begin(void *context, struct http_upgraded *u)
{
        struct stream *s = context;

        s->u = u;
        if (!stream_hub_add(s->hub, s)) {
                stream_end(s, WEBSOCKET_INTERNAL_ERROR, "out of memory", NULL);
                return;
        }
        stream_end_if_revoked(s); /* it may have ended while the request was queued; from now on the hub checks */
        metric_add(kind_metric(s), 1);
        s->pinged_us = clock_monotonic_us();
        greet(s);
        set_due(s, s->pinged_us);
        if (s->is_sse) {
                stream_command_next(s);
        }
}

static void on_stop(void *context)
{
        struct stream *s = context;

        if (s->u != NULL && s->is_sse && !s->closing) {
                http_upgraded_send(s->u, "retry: 1000\n\n", 13);
        }
        stream_end(s, WEBSOCKET_GOING_AWAY, "the server is restarting; reconnect in a second", NULL);
}

static void drop_subs(struct stream *s)
{
        pthread_mutex_lock(&s->hub->lock);
        for (struct stream_sub *sub = s->subs, *next; sub != NULL; sub = next) {
                next = sub->next;
                stream_hub_unregister(s->hub, sub);
                free(sub);
        }
        s->subs = NULL; /* a worker may be about to use them */
        s->n_subs = 0;
        pthread_mutex_unlock(&s->hub->lock);
}

static void on_end(void *context)
{
        struct stream *s = context;

        s->u = NULL;
        drop_subs(s);
        if (s->id != 0) {
                stream_hub_remove(s->hub, s);
                metric_add(kind_metric(s), -1);
        }
        if (s->command_waits) { /* no worker has it */
                stream_command_drop(s->command);
        }
        stream_unref(s);
}

static void on_sent(void *context)
{
        struct stream *s = context;

        if (s->command_waits) {
                s->unanswered_pings = 0; /* the client is reading; its pongs are queued behind the command */
        }
        stream_command_go_on(s);
}

const struct http_upgrade stream_upgrade = {
    .begin = on_begin, .bytes = on_bytes, .sent = on_sent, .due = on_due, .stop = on_stop, .end = on_end};

struct stream_sub *stream_find_sub(const struct stream *s, uint32_t number)
{
        struct stream_sub *sub = s->subs;

        while (sub != NULL && sub->number != number) {
                sub = sub->next;
        }
        return sub;
}
