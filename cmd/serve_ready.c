/* Owns what `sonet serve` says of its own state: readiness for /readyz, and the quick word for gRPC health. */
#include "cmd/serve.h"

#include <stddef.h>
#include "db/db.h"
#include "db/lease.h"
#include "cache/redis.h"

#define PING_MS 2000

/* The lease is the main thread's until the service has started. */
static const char *lease_state(const struct local *local)
{
        if (!local->definition->single) {
                return "not needed";
        }
        if (!atomic_load(&local->started)) {
                return "awaited";
        }
        return db_lease_held(local->service.lease) ? "held" : "elsewhere";
}

static bool has_lease(const struct local *local)
{
        return !local->definition->single || (atomic_load(&local->started) && db_lease_held(local->service.lease));
}

static bool report_local(struct local *local, struct buf *report)
{
        bool database = db_ping(local->service.db, PING_MS) == SN_OK;
        bool schema = database && db_check_schema(local->database_url, local->definition->schema, report) == SN_OK;

        buf_printf(report, "%s: database %s, migrations %s, lease %s\n", local->definition->name,
                   database ? "up" : "down", schema ? "complete" : "unknown", lease_state(local));
        return database && schema && has_lease(local);
}

static bool report_remote(struct server *server, const struct service_definition *definition, struct buf *report)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&server->outside, PING_MS);
        bool up = rpc_check_health(c, definition->contract) == SN_OK;

        buf_printf(report, "%s: %s\n", definition->name,
                   up ? "elsewhere, its database and lease answer" : "elsewhere, and does not answer as ready");
        return up;
}

/* The local services, and for a gateway those that it calls. Redis is reported, and never a reason: everything works
 * without it, slower. */
bool serve_ready(void *context, struct buf *report)
{
        struct server *server = context;
        bool serving = atomic_load(&server->serving) && !serve_stopping();
        bool all = serving;

        for (size_t i = 0; i < server->n_locals; i++) {
                all = report_local(&server->locals[i], report) && all;
        }
        for (size_t i = 0; server->with_gateway && i < sonet_n_services; i++) {
                if (!serve_is_local(server, sonet_services[i]->name)) {
                        all = report_remote(server, sonet_services[i], report) && all;
                }
        }
        buf_printf(report, "redis: %s\n", redis_up(server->redis) ? "up" : "down (everything works, slower)");
        if (!serving) {
                buf_append_c(report, serve_stopping() ? "this process: stopping\n" : "this process: starting\n");
        }
        return all;
}

bool serve_alive(void *context)
{
        const struct server *server = context;

        for (size_t i = 0; i < server->n_locals; i++) {
                if (!has_lease(&server->locals[i]) || atomic_load(&server->locals[i].database_down)) {
                        return false;
                }
        }
        return !serve_stopping();
}

static sn_status watch_database(struct rpc_call *c)
{
        struct local *local = (struct local *)((char *)c->service - offsetof(struct local, service));

        atomic_store(&local->database_down, db_ping(c->service->db, PING_MS) != SN_OK);
        return SN_OK;
}

const struct service_job serve_watch_database = {.name = "watch_database", .every_s = 1, .run = watch_database};
