/* Owns paths: the data folder, the key file, everything below, and the URLs. */
#include "cmd/up/embedded_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "auth/keys.h"

static const char FOLDER_REFUSED[] = "'\"\\,{}%";

bool embedded_set_path(char *out, size_t size, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        int len = vsnprintf(out, size, format, args);
        va_end(args);
        return len > 0 && (size_t)len < size;
}

/* $variable/sonet, or ~/fallback/sonet. */
static bool home_folder(const struct account *account, const char *variable, const char *fallback, char *out,
                        size_t size)
{
        const char *base = getenv(variable);
        const char *home = getenv("HOME");

        if (base != NULL && base[0] == '/') { /* the XDG specification: relative ones must be ignored */
                return embedded_set_path(out, size, "%s/sonet", base);
        }
        if (home == NULL || home[0] != '/') {
                home = account->home;
        }
        return home[0] == '/' && embedded_set_path(out, size, "%s/%s/sonet", home, fallback);
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

static bool resolve_folder(struct embedded *e)
{
        char resolved[PATH_MAX];

        for (size_t len = strlen(e->data); len > 1 && e->data[len - 1] == '/'; len--) {
                e->data[len - 1] = '\0';
        }
        return realpath(e->data, resolved) == NULL || SET_PATH(e->data, "%s", resolved);
}

bool embedded_set_paths(struct embedded *e)
{
        const char *data = e->data;

        return resolve_folder(e) && SET_PATH(e->postgresql, "%s/postgresql", data) &&
               SET_PATH(e->cluster, "%s/postgresql/" POSTGRESQL_VERSION, data) &&
               SET_PATH(e->cluster_new, "%s/postgresql/" POSTGRESQL_VERSION ".new", data) &&
               SET_PATH(e->redis, "%s/redis", data) && SET_PATH(e->run, "%s/run", data) &&
               SET_PATH(e->spool, "%s/spool", data) && SET_PATH(e->mails, "%s/mails", data) &&
               SET_PATH(e->media, "%s/media", data) && SET_PATH(e->log, "%s/log", data) &&
               SET_PATH(e->postgresql_log, "%s/log/postgresql.log", data) &&
               SET_PATH(e->redis_log, "%s/log/redis.log", data) &&
               SET_PATH(e->redis_socket, "%s/run/redis.sock", data) &&
               SET_PATH(e->redis_settings, "%s/redis/redis.conf", data);
}

sn_status embedded_check_name(const struct embedded *e, struct buf *error)
{
        int longest = (int)strlen(e->data) + (int)sizeof("/run/" POSTGRESQL_SOCKET) - 1;

        for (const char *c = e->data; *c != '\0'; c++) {
                if ((unsigned char)*c < ' ' || *c == 127 || strchr(FOLDER_REFUSED, *c) != NULL) {
                        buf_printf(error, "the data folder's name must not contain control characters or any of %s",
                                   FOLDER_REFUSED);
                        return SN_INVALID_ARGUMENT;
                }
        }
        if (longest > SOCKET_PATH_MAX) {
                buf_printf(
                    error,
                    "the path of the data folder %s is %d bytes too long: it holds sockets, whose paths may have "
                    "at most %d bytes. "
                    "Choose a shorter one with --data",
                    e->data, longest - SOCKET_PATH_MAX, SOCKET_PATH_MAX);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

/* An existing one must be a folder. */
static sn_status check_is_folder(const struct embedded *e, struct buf *error)
{
        struct stat st;

        if (stat(e->data, &st) == 0 ? !S_ISDIR(st.st_mode) : errno == ENOTDIR) {
                buf_printf(error, "%s is not a folder; choose another one with --data", e->data);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

sn_status embedded_locate(struct embedded *e, const struct settings *settings, const char *folder, struct buf *error)
{
        *e = (struct embedded){.lock_fd = -1, .memory = embedded_memory_choose(settings)};
        if (folder != NULL && folder[0] == '\0') {
                buf_append_c(error, "--data must not be empty; give the path of a folder");
                return SN_INVALID_ARGUMENT;
        }
        TRY(account_choose(&e->account, error));
        if (!choose_folder(e, settings, folder) || !choose_key_file(e, settings) || !embedded_set_paths(e)) {
                buf_append_c(
                    error, "cannot find a data folder: HOME is not set, or a path is too long. Choose one with --data");
                return SN_INVALID_ARGUMENT;
        }
        TRY(check_is_folder(e, error));
        return embedded_check_name(e, error);
}

/* A folder as a single URL component: everything but letters, digits and -._~ is escaped (RFC 3986). */
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
