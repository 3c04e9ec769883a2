/* Owns how `sonet up` starts `sonet serve`: ports, environments, and passing the key to a child that may not read
 * the file. */
#include "cmd/up/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "auth/keys.h"
#include "base/clock.h"
#include "base/shared_stamps.h"
#include "base/str.h"
#include "cmd/http_client.h"
#include "services/services.h"

#define GRACE_MS       8000 /* for a child; the rest of 15 s is for Redis and PostgreSQL */
#define GRACE_SPLIT_MS 4000
#define ANSWER_MS      2000 /* less than the grace period, so that a child closes its connections itself */
#define PORT_FIRST     15000
#define PORT_LAST      31999 /* below the ephemeral ports of outgoing connections */
#define PORT_WAIT_MS   3000
#define KEY_FD         63
#define KEY_FD_PATH    "/proc/self/fd/63"
#define STAMPS_FD      62

/* In addition to its pool, a service uses one connection for its lease or that of its consumers, and one for the
 * watch. */
#define CONNECTIONS_BESIDE_POOL 2
#define CONNECTIONS_RESERVE     6 /* migrations, `sonet admin`, psql, and the superuser's two */

sn_status serve_plan_check_connections(const struct settings *settings, struct buf *error)
{
        int64_t needed =
            (int64_t)sonet_n_services * (settings->database_pool + CONNECTIONS_BESIDE_POOL) + CONNECTIONS_RESERVE;

        if (needed > EMBEDDED_MAX_CONNECTIONS) {
                buf_printf(
                    error,
                    "DATABASE_POOL=%lld needs up to %lld connections but the private PostgreSQL allows %d; make it "
                    "smaller",
                    (long long)settings->database_pool, (long long)needed, EMBEDDED_MAX_CONNECTIONS);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

static bool is_taken(const struct serve_plan *plan, int port)
{
        for (size_t i = 0; i < plan->layout.n; i++) {
                if (port == plan->layout.processes[i].http_port || port == plan->layout.processes[i].grpc_port) {
                        return true;
                }
        }
        return false;
}

/* The wanted port if it is free; otherwise a random one below the ephemeral range, where no outgoing connection can
 * take it later. */
static int choose_port(const struct serve_plan *plan, const char *address, int wish)
{
        for (int attempt = 0; attempt < 1000; attempt++) {
                int port = attempt == 0 ? wish : PORT_FIRST + (int)random_below(PORT_LAST - PORT_FIRST + 1);
                if (port > 0 && port <= 65535 && !is_taken(plan, port) && http_port_is_free(address, port)) {
                        return port;
                }
        }
        return 0;
}

static sn_status check_address(const char *address, struct buf *error)
{
        if (http_port_is_free(address, 0)) {
                return SN_OK;
        }
        if (errno == EADDRNOTAVAIL) {
                buf_printf(error, "%s is not an address of this machine", address);
                return SN_INVALID_ARGUMENT;
        }
        buf_printf(error, "cannot listen on %s: %s", address, strerror(errno));
        return SN_UNAVAILABLE;
}

/* A port that was requested explicitly: that one or none. A child of a killed predecessor may still hold it for a
 * moment. */
static sn_status claim_port(const char *address, int port, const char *option, struct buf *error)
{
        int64_t until_us = clock_monotonic_us() + PORT_WAIT_MS * INT64_C(1000);

        while (!http_port_is_free(address, port)) {
                if (errno != EADDRINUSE || clock_monotonic_us() > until_us) {
                        buf_printf(error, "port %d of %s is not free (%s); choose another one with %s", port, address,
                                   strerror(errno), option);
                        return SN_UNAVAILABLE;
                }
                clock_sleep_ms(50);
        }
        return SN_OK;
}

static bool is_split(const struct serve_plan *plan)
{
        return plan->layout.n > 1;
}

/* Several processes call each other at 127.0.0.1. */
static const char *grpc_address(const struct serve_plan *plan)
{
        return is_split(plan) ? "127.0.0.1" : plan->settings->grpc_address;
}

static sn_status claim_ports(const struct serve_plan *plan, int64_t http_port, struct buf *error)
{
        TRY(check_address(plan->address, error));
        TRY(check_address(grpc_address(plan), error));
        if (http_port != 0) {
                TRY(claim_port(plan->address, (int)http_port, "--port", error));
        }
        if (plan->settings->grpc_port != 0 && !is_split(plan)) {
                TRY(claim_port(grpc_address(plan), (int)plan->settings->grpc_port, "GRPC_PORT", error));
        }
        return SN_OK;
}

/* A default port is replaced if it is taken; demo_print shows the gRPC port. */
static bool choose_pair(const struct serve_plan *plan, struct layout_process *process, const char *http_address,
                        int64_t http_port, int64_t grpc_port, int wish)
{
        process->http_port = http_port != 0 ? (int)http_port : choose_port(plan, http_address, wish);
        process->grpc_port = grpc_port != 0
                                 ? (int)grpc_port
                                 : choose_port(plan, grpc_address(plan), (wish != 0 ? wish : process->http_port) + 1);
        return process->http_port != 0 && process->grpc_port != 0;
}

static sn_status choose_ports(struct serve_plan *plan, int64_t http_port, struct buf *error)
{
        struct layout_process *first = &plan->layout.processes[0];

        TRY(claim_ports(plan, http_port, error));
        bool chosen = choose_pair(plan, first, plan->address, http_port, is_split(plan) ? 0 : plan->settings->grpc_port,
                                  (int)http_port);
        for (size_t i = 1; i < plan->layout.n; i++) {
                chosen &=
                    choose_pair(plan, &plan->layout.processes[i], "127.0.0.1", 0, 0, first->http_port + 2 * (int)i);
        }
        if (!chosen) {
                buf_append_c(error, "found no free ports");
                return SN_UNAVAILABLE;
        }
        return SN_OK;
}

static sn_status read_key(struct serve_plan *plan, struct buf *error)
{
        if (!plan->embedded->account.drop) {
                return SN_OK; /* the children run as the same account */
        }
        return keys_read(plan->embedded->key_file, plan->key, error);
}

static void print_address(const char *address, int port, struct buf *out)
{
        buf_printf(out, strchr(address, ':') != NULL ? "[%s]:%d" : "%s:%d", address, port);
}

void serve_plan_print_grpc(const struct serve_plan *plan, struct buf *out)
{
        if (!is_split(plan)) {
                print_address(grpc_address(plan), plan->layout.processes[0].grpc_port, out);
                return;
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                buf_printf(out, "%s%s ", i > 0 ? ", " : "", sonet_services[i]->name);
                print_address(grpc_address(plan), layout_process_of(&plan->layout, i)->grpc_port, out);
        }
}

sn_status serve_plan_make(struct serve_plan *plan, int64_t http_port, struct buf *error)
{
        plan->program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
        if (plan->program_fd < 0) {
                buf_printf(error, "cannot open this executable (/proc/self/exe): %s", strerror(errno));
                return SN_FAILED_PRECONDITION;
        }
        plan->stamps_fd = is_split(plan) ? shared_stamps_create(plan->layout.n) : -1;
        TRY(read_key(plan, error));
        return choose_ports(plan, http_port, error);
}

#define MAX_VARIABLES 512

struct environment {
        struct arena *arena;
        char **entries; /* NULL-terminated, for execve */
        size_t n;
};

static const char *upper_case(struct arena *arena, const char *text)
{
        char *out = arena_strdup(arena, text);

        for (char *c = out; *c != '\0'; c++) {
                if (*c >= 'a' && *c <= 'z') {
                        *c = (char)(*c - 'a' + 'A');
                }
        }
        return out;
}

static bool starts_with(const char *entry, const char *prefix)
{
        return strncmp(entry, prefix, strlen(prefix)) == 0;
}

/* libpq reads PG… variables; we set databases, ports and addresses of services. */
static bool is_ours_to_say(struct arena *arena, const char *entry)
{
        static const char *const prefixes[] = {"PG",
                                               "HTTP_PORT=",
                                               "HTTP_ADDRESS=",
                                               "GRPC_PORT=",
                                               "GRPC_ADDRESS=",
                                               "DATABASE_URL=",
                                               "REDIS_URL=",
                                               "DATABASE_ADMIN_URL=",
                                               "SHARED_STAMPS=",
                                               "SONET_KEY_FILE=",
                                               "SHUTDOWN_GRACE_MS="};

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
                if (starts_with(entry, prefixes[i])) {
                        return true;
                }
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                const char *name = upper_case(arena, sonet_services[i]->name);
                if (starts_with(entry, arena_printf(arena, "%s_URL=", name)) ||
                    starts_with(entry, arena_printf(arena, "%s_DATABASE_URL=", name))) {
                        return true;
                }
        }
        return false;
}

static void environment_add(struct environment *env, const char *name, const char *value)
{
        if (env->n + 1 < MAX_VARIABLES) {
                env->entries[env->n++] = arena_printf(env->arena, "%s=%s", name, value);
        }
}

static void environment_add_number(struct environment *env, const char *name, int64_t value)
{
        environment_add(env, name, arena_printf(env->arena, "%lld", (long long)value));
}

/* The environment of every child. */
static struct environment environment_make(const struct serve_plan *plan)
{
        struct environment env = {plan->arena, ARENA_ARRAY(plan->arena, char *, MAX_VARIABLES), 0};

        for (char **entry = environ; *entry != NULL && env.n + 64 < MAX_VARIABLES; entry++) {
                if (!is_ours_to_say(plan->arena, *entry)) {
                        env.entries[env.n++] = *entry;
                }
        }
        int64_t grace_ms = (is_split(plan) ? GRACE_SPLIT_MS : GRACE_MS) - ANSWER_MS;
        environment_add(&env, "SONET_KEY_FILE", plan->key[0] != '\0' ? KEY_FD_PATH : plan->embedded->key_file);
        environment_add(&env, "GRPC_ADDRESS", grpc_address(plan));
        environment_add(&env, "REDIS_URL", embedded_redis_url(plan->embedded, plan->arena));
        if (plan->settings->public_url[0] == '\0' && plan->settings->pages_url[0] == '\0') {
                environment_add(&env, "PAGES_URL",
                                arena_printf(plan->arena, "http://localhost:%d", plan->layout.processes[0].http_port));
        }
        if (plan->settings->spool_dir[0] == '\0') {
                environment_add(&env, "SPOOL_DIR", plan->embedded->spool);
        }
        if (plan->settings->mail_dir[0] == '\0') {
                environment_add(&env, "MAIL_DIR", plan->embedded->mails);
        }
        if (plan->settings->media_dir[0] == '\0') {
                environment_add(&env, "MEDIA_DIR", plan->embedded->media);
        }
        environment_add_number(&env, "SHUTDOWN_GRACE_MS",
                               plan->settings->shutdown_grace_ms < grace_ms ? plan->settings->shutdown_grace_ms
                                                                            : grace_ms);
        return env;
}

static void environment_add_database(struct environment *env, const struct serve_plan *plan,
                                     const struct service_definition *service)
{
        environment_add(env, arena_printf(plan->arena, "%s_DATABASE_URL", upper_case(plan->arena, service->name)),
                        embedded_database_url(plan->embedded, plan->arena, service->schema->database));
}

/* The databases of its own services, and the addresses of the others. */
static void environment_add_services(struct environment *env, const struct serve_plan *plan,
                                     const struct layout_process *process)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (process->service[i]) {
                        environment_add_database(env, plan, sonet_services[i]);
                } else {
                        environment_add(
                            env, arena_printf(plan->arena, "%s_URL", upper_case(plan->arena, sonet_services[i]->name)),
                            arena_printf(plan->arena, "grpc://127.0.0.1:%d",
                                         layout_process_of(&plan->layout, i)->grpc_port));
                }
        }
}

