/* What the parts of `sonet serve` share: the process, its services, and the steps of its life. serve.c owns the order,
 * setup.c what stands before any thread, start.c the waiting and starting, watch.c what it sees of its surroundings,
 * ready.c what it says of itself. */
#ifndef CMD_SERVE_SERVE_H
#define CMD_SERVE_SERVE_H

#include <stdatomic.h>
#include "bus/bus.h"
#include "cmd/serve/trust.h"
#include "cmd/serve/watchdog.h"
#include "cmd/serve/watch.h"
#include "gateway/gateway.h"
#include "rpc/grpc.h"
#include "services/jobs.h"
#include "services/services.h"

#define SERVICES_MAX 16

/* One local service and what runs for it. */
struct local {
        const struct service_definition *definition;
        struct service service;
        struct bus_runner *runner;
        const char *database_url;
        atomic_bool started; /* what stands above is complete, and its handlers may run */
};

struct server {
        struct settings settings;
        struct arena *arena; /* strings that live as long as the process */
        bool with_gateway;
        bool refused;    /* its settings: starting it again would not help */
        bool only_works; /* a worker: jobs run here, and nobody calls or is told anything */
        struct local locals[SERVICES_MAX];
        size_t n_locals;
        struct service outside;         /* in whose name a process asks that has no service, or before its own runs */
        struct db_ownership *ownership; /* NULL: no service here is single */
        struct redis *redis;
        struct rpc_lanes *lanes;
        struct sonet_grpc_server *grpc;
        struct gateway *gateway;
        struct jobs *jobs;
        struct watch *watch;
        struct trust *trust;
        struct watchdog *watchdog;
        struct grpc_tls tls;
        _Atomic(const char *) waits_for; /* while it starts */
        atomic_bool serving;             /* all that was to start has started */
};

/* SIGTERM or SIGINT came. */
bool serve_stopping(void);
/* Sleeps on the main thread, less when a signal comes. */
void serve_pause_ms(int ms);

bool serve_is_local(const struct server *server, const char *name);

/* Settings, keys, certificates, Redis, worker pools, and where each service is. port: --port, or -1. */
SN_CHECKED sn_status serve_setup(struct server *server, int64_t port, struct buf *error);
/* Starts everything, waiting for what it needs. SN_CANCELLED when asked to stop meanwhile. */
SN_CHECKED sn_status serve_start(struct server *server, struct buf *error);

/* What this process waits for. */
void serve_print_awaited(const struct server *server, struct buf *out);
/* One line for each part; false when one that is needed is not there. Any thread, without waiting. */
bool serve_ready(void *server, struct buf *report);
/* All that was to start has started: the gateway's routes lead somewhere. Any thread. */
bool serve_serving(void *server);
/* The same for gRPC health: of the local services alone. */
bool serve_alive(void *server);

#endif
