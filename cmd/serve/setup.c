/* Owns what `sonet serve` sets up before any service runs: settings, keys, certificates, Redis, worker pools,
 * databases, and the table of services. */
#include "cmd/serve/serve.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "auth/keys.h"
#include "base/log.h"
#include "base/shared_stamps.h"
#include "base/spool.h"
#include "cache/redis.h"
#include "db/db.h"
#include "db/ownership.h"
#include "http/server.h"
#include "mail/mail.h"
#include "rpc/client_address.h"
#include "rpc/lanes.h"
#include "rpc/rate_limit.h"
#include "sonet/events.rpc.h"
#include "sonet/file.rpc.h"
#include "sonet/problem.rpc.h"

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

/* Without it the process works as well. */
static sn_status share_stamps(const struct settings *s, struct buf *error)
{
        struct str part = str_of(s->shared_stamps), descriptor;
        int64_t fd, number;

        if (part.len == 0) {
                return SN_OK;
        }
        if (!str_next(&part, ':', &descriptor) || !str_to_i64(descriptor, &fd) || !str_to_i64(part, &number) ||
            fd <= STDERR_FILENO || fd > INT_MAX || number < 0 || number > SERVICES_MAX) {
                buf_append_c(error, "SHARED_STAMPS must be DESCRIPTOR:NUMBER, as set by `sonet up`");
                return SN_INVALID_ARGUMENT;
        }
        if (!shared_stamps_join((int)fd, (size_t)number)) {
                log_event(LOG_LEVEL_WARN, "cannot use the shared memory: responses from other processes are not kept",
                          LOG_STR("error.message", strerror(errno)));
        }
        return SN_OK;
}

static sn_status load_settings(struct server *server, int64_t port, struct buf *error)
{
        struct settings *s = &server->settings;

        TRY(settings_load(s, error));
        s->http_port = port >= 0 ? port : s->http_port;
        TRY(settings_check(s, error));
        log_setup(server->n_locals == 1 && !server->with_gateway ? server->locals[0].definition->name : "sonet",
                  settings_log_level(s), settings_log_format(s));
        if (s->key_file[0] == '\0') {
                buf_append_c(error, "SONET_KEY_FILE is not set; it must name the key file, which all processes of a "
                                    "network share");
                return SN_INVALID_ARGUMENT;
        }
        TRY(share_stamps(s, error));
        TRY(keys_load(s->key_file, 0, error));
        TRY(load_tls(server, error));
        TRY(mail_setup(s, error));
        db_set_server_limit((int)s->database_busy);
        TRY(rpc_limit_rates(s));
        rpc_trust_proxies(s);
        http_limit_shares(&(struct http_shares){.connections = (int)s->connections_per_address,
                                                .body_bytes = s->body_bytes,
                                                .spool_bytes = s->spool_bytes,
                                                .spool_files = s->spool_files,
                                                .files = s->answer_files,
                                                .is_exempt = rpc_is_trusted_proxy});
        spool_setup(&(struct spool_options){s->spool_dir, s->spool_bytes, s->spool_files, s->spool_free_bytes});
        if (s->redis_url[0] == '\0') {
                buf_append_c(error, "REDIS_URL is not set; every process needs Redis");
                return SN_INVALID_ARGUMENT;
        }
        server->redis = redis_new(s->redis_url, (int)s->redis_pool);
        if (server->redis == NULL) {
                buf_append_c(error, "REDIS_URL must be redis://[:password@]host:port[/db] or unix:///path");
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

static sn_status open_local(struct server *server, struct local *local, struct buf *error)
{
        const struct settings *s = &server->settings;
        const char *url = settings_database_url(server->arena, s, local->definition->name);

        if (url[0] == '\0') {
                buf_printf(error, "DATABASE_URL is not set; the %s service needs its database",
                           local->definition->name);
                return SN_INVALID_ARGUMENT;
        }
        local->service.redis = server->redis;
        local->service.db = db_new(&(struct db_options){
            .name = local->definition->schema->database, .url = url, .max_connections = (int)s->database_pool});
        if (local->service.db == NULL) {
                buf_printf(error, "the database URL of the %s service is invalid", local->definition->name);
                return SN_INVALID_ARGUMENT;
        }
        local->service.leases = bus_leases_new(&local->service);
        rpc_register_local(&local->service);
        return SN_OK;
}

/* The process owns all its single-instance services together. */
static void set_ownership(struct server *server)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                const struct local *local = &server->locals[i];

                if (!local->definition->single) {
                        continue;
                }
                if (server->ownership == NULL) {
                        server->ownership = db_ownership_new();
                }
                db_ownership_add(server->ownership, local->service.db, local->definition->name);
        }
        for (size_t i = 0; i < server->n_locals; i++) {
                server->locals[i].service.ownership = server->ownership;
        }
}

static sn_status register_services(struct server *server, struct buf *error)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                TRY(open_local(server, &server->locals[i], error));
        }
        set_ownership(server);
        for (size_t i = 0; i < sonet_n_services; i++) {
                const char *url = settings_service_url(&server->settings, sonet_services[i]->name);

                contract_register(sonet_services[i]->contract); /* callers are identified by name, wherever they run */
                if (!serve_is_local(server, sonet_services[i]->name) && url[0] != '\0') {
                        TRY(rpc_register_remote(sonet_services[i]->contract, url, error));
                }
        }
        return SN_OK;
}

sn_status serve_setup(struct server *server, int64_t port, struct buf *error)
{
        const struct settings *s = &server->settings;

        TRY(load_settings(server, port, error));
        for (size_t i = 0; i < server->n_locals; i++) {
                if (server->locals[i].definition->check != NULL) {
                        TRY(server->locals[i].definition->check(s, error));
                }
        }
        TRY(register_services(server, error));
        rpc_set_max_calls((int)(s->workers + 1) / 2);
        server->lanes = rpc_lanes_new((int)s->workers, (int)s->password_workers, (int)s->queue_length);
        return server->lanes != NULL ? SN_OK : SN_INTERNAL;
}
