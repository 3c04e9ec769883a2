/* Owns the data folder of `sonet up`: its subfolders, the lock, and the key that belongs to it. */
#include "cmd/up/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "auth/keys.h"
#include "cmd/up/embedded_parts.h"

static sn_status fail_errno(struct buf *error, const char *doing, const char *path)
{
        buf_printf(error, "cannot %s %s: %s", doing, path, strerror(errno));
        return SN_FAILED_PRECONDITION;
}

/* mkdir -p: missing parents get mode 0755, the last folder gets `mode`. */
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
                        return fail_errno(error, "create the folder", prefix);
                }
        }
        return SN_OK;
}

/* A folder that belongs to the account only. An existing one must already belong to it: data of another account is
 * never taken over. */
static sn_status make_own_folder(const struct embedded *e, const char *path, struct buf *error)
{
        struct stat st;
        bool made = mkdir(path, 0700) == 0;

        if (!made && errno != EEXIST) {
                return fail_errno(error, "create the folder", path);
        }
        if (made && e->account.drop && lchown(path, e->account.uid, e->account.gid) != 0) {
                return fail_errno(error, "change the owner of the folder", path);
        }
        if (lstat(path, &st) != 0) {
                return fail_errno(error, "read", path);
        }
        if (!S_ISDIR(st.st_mode) || st.st_uid != e->account.uid) {
                buf_printf(error,
                           "%s does not belong to the account '%s'. It was probably created by another account: run as "
                           "that one, or "
                           "choose another folder with --data",
                           path, e->account.name);
                return SN_FAILED_PRECONDITION;
        }
        return made || (st.st_mode & 0777) == 0700 || chmod(path, 0700) == 0 ? SN_OK : fail_errno(error, "close", path);
}

static sn_status take_lock(struct embedded *e, struct buf *error)
{
        char path[EMBEDDED_PATH_MAX + 8], pid[32] = "";

        snprintf(path, sizeof(path), "%s/lock", e->data);
        e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (e->lock_fd < 0) {
                return fail_errno(error, "open", path);
        }
        if (flock(e->lock_fd, LOCK_EX | LOCK_NB) == 0) {
                int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
                return ftruncate(e->lock_fd, 0) == 0 && write(e->lock_fd, pid, (size_t)len) == len
                           ? SN_OK
                           : fail_errno(error, "write", path);
        }
        if (errno != EWOULDBLOCK) {
                return fail_errno(error, "lock", path);
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

/* Makes the key file's folder and an absolute path. Copying the data folder must not copy the key, too. */
static sn_status place_key_file(struct embedded *e, struct buf *error)
{
        char folder[PATH_MAX], resolved[PATH_MAX];
        const char *slash = strrchr(e->key_file, '/');
        const char *name = slash != NULL ? slash + 1 : e->key_file;

        if (!SET_PATH(folder, "%.*s", slash != NULL ? (int)(slash - e->key_file) + 1 : 1,
                      slash != NULL ? e->key_file : ".")) {
                errno = ENAMETOOLONG;
                return fail_errno(error, "use the key file", e->key_file);
        }
        TRY(make_folders(folder, 0700, error));
        char key_file[PATH_MAX];
        if (realpath(folder, resolved) == NULL ||
            !SET_PATH(key_file, "%s/%s", strcmp(resolved, "/") == 0 ? "" : resolved, name)) {
                return fail_errno(error, "use the key file's folder", folder);
        }
        memcpy(e->key_file, key_file, sizeof(key_file));
        if (is_below(e->key_file, e->data)) {
                buf_printf(
                    error,
                    "the key file %s is in the data folder; keep it elsewhere, so that a copy of the data does not "
                    "include the key",
                    e->key_file);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

/* DATA/key-check holds a text derived from the key: with another key no password would be valid, and this reports it
 * at once. */
static sn_status check_key_belongs(const struct embedded *e, bool may_create, struct buf *error)
{
        char path[EMBEDDED_PATH_MAX + 16], expected[44], found[64] = "";

        snprintf(path, sizeof(path), "%s/key-check", e->data);
        keys_derive_text("data-folder", expected);
        int fd = open(path, (may_create ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
                return fail_errno(error, "open", path);
        }
        ssize_t len = read(fd, found, sizeof(found) - 1);
        bool good = len == 43 && memcmp(found, expected, 43) == 0;
        if (!good && may_create && (len == 0 || e->fresh)) {
                good = ftruncate(fd, 0) == 0 && pwrite(fd, expected, 43, 0) == 43;
        }
        close(fd);
        if (!good) {
                buf_printf(error,
                           "the key file %s is not the one that %s was created with; set SONET_KEY_FILE to that one",
                           e->key_file, e->data);
                return SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

static sn_status load_key(struct embedded *e, bool may_create, struct buf *error)
{
        if (!may_create && access(e->key_file, F_OK) != 0) {
                buf_printf(error,
                           "the key file %s is missing, and the data in %s was created with it; restore it from its "
                           "copy, or set "
                           "SONET_KEY_FILE to its path",
                           e->key_file, e->data);
                return SN_FAILED_PRECONDITION;
        }
        TRY(keys_load(e->key_file, may_create, error));
        keys_derive_text("database:" EMBEDDED_ADMIN_ROLE, e->admin_password);
        return SN_OK;
}

sn_status embedded_open(struct embedded *e, struct buf *error)
{
        char asked[EMBEDDED_PATH_MAX];

        TRY(embedded_find_programs(e, error));
        TRY(account_check_reach(&e->account, e->data, error));
        TRY(make_folders(e->data, 0711, error));
        memcpy(asked, e->data, sizeof(asked));
        if (!embedded_set_paths(e)) { /* it exists only now: links in the path are resolved */
                buf_printf(error, "the path of the data folder %s is too long", asked);
                return SN_INVALID_ARGUMENT;
        }
        TRY(embedded_check_name(e, error));
        /* An existing one may be inaccessible, or behind a link. */
        TRY(account_check_reach(&e->account, e->data, error));
        TRY(take_lock(e, error));
        TRY(make_own_folder(e, e->postgresql, error));
        TRY(make_own_folder(e, e->redis, error));
        TRY(make_own_folder(e, e->run, error));
        TRY(make_own_folder(e, e->log, error));
        TRY(make_own_folder(e, e->spool, error));
        TRY(make_own_folder(e, e->mails, error));
        TRY(make_own_folder(e, e->media, error));
        e->fresh = access(e->cluster, F_OK) != 0;
        TRY(place_key_file(e, error));
        TRY(load_key(e, e->fresh, error));
        return check_key_belongs(e, true, error);
}

sn_status embedded_attach(struct embedded *e, struct buf *error)
{
        if (access(e->cluster, F_OK) != 0) {
                buf_printf(error, "there is no SoNet data in %s; set DATABASE_URL, or give the data folder with --data",
                           e->data);
                return SN_NOT_FOUND;
        }
        TRY(load_key(e, false, error));
        return check_key_belongs(e, false, error);
}
