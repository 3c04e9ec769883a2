/* `sonet serve`: runs the gateway and any subset of the services in this process, on a PostgreSQL and a Redis that
 * exist. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/keys.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/bus.h"
#include "cache/redis.h"
#include "cmd/commands.h"
#include "cmd/jobs.h"
#include "cmd/options.h"
#include "cmd/trust.h"
#include "db/db.h"
#include "db/lease.h"
#include "gateway/gateway.h"
#include "rpc/grpc.h"
#include "rpc/lanes.h"
#include "services/services.h"
#include "sonet/events.rpc.h"
#include "sonet/problem.rpc.h"

#define SERVICES_MAX 16
#define RETRY_MS     20
#define PING_MS      2000
#define SECOND_US    INT64_C(1000000)

/* One local service and what runs for it. */
struct local {
        const struct service_definition *definition;
        struct service service;
        struct bus_runner *runner;
        const char *database_url;
        bool started;
};

struct server {
        struct settings settings;
        struct arena *arena; /* strings that live as long as the process */
        bool with_gateway;
        struct local locals[SERVICES_MAX];
        size_t n_locals;
        struct service outside; /* in whose name a process asks that has no service, or before its own runs */
        struct redis *redis;
        struct rpc_lanes *lanes;
        struct sonet_grpc_server *grpc;
        struct gateway *gateway;
        struct jobs *jobs;
        struct trust *trust;
        struct grpc_tls tls;
};

static volatile sig_atomic_t stopping;
static atomic_bool database_down;

static void on_signal(int number)
{
        stopping = number;
}

/* Signals are blocked everywhere but here: none is lost between a look at `stopping` and the wait. */
static void pause_ms(int ms)
{
        struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
        sigset_t none;

        sigemptyset(&none);
        ppoll(NULL, 0, &time, &none);
}

static bool is_local(const struct server *server, const char *name)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                if (strcmp(server->locals[i].definition->name, name) == 0) {
                        return true;
                }
        }
        return false;
}

static bool add_local(struct server *server, const struct service_definition *definition)
{
        struct local *local = &server->locals[server->n_locals];

        if (is_local(server, definition->name)) {
                return false;
        }
        *local = (struct local){.definition = definition};
        local->service.name = definition->name;
        local->service.contract = definition->contract;
        local->service.handlers = definition->handlers;
        server->n_locals++;
        return true;
}

/* "all", "gateway" and names of services. */
static int choose(struct server *server, int argc, char **argv)
{
        for (int i = 0; i < argc; i++) {
                const struct service_definition *definition = service_definition_find(argv[i]);

                if (strcmp(argv[i], "all") == 0) {
                        server->with_gateway = true;
                        for (size_t s = 0; s < sonet_n_services; s++) {
                                add_local(server, sonet_services[s]);
                        }
                } else if (strcmp(argv[i], "gateway") == 0) {
                        server->with_gateway = true;
                } else if (definition == NULL) {
                        fprintf(stderr, "sonet serve: there is no service '%s'; try 'sonet help serve'\n", argv[i]);
                        return EXIT_USAGE;
                } else {
                        add_local(server, definition);
                }
        }
        if (!server->with_gateway && server->n_locals == 0) {
                fprintf(stderr, "sonet serve: say what to run: all, gateway, or services\n");
                return EXIT_USAGE;
        }
        return 0;
}

static char *read_pem(struct server *server, const char *path, struct buf *error)
{
        char *text = NULL;
        FILE *file = fopen(path, "r");
        size_t len = 0;

        if (file != NULL) {
                text = arena_alloc(server->arena, 65536);
                len = fread(text, 1, 65535, file);
                fclose(file);
        }
        if (len == 0) {
                buf_printf(error, "cannot read %s: %s", path, strerror(errno));
                return NULL;
        }
        return text;
}

static sn_status load_tls(struct server *server, struct buf *error)
{
        const struct settings *s = &server->settings;

        if (s->grpc_tls_cert[0] == '\0') {
                return SN_OK;
        }
        server->tls.certificate_pem = read_pem(server, s->grpc_tls_cert, error);
        server->tls.key_pem = read_pem(server, s->grpc_tls_key, error);
        if (s->grpc_tls_ca[0] != '\0') {
                server->tls.ca_pem = read_pem(server, s->grpc_tls_ca, error);
        }
        rpc_set_client_tls(&server->tls);
        return error->len == 0 ? SN_OK : SN_FAILED_PRECONDITION;
}

