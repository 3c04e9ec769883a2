/* Owns starting `sonet serve`: what each service waits for, what is started for it, and when the process listens. */
#include "cmd/serve/serve.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "db/ownership.h"
#include "mail/mail.h"

#define RETRY_MS             20
#define BETWEEN_CONSUMERS_MS 50 /* of one service and the next */
#define SECOND_US            INT64_C(1000000)

/* ---- Waiting ---- */

/* Waits for a condition, reporting what it waits for. SN_CANCELLED if the process must stop; SN_OUT_OF_RANGE, with
 * the reason, if waiting does not help: the database is too new for this program. */
static sn_status wait_for(const char *what, sn_status (*check)(struct server *, struct local *, struct buf *),
                          struct server *server, struct local *local, struct buf *reason)
{
        int64_t said_us = clock_monotonic_us() - 9 * SECOND_US; /* do not log what is available at once */

        atomic_store(&server->waits_for, what);
        while (!serve_stopping()) {
                buf_reset(reason);
                sn_status status = check(server, local, reason);

                if (status == SN_OK || status == SN_OUT_OF_RANGE) {
                        return status;
                }
                if (clock_monotonic_us() - said_us > 10 * SECOND_US) {
                        log_event(LOG_LEVEL_WARN, "waiting",
                                  LOG_STR("sonet.service", local != NULL ? local->definition->name : "all"),
                                  LOG_STR("error.message", reason->len > 0 ? reason->data : sn_status_name(status)));
                        said_us = clock_monotonic_us();
                }
                serve_pause_ms(RETRY_MS);
        }
        return SN_CANCELLED;
}

static sn_status check_schema(struct server *server, struct local *local, struct buf *reason)
{
        watch_reason(server->watch, local->definition->name, reason);
        return watch_state(server->watch, local->definition->name) == WATCH_UP ? SN_OK : SN_UNAVAILABLE;
}

static sn_status check_ownership(struct server *server, struct local *local, struct buf *reason)
{
        if (db_ownership_kept(server->ownership)) {
                return SN_OK;
        }
        serve_print_awaited(server, reason);
        return SN_UNAVAILABLE;
}

static sn_status check_start(struct server *server, struct local *local, struct buf *reason)
{
        if (local->definition->start != NULL) {
                TRY(local->definition->start(&local->service, &server->settings));
        }
        atomic_store(&local->started, true);
        return SN_OK;
}

static sn_status check_trust(struct server *server, struct local *local, struct buf *reason)
{
        buf_append_c(reason, "the user service has not responded yet");
        return trust_ready(server->trust) ? SN_OK : SN_UNAVAILABLE;
}

/* ---- Preparing ---- */

static void *prepare_local(void *context)
{
        struct local *local = context;

        local->definition->prepare(&local->service, local->settings);
        return NULL;
}

static void start_preparing(struct server *server)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                struct local *local = &server->locals[i];

                local->settings = &server->settings;
                if (local->definition->prepare == NULL) {
                        continue;
                }
                if (pthread_create(&local->preparing, NULL, prepare_local, local) != 0) {
                        abort();
                }
                (void)pthread_setname_np(local->preparing, "prepare");
        }
}

static void end_preparing(struct server *server)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                if (server->locals[i].definition->prepare != NULL) {
                        (void)pthread_join(server->locals[i].preparing, NULL);
                }
        }
}

static sn_status wait_for_migrations(struct server *server, struct buf *error)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                TRY(wait_for("its migrations", check_schema, server, &server->locals[i], error));
        }
        return SN_OK;
}

/* Everything that does not need ownership is waited for before taking it, so that a process that takes over can
 * serve at once. */
static sn_status wait_until_owner(struct server *server, struct buf *error)
{
        start_preparing(server);
        sn_status status = wait_for_migrations(server, error);

        end_preparing(server);
        TRY(status);
        if (!serve_is_local(server, "user") && !server->only_works) {
                server->trust = trust_new(&server->outside);
                TRY(wait_for("the user service", check_trust, server, NULL, error));
        }
        if (server->ownership != NULL) {
                db_ownership_start(server->ownership);
        }
        return wait_for("its leases", check_ownership, server, NULL, error);
}

/* ---- One service ---- */

