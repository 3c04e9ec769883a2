/* Owns delivering signals to the subscribers of lossy channels, on the thread that listens for signals. A signal
 * that fails or comes too fast is dropped: there is always a newer one, or none is needed. */
#include <stdlib.h>
#include <string.h>
#include "base/metrics.h"
#include "gateway/stream_batch.h"

#define BATCHES_MAX 64        /* queued on the I/O thread at a time */
#define BATCH_BYTES (1 << 20) /* events this small are rendered for STREAM_SHOWN_AT_ONCE viewers at a time */

static sn_status show_to(struct rpc_call *c, struct stream_hub *hub, bus_event *signal,
                         const struct stream_target *targets, size_t n)
{
        struct stream_batch *batch = stream_batch_new(hub, NULL, n, BATCH_BYTES);

        batch->in_flight = &hub->signal_batches;
        if (atomic_fetch_add(batch->in_flight, 1) >= BATCHES_MAX) {
                stream_batch_free(batch);
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "signals arrive faster than they can be sent");
        }
        sn_status status = stream_batch_show(c, batch, signal, targets, n);

        if (status != SN_OK || batch->text.overflow) {
                stream_batch_free(batch);
                return status != SN_OK ? status : SN_RESOURCE_EXHAUSTED;
        }
        stream_batch_post(batch);
        return SN_OK;
}

static sn_status show_all(struct rpc_call *c, struct stream_hub *hub, bus_event *signal,
                          const struct stream_targets *targets)
{
        for (size_t at = 0, n; at < targets->n; at += n) {
                n = stream_targets_alike(targets->items + at, targets->n - at, STREAM_SHOWN_AT_ONCE);
                TRY(show_to(c, hub, signal, targets->items + at, n));
        }
        return SN_OK;
}

/* Only the first response of RouteEvents counts: a signal is for few members. */
static sn_status route(struct rpc_call *c, struct stream_hub *hub, const struct stream_origin *origin,
                       bus_event *signal)
{
        Sonet__Live__RouteRequest in = SONET__LIVE__ROUTE_REQUEST__INIT;
        Sonet__Live__Routes routes = SONET__LIVE__ROUTES__INIT;
        struct stream_targets targets = {0};

        in.event = signal;
        TRY(rpc_invoke(c, origin->route, &in.base, &routes.base));
        stream_targets_find(c, hub, origin, &routes, &targets);
        sn_status status = show_all(c, hub, signal, &targets);

        free(targets.items);
        return status;
}

static const struct stream_channel *lossy_channel_of(const struct stream_hub *hub, const char *source)
{
        for (size_t i = 0; i < hub->n_channels; i++) {
                const struct stream_channel *channel = &hub->channels[i];

                if (channel->log == NULL && strcmp(channel->subscribe->service->name, source) == 0) {
                        return channel;
                }
        }
        return NULL;
}

static void take_signal(void *context, struct rpc_call *c, bus_event *signal)
{
        struct stream_hub *hub = context;
        const struct stream_channel *channel = lossy_channel_of(hub, signal->source);
        struct stream_origin origin = {.log = NULL, .route = channel != NULL ? channel->route : NULL};

        if (channel != NULL && stream_origin_is_wanted(hub, &origin) && route(c, hub, &origin, signal) != SN_OK) {
                metric_add(hub->metrics.dropped, 1);
        }
}

void stream_signals_begin(struct stream_hub *hub)
{
        const char **sources = calloc(hub->n_channels + 1, sizeof(*sources));
        size_t n = 0;

        if (sources == NULL) {
                abort();
        }
        hub->signal_sources = sources;
        for (size_t i = 0; i < hub->n_channels; i++) {
                const char *service = hub->channels[i].subscribe->service->name;

                if (lossy_channel_of(hub, service) == &hub->channels[i]) {
                        sources[n++] = service;
                }
        }
        if (n > 0) {
                hub->signals = bus_signals_new(&(struct bus_signals_options){.service = &hub->gateway->service,
                                                                             .sources = sources,
                                                                             .n_sources = n,
                                                                             .take = take_signal,
                                                                             .context = hub});
        }
}
