/* Owns `sonet admin`: its families of commands, and how they reach the services' databases. */
#include "cmd/admin/admin.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd/commands.h"
#include "cmd/options.h"
#include "db/db.h"
#include "mail/mail.h"

#define CALL_MS 30000

/* The private PostgreSQL runs only while `sonet up` does. */
static sn_status check_running(struct admin *a)
{
        const char *keys[] = {"dbname", "connect_timeout", NULL};
        const char *values[] = {embedded_admin_url(&a->embedded, a->arena), "5", NULL};

        if (PQpingParams(keys, values, 1) != PQPING_NO_RESPONSE) {
                return SN_OK;
        }
        buf_printf(&a->error, "SoNet is not running on %s; start it with 'sonet up' and try again", a->embedded.data);
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

/* For the audit log: the operating-system account. */
static const char *account_name(void)
{
        const struct passwd *account = getpwuid(getuid()); /* this program is single-threaded */

        return account != NULL ? account->pw_name : "unknown account";
}

static void db_free_p(struct db **db)
{
        db_free(*db);
}

sn_status admin_with_service(struct admin *a, const struct service_definition *definition, admin_action action)
{
        const char *url = NULL;

        TRY(database_url(a, definition, &url));
        CLEANUP(db_free_p)
        struct db *db =
            db_new(&(struct db_options){.name = definition->schema->database, .url = url, .max_connections = 1});
        struct service service = {.name = definition->name, .contract = definition->contract, .db = db};
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&service, CALL_MS);
        c->user_agent = arena_printf(c->arena, "sonet admin (%s)", account_name());
        sn_status status = action(a, c);
        if (status != SN_OK) {
                buf_printf(&a->error, "%s: %s%s%s", definition->name, c->problem.field != NULL ? c->problem.field : "",
                           c->problem.field != NULL ? ": " : "",
                           c->problem.detail != NULL ? c->problem.detail : sn_status_name(status));
        }
        return status;
}

static const struct {
        const char *name;
        sn_status (*run)(struct admin *a, int n, char **words);
} FAMILIES[] = {
    {"audit", admin_audit},
    {"deadletters", admin_dead_letters},
    {"experiment", admin_experiment},
    {"invite", admin_invite},
    {"mails", admin_mails},
    {"media", admin_media},
    {"notify", admin_notify},
    {"search", admin_search},
    {"user", admin_user},
};
#define N_FAMILIES (sizeof(FAMILIES) / sizeof(FAMILIES[0]))

static sn_status run_family(struct admin *a, int n, char **words)
{
        for (size_t i = 0; n > 0 && i < N_FAMILIES; i++) {
                if (strcmp(words[0], FAMILIES[i].name) == 0) {
                        return FAMILIES[i].run(a, n - 1, words + 1);
                }
        }
        buf_append_c(&a->error, "expected one of");
        for (size_t i = 0; i < N_FAMILIES; i++) {
                buf_printf(&a->error, " %s", FAMILIES[i].name);
        }
        return SN_INVALID_ARGUMENT;
}

int cmd_admin(int argc, char **argv)
{
        struct admin a = {.limit = 50, .role = "", .uses = 1, .days = 7};
        int first = 0;
        const struct option_row rows[] = {
            {"service", OPTION_TEXT, &a.service, "NAME", "only dead letters of this service", 0, 0},
            {"limit", OPTION_NUMBER, &a.limit, "N", "how many items to list (50)", 1, 10000},
            {"role", OPTION_TEXT, &a.role, "ROLE", "only members with this role", 0, 0},
            {"suspended", OPTION_FLAG, &a.suspended, NULL, "only suspended members", 0, 0},
            {"waiting", OPTION_FLAG, &a.waiting, NULL, "only members waiting for approval", 0, 0},
            {"now", OPTION_FLAG, &a.now, NULL, "with 'user delete': erase the account immediately and permanently", 0,
             0},
            {"uses", OPTION_NUMBER, &a.uses, "N", "how many people can join with the invite (1)", 1, 1000},
            {"days", OPTION_NUMBER, &a.days, "N", "for how many days the invite is valid (7)", 1, 365},
            {"head", OPTION_TEXT, &a.head, "POSITION:HASH", "the head that an earlier 'audit verify' printed", 0, 0},
            {"data", OPTION_TEXT, &a.folder, "DIR", "the data folder of 'sonet up'", 0, 0},
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
                status = mail_setup(&a.settings, &a.error); /* owners are told what is done to their accounts */
        }
        if (status == SN_OK) {
                status = run_family(&a, argc - first, argv + first);
        }
        if (status != SN_OK) {
                fprintf(stderr, "sonet admin: %s\n", a.error.len > 0 ? a.error.data : sn_status_name(status));
        }
        if (status == SN_INVALID_ARGUMENT) {
                fprintf(stderr, "Try 'sonet help admin'.\n");
        }
        arena_free(a.arena);
        buf_free(&a.error);
        return status == SN_OK ? EXIT_SUCCESS : status == SN_INVALID_ARGUMENT ? EXIT_USAGE : EXIT_FAILURE;
}
