/* The gateway: REST on top of the contracts. It finds the route, rejects bad requests early, converts JSON to the
 * method's message, calls the method in this process or over gRPC, and converts the result or the problem to a
 * response. */
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
        struct redis *redis; /* for events sent on streams */
        const struct rpc_service *const *contracts;
        size_t n_contracts; /* 0: serve only what every process serves: /healthz, /readyz and /metrics */
        /* Whether everything needed to serve is available; appends a line of text for each part. Must not block. */
        bool (*ready)(void *context, struct buf *report);
        /* True once the services behind the routes can be called; until then routes respond 503. Must not block. */
        bool (*serving)(void *context);
        void *context;
};

/* Starts listening before it returns. On failure error gets one sentence. */
SN_CHECKED sn_status gateway_start(const struct gateway_options *options, struct gateway **gateway, struct buf *error);
int gateway_port(const struct gateway *gateway);
/* Lets running requests finish for at most grace_ms, then stops; the results of workers still running are discarded.
 * Takes NULL. */
void gateway_stop(struct gateway *gateway, int grace_ms);
/* Call it after gateway_stop and after the lanes are freed, since their workers may still use requests. Takes NULL. */
void gateway_free(struct gateway *gateway);

#endif
