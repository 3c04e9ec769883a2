/* Owns the data folder of `sonet up`: where things are, the lock, the key, and the two servers that run there. */
#include "cmd/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "auth/keys.h"
#include "base/clock.h"
#include "cmd/embedded_files.h"

#define POSTGRESQL_VERSION  "15"
#define POSTGRESQL_SOCKET   ".s.PGSQL.5432"
#define SOCKET_PATH_MAX     ((int)sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define POSTGRESQL_START_MS 120000 /* recovery after a crash may take its time */
#define REDIS_START_MS      10000
#define LEFTOVERS_MS        10000
#define DEATHS_AT_START     4

static const char FOLDER_REFUSED[] = "'\"\\,{}%";

/* Whether the whole of it fitted. */
__attribute__((format(printf, 3, 4))) static bool set_path(char *out, size_t size, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        int len = vsnprintf(out, size, format, args);
        va_end(args);
        return len > 0 && (size_t)len < size;
}

#define SET_PATH(out, ...) set_path((out), sizeof(out), __VA_ARGS__)

/* $variable/sonet, or ~/fallback/sonet. */
static bool home_folder(const struct account *account, const char *variable, const char *fallback, char *out,
                        size_t size)
{
        const char *base = getenv(variable);
        const char *home = getenv("HOME");

        if (base != NULL && base[0] == '/') { /* the XDG specification: relative ones are to be ignored */
                return set_path(out, size, "%s/sonet", base);
        }
        if (home == NULL || home[0] != '/') {
                home = account->home;
        }
        return home[0] == '/' && set_path(out, size, "%s/%s/sonet", home, fallback);
}

static bool choose_folder(struct embedded *e, const struct settings *settings, const char *folder)
{
        char here[EMBEDDED_PATH_MAX];

        if (folder == NULL && settings->data_dir[0] != '\0') {
                folder = settings->data_dir;
        }
        if (folder != NULL && folder[0] == '/') {
                return SET_PATH(e->data, "%s", folder);
        }
        if (folder != NULL) {
                return getcwd(here, sizeof(here)) != NULL && SET_PATH(e->data, "%s/%s", here, folder);
        }
        if (e->account.drop) {
                return SET_PATH(e->data, "/var/lib/sonet");
        }
        return home_folder(&e->account, "XDG_DATA_HOME", ".local/share", e->data, sizeof(e->data));
}

static bool choose_key_file(struct embedded *e, const struct settings *settings)
{
        char folder[EMBEDDED_PATH_MAX];

        if (settings->key_file[0] != '\0') {
                return SET_PATH(e->key_file, "%s", settings->key_file);
        }
        if (e->account.drop) {
                return SET_PATH(e->key_file, "/etc/sonet/key");
        }
        return home_folder(&e->account, "XDG_CONFIG_HOME", ".config", folder, sizeof(folder)) &&
               SET_PATH(e->key_file, "%s/key", folder);
}

/* Everything below e->data, once that is known. */
static bool set_paths(struct embedded *e)
{
        const char *data = e->data;

        return SET_PATH(e->postgresql, "%s/postgresql", data) &&
               SET_PATH(e->cluster, "%s/postgresql/" POSTGRESQL_VERSION, data) &&
               SET_PATH(e->cluster_new, "%s/postgresql/" POSTGRESQL_VERSION ".new", data) &&
               SET_PATH(e->redis, "%s/redis", data) && SET_PATH(e->run, "%s/run", data) &&
               SET_PATH(e->log, "%s/log", data) && SET_PATH(e->postgresql_log, "%s/log/postgresql.log", data) &&
               SET_PATH(e->redis_log, "%s/log/redis.log", data) &&
               SET_PATH(e->redis_socket, "%s/run/redis.sock", data) &&
               SET_PATH(e->redis_settings, "%s/redis/redis.conf", data);
}

/* The folder's name goes into settings files, URLs and socket addresses: what one of them cannot take is refused here,
 * once. */
