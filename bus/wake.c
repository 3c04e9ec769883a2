/* Owns the signals between the relays of a service in different processes. */
#include "bus/wake.h"

#include <stdio.h>
#include <stdlib.h>
#include "bus/signals_queue.h"
#include "db/ownership.h"

#define SOURCE_BYTES 64

struct bus_wake {
        void (*woken)(void *context);
        void *context;
        char source[SOURCE_BYTES]; /* not the service's: its signals are for streams */
        const char *sources[1];
        struct bus_signals *signals;
};

static void name_source(const struct service *service, char source[SOURCE_BYTES])
{
        (void)snprintf(source, SOURCE_BYTES, "relay:%s", service->name);
}

static void take_signal(void *context, struct rpc_call *c, bus_event *signal)
{
        const struct bus_wake *wake = context;

        wake->woken(wake->context);
}

struct bus_wake *bus_wake_new(struct service *service, void (*woken)(void *context), void *context)
{

        if (service->redis == NULL || db_ownership_covers(service->db)) {
                return NULL;
        }
        struct bus_wake *wake = calloc(1, sizeof(*wake));
        if (wake == NULL) {
                abort();
        }
        wake->woken = woken;
        wake->context = context;
        name_source(service, wake->source);
        wake->sources[0] = wake->source;
        wake->signals = bus_signals_new(&(struct bus_signals_options){
            .service = service, .sources = wake->sources, .n_sources = 1, .take = take_signal, .context = wake});
        return wake;
}

void bus_wake_free(struct bus_wake *wake)
{
        if (wake != NULL) {
                bus_signals_free(wake->signals);
                free(wake);
        }
}

void bus_wake_relay(struct service *service)
{
        char source[SOURCE_BYTES];

        if (service->redis != NULL) {
                name_source(service, source);
                bus_signal_publish(
                    service, source,
                    &(struct outbox_event){.type = "events", .aggregate_id = "", .object_id = "", .actor_id = ""});
        }
}
