/* Owns the contents of postgresql.conf, pg_hba.conf and redis.conf, and the steps around initdb. */
#include "cmd/up/embedded_files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)

/* Durability first; embedded_memory.h decides on memory. ALTER SYSTEM overrides everything but what SoNet depends
 * on. */
static const char POSTGRESQL_SETTINGS[] =
    "# Written by 'sonet up' at every start; change settings with ALTER SYSTEM.\n"
    "listen_addresses = ''\n"
    "port = 5432\n"
    "unix_socket_permissions = 0700\n"
    "password_encryption = scram-sha-256\n"
    "max_connections = " STRINGIFY(
        EMBEDDED_MAX_CONNECTIONS) "\n"
                                  "superuser_reserved_connections = 2\n"
                                  "fsync = on\n"
                                  "full_page_writes = on\n"
                                  "synchronous_commit = on\n"
                                  "huge_pages = off\n"
                                  "work_mem = 4MB\n"
                                  "maintenance_work_mem = 32MB\n"
                                  "random_page_cost = 1.1\n"
                                  "min_wal_size = 256MB\n" /* kept ahead for bursts: see embedded_wal.c */
                                  "max_wal_size = 1GB\n"
                                  "recovery_init_sync_method = syncfs\n" /* one call instead of an fsync of each of some
                                                                            thousand files */
                                  "max_worker_processes = 4\n"
                                  "max_parallel_workers_per_gather = 0\n" /* queries are short: parallel plans would
                                                                             only cost start-up time */
                                  "max_wal_senders = 2\n"
                                  "max_logical_replication_workers = 0\n"
                                  "autovacuum_max_workers = 2\n"
                                  "jit = off\n"
                                  "shared_preload_libraries = 'pg_stat_statements'\n"
                                  "pg_stat_statements.max = 1000\n"
                                  "timezone = 'UTC'\n"
                                  "log_timezone = 'UTC'\n"
                                  "log_destination = 'stderr'\n"
                                  "logging_collector = off\n"
                                  "log_checkpoints = off\n"
                                  "log_error_verbosity = terse\n" /* details quote rows, which hold what members wrote
                                                                   */
                                  "log_min_error_statement = panic\n";

static const char REDIS_SETTINGS[] =
    "# Written by 'sonet up' at every start.\n"
    "port 0\n"
    "unixsocketperm 700\n"
    "daemonize no\n"
    "logfile \"\"\n"
    "databases 1\n"
    "maxclients 1000\n"
    "maxmemory-policy volatile-lru\n" /* timelines may be evicted, as they are rebuilt when read; streams should not */
    "save \"\"\n"
    "appendonly no\n";

static const char HBA[] = "# Written by 'sonet up' at every start. The socket is the only way in.\n"
                          "local all all scram-sha-256\n";

static int print_failure(const char *doing, const char *path)
{
        fprintf(stderr, "sonet: cannot %s %s: %s\n", doing, path, strerror(errno));
        return 1;
}

static int write_all(int fd, const char *text, size_t len)
{
        while (len > 0) {
                ssize_t written = write(fd, text, len);
                if (written < 0 && errno == EINTR) {
                        continue;
                }
                if (written < 0) {
                        return -1;
                }
                text += written;
                len -= (size_t)written;
        }
        return 0;
}

/* Writes a temporary file and renames it, so that the file is either the old one or the new one. */
__attribute__((format(printf, 3, 4))) static int write_file(const char *folder, const char *name, const char *format,
                                                            ...)
{
        char path[PATH_MAX], beside[PATH_MAX + 8], text[8192];
        va_list args;

        va_start(args, format);
        int len = vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        if (len < 0 || len >= (int)sizeof(text) ||
            snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
                errno = ENAMETOOLONG;
                return print_failure("write", folder);
        }
        snprintf(beside, sizeof(beside), "%s.new", path);
        int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0) {
                return print_failure("write", beside);
        }
        int failed = write_all(fd, text, (size_t)len) != 0 || fsync(fd) != 0;
        failed |= close(fd) != 0;
        return failed || rename(beside, path) != 0 ? print_failure("write", path) : 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *where)
{
        return remove(path);
}

static int remove_tree(const char *path)
{
        if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
                return print_failure("remove", path);
        }
        return 0;
}

int embedded_files_prepare(void *context)
{
        const struct embedded *e = context;

        if (write_file(e->redis, "redis.conf", "%smaxmemory %lld\ndir \"%s\"\nunixsocket \"%s\"\n", REDIS_SETTINGS,
                       (long long)e->memory.redis_bytes, e->redis, e->redis_socket) != 0) {
                return 1;
        }
        if (!e->fresh) {
                return 0;
        }
        return remove_tree(e->cluster_new) != 0 ||
               write_file(e->postgresql, "password", "%s\n", e->admin_password) != 0;
}

/* initdb wrote settings for this machine (locale, shared memory); ours come after them and take precedence. */
static int append_include(const char *cluster)
{
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/postgresql.conf", cluster) >= (int)sizeof(path)) {
                errno = ENAMETOOLONG;
                return print_failure("write", cluster);
        }
        int fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
                return print_failure("open", path);
        }
        const char line[] = "\ninclude = 'sonet.conf'\n";
        int failed = write_all(fd, line, sizeof(line) - 1) != 0 || fsync(fd) != 0;
        failed |= close(fd) != 0;
        return failed ? print_failure("write", path) : 0;
}

static int sync_folder(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int failed = fd < 0 || fsync(fd) != 0;

        if (fd >= 0) {
                close(fd);
        }
        return failed ? print_failure("write", path) : 0;
}

static int write_settings(const struct embedded *e, const char *cluster)
{
        return write_file(cluster, "sonet.conf",
                          "%sshared_buffers = %lldkB\neffective_cache_size = %lldkB\nunix_socket_directories = '%s'\n",
                          POSTGRESQL_SETTINGS, (long long)(e->memory.postgresql_bytes >> 10),
                          (long long)(e->memory.machine_bytes >> 11), e->run);
}

int embedded_files_finish(void *context)
{
        const struct embedded *e = context;
        const char *cluster = e->fresh ? e->cluster_new : e->cluster;
        char password[EMBEDDED_PATH_MAX + 16];

        if (write_settings(e, cluster) != 0 || write_file(cluster, "pg_hba.conf", "%s", HBA) != 0) {
                return 1;
        }
        if (!e->fresh) {
                return 0;
        }
        snprintf(password, sizeof(password), "%s/password", e->postgresql);
        unlink(password);
        if (append_include(cluster) != 0 || sync_folder(cluster) != 0) {
                return 1;
        }
        return rename(cluster, e->cluster) != 0 ? print_failure("rename", cluster) : sync_folder(e->postgresql);
}
