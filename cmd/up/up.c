/* Owns `sonet up`: the order of starting and stopping, and its output. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/up/demo.h"
#include "cmd/up/embedded.h"
#include "cmd/up/embedded_wal.h"
#include "cmd/http_client.h"
#include "cmd/migrate.h"
#include "cmd/options.h"
#include "cmd/up/children.h"
#include "cmd/up/supervisor.h"
#include "services/services.h"

/* The lowest rank stops first. */
enum rank { RANK_GATEWAY, RANK_SERVICES, RANK_REDIS, RANK_POSTGRESQL };

#define READY_MS        120000
#define READY_POLL_MS   10
#define READY_ANSWER_MS 2000
#define ASK_US          50000   /* between questions to the processes behind the gateway */
#define UNREACHABLE_US  1000000 /* a database that cannot be used for so long is missing, or its role is */
#define DEATHS_AT_START 5

struct up {
        struct settings settings;
        struct embedded embedded;
        struct serve_plan plan;
        bool split;
        const char *layout; /* NULL: not given */
        struct http_target target;
        bool migrated;
        bool demo; /* make a demo account, and print its password */
        struct supervisor *supervisor;
        struct buf error;
};

/* Progress output: one line at a time, flushed even into a pipe. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        printf("\n");
        fflush(stdout);
}

/* In a child, so that Ctrl-C is handled meanwhile. */
static int migrate_in_child(void *context)
{
        CLEANUP(buf_free) struct buf error;

        buf_init(&error, 4096);
        if (migrate_embedded(context, &error) != SN_OK) {
                fprintf(stderr, "sonet up: %s\n", error.len > 0 ? error.data : "cannot migrate the databases");
                return 1;
        }
        return 0;
}

