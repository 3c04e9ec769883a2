/* Signals: momentary events that are not stored, such as typing or presence. They are events without a position, for
 * lossy channels of streams: delivered at most once, in no order, and only to current listeners.
 *
 * Within the service's process they are delivered directly, to others through Redis pub/sub, under `sig:<service>`.
 * While Redis is unreachable others do not get them; nothing else is affected. */
#ifndef BUS_SIGNALS_H
#define BUS_SIGNALS_H

#include "bus/bus.h"

/* Signals the listeners of the call's service. Not while a transaction is open, as uncommitted changes would be
 * announced. There is no result: whether anyone is listening is unknown. */
void bus_signal(struct rpc_call *c, const struct outbox_event *signal);

struct bus_signals;

struct bus_signals_options {
        struct service *service; /* the service that listens, and whose Redis is used */
        const char *const *sources;
        size_t n_sources;
        /* Called on a separate thread, one signal after the other; c is new for each. */
        void (*take)(void *context, struct rpc_call *c, bus_event *signal);
        /* Called on the same thread when signals of other processes begin or cease to arrive; initially they do not.
         * Those sent in between are lost. May be NULL. */
        void (*connected)(void *context, bool is_connected);
        void *context;
};

/* Signals that arrive faster than they are handled are dropped, and so are those that waited for two seconds. */
struct bus_signals *bus_signals_new(const struct bus_signals_options *options);
/* Asks it to end; it takes no further signal. */
void bus_signals_stop(struct bus_signals *signals);
/* Waits for the signal being handled. Takes NULL. */
void bus_signals_free(struct bus_signals *signals);

#endif
