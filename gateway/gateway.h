/* Gateway: REST over the contracts. Finds the route, refuses early what can be refused, turns JSON into the method's
 * message, calls it here or elsewhere, and turns the answer or the problem into a response. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/buf.h"
#include "base/contract.h"
#include "base/settings.h"
#include "rpc/rpc.h"

struct gateway;

struct gateway_options {
        const struct settings *settings;
        const struct rpc_lanes *lanes;
        struct redis *redis; /* for events, on their way to streams */
        const struct rpc_service *const *contracts;
        size_t n_contracts; /* 0: only what every process tells of itself: /healthz, /readyz, /metrics */
        /* Whether everything is there that is needed to serve; appends a line of text for each part. Must not wait. */
        bool (*ready)(void *context, struct buf *report);
        /* True once the services behind the routes can be called; until then these answer 503. Must not wait. */
        bool (*serving)(void *context);
        void *context;
};

/* Listens at once. error gets one sentence on failure. */
SN_CHECKED sn_status gateway_start(const struct gateway_options *options, struct gateway **gateway, struct buf *error);
int gateway_port(const struct gateway *gateway);
/* Answers what is running, for grace_ms at most, then stops: what workers still do is thrown away. Takes NULL. */
void gateway_stop(struct gateway *gateway, int grace_ms);
/* After it, and after the lanes, whose workers may still be at its requests. Takes NULL. */
void gateway_free(struct gateway *gateway);

#endif
