/* Owns what `sonet serve` says of its own state: readiness for /readyz, and the quick word for gRPC health. */
#include "cmd/serve/serve.h"

#include <pthread.h>
#include <stddef.h>
#include "cache/redis.h"
#include "db/db.h"
#include "db/ownership.h"

#define PING_MS         2000
#define PART_TEXT_BYTES 4096

/* One thing to ask. Each is asked on a thread of its own: what hangs costs one time-out in all, and hides nothing. */
struct part {
        struct server *server;
        struct local *local;                     /* NULL: the service is elsewhere */
        const struct service_definition *remote; /* NULL: it is here */
        struct buf text;
        bool good;
        bool asked_apart; /* on a thread, for want of which it is asked in its turn */
        pthread_t thread;
};

static const char *lease_state(const struct local *local)
{
        if (!local->definition->single) {
                return "not needed";
        }
        if (!atomic_load(&local->started)) {
                return "awaited";
        }
        return db_ownership_held(local->service.ownership) ? "held" : "uncertain";
}

static bool may_answer(const struct local *local)
{
        return atomic_load(&local->started) && db_ownership_held(local->service.ownership);
}

static bool report_local(struct local *local, struct buf *report)
{
        bool database = db_ping(local->service.db, PING_MS) == SN_OK;
        bool schema = database && db_check_schema(local->database_url, local->definition->schema, report) == SN_OK;

        buf_printf(report, "%s: database %s, migrations %s, lease %s\n", local->definition->name,
                   database ? "up" : "down", schema ? "complete" : "unknown", lease_state(local));
        return database && schema && may_answer(local);
}

static bool report_remote(struct server *server, const struct service_definition *definition, struct buf *report)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&server->outside, PING_MS);
        bool up = rpc_check_health(c, definition->contract) == SN_OK;

        buf_printf(report, "%s: %s\n", definition->name,
                   up ? "elsewhere, its database and lease answer" : "elsewhere, and does not answer as ready");
        return up;
}

static void *report_part(void *context)
{
        struct part *part = context;

        part->good = part->local != NULL ? report_local(part->local, &part->text)
                                         : report_remote(part->server, part->remote, &part->text);
        return NULL;
}

/* The local services, and for a gateway those that it calls. */
static size_t list_parts(struct server *server, struct part parts[])
{
        size_t n = 0;

        for (size_t i = 0; i < server->n_locals; i++) {
                parts[n++] = (struct part){.server = server, .local = &server->locals[i]};
        }
        for (size_t i = 0; server->with_gateway && i < sonet_n_services; i++) {
                if (!serve_is_local(server, sonet_services[i]->name)) {
                        parts[n++] = (struct part){.server = server, .remote = sonet_services[i]};
                }
        }
        return n;
}

static void start_part(struct part *part)
{
        buf_init(&part->text, PART_TEXT_BYTES);
        part->asked_apart = pthread_create(&part->thread, NULL, report_part, part) == 0;
        if (!part->asked_apart) {
                report_part(part);
        }
}

static bool finish_part(struct part *part, struct buf *report)
{
        if (part->asked_apart) {
                pthread_join(part->thread, NULL);
        }
        buf_append(report, part->text.data, part->text.len);
        buf_free(&part->text);
        return part->good;
}

void serve_print_awaited(const struct server *server, struct buf *out)
{
        const char *service = db_ownership_awaits(server->ownership);

        if (service != NULL) {
                buf_printf(out, "standing by: another process owns %s, and this one takes over when that one ends",
                           service);
        } else {
                buf_append_c(out, "taking the leases of its services");
        }
}

static void print_progress(const struct server *server, struct buf *report)
{
        buf_append_c(report, "this process: ");
        if (serve_stopping()) {
                buf_append_c(report, "stopping");
        } else if (!db_ownership_held(server->ownership)) {
                serve_print_awaited(server, report);
        } else {
                buf_append_c(report, "starting");
        }
        buf_append_c(report, "\n");
}

/* Redis is reported, and never a reason: everything works without it, slower. */
bool serve_ready(void *context, struct buf *report)
{
        struct server *server = context;
        struct part parts[2 * SERVICES_MAX];
        size_t n = list_parts(server, parts);
        bool serving = atomic_load(&server->serving) && !serve_stopping();
        bool all = serving;

        for (size_t i = 0; i < n; i++) {
                start_part(&parts[i]);
        }
        bool redis = redis_up(server->redis);
        for (size_t i = 0; i < n; i++) {
                all = finish_part(&parts[i], report) && all;
        }
        buf_printf(report, "redis: %s\n", redis ? "up" : "down (everything works, slower)");
        if (!serving) {
                print_progress(server, report);
        }
        return all;
}

bool serve_serving(void *context)
{
        const struct server *server = context;

        return atomic_load(&server->serving);
}

bool serve_alive(void *context)
{
        const struct server *server = context;

        for (size_t i = 0; i < server->n_locals; i++) {
                if (!may_answer(&server->locals[i]) || atomic_load(&server->locals[i].database_down)) {
                        return false;
                }
        }
        return !serve_stopping();
}

static sn_status watch_database(struct rpc_call *c, bool *more)
{
        struct local *local = (struct local *)((char *)c->service - offsetof(struct local, service));

        atomic_store(&local->database_down, db_ping(c->service->db, PING_MS) != SN_OK);
        return SN_OK;
}

const struct service_job serve_watch_database = {.name = "watch_database", .every_s = 1, .run = watch_database};

/* So that the breaker, which metrics show, knows of a Redis that went away while nobody used it. */
static sn_status watch_redis(struct rpc_call *c, bool *more)
{
        const struct server *server = (const struct server *)((char *)c->service - offsetof(struct server, outside));

        (void)redis_up(server->redis);
        return SN_OK;
}

const struct service_job serve_watch_redis = {.name = "watch_redis", .every_s = 1, .run = watch_redis};
