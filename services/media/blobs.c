/* Owns the folder of blobs: MEDIA_DIR/blobs/ab/abcd…, MEDIA_DIR/incoming. */
#include "services/media/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/spool.h"
#include "base/str.h"

enum { FOLDER_BYTES = 3072, PATH_BYTES = 4096, READ_BYTES = 1 << 16 };

static char root[FOLDER_BYTES];

static void path_of(const char *name, char out[PATH_BYTES])
{
        (void)snprintf(out, PATH_BYTES, "%s/blobs/%.2s/%s", root, name, name);
}

/* --- start --- */

static bool make_folder(const char *path)
{
        if (mkdir(path, 0700) == 0 || errno == EEXIST) {
                return true;
        }
        log_event(LOG_LEVEL_ERROR, "a folder for media cannot be made", LOG_STR("file.path", path),
                  LOG_STR("error.message", strerror(errno)));
        return false;
}

static bool make_folders(void)
{
        static const char *const folders[] = {"", "/blobs", "/incoming", "/chunks"};
        char path[PATH_BYTES];

        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
                (void)snprintf(path, sizeof(path), "%s%s", root, folders[i]);
                if (!make_folder(path)) {
                        return false;
                }
        }
        for (int i = 0; i < BLOB_FOLDERS; i++) {
                (void)snprintf(path, sizeof(path), "%s/blobs/%02x", root, (unsigned)i);
                if (!make_folder(path)) {
                        return false;
                }
        }
        return true;
}

void blobs_use(const char *folder)
{
        (void)snprintf(root, sizeof(root), "%s", folder);
}

sn_status blobs_start(const char *folder)
{
        blobs_use(folder);
        if (root[0] == '\0') {
                log_event(LOG_LEVEL_WARN, "MEDIA_DIR is not set: no media are taken");
                return SN_OK;
        }
        return make_folders() ? SN_OK : SN_INTERNAL;
}

/* --- taking in --- */

static sn_status fail_disk(struct rpc_call *c)
{
        bool full = errno == ENOSPC || errno == EDQUOT;

        if (!full) {
                log_event(LOG_LEVEL_ERROR, "a media file cannot be kept", LOG_STR("error.message", strerror(errno)));
        }
        return full ? rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "disk_full", NULL,
                                    "the server's disk is full; try again later")
                    : rpc_fail(c, SN_INTERNAL, NULL, "the file could not be stored");
}

static bool hash_all(int fd, EVP_MD_CTX *hash, uint8_t digest[32])
{
        uint8_t bytes[READ_BYTES];
        ssize_t n = 0;

        for (off_t at = 0; (n = pread(fd, bytes, sizeof(bytes), at)) > 0; at += n) {
                if (EVP_DigestUpdate(hash, bytes, (size_t)n) != 1) {
                        return false;
                }
        }
        return n == 0 && EVP_DigestFinal_ex(hash, digest, NULL) == 1;
}

static bool hash_file(int fd, char name[BLOB_NAME_SIZE])
{
        uint8_t digest[32];
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        bool ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 && hash_all(fd, hash, digest);

        EVP_MD_CTX_free(hash);
        for (size_t i = 0; ok && i < sizeof(digest); i++) {
                (void)snprintf(name + 2 * i, 3, "%02x", digest[i]);
        }
        return ok;
}

static int64_t size_of(int fd)
{
        struct stat file;
        return fstat(fd, &file) == 0 ? file.st_size : 0;
}

static void unlink_path(void *path)
{
        (void)unlink(path);
}

static sn_status check_usable(struct rpc_call *c)
{
        CALL_ASSERT_NO_TRANSACTION(c);
        return root[0] != '\0' ? SN_OK : rpc_fail(c, SN_UNAVAILABLE, NULL, "this server keeps no media");
}

sn_status blob_stage(struct rpc_call *c, int fd, struct staged_blob *out)
{
        char *path = arena_printf(c->arena, "%s/incoming/%s", root, uuid_new_in(c->arena));

        TRY(check_usable(c));
        if (!hash_file(fd, out->name) || !spool_keep(fd, path)) {
                return fail_disk(c);
        }
        arena_defer(c->arena, unlink_path, path);
        out->size_bytes = size_of(fd);
        out->path = path;
        return SN_OK;
}

sn_status blob_lock(struct db_tx *tx, const char *name)
{
        return db_lock_one(tx, "media blob", name);
}

static bool sync_folder(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool ok = fd >= 0 && fsync(fd) == 0;
        if (fd >= 0) {
                close(fd);
        }
        return ok;
}

