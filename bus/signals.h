/* Signals: events of the moment that are not stored, such as typing or presence. They are events without a position,
 * for lossy channels of streams: at most once, in no order, and not at all to who does not listen.
 *
 * In the process of the service they come by themselves, in others through pub/sub of Redis, under `sig:<service>`.
 * While Redis is unreachable the others do not hear of them, and nothing else happens. */
#ifndef BUS_SIGNALS_H
#define BUS_SIGNALS_H

#include "bus/bus.h"

/* Tells who listens to the call's service. Not while a transaction is open: what was not committed would be told.
 * Nothing to check: whether anybody listens is not known. */
void bus_signal(struct rpc_call *c, const struct outbox_event *signal);

struct bus_signals;

struct bus_signals_options {
        struct service *service; /* in whose name it listens, and whose Redis it reads */
        const char *const *sources;
        size_t n_sources;
        /* Called on a thread of its own, with one after the other; c is new for each. */
        void (*take)(void *context, struct rpc_call *c, bus_event *signal);
        void *context;
};

/* What comes faster than it is taken is dropped, and so is what waited for two seconds. */
struct bus_signals *bus_signals_new(const struct bus_signals_options *options);
/* Asks it to end; it takes no further signal. */
void bus_signals_stop(struct bus_signals *signals);
/* Waits for the signal that is taken. Takes NULL. */
void bus_signals_free(struct bus_signals *signals);

#endif