static sn_status configure(struct server *server, struct buf *error)
{
        struct settings *s = &server->settings;

        TRY(settings_load(s, error));
        TRY(settings_check(s, error));
        log_setup(server->n_locals == 1 && !server->with_gateway ? server->locals[0].definition->name : "sonet",
                  settings_log_level(s), settings_log_format(s));
        TRY(keys_load(s->key_file, 0, error));
        TRY(load_tls(server, error));
        db_set_server_limit((int)s->database_busy);
        server->redis = redis_new(s->redis_url, (int)s->redis_pool);
        if (server->redis == NULL) {
                buf_append_c(error, "REDIS_URL must be redis://[:password@]host:port[/db] or unix:///path");
                return SN_INVALID_ARGUMENT;
        }
        server->lanes = rpc_lanes_new((int)s->workers, (int)s->password_workers, (int)s->queue_length);
        return server->lanes != NULL ? SN_OK : SN_INTERNAL;
}

static void forget(void *context)
{
        struct local *local = context;

        if (local->definition->forget != NULL && local->started) {
                local->definition->forget(&local->service);
        }
}

static sn_status open_local(struct server *server, struct local *local, struct buf *error)
{
        const struct settings *s = &server->settings;
        const char *url = settings_database_url(server->arena, s, local->definition->name);

        if (url[0] == '\0') {
                buf_printf(error, "DATABASE_URL is not set: the %s service needs its database",
                           local->definition->name);
                return SN_INVALID_ARGUMENT;
        }
        local->database_url = url;
        local->service.redis = server->redis;
        local->service.db = db_new(&(struct db_options){
            .name = local->definition->schema->database, .url = url, .max_connections = (int)s->database_pool});
        if (local->service.db == NULL) {
                buf_printf(error, "the database URL of the %s service cannot be used", local->definition->name);
                return SN_INVALID_ARGUMENT;
        }
        rpc_register_local(&local->service);
        return SN_OK;
}

static sn_status register_services(struct server *server, struct buf *error)
{
        contract_register(&events_contract); /* the messages that services share */
        contract_register(&sonet_contract);
        for (size_t i = 0; i < server->n_locals; i++) {
                TRY(open_local(server, &server->locals[i], error));
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                const char *url = settings_service_url(&server->settings, sonet_services[i]->name);

                if (!is_local(server, sonet_services[i]->name) && url[0] != '\0') {
                        TRY(rpc_register_remote(sonet_services[i]->contract, url, error));
                }
        }
        return SN_OK;
}

/* Waits for a condition of the environment, saying what it waits for; false when the process is to stop. */
static bool wait_for(sn_status (*check)(struct server *, struct local *, struct buf *), struct server *server,
                     struct local *local)
{
        int64_t said_us = clock_monotonic_us() - 9 * SECOND_US; /* what is there at once needs no words */

        while (!stopping) {
                struct buf reason;
                sn_status status;

                buf_init(&reason, 4096);
                status = check(server, local, &reason);
                if (status != SN_OK && clock_monotonic_us() - said_us > 10 * SECOND_US) {
                        log_event(LOG_LEVEL_WARN, "waiting",
                                  LOG_STR("sonet.service", local != NULL ? local->definition->name : "user"),
                                  LOG_STR("error.message", reason.len > 0 ? reason.data : sn_status_name(status)));
                        said_us = clock_monotonic_us();
                }
                buf_free(&reason);
                if (status == SN_OK) {
                        return true;
                }
                pause_ms(RETRY_MS);
        }
        return false;
}

static sn_status check_schema(struct server *server, struct local *local, struct buf *reason)
{
        return db_check_schema(local->database_url, local->definition->schema, reason);
}

static sn_status check_lease(struct server *server, struct local *local, struct buf *reason)
{
        if (local->service.lease == NULL || db_lease_held(local->service.lease)) {
                return SN_OK;
        }
        buf_append_c(reason, "another instance holds the lease; standing by");
        return SN_UNAVAILABLE;
}