static bool sync_folder_of(const char *name)
{
        char path[PATH_BYTES];

        (void)snprintf(path, sizeof(path), "%s/blobs/%.2s", root, name);
        return sync_folder(path);
}

/* Within the transaction, since that holds the lock: between the check and the commit nobody may remove the file. */
sn_status blob_publish(struct db_tx *tx, const struct staged_blob *blob)
{
        char path[PATH_BYTES];

        TRY(blob_lock(tx, blob->name));
        path_of(blob->name, path);
        if (link(blob->path, path) != 0 && errno != EEXIST) {
                return fail_disk(db_call(tx));
        }
        return sync_folder_of(blob->name) ? SN_OK : fail_disk(db_call(tx));
}

/* --- chunks --- */

static char *chunk_path(struct arena *arena, const char *id)
{
        return arena_printf(arena, "%s/chunks/%s", root, id);
}

static char *incoming_path(struct arena *arena, const char *id)
{
        return arena_printf(arena, "%s/incoming/%s", root, id);
}

sn_status chunk_stage(struct rpc_call *c, int fd, const char *id)
{
        char *path = incoming_path(c->arena, id);

        TRY(check_usable(c));
        if (!spool_keep(fd, path)) {
                return fail_disk(c);
        }
        arena_defer(c->arena, unlink_path, path);
        return SN_OK;
}

sn_status chunk_publish(struct db_tx *tx, const char *id)
{
        struct rpc_call *c = db_call(tx);
        char folder[PATH_BYTES];

        (void)snprintf(folder, sizeof(folder), "%s/chunks", root);
        bool ok = link(incoming_path(c->arena, id), chunk_path(c->arena, id)) == 0 && sync_folder(folder);
        return ok ? SN_OK : fail_disk(c);
}

sn_status chunk_open(struct rpc_call *c, const char *id, int *fd)
{
        *fd = open(chunk_path(c->arena, id), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return *fd >= 0 ? SN_OK : fail_disk(c);
}

void chunk_remove_after(struct db_tx *tx, const char *id)
{
        db_on_commit(tx, unlink_path, chunk_path(db_arena(tx), id));
}

/* --- what is there --- */

bool blob_name_valid(const char *name)
{
        return strlen(name) == BLOB_NAME_SIZE - 1 && strspn(name, "0123456789abcdef") == BLOB_NAME_SIZE - 1;
}

static bool exists(const char *path)
{
        return access(path, F_OK) == 0;
}

bool blob_exists(struct rpc_call *c, const char *name)
{
        char path[PATH_BYTES];

        path_of(name, path);
        return exists(path);
}

bool chunk_exists(struct rpc_call *c, const char *id)
{
        return exists(chunk_path(c->arena, id));
}

sn_status blob_open(struct rpc_call *c, const char *name, int *fd)
{
        char path[PATH_BYTES];

        path_of(name, path);
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return *fd >= 0 ? SN_OK : rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file");
}

void blob_remove(const char *name)
{
        char path[PATH_BYTES];

        path_of(name, path);
        (void)unlink(path);
}

/* --- what is left over --- */

static bool is_old(int folder, const char *name, int64_t before_s)
{
        struct stat file;

        return fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode) &&
               file.st_mtime < before_s;
}

/* Takes the names in portions of a growing array: there may be many. */
static void list(struct rpc_call *c, DIR *folder, int64_t age_s, size_t *n, char ***names)
{
        int64_t before_s = age_s > 0 ? c->now_ms / 1000 - age_s : INT64_MAX;
        size_t room = 0;

        for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
                if (!is_old(dirfd(folder), entry->d_name, before_s)) {
                        continue;
                }
                if (*n == room) {
                        char **more = ARENA_ARRAY(c->arena, char *, 2 * room + 64);

                        memcpy(more, *names, *n * sizeof(*more));
                        *names = more;
                        room = 2 * room + 64;
                }
                (*names)[(*n)++] = arena_strdup(c->arena, entry->d_name);
        }
}

sn_status files_list(struct rpc_call *c, const char *folder, int64_t age_s, size_t *n, char ***names)
{
        *n = 0;
        *names = ARENA_ARRAY(c->arena, char *, 1);
        if (root[0] == '\0') {
                return SN_OK;
        }
        DIR *open_folder = opendir(arena_printf(c->arena, "%s/%s", root, folder));
        if (open_folder == NULL) {
                return fail_disk(c);
        }
        list(c, open_folder, age_s, n, names);
        (void)closedir(open_folder);
        return SN_OK;
}

void file_remove(struct rpc_call *c, const char *folder, const char *name)
{
        (void)unlink(arena_printf(c->arena, "%s/%s/%s", root, folder, name));
}