/* Passes the key to a child that may not read the file: in an anonymous file, under a descriptor that only it gets. */
static int lend_key(const char *key)
{
        int fd = memfd_create("sonet-key", 0);
        size_t len = strlen(key);

        if (fd < 0 || fchmod(fd, 0600) != 0 || write(fd, key, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0) {
                return -1;
        }
        if (fd != KEY_FD) {
                if (dup2(fd, KEY_FD) < 0) {
                        return -1;
                }
                close(fd);
        }
        return 0;
}

/* In the child. Only `sonet up` itself writes to standard output: scripts read its one line there. */
static int enter_serve(void *context)
{
        const struct serve_plan *plan = context;

        if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0 || (plan->key[0] != '\0' && lend_key(plan->key) != 0) ||
            (plan->stamps_fd >= 0 && dup2(plan->stamps_fd, STAMPS_FD) < 0)) {
                fprintf(stderr, "sonet: cannot prepare a child: %s\n", strerror(errno));
                return 127;
        }
        return 0;
}

/* sonet serve all | gateway user … */
static char **serve_arguments(const struct serve_plan *plan, const struct layout_process *process)
{
        char **argv = ARENA_ARRAY(plan->arena, char *, LAYOUT_MAX_SERVICES + 4);
        size_t n = 0;

        argv[n++] = arena_strdup(plan->arena, "sonet");
        argv[n++] = arena_strdup(plan->arena, "serve");
        if (!is_split(plan)) {
                argv[n++] = arena_strdup(plan->arena, "all");
                return argv;
        }
        if (process->gateway) {
                argv[n++] = arena_strdup(plan->arena, "gateway");
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (process->service[i]) {
                        argv[n++] = arena_strdup(plan->arena, sonet_services[i]->name);
                }
        }
        return argv;
}