static sn_status check_start(struct server *server, struct local *local, struct buf *reason)
{
        if (local->definition->start != NULL) {
                TRY(local->definition->start(&local->service, &server->settings));
        }
        local->started = true;
        return SN_OK;
}

static sn_status check_trust(struct server *server, struct local *local, struct buf *reason)
{
        buf_append_c(reason, "the user service has not answered yet");
        return trust_ready(server->trust) ? SN_OK : SN_UNAVAILABLE;
}

static bool start_local(struct server *server, struct local *local)
{
        const struct service_definition *d = local->definition;

        if (!wait_for(check_schema, server, local)) {
                return false;
        }
        if (d->single) {
                local->service.lease = db_lease_new(local->database_url, d->name, forget, local);
        }
        if (!wait_for(check_lease, server, local) || !wait_for(check_start, server, local)) {
                return false;
        }
        if (d->emits) {
                local->service.relay = bus_relay_new(&local->service);
        }
        for (size_t i = 0; d->jobs != NULL && d->jobs[i] != NULL; i++) {
                jobs_add(server->jobs, &local->service, d->jobs[i]);
        }
        jobs_add(server->jobs, &local->service, &services_cleanup);
        return true;
}

static void start_consumers(struct local *local)
{
        const struct bus_consumer *const *consumers = local->definition->consumers;
        size_t n = 0;

        while (consumers != NULL && consumers[n] != NULL) {
                n++;
        }
        if (n > 0) {
                local->runner = bus_runner_new(&local->service, consumers, n);
        }
}

static bool report_local(struct local *local, struct buf *report)
{
        bool lease = local->service.lease == NULL || db_lease_held(local->service.lease);
        bool database = db_ping(local->service.db, PING_MS) == SN_OK;
        bool schema = database && db_check_schema(local->database_url, local->definition->schema, report) == SN_OK;

        buf_printf(report, "%s: database %s, migrations %s, lease %s\n", local->definition->name,
                   database ? "up" : "down", schema ? "complete" : "unknown",
                   local->service.lease == NULL ? "not needed"
                   : lease                      ? "held"
                                                : "elsewhere");
        return lease && database && schema;
}

static bool report_remote(struct server *server, const struct service_definition *definition, struct buf *report)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&server->outside, PING_MS);
        bool up = rpc_check_health(c, definition->contract) == SN_OK;

        buf_printf(report, "%s: %s\n", definition->name,
                   up ? "elsewhere, its database and lease answer" : "elsewhere, and does not answer as ready");
        return up;
}

/* One line for each part: the local services, and for a gateway those that it calls. Redis is reported, and never a
 * reason: everything works without it, slower. */
static bool ready(void *context, struct buf *report)
{
        struct server *server = context;
        bool all = true;

        for (size_t i = 0; i < server->n_locals; i++) {
                all = report_local(&server->locals[i], report) && all;
        }
        for (size_t i = 0; server->with_gateway && i < sonet_n_services; i++) {
                if (!is_local(server, sonet_services[i]->name)) {
                        all = report_remote(server, sonet_services[i], report) && all;
                }
        }
        buf_printf(report, "redis: %s\n", redis_up(server->redis) ? "up" : "down (everything works, slower)");
        return all && !stopping;
}

/* gRPC health is asked often, and must not wait: the leases now, the databases as the job below last saw them. */
static bool alive(void *context)
{
        const struct server *server = context;

        for (size_t i = 0; i < server->n_locals; i++) {
                if (server->locals[i].service.lease != NULL && !db_lease_held(server->locals[i].service.lease)) {
                        return false;
                }
        }
        return !stopping && !atomic_load(&database_down);
}

static sn_status watch_database(struct rpc_call *c)
{
        atomic_store(&database_down, db_ping(c->service->db, PING_MS) != SN_OK);
        return SN_OK;
}

static const struct service_job watch_database_job = {.name = "watch_database", .every_s = 1, .run = watch_database};

static sn_status listen_grpc(struct server *server, struct buf *error)
{
        const struct settings *s = &server->settings;
        const char *format = strchr(s->grpc_address, ':') != NULL ? "[%s]:%d" : "%s:%d";
        char address[128];

        if (server->n_locals == 0) {
                return SN_OK;
        }
        snprintf(address, sizeof(address), format, s->grpc_address, settings_grpc_port(s));
        return sonet_grpc_server_start(address, &server->tls, server->lanes, alive, server, &server->grpc, error);
}

