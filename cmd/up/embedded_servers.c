/* Owns the two servers of the data folder: finding their executables, creating the cluster, starting them, and
 * cleaning up after a kill. */
#include "cmd/up/embedded_parts.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "cmd/up/embedded_files.h"

#define POSTGRESQL_START_MS 120000 /* recovery after a crash may take long */
#define REDIS_START_MS      10000
#define LEFTOVERS_MS        10000
#define DEATHS_AT_START     4

static bool is_executable(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Debian's location, then what pg_config of that version says. */
static bool find_postgresql(struct embedded *e)
{
        char line[PATH_MAX] = "", path[PATH_MAX + 16];

        if (is_executable("/usr/lib/postgresql/" POSTGRESQL_VERSION "/bin/postgres")) {
                return SET_PATH(e->postgresql_bin, "/usr/lib/postgresql/" POSTGRESQL_VERSION "/bin");
        }
        FILE *asked =
            popen("pg_config --version 2>/dev/null | grep -q ' " POSTGRESQL_VERSION "' && pg_config --bindir", "re");
        if (asked == NULL) {
                return false;
        }
        bool got = fgets(line, sizeof(line), asked) != NULL;
        pclose(asked);
        line[strcspn(line, "\n")] = '\0';
        snprintf(path, sizeof(path), "%s/postgres", line);
        return got && is_executable(path) && SET_PATH(e->postgresql_bin, "%s", line);
}

static bool find_redis(struct embedded *e)
{
        const char *search = getenv("PATH");
        char path[PATH_MAX];

        for (const char *at = search != NULL ? search : "/usr/bin:/usr/local/bin"; *at != '\0';) {
                size_t len = strcspn(at, ":");
                if (len > 0 && SET_PATH(path, "%.*s/redis-server", (int)len, at) && is_executable(path)) {
                        return SET_PATH(e->redis_server, "%s", path);
                }
                at += len + (at[len] == ':');
        }
        return is_executable("/usr/bin/redis-server") && SET_PATH(e->redis_server, "/usr/bin/redis-server");
}

sn_status embedded_find_programs(struct embedded *e, struct buf *error)
{
        if (!find_postgresql(e)) {
                buf_append_c(error, "PostgreSQL " POSTGRESQL_VERSION
                                    " is not installed (on Debian: apt-get install postgresql)");
                return SN_FAILED_PRECONDITION;
        }
        if (!find_redis(e)) {
                buf_append_c(error, "Redis is not installed (on Debian: apt-get install redis-server)");
                return SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

static void remove_in(const char *folder, const char *name)
{
        char path[EMBEDDED_PATH_MAX + 32];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        unlink(path);
}

/* The postmaster is gone, but its backends may still be running, and a new one must not share their files, so they
 * are killed first. Only then is its pid file removed, as the pid in it may have been reused. */
static void clean_postgresql(void *context)
{
        const struct embedded *e = context;

        if (process_kill_all(e->cluster, "postgres", SIGKILL, 5000)) {
                remove_in(e->cluster, "postmaster.pid");
                remove_in(e->run, POSTGRESQL_SOCKET);
                remove_in(e->run, POSTGRESQL_SOCKET ".lock");
        }
}

static void clean_redis(void *context)
{
        const struct embedded *e = context;

        process_kill_all(e->redis, "redis", SIGKILL, 2000);
        unlink(e->redis_socket);
}

/* Children of a killed supervisor got their death signal and are exiting; a postmaster gets time for a clean
 * shutdown. */
static sn_status wait_for_leftovers(const struct embedded *e, struct supervisor *s)
{
        int64_t until_us = clock_monotonic_us() + LEFTOVERS_MS * INT64_C(1000);
        pid_t pid = 0;

        while (process_find(e->cluster, "postgres", &pid, 1) > 0 && clock_monotonic_us() < until_us) {
                if (!supervisor_poll(s, 10)) {
                        return SN_CANCELLED;
                }
        }
        process_kill_all(e->cluster_new, "postgres", SIGKILL, 5000); /* of an interrupted initdb */
        process_kill_all(e->postgresql, "initdb", SIGKILL, 5000);
        return SN_OK;
}

/* Neither server inherits the caller's environment: PGPORT and the like would affect it. */
static char *const CLEAN_ENVIRONMENT[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC", NULL};

static sn_status run_step(struct embedded *e, struct supervisor *s, struct process_spec step, struct buf *error)
{
        step.account = &e->account;
        step.folder = e->postgresql;
        step.death_signal = SIGKILL;
        step.envp = CLEAN_ENVIRONMENT;
        int code = supervisor_run(s, &step);
        if (code < 0) {
                return SN_CANCELLED;
        }
        if (code != 0) {
                buf_printf(error, "the step '%s' failed; see the logs in %s/", step.name, e->log);
                return SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

static sn_status run_initdb(struct embedded *e, struct supervisor *s, struct buf *error)
{
        char program[PATH_MAX + 16], password_option[EMBEDDED_PATH_MAX + 32];
        char *argv[] = {program,
                        "--pgdata",
                        e->cluster_new,
                        "--username=" EMBEDDED_ADMIN_ROLE,
                        password_option,
                        "--encoding=UTF8",
                        "--locale=C.UTF-8",
                        "--data-checksums",
                        "--auth=scram-sha-256",
                        "--no-instructions",
                        NULL};

        snprintf(program, sizeof(program), "%s/initdb", e->postgresql_bin);
        snprintf(password_option, sizeof(password_option), "--pwfile=%s/password", e->postgresql);
        return run_step(e, s, (struct process_spec){.name = "initdb", .log_file = e->postgresql_log, .argv = argv},
                        error);
}

static sn_status set_up_files(struct embedded *e, struct supervisor *s, struct buf *error)
{
        TRY(run_step(e, s, (struct process_spec){.name = "prepare", .run = embedded_files_prepare, .context = e},
                     error));
        if (e->fresh) {
                TRY(run_initdb(e, s, error));
        }
        return run_step(e, s, (struct process_spec){.name = "settings", .run = embedded_files_finish, .context = e},
                        error);
}

static void add_postgresql(struct embedded *e, struct supervisor *s, int rank)
{
        static char program[PATH_MAX + 16];
        static char *argv[] = {program, "-D", NULL, NULL};

        snprintf(program, sizeof(program), "%s/postgres", e->postgresql_bin);
        argv[2] = e->cluster;
        supervisor_add(
            s, &(struct child_spec){.process = {.name = "postgresql",
                                                .account = &e->account,
                                                .folder = e->cluster,
                                                .log_file = e->postgresql_log,
                                                .death_signal = SIGINT,
                                                .argv = argv,
                                                .envp = CLEAN_ENVIRONMENT},
                                    .rank = rank,
                                    .stop_signal = SIGINT, /* fast shutdown: ends sessions, writes a checkpoint */
                                    .grace_ms = 4000,
                                    .force_signal = SIGQUIT,
                                    .clean = clean_postgresql,
                                    .context = e});
}

static void add_redis(struct embedded *e, struct supervisor *s, int rank)
{
        static char *argv[] = {NULL, NULL, NULL};

        argv[0] = e->redis_server;
        argv[1] = e->redis_settings;
        supervisor_add(s,
                       &(struct child_spec){.process = {.name = "redis",
                                                        .account = &e->account,
                                                        .folder = e->redis,
                                                        .log_file = e->redis_log,
                                                        .death_signal = SIGKILL, /* it has nothing that must be saved */
                                                        .argv = argv,
                                                        .envp = CLEAN_ENVIRONMENT},
                                            .rank = rank,
                                            .stop_signal = SIGTERM,
                                            .grace_ms = 1000,
                                            .force_signal = SIGKILL,
                                            .clean = clean_redis,
                                            .context = e});
}

/* Whether the postmaster says that it accepts connections, in the eighth line of its pid file, where pg_ctl reads it,
 * too: asking it costs a process each time, and it has better things to do while it recovers from a crash. */
static bool says_ready(const struct embedded *e)
{
        char path[EMBEDDED_PATH_MAX + 32], text[2048];

        snprintf(path, sizeof(path), "%s/postmaster.pid", e->cluster);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
        if (fd >= 0) {
                close(fd);
        }
        text[len > 0 ? len : 0] = '\0';
        return strstr(text, "\nready") != NULL;
}

/* The pid file may be of a postmaster that was killed. */
bool embedded_postgresql_answers(const struct embedded *e)
{
        const char *const keys[] = {"host", "port", "dbname", "user", "connect_timeout", NULL};
        const char *const values[] = {e->run, "5432", "postgres", EMBEDDED_ADMIN_ROLE, "2", NULL};

        return says_ready(e) && PQpingParams(keys, values, 0) == PQPING_OK;
}

static bool redis_answers(const struct embedded *e)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, e->redis_socket, strlen(e->redis_socket) + 1); /* embedded_check_name: it fits */
        bool answers = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        if (fd >= 0) {
                close(fd);
        }
        return answers;
}

static sn_status wait_for(struct embedded *e, struct supervisor *s, const char *name,
                          bool (*answers)(const struct embedded *e), int timeout_ms, struct buf *error)
{
        int64_t until_us = clock_monotonic_us() + timeout_ms * INT64_C(1000);
        int deaths = supervisor_deaths(s);

        while (!answers(e)) {
                if (!supervisor_poll(s, 5)) {
                        return SN_CANCELLED;
                }
                if (supervisor_deaths(s) - deaths >= DEATHS_AT_START || clock_monotonic_us() > until_us) {
                        buf_printf(error, "%s did not start; see the end of %s/%s.log", name, e->log, name);
                        return SN_UNAVAILABLE;
                }
        }
        return SN_OK;
}

sn_status embedded_start(struct embedded *e, struct supervisor *s, int redis_rank, int postgresql_rank,
                         struct buf *error)
{
        TRY(wait_for_leftovers(e, s));
        TRY(set_up_files(e, s, error));
        add_postgresql(e, s, postgresql_rank);
        add_redis(e, s, redis_rank);
        TRY(wait_for(e, s, "postgresql", embedded_postgresql_answers, POSTGRESQL_START_MS, error));
        return wait_for(e, s, "redis", redis_answers, REDIS_START_MS, error);
}