static sn_status check_folder_name(const struct embedded *e, struct buf *error)
{
        int longest = (int)strlen(e->data) + (int)sizeof("/run/" POSTGRESQL_SOCKET) - 1;

        for (const char *c = e->data; *c != '\0'; c++) {
                if ((unsigned char)*c < ' ' || *c == 127 || strchr(FOLDER_REFUSED, *c) != NULL) {
                        buf_printf(error, "the data folder's name may not hold control characters or any of %s",
                                   FOLDER_REFUSED);
                        return SN_INVALID_ARGUMENT;
                }
        }
        if (longest > SOCKET_PATH_MAX) {
                buf_printf(error,
                           "the data folder %s is %d bytes too long: sockets are made in it, and their paths may have "
                           "%d bytes. "
                           "Choose a shorter one with --data",
                           e->data, longest - SOCKET_PATH_MAX, SOCKET_PATH_MAX);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

/* Symbolic links are resolved as far as the folder exists, so that it is known under one name only. */
static bool resolve_folder(struct embedded *e)
{
        char resolved[PATH_MAX];

        for (size_t len = strlen(e->data); len > 1 && e->data[len - 1] == '/'; len--) {
                e->data[len - 1] = '\0';
        }
        return realpath(e->data, resolved) == NULL || SET_PATH(e->data, "%s", resolved);
}

sn_status embedded_locate(struct embedded *e, const struct settings *settings, const char *folder, struct buf *error)
{
        *e = (struct embedded){.lock_fd = -1};
        TRY(account_choose(&e->account, error));
        if (!choose_folder(e, settings, folder) || !choose_key_file(e, settings) || !resolve_folder(e) ||
            !set_paths(e)) {
                buf_append_c(
                    error,
                    "there is no usable data folder: HOME is not set, or a path is too long. Choose one with --data");
                return SN_INVALID_ARGUMENT;
        }
        return check_folder_name(e, error);
}

static sn_status refuse(struct buf *error, const char *doing, const char *path)
{
        buf_printf(error, "cannot %s %s: %s", doing, path, strerror(errno));
        return SN_FAILED_PRECONDITION;
}

/* mkdir -p: what is missing on the way is made with mode 0755, the last one with `mode`. */
static sn_status make_folders(const char *path, mode_t mode, struct buf *error)
{
        char prefix[PATH_MAX];

        for (size_t i = 1; path[i - 1] != '\0' && i < sizeof(prefix); i++) {
                if (path[i] != '/' && path[i] != '\0') {
                        continue;
                }
                memcpy(prefix, path, i);
                prefix[i] = '\0';
                if (mkdir(prefix, path[i] == '\0' ? mode : 0755) != 0 && errno != EEXIST) {
                        return refuse(error, "make the folder", prefix);
                }
        }
        return SN_OK;
}

/* A folder that belongs to the account alone. An existing one must be its own already: data is never taken from
 * somebody else. */
static sn_status make_own_folder(const struct embedded *e, const char *path, struct buf *error)
{
        struct stat st;
        bool made = mkdir(path, 0700) == 0;

        if (!made && errno != EEXIST) {
                return refuse(error, "make the folder", path);
        }
        if (made && e->account.drop && lchown(path, e->account.uid, e->account.gid) != 0) {
                return refuse(error, "give away the folder", path);
        }
        if (lstat(path, &st) != 0) {
                return refuse(error, "read", path);
        }
        if (!S_ISDIR(st.st_mode) || st.st_uid != e->account.uid) {
                buf_printf(
                    error,
                    "%s is not a folder of the account '%s'. It was probably made by another one: run as that one, or "
                    "choose another folder with --data",
                    path, e->account.name);
                return SN_FAILED_PRECONDITION;
        }
        return made || (st.st_mode & 0777) == 0700 || chmod(path, 0700) == 0 ? SN_OK : refuse(error, "close", path);
}

static sn_status take_lock(struct embedded *e, struct buf *error)
{
        char path[EMBEDDED_PATH_MAX + 8], pid[32] = "";

        snprintf(path, sizeof(path), "%s/lock", e->data);
        e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (e->lock_fd < 0) {
                return refuse(error, "open", path);
        }
        if (flock(e->lock_fd, LOCK_EX | LOCK_NB) == 0) {
                int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
                return ftruncate(e->lock_fd, 0) == 0 && write(e->lock_fd, pid, (size_t)len) == len
                           ? SN_OK
                           : refuse(error, "write", path);
        }
        if (errno != EWOULDBLOCK) {
                return refuse(error, "lock", path);
        }
        ssize_t len = read(e->lock_fd, pid, sizeof(pid) - 1);
        pid[len > 0 ? len : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        buf_printf(error, "SoNet is already running on %s (process %s). Stop it, or choose another folder with --data",
                   e->data, pid);
        return SN_ALREADY_EXISTS;
}

static bool is_below(const char *path, const char *folder)
{
        size_t len = strlen(folder);

        return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Makes the key file's folder and its path absolute. Who copies the data folder must not copy the key with it unawares.
 */
static sn_status place_key_file(struct embedded *e, struct buf *error)
{
        char folder[PATH_MAX], resolved[PATH_MAX];
        const char *slash = strrchr(e->key_file, '/');
        const char *name = slash != NULL ? slash + 1 : e->key_file;

        if (!SET_PATH(folder, "%.*s", slash != NULL ? (int)(slash - e->key_file) + 1 : 1,
                      slash != NULL ? e->key_file : ".")) {
                errno = ENAMETOOLONG;
                return refuse(error, "use the key file", e->key_file);
        }
        TRY(make_folders(folder, 0700, error));
        char key_file[PATH_MAX];
        if (realpath(folder, resolved) == NULL ||
            !SET_PATH(key_file, "%s/%s", strcmp(resolved, "/") == 0 ? "" : resolved, name)) {
                return refuse(error, "use the key file's folder", folder);
        }
        memcpy(e->key_file, key_file, sizeof(key_file));
        if (is_below(e->key_file, e->data)) {
                buf_printf(
                    error,
                    "the key file %s lies in the data folder: keep it elsewhere, so that a copy of the data does not "
                    "carry the key",
                    e->key_file);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

/* DATA/key-check holds a text derived from the key: with another key no password would fit, and this says so at once.
 */
static sn_status check_key_belongs(const struct embedded *e, struct buf *error)
{
        char path[EMBEDDED_PATH_MAX + 16], expected[44], found[64] = "";

        snprintf(path, sizeof(path), "%s/key-check", e->data);
        keys_derive_text("data-folder", expected);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
                return refuse(error, "open", path);
        }
        ssize_t len = read(fd, found, sizeof(found) - 1);
        bool good = len == 43 && memcmp(found, expected, 43) == 0;
        if (!good && (len == 0 || e->fresh)) {
                good = ftruncate(fd, 0) == 0 && pwrite(fd, expected, 43, 0) == 43;
        }
        close(fd);
        if (!good) {
                buf_printf(error,
                           "the key file %s is not the one that %s was made with: set SONET_KEY_FILE to that one",
                           e->key_file, e->data);
                return SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

static sn_status load_key(struct embedded *e, bool may_create, struct buf *error)
{
        if (!may_create && access(e->key_file, F_OK) != 0) {
                buf_printf(error,
                           "the key file %s is missing, and the data in %s was made with it: put its copy back, or set "
                           "SONET_KEY_FILE to where it is",
                           e->key_file, e->data);
                return SN_FAILED_PRECONDITION;
        }
        TRY(keys_load(e->key_file, may_create, error));
        keys_derive_text("database:" EMBEDDED_ADMIN_ROLE, e->admin_password);
        return SN_OK;
}

static bool executable(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Debian's place, then what pg_config of that version says. */
static bool find_postgresql(struct embedded *e)
{
        char line[PATH_MAX] = "", path[PATH_MAX + 16];

        if (executable("/usr/lib/postgresql/" POSTGRESQL_VERSION "/bin/postgres")) {
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
        return got && executable(path) && SET_PATH(e->postgresql_bin, "%s", line);
}

static bool find_redis(struct embedded *e)
{
        const char *search = getenv("PATH");
        char path[PATH_MAX];

        for (const char *at = search != NULL ? search : "/usr/bin:/usr/local/bin"; *at != '\0';) {
                size_t len = strcspn(at, ":");
                if (len > 0 && SET_PATH(path, "%.*s/redis-server", (int)len, at) && executable(path)) {
                        return SET_PATH(e->redis_server, "%s", path);
                }
                at += len + (at[len] == ':');
        }
        return executable("/usr/bin/redis-server") && SET_PATH(e->redis_server, "/usr/bin/redis-server");
}

static sn_status find_programs(struct embedded *e, struct buf *error)
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

sn_status embedded_open(struct embedded *e, struct buf *error)
{
        char asked[EMBEDDED_PATH_MAX];

        TRY(find_programs(e, error));
        TRY(account_check_reach(&e->account, e->data, error));
        TRY(make_folders(e->data, 0711, error));
        memcpy(asked, e->data, sizeof(asked));
        if (!resolve_folder(e) || !set_paths(e)) { /* it exists only now: links on the way show */
                buf_printf(error, "the data folder %s leads to a path that is too long", asked);
                return SN_INVALID_ARGUMENT;
        }
        TRY(check_folder_name(e, error));
        TRY(account_check_reach(&e->account, e->data, error)); /* an existing one may be closed, or behind a link */
        TRY(take_lock(e, error));
        TRY(make_own_folder(e, e->postgresql, error));
        TRY(make_own_folder(e, e->redis, error));
        TRY(make_own_folder(e, e->run, error));
        TRY(make_own_folder(e, e->log, error));
        e->fresh = access(e->cluster, F_OK) != 0;
        TRY(place_key_file(e, error));
        TRY(load_key(e, e->fresh, error));
        return check_key_belongs(e, error);
}

sn_status embedded_attach(struct embedded *e, struct buf *error)
{
        if (access(e->cluster, F_OK) != 0) {
                buf_printf(error, "there is no SoNet in %s: set DATABASE_URL, or name its folder with --data", e->data);
                return SN_NOT_FOUND;
        }
        return load_key(e, false, error);
}

static void remove_in(const char *folder, const char *name)
{
        char path[EMBEDDED_PATH_MAX + 32];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        unlink(path);
}

/* The postmaster is gone. Its backends may live on for a moment, and a new one must not share their files: they are
 * ended first. Only then its id file goes, since the id in it may have become another process's. */
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

/* What a killed supervisor left got its death signal and is on its way out; a postmaster is given time to end well. */
static sn_status wait_for_leftovers(const struct embedded *e, struct supervisor *s)
{
        int64_t until_us = clock_monotonic_us() + LEFTOVERS_MS * INT64_C(1000);
        pid_t pid = 0;

        while (process_find(e->cluster, "postgres", &pid, 1) > 0 && clock_monotonic_us() < until_us) {
                if (!supervisor_poll(s, 10)) {
                        return SN_CANCELLED;
                }
        }
        process_kill_all(e->cluster_new, "postgres", SIGKILL, 5000); /* of an initdb that was cut off */
        process_kill_all(e->postgresql, "initdb", SIGKILL, 5000);
        return SN_OK;
}

/* Neither server sees the caller's environment: PGPORT and the like would change what it does. */
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
                buf_printf(error, "the step '%s' failed; %s/ may say more", step.name, e->log);
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
        supervisor_add(s, &(struct child_spec){.process = {.name = "postgresql",
                                                           .account = &e->account,
                                                           .folder = e->cluster,
                                                           .log_file = e->postgresql_log,
                                                           .death_signal = SIGINT,
                                                           .argv = argv,
                                                           .envp = CLEAN_ENVIRONMENT},
                                               .rank = rank,
                                               .stop_signal = SIGINT, /* fast: ends sessions, writes a checkpoint */
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
        supervisor_add(
            s, &(struct child_spec){.process = {.name = "redis",
                                                .account = &e->account,
                                                .folder = e->redis,
                                                .log_file = e->redis_log,
                                                .death_signal = SIGKILL, /* it keeps nothing that must be written */
                                                .argv = argv,
                                                .envp = CLEAN_ENVIRONMENT},
                                    .rank = rank,
                                    .stop_signal = SIGTERM,
                                    .grace_ms = 1000,
                                    .force_signal = SIGKILL,
                                    .clean = clean_redis,
                                    .context = e});
}

static bool postgresql_answers(const struct embedded *e)
{
        const char *const keys[] = {"host", "port", "dbname", "user", "connect_timeout", NULL};
        const char *const values[] = {e->run, "5432", "postgres", EMBEDDED_ADMIN_ROLE, "2", NULL};

        return PQpingParams(keys, values, 0) == PQPING_OK;
}

static bool redis_answers(const struct embedded *e)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, e->redis_socket, strlen(e->redis_socket) + 1); /* check_folder_name: it fits */
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
                        buf_printf(error, "%s does not start: see the end of %s/%s.log", name, e->log, name);
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
        TRY(wait_for(e, s, "postgresql", postgresql_answers, POSTGRESQL_START_MS, error));
        return wait_for(e, s, "redis", redis_answers, REDIS_START_MS, error);
}

/* A folder as one word of a URL: everything but letters, digits and -._~ is escaped (RFC 3986). */
static const char *escape(struct arena *arena, const char *text)
{
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        size_t len = strlen(text), n = 0;
        char *out = arena_alloc(arena, 3 * len + 1);

        for (size_t i = 0; i < len; i++) {
                if (strchr(plain, text[i]) != NULL) {
                        out[n++] = text[i];
                } else {
                        n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned char)text[i]);
                }
        }
        return out;
}

const char *embedded_admin_url(const struct embedded *e, struct arena *arena)
{
        return arena_printf(arena, "postgresql://" EMBEDDED_ADMIN_ROLE ":%s@/postgres?host=%s", e->admin_password,
                            escape(arena, e->run));
}

const char *embedded_database_url(const struct embedded *e, struct arena *arena, const char *database)
{
        char password[44];
        const char *label = arena_printf(arena, "database:%s", database);

        keys_derive_text(label, password);
        return arena_printf(arena, "postgresql://%s:%s@/%s?host=%s", database, password, database,
                            escape(arena, e->run));
}

const char *embedded_redis_url(const struct embedded *e, struct arena *arena)
{
        return arena_printf(arena, "unix://%s", e->redis_socket);
}