/* "serve gateway user", for the log. */
static char *name_of(const struct serve_plan *plan, char *const *argv)
{
        char *name = argv[1];

        for (size_t i = 2; argv[i] != NULL; i++) {
                name = arena_printf(plan->arena, "%s %s", name, argv[i]);
        }
        return name;
}

const char *serve_plan_http_address(const struct serve_plan *plan, const struct layout_process *process)
{
        return process->gateway ? plan->address : "127.0.0.1";
}

static void add_child(const struct serve_plan *plan, struct supervisor *s, const struct layout_process *process,
                      int rank)
{
        struct environment env = environment_make(plan);
        char **argv = serve_arguments(plan, process);

        environment_add(&env, "HTTP_ADDRESS", serve_plan_http_address(plan, process));
        environment_add_number(&env, "HTTP_PORT", process->http_port);
        environment_add_number(&env, "GRPC_PORT", process->grpc_port);
        environment_add_services(&env, plan, process);
        if (plan->stamps_fd >= 0) {
                environment_add(
                    &env, "SHARED_STAMPS",
                    arena_printf(plan->arena, "%d:%zu", STAMPS_FD, (size_t)(process - plan->layout.processes)));
        }
        supervisor_add(
            s, &(struct child_spec){.process = {.name = name_of(plan, argv),
                                                .account = &plan->embedded->account,
                                                .folder = plan->embedded->data,
                                                .death_signal = SIGKILL, /* its port must be free for the next start */
                                                .argv = argv,
                                                .program_fd = plan->program_fd,
                                                .envp = env.entries,
                                                .run = enter_serve,
                                                .context = (void *)plan},
                                    .rank = rank,
                                    .stop_signal = SIGTERM,
                                    .grace_ms = is_split(plan) ? GRACE_SPLIT_MS : GRACE_MS,
                                    .force_signal = SIGKILL});
}

void serve_children_add(const struct serve_plan *plan, struct supervisor *s, int first_rank)
{
        for (size_t i = plan->layout.n; i-- > 0;) {
                const struct layout_process *process = &plan->layout.processes[i];

                add_child(plan, s, process, process->gateway ? first_rank : first_rank + 1);
        }
}
