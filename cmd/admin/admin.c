/* Owns `sonet admin`: for now the dead letters of the services, over bus/bus.h. */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/str.h"
#include "bus/bus.h"
#include "cmd/commands.h"
#include "cmd/up/embedded.h"
#include "cmd/options.h"
#include "db/db.h"
#include "services/services.h"

#define CALL_MS 30000
#define MAX_IDS 1000

struct admin {
        struct settings settings;
        struct embedded embedded;
        bool attached; /* the databases are those of `sonet up` */
        struct arena *arena;
        const char *service; /* NULL: every one */
        const char *folder;
        int64_t ids[MAX_IDS];
        size_t n_ids;
        size_t n_listed;
        struct buf error;
};

/* The private PostgreSQL runs as long as its `sonet up`. */
static sn_status check_running(struct admin *a)
{
        const char *keys[] = {"dbname", "connect_timeout", NULL};
        const char *values[] = {embedded_admin_url(&a->embedded, a->arena), "5", NULL};

        if (PQpingParams(keys, values, 1) != PQPING_NO_RESPONSE) {
                return SN_OK;
        }
        buf_printf(&a->error, "SoNet is not running on %s: start it with 'sonet up', then repeat this",
                   a->embedded.data);
        return SN_UNAVAILABLE;
}

/* The service's own setting, or the database of `sonet up`. */
static sn_status database_url(struct admin *a, const struct service_definition *definition, const char **url)
{
        *url = settings_database_url(a->arena, &a->settings, definition->name);
        if (a->folder == NULL && (*url)[0] != '\0') {
                return SN_OK;
        }
        if (!a->attached) {
                TRY(embedded_locate(&a->embedded, &a->settings, a->folder, &a->error));
                TRY(embedded_attach(&a->embedded, &a->error));
                TRY(check_running(a));
                a->attached = true;
        }
        *url = embedded_database_url(&a->embedded, a->arena, definition->schema->database);
        return SN_OK;
}

static sn_status list_letters(struct admin *a, struct rpc_call *c)
{
        struct bus_dead_letter *letters = NULL;
        size_t n = 0;

        TRY(bus_dead_letters_list(c, &letters, &n));
        a->n_listed += n;
        for (size_t i = 0; i < n; i++) {
                char when[CLOCK_RFC3339_SIZE];
                printf("%-10s %6" PRId64 "  %s  %s  %s@%" PRId64 " %s %s  %d tries: %s\n", c->service->name,
                       letters[i].id, clock_format_ms(letters[i].failed_at_ms, when), letters[i].consumer,
                       letters[i].source, letters[i].position, letters[i].type, letters[i].aggregate_id,
                       letters[i].attempts, letters[i].error);
        }
        return SN_OK;
}

static sn_status replay_letters(struct admin *a, struct rpc_call *c)
{
        int64_t asked = 0;

        TRY(bus_dead_letters_replay(c, a->n_ids > 0 ? a->ids : NULL, a->n_ids, &asked));
        printf("%s: %" PRId64 " to be handled again\n", c->service->name, asked);
        return SN_OK;
}

static void db_free_p(struct db **db)
{
        db_free(*db);
}

static sn_status with_service(struct admin *a, const struct service_definition *definition,
                              sn_status (*action)(struct admin *a, struct rpc_call *c))
{
        const char *url = NULL;

        TRY(database_url(a, definition, &url));
        CLEANUP(db_free_p)
        struct db *db =
            db_new(&(struct db_options){.name = definition->schema->database, .url = url, .max_connections = 1});
        struct service service = {.name = definition->name, .contract = definition->contract, .db = db};
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&service, CALL_MS);
        sn_status status = action(a, c);
        if (status != SN_OK) {
                buf_printf(&a->error, "%s: %s", definition->name,
                           c->problem.detail != NULL ? c->problem.detail : sn_status_name(status));
        }
        return status;
}

static sn_status for_services(struct admin *a, sn_status (*action)(struct admin *a, struct rpc_call *c))
{
        if (a->service != NULL) {
                const struct service_definition *definition = service_definition_find(a->service);
                if (definition == NULL) {
                        buf_printf(&a->error, "there is no service '%s'", a->service);
                        return SN_INVALID_ARGUMENT;
                }
                return with_service(a, definition, action);
        }
        for (size_t i = 0; i < sonet_n_services; i++) {
                TRY(with_service(a, sonet_services[i], action));
        }
        return SN_OK;
}

static sn_status read_ids(struct admin *a, int n, char **texts)
{
        for (int i = 0; i < n; i++) {
                if (a->n_ids == MAX_IDS || !str_to_i64(str_of(texts[i]), &a->ids[a->n_ids])) {
                        buf_printf(&a->error, "'%s' is not the id of a dead letter", texts[i]);
                        return SN_INVALID_ARGUMENT;
                }
                a->n_ids++;
        }
        if (a->n_ids > 0 && a->service == NULL) {
                buf_append_c(&a->error, "ids are numbered by service: name it with --service");
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

static sn_status dead_letters(struct admin *a, int n, char **words)
{
        bool list = n >= 2 && strcmp(words[1], "list") == 0;
        bool replay = n >= 2 && strcmp(words[1], "replay") == 0;

        if (n < 1 || strcmp(words[0], "deadletters") != 0 || (!list && !replay) || (list && n > 2)) {
                buf_append_c(&a->error,
                             "expected 'deadletters list' or 'deadletters replay [ID…]'; see 'sonet help admin'");
                return SN_INVALID_ARGUMENT;
        }
        TRY(read_ids(a, n - 2, words + 2));
        TRY(for_services(a, list ? list_letters : replay_letters));
        if (list && a->n_listed == 0) {
                fprintf(stderr, "no dead letters\n"); /* standard output has letters only: scripts count its lines */
        }
        return SN_OK;
}

int cmd_admin(int argc, char **argv)
{
        struct admin a = {0};
        int first = 0;
        const struct option_row rows[] = {
            {"service", OPTION_TEXT, &a.service, "NAME", "only this service", 0, 0},
            {"data", OPTION_TEXT, &a.folder, "DIR", "the data folder of a 'sonet up'", 0, 0},
        };
        enum options_result result = options_parse(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, &first);

        if (result != OPTIONS_RUN) {
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        buf_init(&a.error, 4096);
        a.arena = arena_new(262144);
        sn_status status = settings_load(&a.settings, &a.error);
        if (status == SN_OK) {
                log_setup("sonet", LOG_LEVEL_WARN, settings_log_format(&a.settings));
                status = dead_letters(&a, argc - first, argv + first);
        }
        if (status != SN_OK) {
                fprintf(stderr, "sonet admin: %s\n", a.error.len > 0 ? a.error.data : sn_status_name(status));
        }
        arena_free(a.arena);
        buf_free(&a.error);
        return status == SN_OK ? EXIT_SUCCESS : status == SN_INVALID_ARGUMENT ? EXIT_USAGE : EXIT_FAILURE;
}
