/* Owns reporting the state of `sonet serve`, from the latest checks: /readyz and gRPC health. Nothing here blocks or
 * includes PostgreSQL's messages. */
#include "cmd/serve/serve.h"

#include "db/ownership.h"

static const char *lease_state(const struct local *local)
{
        if (!local->definition->single) {
                return "not needed";
        }
        if (!atomic_load(&local->started)) {
                return "awaited";
        }
        return db_ownership_kept(local->service.ownership) ? "held" : "uncertain";
}

static bool may_answer(const struct local *local)
{
        return atomic_load(&local->started) && db_ownership_kept(local->service.ownership);
}

static bool report_local(const struct server *server, const struct local *local, struct buf *report)
{
        static const char *const migrations[] = {"unknown", "incomplete", "complete"};
        enum watch_state state = watch_state(server->watch, local->definition->name);

        buf_printf(report, "%s: database %s, migrations %s, lease %s\n", local->definition->name,
                   state == WATCH_DOWN ? "down" : "up", migrations[state], lease_state(local));
        return state == WATCH_UP && may_answer(local);
}

static bool report_remote(const struct server *server, const char *name, struct buf *report)
{
        bool up = watch_state(server->watch, name) == WATCH_UP;

        buf_printf(report, "%s: %s\n", name, up ? "runs elsewhere, ready" : "runs elsewhere, not ready");
        return up;
}

/* The local services and, for a gateway, those that it calls. */
static bool report_services(const struct server *server, struct buf *report)
{
        bool all = true;

        for (size_t i = 0; i < server->n_locals; i++) {
                all = report_local(server, &server->locals[i], report) && all;
        }
        for (size_t i = 0; server->with_gateway && i < sonet_n_services; i++) {
                if (!serve_is_local(server, sonet_services[i]->name)) {
                        all = report_remote(server, sonet_services[i]->name, report) && all;
                }
        }
        return all;
}

void serve_print_awaited(const struct server *server, struct buf *out)
{
        const char *service = db_ownership_awaits(server->ownership);

        if (service != NULL) {
                buf_printf(out, "standing by: another process owns %s; this one takes over when that one exits",
                           service);
        } else {
                buf_printf(out, "starting: waiting for %s", atomic_load(&server->waits_for));
        }
}

static bool has_databases(const struct server *server)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                if (watch_state(server->watch, server->locals[i].definition->name) != WATCH_UP) {
                        return false;
                }
        }
        return true;
}

static void print_progress(const struct server *server, struct buf *report)
{
        buf_append_c(report, "this process: ");
        if (serve_stopping()) {
                buf_append_c(report, "stopping");
        } else if (!has_databases(server)) { /* without them the owner of the services is unknown */
                buf_append_c(report, "waiting for its databases");
        } else {
                serve_print_awaited(server, report);
        }
        buf_append_c(report, "\n");
}

/* Redis is reported, but not required: everything works without it, only slower. */
bool serve_ready(void *context, struct buf *report)
{
        const struct server *server = context;
        bool serving = atomic_load(&server->serving) && !serve_stopping();
        bool all = report_services(server, report);
        bool redis = watch_state(server->watch, WATCH_REDIS) == WATCH_UP;

        buf_printf(report, "redis: %s\n", redis ? "up" : "down (everything still works, but slower)");
        if (!serving) {
                print_progress(server, report);
        }
        return serving && all;
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
                const struct local *local = &server->locals[i];

                if (!may_answer(local) || watch_state(server->watch, local->definition->name) != WATCH_UP) {
                        return false;
                }
        }
        return !serve_stopping();
}
