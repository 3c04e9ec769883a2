/* `sonet serve`: runs the gateway and any subset of the services in this process, on an existing PostgreSQL and
 * Redis. Owns the command line, signals, and the order of start and stop. */
#include "cmd/serve/serve.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "cache/redis.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "db/db.h"
#include "db/ownership.h"
#include "mail/mail.h"
#include "rpc/lanes.h"

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
        stopping = number;
}

bool serve_stopping(void)
{
        return stopping != 0;
}

/* Signals are blocked everywhere else, so that none is lost between checking `stopping` and waiting. */
void serve_pause_ms(int ms)
{
        struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
        sigset_t none;

        sigemptyset(&none);
        ppoll(NULL, 0, &time, &none);
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

bool serve_is_local(const struct server *server, const char *name)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                if (strcmp(server->locals[i].definition->name, name) == 0) {
                        return true;
                }
        }
        return false;
}

static void add_local(struct server *server, const struct service_definition *definition)
{
        struct local *local = &server->locals[server->n_locals];

        local->definition = definition;
        local->service.name = definition->name;
        local->service.contract = definition->contract;
        local->service.handlers = definition->handlers;
        server->n_locals++;
}

static bool is_chosen(const char *name, int argc, char **argv)
{
        for (int i = 0; i < argc; i++) {
                if (strcmp(argv[i], name) == 0 || strcmp(argv[i], "all") == 0) {
                        return true;
                }
        }
        return false;
}

static int choose_worker(struct server *server, int argc)
{
        if (argc != 1) {
                fprintf(stderr, "sonet serve: media-worker cannot be combined with services\n");
                return EXIT_USAGE;
        }
        server->only_works = true;
        add_local(server, &media_worker);
        return 0;
}

/* "all", "gateway" and names of services, in any order; they start, and their leases are taken, in the order of the
 * table. */
static int choose_services(struct server *server, int argc, char **argv)
{
        for (int i = 0; i < argc; i++) {
                if (strcmp(argv[i], "media-worker") == 0) {
                        return choose_worker(server, argc);
                }
        }
        for (int i = 0; i < argc; i++) {
                if (strcmp(argv[i], "all") != 0 && strcmp(argv[i], "gateway") != 0 &&
                    service_definition_find(argv[i]) == NULL) {
                        fprintf(stderr, "sonet serve: unknown service '%s'; try 'sonet help serve'\n", argv[i]);
                        return EXIT_USAGE;
                }
        }
        server->with_gateway = is_chosen("gateway", argc, argv);
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (is_chosen(sonet_services[i]->name, argc, argv)) {
                        add_local(server, sonet_services[i]);
                }
        }
        if (!server->with_gateway && server->n_locals == 0) {
                fprintf(stderr, "sonet serve: name what to run: all, gateway, or services\n");
                return EXIT_USAGE;
        }
        return 0;
}

/* First what accepts work, then what does it, last what it depends on. */
static void stop_server(struct server *server)
{
        int grace_ms = (int)server->settings.shutdown_grace_ms;

        watchdog_free(server->watchdog);
        gateway_stop(server->gateway, grace_ms);
        sonet_grpc_server_stop(server->grpc, grace_ms);
        for (size_t i = 0; i < server->n_locals; i++) {
                bus_runner_stop(server->locals[i].runner); /* all services at the same time */
        }
        trust_free(server->trust);
        watch_free(server->watch);
        jobs_free(server->jobs);
        for (size_t i = server->n_locals; i-- > 0;) {
                bus_runner_free(server->locals[i].runner);
        }
        rpc_lanes_free(server->lanes);
        gateway_free(server->gateway);
        for (size_t i = server->n_locals; i-- > 0;) {
                struct local *local = &server->locals[i];

                mail_sender_free(local->service.mailer);
                bus_relay_free(local->service.relay);
                if (atomic_load(&local->started) && local->definition->stop != NULL) {
                        local->definition->stop(&local->service);
                }
        }
        db_ownership_free(server->ownership);
        rpc_close();
        for (size_t i = 0; i < server->n_locals; i++) {
                bus_leases_free(server->locals[i].service.leases);
                db_free(server->locals[i].service.db);
        }
        redis_free(server->redis);
}

static sn_status serve_until_stopped(struct server *server, int64_t port, struct buf *error)
{
        sn_status status = serve_setup(server, port, error);

        server->refused = status == SN_INVALID_ARGUMENT;
        TRY(status);
        TRY(serve_start(server, error));
        log_event(LOG_LEVEL_INFO, "serving");
        while (!stopping) {
                serve_pause_ms(60000);
        }
        return SN_OK;
}

static int run_server(struct server *server, int64_t port)
{
        CLEANUP(buf_free) struct buf error;

        buf_init(&error, 4096);
        server->arena = arena_new(1 << 20);
        atomic_store(&server->waits_for, "its settings");
        catch_signals();
        sn_status status = serve_until_stopped(server, port, &error);
        if (status != SN_OK && status != SN_CANCELLED) {
                fprintf(stderr, "sonet serve: %s\n", error.len > 0 ? error.data : sn_status_name(status));
        }
        stop_server(server);
        arena_free(server->arena);
        if (server->refused) {
                return EXIT_SETTINGS;
        }
        return status == SN_OK || status == SN_CANCELLED ? 0 : EXIT_FAILURE;
}

int cmd_serve(int argc, char **argv)
{
        int64_t port = -1;
        const struct option_row rows[] = {{"port", OPTION_NUMBER, &port, "N",
                                           "HTTP port (HTTP_PORT or 8080; 0: any free port); gRPC uses the next one", 0,
                                           65535}};
        int first = 0, code;
        enum options_result result = options_parse(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, &first);
        struct server *server = result == OPTIONS_RUN ? calloc(1, sizeof(*server)) : NULL;

        if (server == NULL) {
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        code = choose_services(server, argc - first, argv + first);
        if (code == 0) {
                code = run_server(server, port);
        }
        free(server);
        return code;
}
