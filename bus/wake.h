/* Waking the relay of a service that runs in another process, by Redis: without it, the relay finds the events when it
 * next looks for them. Private to bus/. */
#ifndef BUS_WAKE_H
#define BUS_WAKE_H

#include "base/service.h"

struct bus_wake;

/* Calls woken, on a separate thread, when a process has committed events that need the service's relay; also without a
 * reason. NULL if the service has no Redis, or an owner: then no other process emits its events. */
struct bus_wake *bus_wake_new(struct service *service, void (*woken)(void *context), void *context);
/* Takes NULL. */
void bus_wake_free(struct bus_wake *wake);
/* Wakes the service's relay, wherever it is. At most 1 s. */
void bus_wake_relay(struct service *service);

#endif