static sn_status run_migrations(struct up *up)
{
        up->migrated = true;
        int code = supervisor_run(up->supervisor, &(struct process_spec){.name = "migrate",
                                                                         .death_signal = 9,
                                                                         .run = migrate_in_child,
                                                                         .context = &up->embedded});
        if (code != 0) {
                buf_append_c(&up->error, code < 0 ? "" : "could not prepare the databases");
                return code < 0 ? SN_CANCELLED : SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

/* What the processes report while they start. */
struct starting {
        int64_t until_us; /* when they must be ready */
        int deaths;
        struct buf report;
        size_t asked; /* the process behind the gateway that was asked last */
        int64_t asked_us;
        size_t down;           /* a process that reports a database that it cannot use */
        int64_t down_since_us; /* since when; 0: there is none */
};

static void begin_waiting(struct up *up, struct starting *starting)
{
        starting->until_us = clock_monotonic_us() + READY_MS * INT64_C(1000);
        starting->deaths = supervisor_deaths(up->supervisor);
}

/* Asks the processes behind the gateway in turn: it does not know why they are not ready. False: it is not time yet. */
static bool ask_another(struct up *up, struct starting *starting)
{
        const struct layout *layout = &up->plan.layout;
        int64_t now_us = clock_monotonic_us();
        struct http_target target;

        if (layout->n == 1 || now_us < starting->asked_us + ASK_US) {
                return layout->n == 1; /* it has just been asked */
        }
        starting->asked_us = now_us;
        starting->asked = starting->asked % (layout->n - 1) + 1;
        const struct layout_process *process = &layout->processes[starting->asked];

        return http_target_set(&target, serve_plan_http_address(&up->plan, process), process->http_port) &&
               http_exchange(&target, "GET", "/readyz", NULL, READY_ANSWER_MS, &starting->report) > 0;
}

/* Whether a process misses migrations, or a database or its role, which it cannot use although PostgreSQL answers. The
 * processes check that anyway: checking it before they start would only delay every start. */
static bool misses_migrations(struct up *up, struct starting *starting)
{
        const char *report = starting->report.len > 0 ? starting->report.data : "";
        int64_t now_us = clock_monotonic_us();

        if (strstr(report, "migrations incomplete") != NULL) {
                return true;
        }
        if (strstr(report, "database down") == NULL) {
                starting->down_since_us = starting->down == starting->asked ? 0 : starting->down_since_us;
                return false;
        }
        if (starting->down_since_us == 0) {
                starting->down = starting->asked;
                starting->down_since_us = now_us;
        }
        return now_us > starting->down_since_us + UNREACHABLE_US && embedded_postgresql_answers(&up->embedded);
}

static sn_status migrate_if_missed(struct up *up, struct starting *starting)
{
        if (up->migrated || !ask_another(up, starting) || !misses_migrations(up, starting)) {
                return SN_OK;
        }
        say("migrating the databases…");
        TRY(run_migrations(up));
        begin_waiting(up, starting); /* migrations may take long */
        return SN_OK;
}

static sn_status keep_waiting(struct up *up, struct starting *starting)
{
        if (!supervisor_poll(up->supervisor, READY_POLL_MS)) {
                return SN_CANCELLED;
        }
        if (supervisor_deaths(up->supervisor) - starting->deaths >= DEATHS_AT_START ||
            clock_monotonic_us() > starting->until_us) {
                buf_append_c(&up->error, "the services did not become ready; see the messages above");
                return SN_UNAVAILABLE;
        }
        return migrate_if_missed(up, starting);
}

static sn_status wait_until_ready(struct up *up)
{
        struct starting starting = {0};
        sn_status status = SN_OK;

        buf_init(&starting.report, 65536);
        begin_waiting(up, &starting);
        while (status == SN_OK &&
               http_exchange(&up->target, "GET", "/readyz", NULL, READY_ANSWER_MS, &starting.report) != 200) {
                status = keep_waiting(up, &starting);
        }
        buf_free(&starting.report);
        return status;
}

static void print_welcome(struct up *up)
{
        CLEANUP(buf_free) struct buf text;
        CLEANUP(buf_free) struct buf grpc;
        struct demo demo = {""};

        say("ready http://%s:%d", up->target.host, up->target.port);
        if (up->demo) {
                demo_ensure(&demo, &up->target, up->embedded.data);
        }
        buf_init(&text, 16384);
        buf_init(&grpc, 4096);
        serve_plan_print_grpc(&up->plan, &grpc);
        demo_print(&demo, &up->target, grpc.data, up->embedded.data, &text);
        say("%s", text.data);
}

static sn_status bring_up(struct up *up)
{
        TRY(serve_plan_check_connections(&up->settings, &up->error));
        TRY(embedded_open(&up->embedded, &up->error));
        TRY(serve_plan_make(&up->plan, up->settings.http_port, &up->error));
        if (!http_target_set(&up->target, up->plan.address, up->plan.layout.processes[0].http_port)) {
                return SN_INVALID_ARGUMENT;
        }
        say(up->embedded.fresh ? "creating the database in %s…" : "starting on %s…", up->embedded.data);
        say("memory: PostgreSQL %lld MiB, Redis %lld MiB, of %lld (EMBEDDED_POSTGRESQL_BYTES, EMBEDDED_REDIS_BYTES)",
            (long long)(up->embedded.memory.postgresql_bytes >> 20), (long long)(up->embedded.memory.redis_bytes >> 20),
            (long long)(up->embedded.memory.machine_bytes >> 20));
        TRY(embedded_start(&up->embedded, up->supervisor, RANK_REDIS, RANK_POSTGRESQL, &up->error));
        if (up->embedded.fresh) {
                TRY(run_migrations(up));
        }
        serve_children_add(&up->plan, up->supervisor, RANK_GATEWAY);
        TRY(wait_until_ready(up));
        supervisor_has_run(up->supervisor);
        print_welcome(up);
        return SN_OK;
}

/* Only the speed of the first writes depends on it. False: stopping was requested. */
static bool prepare_wal(struct up *up)
{
        int code = supervisor_run(up->supervisor, &(struct process_spec){.name = "wal",
                                                                         .account = &up->embedded.account,
                                                                         .death_signal = 9,
                                                                         .run = embedded_wal_prepare,
                                                                         .context = &up->embedded});

        if (code > 0) {
                log_event(LOG_LEVEL_WARN, "could not prepare segments of PostgreSQL's write-ahead log");
        }
        return code >= 0;
}

/* Runs until stopping is requested; returns the exit code. */
static int run_until_stopped(struct up *up)
{
        sn_status status = bring_up(up);

        if (status == SN_OK && prepare_wal(up)) {
                while (supervisor_poll(up->supervisor, 60000)) {
                }
        }
        if (status == SN_OK || status == SN_CANCELLED) {
                say("stopping…");
        }
        supervisor_stop(up->supervisor);
        if (supervisor_refused(up->supervisor)) {
                fprintf(stderr, "sonet up: a process did not take its settings; see the reason above\n");
                return EXIT_SETTINGS;
        }
        if (status != SN_OK && status != SN_CANCELLED) {
                fprintf(stderr, "sonet up: %s\n", up->error.len > 0 ? up->error.data : sn_status_name(status));
                return EXIT_FAILURE;
        }
        say("stopped");
        return EXIT_SUCCESS;
}

/* libpq reads PG… variables, which are meant for other servers than ours. */
static void forget_libpq_environment(void)
{
        for (char **entry = environ; *entry != NULL;) {
                char name[64];
                size_t len = strcspn(*entry, "=");
                if (strncmp(*entry, "PG", 2) != 0 || len >= sizeof(name)) {
                        entry++;
                        continue;
                }
                memcpy(name, *entry, len);
                name[len] = '\0';
                unsetenv(name); /* moves later entries up: check this index again */
        }
}

static void append_name(struct buf *names, const char *value, const char *name)
{
        if (value[0] != '\0') {
                buf_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
        }
}

/* Users who set these expect their own servers to be used. */
static void warn_of_unused(const struct settings *s, bool split)
{
        CLEANUP(buf_free) struct buf names;

        buf_init(&names, 1024);
        append_name(&names, s->database_url, "DATABASE_URL");
#define SERVICE(name, NAME) append_name(&names, s->name##_database_url, #NAME "_DATABASE_URL");
#include "base/services.def.h"
        append_name(&names, s->redis_url, "REDIS_URL");
        if (names.len > 0) {
                fprintf(stderr,
                        "sonet up: ignoring %s: 'sonet up' runs its own PostgreSQL and Redis; to use yours, run "
                        "'sonet serve'\n",
                        names.data);
        }
        if (split && s->grpc_port != 0) {
                fprintf(stderr, "sonet up: ignoring GRPC_PORT: with --split or --layout each process has a port "
                                "of its own\n");
        }
}

static sn_status choose_layout(struct up *up)
{
        if (up->split && up->layout != NULL) {
                buf_append_c(&up->error, "--split and --layout cannot be combined");
                return SN_INVALID_ARGUMENT;
        }
        if (up->layout != NULL) {
                return layout_parse(&up->plan.layout, up->layout, &up->error);
        }
        if (up->split) {
                layout_process_each(&up->plan.layout);
        } else {
                layout_one_process(&up->plan.layout);
        }
        return SN_OK;
}

static sn_status prepare_folder(struct up *up, int64_t port, const char *folder)
{
        struct http_target probe;

        TRY(choose_layout(up));
        TRY(settings_load(&up->settings, &up->error));
        up->plan.address = up->plan.address != NULL ? up->plan.address : up->settings.http_address;
        up->settings.http_address = up->plan.address;
        up->settings.http_port = port >= 0 ? port : up->settings.http_port;
        TRY(settings_check(&up->settings, &up->error));
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (sonet_services[i]->check != NULL) {
                        TRY(sonet_services[i]->check(&up->settings, &up->error));
                }
        }
        if (!http_target_set(&probe, up->plan.address, 1)) {
                buf_printf(&up->error, "'%s' is not an IP address; give an IPv4 or IPv6 address of this machine",
                           up->plan.address);
                return SN_INVALID_ARGUMENT;
        }
        log_setup("sonet", settings_log_level(&up->settings), settings_log_format(&up->settings));
        TRY(embedded_locate(&up->embedded, &up->settings, folder, &up->error));
        warn_of_unused(&up->settings, up->plan.layout.n > 1);
        return SN_OK;
}

int cmd_up(int argc, char **argv)
{
        static struct up up; /* the children's specifications point into it */
        int64_t port = -1;
        const char *folder = NULL;
        int first = 0;
        const struct option_row rows[] = {
            {"port", OPTION_NUMBER, &port, "N",
             "HTTP port (HTTP_PORT or 8080; 0: any free port); gRPC uses the next one", 0, 65535},
            {"data", OPTION_TEXT, &folder, "DIR",
             "data folder (SONET_DATA_DIR, ~/.local/share/sonet; as root /var/lib/sonet)", 0, 0},
            {"address", OPTION_TEXT, &up.plan.address, "A", "address to listen on (HTTP_ADDRESS or 127.0.0.1)", 0, 0},
            {"demo", OPTION_FLAG, &up.demo, NULL, "create a demo account, and print its password and things to try", 0,
             0},
            {"split", OPTION_FLAG, &up.split, NULL, "one process per service, and one for the gateway", 0, 0},
            {"layout", OPTION_TEXT, &up.layout, "L",
             "which services share a process, as in 'gateway user | follow note timeline' (default: all)", 0, 0},
        };
        enum options_result result = options_parse(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, &first);

        if (result == OPTIONS_RUN && first < argc) {
                fprintf(stderr, "sonet up: unexpected operand '%s'; see 'sonet help up'\n", argv[first]);
                result = OPTIONS_BAD;
        }
        if (result != OPTIONS_RUN) {
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        umask(022);
        forget_libpq_environment();
        buf_init(&up.error, 4096);
        sn_status prepared = prepare_folder(&up, port, folder);
        if (prepared != SN_OK) {
                fprintf(stderr, "sonet up: %s\n", up.error.data);
                return prepared == SN_INVALID_ARGUMENT ? EXIT_SETTINGS : EXIT_FAILURE;
        }
        up.supervisor = supervisor_new();
        up.plan.embedded = &up.embedded;
        up.plan.settings = &up.settings;
        up.plan.arena = arena_new(4 << 20);
        int code = run_until_stopped(&up);
        supervisor_free(up.supervisor);
        arena_free(up.plan.arena);
        buf_free(&up.error);
        return code;
}