static sn_status start_local(struct server *server, struct local *local, struct buf *error)
{
        const struct service_definition *d = local->definition;

        TRY(wait_for("its initial data", check_start, server, local, error));
        if (d->emits) {
                local->service.relay = bus_relay_new(&local->service);
        }
        if (d->mails) {
                local->service.mailer = mail_sender_new(&local->service);
        }
        for (size_t i = 0; d->jobs[i] != NULL; i++) {
                jobs_add(server->jobs, &local->service, d->jobs[i]);
        }
        if (!server->only_works) {
                jobs_add(server->jobs, &local->service, &services_cleanup);
        }
        return SN_OK;
}

/* ---- Listening ---- */

static sn_status listen_grpc(struct server *server, struct buf *error)
{
        const struct settings *s = &server->settings;
        const char *format = strchr(s->grpc_address, ':') != NULL ? "[%s]:%d" : "%s:%d";
        char address[128];

        if (server->n_locals == 0) {
                return SN_OK;
        }
        snprintf(address, sizeof(address), format, s->grpc_address, settings_grpc_port(s));
        return sonet_grpc_server_start(
            address, &server->tls, server->lanes,
            http_share_descriptors(s->http_connections, s->grpc_connections, settings_descriptors(s)).grpc, serve_alive,
            server, &server->grpc, error);
}

/* Without the gateway there are no routes to contracts: only health, readiness and metrics. */
static sn_status listen_http(struct server *server, struct buf *error)
{
        const struct rpc_service *contracts[SERVICES_MAX];
        struct gateway_options options = {.settings = &server->settings,
                                          .lanes = server->lanes,
                                          .redis = server->redis,
                                          .contracts = contracts,
                                          .n_contracts = server->with_gateway ? sonet_n_services : 0,
                                          .ready = serve_ready,
                                          .serving = serve_serving,
                                          .context = server};

        for (size_t i = 0; i < options.n_contracts; i++) {
                contracts[i] = sonet_services[i]->contract;
        }
        TRY(gateway_start(&options, &server->gateway, error));
        log_event(LOG_LEVEL_INFO, "listening", LOG_STR("server.address", server->settings.http_address),
                  LOG_INT("server.port", gateway_port(server->gateway)));
        return SN_OK;
}

static sn_status start_services(struct server *server, struct buf *error)
{
        TRY(wait_until_owner(server, error));
        /* In the order of the table: each service starts after those that it calls. */
        for (size_t i = 0; i < server->n_locals; i++) {
                TRY(start_local(server, &server->locals[i], error));
        }
        if (server->only_works) {
                return SN_OK;
        }
        if (server->trust == NULL) {
                server->trust = trust_new(&server->outside);
        }
        return listen_grpc(server, error);
}

static void start_watchdog(struct server *server)
{
        const struct settings *s = &server->settings;
        struct watchdog_options options = {
            .ports = {{"HTTP", s->http_address, gateway_port(server->gateway), false},
                      {"gRPC", s->grpc_address, server->grpc != NULL ? sonet_grpc_server_port(server->grpc) : 0, true}},
            .every_ms = 5000,
            .patience_ms = 5000,
            .failures = 3,
        };

        server->watchdog = watchdog_new(&options);
}

/* Requests do not wait for these, and do not compete with all at once: there are dozens of threads, which all connect
 * to the databases first. */
static void start_consumers_and_jobs(struct server *server)
{
        for (size_t i = 0; i < server->n_locals && !server->only_works; i++) {
                server->locals[i].runner =
                    bus_runner_new(&server->locals[i].service, server->locals[i].definition->consumers);
                serve_pause_ms(BETWEEN_CONSUMERS_MS);
        }
        jobs_start(server->jobs);
}

/* Starts listening first, so that a waiting process can report what it waits for. Meanwhile the gateway's routes
 * respond 503. */
sn_status serve_start(struct server *server, struct buf *error)
{
        server->jobs = jobs_new();
        server->outside.name = "gateway";
        server->outside.redis = server->redis;
        server->watch = watch_new(server);
        TRY(listen_http(server, error));
        TRY(start_services(server, error));
        atomic_store(&server->serving, true);
        start_consumers_and_jobs(server);
        start_watchdog(server);
        return SN_OK;
}
