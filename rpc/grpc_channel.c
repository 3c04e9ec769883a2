/* A callee: the calls waiting for a connection, and the attempts to connect. A call that needs a connection starts
 * an attempt at once; if it fails, all calls waiting for it fail. So the next call finds a callee that has come
 * back. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "rpc/grpc_client.h"
#include "rpc/grpc_relay.h"

enum { LOOK_UP_US = 10000 }; /* interval for polling the resolver */

/* ---- Calls ---- */

static void unlink_call(struct grpc_call *call)
{
        struct sonet_grpc_channel *channel = call->channel;
        *call->at = call->next;
        if (call->next != NULL) {
                call->next->at = call->at;
        } else if (call->link == NULL) {
                channel->waiting_end = call->at;
        }
}

void grpc_channel_end_call(struct grpc_call *call, enum grpc_end end)
{
        if (call->at != NULL) {
                unlink_call(call);
        }
        if (call->link != NULL) {
                call->link->n_calls--;
        }
        http_wheel_clear(&call->timer.timer);
        if (call->relay != NULL) {
                grpc_relay_ended(call->relay, end);
                return;
        }
        call->end = end;
        sem_post(&call->done); /* it belongs to its caller again */
}

static void call_due(struct grpc_timer *timer, int64_t now_us)
{
        struct grpc_call *call = (struct grpc_call *)(void *)((char *)timer - offsetof(struct grpc_call, timer));
        if (now_us >= call->deadline_us && (call->relay == NULL || !grpc_relay_due(call->relay, now_us))) {
                if (call->link != NULL) {
                        grpc_link_cancel(call);
                }
                grpc_channel_end_call(call, GRPC_END_DEADLINE);
        } else if (call->link == NULL && now_us >= call->connect_until_us) {
                grpc_channel_end_call(call, GRPC_END_UNREACHED);
        } else {
                int64_t until_us = call->link == NULL && call->connect_until_us < call->deadline_us
                                       ? call->connect_until_us
                                       : call->deadline_us;
                grpc_loop_set(call->channel->loop, timer, until_us);
        }
}

static void fail_waiting(struct sonet_grpc_channel *channel)
{
        while (channel->waiting != NULL) {
                grpc_channel_end_call(channel->waiting, GRPC_END_UNREACHED);
        }
}

/* ---- Attempts to connect ---- */

static void end_attempt(struct sonet_grpc_channel *channel)
{
        channel->attempting = false;
        http_wheel_clear(&channel->timer.timer);
        if (channel->addresses != NULL) {
                freeaddrinfo(channel->addresses);
        }
        channel->addresses = channel->next_address = NULL;
}

static void fail_attempt(struct sonet_grpc_channel *channel)
{
        end_attempt(channel);
        atomic_store_explicit(&channel->away, true, memory_order_relaxed);
        fail_waiting(channel);
}

static void try_addresses(struct sonet_grpc_channel *channel)
{
        while (channel->next_address != NULL) {
                const struct addrinfo *address = channel->next_address;
                channel->next_address = address->ai_next;
                if (grpc_link_connect(channel, address) != NULL) {
                        return;
                }
        }
        fail_attempt(channel);
}

static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};

/* A numeric address is converted without a resolver. */
static bool look_up_number(struct sonet_grpc_channel *channel, const char *port)
{
        struct addrinfo numeric = hints;
        numeric.ai_flags |= AI_NUMERICHOST;
        return getaddrinfo(channel->address.host, port, &numeric, &channel->addresses) == 0;
}

static void take_addresses(struct sonet_grpc_channel *channel)
{
        channel->next_address = channel->addresses;
        try_addresses(channel);
}

/* The resolver may block, so it runs on its own thread, which glibc creates. */
static void look_up(struct sonet_grpc_channel *channel)
{
        char port[8];
        struct gaicb *list[] = {&channel->lookup};
        snprintf(port, sizeof(port), "%d", channel->address.port);
        if (look_up_number(channel, port)) {
                take_addresses(channel);
                return;
        }
        channel->lookup = (struct gaicb){.ar_name = channel->address.host, .ar_service = NULL, .ar_request = &hints};
        channel->looking_up = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0;
        if (!channel->looking_up) {
                fail_attempt(channel);
        }
}

