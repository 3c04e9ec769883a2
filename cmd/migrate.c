/* Owns `sonet migrate`, and migrations of the private PostgreSQL of `sonet up`. */
#include "cmd/migrate.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/keys.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "db/migrate.h"
#include "services/services.h"

#define ARENA_BYTES 262144

static void finish_p(PGconn **pg)
{
        PQfinish(*pg);
}

/* The server loads pg_stat_statements; its view must be created in the administrator's database. */
static sn_status make_statistics(const char *admin_url, struct buf *error)
{
        CLEANUP(finish_p) PGconn *pg = PQconnectdb(admin_url);
        PGresult *result =
            PQexec(pg, "set client_min_messages = warning; create extension if not exists pg_stat_statements");
        bool made = PQresultStatus(result) == PGRES_COMMAND_OK;

        PQclear(result);
        if (!made) {
                buf_printf(error, "cannot create the extension pg_stat_statements: %s", PQerrorMessage(pg));
                return SN_UNAVAILABLE;
        }
        return SN_OK;
}

sn_status migrate_embedded(const struct embedded *e, struct buf *error)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(ARENA_BYTES);
        const char *admin_url = embedded_admin_url(e, arena);

        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct db_schema *schema = sonet_services[i]->schema;
                char password[44];
                buf_reset(error);
                if (db_check_schema(embedded_database_url(e, arena, schema->database), schema, error) == SN_OK) {
                        continue;
                }
                buf_reset(error);
                keys_derive_text(arena_printf(arena, "database:%s", schema->database), password);
                TRY(db_provision(admin_url, schema, password, error));
        }
        return make_statistics(admin_url, error);
}

static void free_options_p(PQconninfoOption **options)
{
        PQconninfoFree(*options);
}

/* The password for the service's role, or NULL if it logs in some other way (peer, a certificate, .pgpass). */
static const char *password_of(struct arena *arena, const char *url)
{
        CLEANUP(free_options_p) PQconninfoOption *options = url[0] != '\0' ? PQconninfoParse(url, NULL) : NULL;

        for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
                if (strcmp(o->keyword, "password") == 0 && o->val != NULL) {
                        return arena_strdup(arena, o->val);
                }
        }
        return NULL;
}

static bool is_named(const char *name, int n, char **names)
{
        for (int i = 0; i < n; i++) {
                if (strcmp(names[i], name) == 0) {
                        return true;
                }
        }
        return n == 0;
}

static sn_status migrate_all(const struct settings *settings, int n, char **names, struct buf *error)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(ARENA_BYTES);

        for (int i = 0; i < n; i++) {
                if (service_definition_find(names[i]) == NULL) {
                        buf_printf(error, "unknown service '%s'", names[i]);
                        return SN_INVALID_ARGUMENT;
                }
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct service_definition *service = sonet_services[i];
                if (!is_named(service->name, n, names)) {
                        continue;
                }
                const char *password = password_of(arena, settings_database_url(arena, settings, service->name));
                TRY(db_provision(settings->database_admin_url, service->schema, password, error));
                printf("%s: migrated\n", service->schema->database);
        }
        return SN_OK;
}

int cmd_migrate(int argc, char **argv)
{
        CLEANUP(buf_free) struct buf error;
        struct settings settings;
        int first = 0;
        enum options_result result = options_parse(NULL, 0, argc, argv, &first);

        if (result != OPTIONS_RUN) {
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        buf_init(&error, 4096);
        sn_status status = settings_load(&settings, &error);
        if (status == SN_OK && settings.database_admin_url[0] == '\0') {
                buf_append_c(&error,
                             "DATABASE_ADMIN_URL is not set; it must name a role that may create databases and roles "
                             "('sonet up' does not need it)");
                status = SN_INVALID_ARGUMENT;
        }
        if (status == SN_OK) {
                log_setup("sonet", settings_log_level(&settings), settings_log_format(&settings));
                status = migrate_all(&settings, argc - first, argv + first, &error);
        }
        if (status != SN_OK) {
                fprintf(stderr, "sonet migrate: %s\n", error.len > 0 ? error.data : sn_status_name(status));
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}