static sn_status listen_http(struct server *server, struct buf *error)
{
        const struct rpc_service *contracts[SERVICES_MAX];
        struct gateway_options options = {.settings = &server->settings,
                                          .lanes = server->lanes,
                                          .contracts = contracts,
                                          .n_contracts = sonet_n_services,
                                          .ready = ready,
                                          .context = server};

        if (!server->with_gateway) {
                return SN_OK;
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                contracts[i] = sonet_services[i]->contract;
        }
        TRY(gateway_start(&options, &server->gateway, error));
        log_event(LOG_LEVEL_INFO, "listening", LOG_STR("server.address", server->settings.http_address),
                  LOG_INT("server.port", gateway_port(server->gateway)));
        return SN_OK;
}

/* In the order of the list: each service starts after those that it calls. gRPC listens before a process waits for
 * others. */
static sn_status start(struct server *server, struct buf *error)
{
        server->jobs = jobs_new();
        server->outside.name = "gateway";
        for (size_t i = 0; i < server->n_locals; i++) {
                if (!start_local(server, &server->locals[i])) {
                        return SN_CANCELLED;
                }
        }
        if (!is_local(server, "user")) {
                server->trust = trust_new(&server->outside);
                if (!wait_for(check_trust, server, NULL)) {
                        return SN_CANCELLED;
                }
        }
        TRY(listen_grpc(server, error));
        for (size_t i = 0; i < server->n_locals; i++) {
                start_consumers(&server->locals[i]);
        }
        if (server->n_locals > 0) {
                jobs_add(server->jobs, &server->locals[0].service, &watch_database_job);
        }
        TRY(jobs_start(server->jobs));
        return listen_http(server, error);
}

/* First what lets work in, then what does it, last what it stands on. */
static void stop(struct server *server)
{
        int grace_ms = (int)server->settings.shutdown_grace_ms;

        gateway_stop(server->gateway, grace_ms);
        sonet_grpc_server_stop(server->grpc, grace_ms);
        trust_free(server->trust);
        jobs_free(server->jobs);
        for (size_t i = server->n_locals; i-- > 0;) {
                bus_runner_free(server->locals[i].runner);
        }
        rpc_lanes_free(server->lanes);
        for (size_t i = server->n_locals; i-- > 0;) {
                struct local *local = &server->locals[i];

                bus_relay_free(local->service.relay);
                db_lease_free(local->service.lease);
                if (local->started && local->definition->stop != NULL) {
                        local->definition->stop(&local->service);
                }
        }
        rpc_close();
        for (size_t i = 0; i < server->n_locals; i++) {
                db_free(server->locals[i].service.db);
        }
        redis_free(server->redis);
}

static void catch_signals(void)
{
        struct sigaction action = {.sa_handler = on_signal};
        sigset_t both;

        sigemptyset(&both);
        sigaddset(&both, SIGTERM);
        sigaddset(&both, SIGINT);
        sigprocmask(SIG_BLOCK, &both, NULL);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
}

static sn_status serve(struct server *server, struct buf *error)
{
        TRY(configure(server, error));
        TRY(register_services(server, error));
        TRY(start(server, error));
        log_event(LOG_LEVEL_INFO, "serving");
        while (!stopping) {
                pause_ms(60000);
        }
        return SN_OK;
}

int cmd_serve(int argc, char **argv)
{
        struct server *server = calloc(1, sizeof(*server));
        struct buf error;
        int first = 0, code;
        enum options_result result = options_parse(NULL, 0, argc, argv, &first);
        sn_status status;

        if (result != OPTIONS_RUN || server == NULL) {
                free(server);
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        code = choose(server, argc - first, argv + first);
        if (code == 0) {
                buf_init(&error, 4096);
                server->arena = arena_new(1 << 20);
                catch_signals();
                status = serve(server, &error);
                if (status != SN_OK && status != SN_CANCELLED) {
                        fprintf(stderr, "sonet serve: %s\n", error.len > 0 ? error.data : sn_status_name(status));
                        code = 1;
                }
                stop(server);
                arena_free(server->arena);
                buf_free(&error);
        }
        free(server);
        return code;
}