static void set_port(struct addrinfo *addresses, int port)
{
        for (struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
                if (a->ai_family == AF_INET) {
                        ((struct sockaddr_in *)(void *)a->ai_addr)->sin_port = htons((uint16_t)port);
                } else if (a->ai_family == AF_INET6) {
                        ((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_port = htons((uint16_t)port);
                }
        }
}

/* True once the resolver has finished. */
static bool take_lookup(struct sonet_grpc_channel *channel)
{
        int result = gai_error(&channel->lookup);
        if (result == EAI_INPROGRESS) {
                return false;
        }
        channel->looking_up = false;
        if (result == 0) {
                channel->addresses = channel->lookup.ar_result;
                set_port(channel->addresses, channel->address.port);
        }
        return true;
}

static void end_links_under_way(struct sonet_grpc_channel *channel)
{
        for (struct grpc_link *link = channel->links; link != NULL; link = link->next) {
                link->broken |= link->state < GRPC_READY;
        }
}

static void attempt_due(struct grpc_timer *timer, int64_t now_us)
{
        struct sonet_grpc_channel *channel =
            (struct sonet_grpc_channel *)(void *)((char *)timer - offsetof(struct sonet_grpc_channel, timer));
        if (!channel->attempting) {
                return;
        }
        if (channel->looking_up && take_lookup(channel)) {
                take_addresses(channel);
        }
        if (channel->attempting && now_us >= channel->attempt_until_us) {
                channel->next_address = NULL;
                end_links_under_way(channel); /* the last one fails the attempt */
                if (channel->looking_up) {
                        fail_attempt(channel);
                }
        } else if (channel->attempting) {
                grpc_loop_set(channel->loop, timer,
                              channel->looking_up ? now_us + LOOK_UP_US : channel->attempt_until_us);
        }
}

static void begin_attempt(struct sonet_grpc_channel *channel)
{
        int64_t now_us = grpc_loop_now_us(channel->loop);
        channel->attempting = true;
        channel->attempt_until_us = now_us + GRPC_CONNECT_US;
        grpc_loop_set(channel->loop, &channel->timer, now_us + LOOK_UP_US);
        if (!channel->looking_up) { /* an earlier query is still running: its result will do */
                look_up(channel);
        }
}

void grpc_channel_link_ready(struct grpc_link *link)
{
        struct sonet_grpc_channel *channel = link->channel;
        end_attempt(channel);
        channel->ready = link;
        atomic_store_explicit(&channel->away, false, memory_order_relaxed);
        while (channel->waiting != NULL) {
                grpc_link_call(link, channel->waiting);
        }
}

void grpc_channel_link_ended(struct sonet_grpc_channel *channel, struct grpc_link *link, bool was_ready)
{
        if (channel->ready == link) {
                channel->ready = NULL;
        }
        if (!was_ready && channel->attempting) {
                try_addresses(channel);
        }
}

/* ---- Called by callers ---- */

void grpc_channel_begin_call(struct grpc_task *task)
{
        struct grpc_call *call = (struct grpc_call *)(void *)task;
        struct sonet_grpc_channel *channel = call->channel;
        int64_t now_us = grpc_loop_now_us(channel->loop);
        bool away = atomic_load_explicit(&channel->away, memory_order_relaxed);
        call->timer.due = call_due;
        call->connect_until_us = now_us + (away ? GRPC_RETURN_US : GRPC_CONNECT_US);
        call->at = channel->waiting_end;
        *channel->waiting_end = call;
        channel->waiting_end = &call->next;
        if (now_us >= call->deadline_us) {
                grpc_channel_end_call(call, GRPC_END_DEADLINE);
                return;
        }
        call_due(&call->timer, now_us);
        if (channel->ready != NULL) {
                grpc_link_call(channel->ready, call);
        } else if (!channel->attempting) {
                begin_attempt(channel);
        }
}

void grpc_channel_open(struct grpc_task *task)
{
        struct sonet_grpc_channel *channel = (struct sonet_grpc_channel *)(void *)task;
        channel->timer.due = attempt_due;
        grpc_loop_add_channel(channel->loop, channel);
        sem_post(&channel->done);
}

/* No call of it is running. */
void grpc_channel_close(struct grpc_task *task)
{
        struct sonet_grpc_channel *channel = (struct sonet_grpc_channel *)(void *)task;
        const struct gaicb *list[] = {&channel->lookup};
        end_attempt(channel);
        while (channel->links != NULL) {
                grpc_link_end(channel->links);
        }
        while (channel->draining != NULL) {
                grpc_relay_drop(channel->draining->relay);
        }
        while (channel->looking_up && !take_lookup(channel)) {
                (void)gai_cancel(&channel->lookup);
                (void)gai_suspend(list, 1, NULL);
        }
        if (channel->addresses != NULL) {
                freeaddrinfo(channel->addresses);
        }
        grpc_loop_remove_channel(channel);
        sem_post(&channel->done);
}
