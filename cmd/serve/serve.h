/* Shared by the parts of `sonet serve`: the process, its services, and the stages of its lifetime. serve.c owns the
 * order, setup.c everything before the first thread, start.c waiting and starting, watch.c the dependencies' state,
 * ready.c reporting. */
#ifndef CMD_SERVE_SERVE_H
#define CMD_SERVE_SERVE_H

#include <pthread.h>
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

/* A local service and its runtime objects. */
struct local {
        const struct service_definition *definition;
        struct service service;
        const struct settings *settings;
        pthread_t preparing; /* if its definition has something to prepare */
        struct bus_runner *runner;
        atomic_bool started; /* everything above is complete, and its handlers may run */
};

struct server {
        struct settings settings;
        struct arena *arena; /* for strings that live as long as the process */
        bool with_gateway;
        bool refused;    /* its settings are invalid: restarting it would not help */
        bool only_works; /* a worker: only jobs run here, and there are no listeners or consumers */
        struct local locals[SERVICES_MAX];
        size_t n_locals;
        struct service outside;         /* the caller used by a process without services, or before they start */
        struct db_ownership *ownership; /* NULL: no service here requires it */
        struct redis *redis;
        struct rpc_lanes *lanes;
        struct sonet_grpc_server *grpc;
        struct gateway *gateway;
        struct jobs *jobs;
        struct watch *watch;
        struct trust *trust;
        struct watchdog *watchdog;
        struct grpc_tls tls;
        _Atomic(const char *) waits_for; /* during startup */
        atomic_bool serving;             /* requests are answered */
};

/* Whether SIGTERM or SIGINT was received. */
bool serve_stopping(void);
/* Sleeps on the main thread, until a signal at most. */
void serve_pause_ms(int ms);

bool serve_is_local(const struct server *server, const char *name);

/* Sets up settings, keys, certificates, Redis, worker pools, and where each service is. port: --port, or -1. */
SN_CHECKED sn_status serve_setup(struct server *server, int64_t port, struct buf *error);
/* Starts everything, waiting for its dependencies. SN_CANCELLED if stopping was requested meanwhile. */
SN_CHECKED sn_status serve_start(struct server *server, struct buf *error);

/* What this process is waiting for. */
void serve_print_awaited(const struct server *server, struct buf *out);
/* One line per part; false if a required one is unavailable. Any thread; does not block. */
bool serve_ready(void *server, struct buf *report);
/* Its services have started: the gateway's routes can be served. Any thread. */
bool serve_serving(void *server);
/* The same for gRPC health: only for the local services. */
bool serve_alive(void *server);

#endif
