/* Owns storing media in a folder. Files are staged in "incoming" and moved to their final place. */
#include "services/media/storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/no_wait.h"
#include "base/spool.h"
#include "services/media/blobs.h"

enum { FOLDER_BYTES = 3072, PATH_BYTES = 4096 };

static char root[FOLDER_BYTES];

static char *path_of(struct arena *arena, const char *key)
{
        return arena_printf(arena, "%s/%s", root, key);
}

static char *incoming(struct arena *arena, const char *own)
{
        return arena_printf(arena, "%s/incoming/%s", root, own);
}

/* --- start --- */

static bool make_folder(const char *path)
{
        if (mkdir(path, 0700) == 0 || errno == EEXIST) {
                return true;
        }
        log_event(LOG_LEVEL_ERROR, "cannot create a media folder", LOG_STR("file.path", path),
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

bool folder_use(const char *path, bool make)
{
        (void)snprintf(root, sizeof(root), "%s", path);
        return !make || make_folders();
}

/* --- adding --- */

static sn_status fail_disk(struct rpc_call *c)
{
        bool full = errno == ENOSPC || errno == EDQUOT;

        if (!full) {
                log_event(LOG_LEVEL_ERROR, "a media file cannot be stored, read or removed",
                          LOG_STR("error.message", strerror(errno)));
        }
        return full ? rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "disk_full", NULL,
                                    "the server's disk is full; try again later")
                    : rpc_fail(c, SN_INTERNAL, NULL, "the server's disk has failed");
}

static void unlink_path(void *path)
{
        (void)unlink(path);
}

static sn_status stage(struct rpc_call *c, int fd, const char *own, const char *key, const char *sha256)
{
        char *path = incoming(c->arena, own);

        if (!spool_keep(fd, path)) {
                return fail_disk(c);
        }
        arena_defer(c->arena, unlink_path, path);
        return SN_OK;
}

static bool sync_folder_of(char *path)
{
        *strrchr(path, '/') = '\0';
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool ok = fd >= 0 && fsync(fd) == 0;
        if (fd >= 0) {
                close(fd);
        }
        return ok;
}

/* Replaces an existing file, which should have the same content: this repairs a damaged one, and the time taken does
 * not reveal that somebody else has the same file. */
static sn_status publish(struct rpc_call *c, const char *own, const char *key)
{
        char *path = path_of(c->arena, key);

        if (rename(incoming(c->arena, own), path) != 0) {
                return fail_disk(c);
        }
        return sync_folder_of(path) ? SN_OK : fail_disk(c);
}

/* --- reading --- */

static sn_status open_file(struct rpc_call *c, const char *key, int *fd)
{
        NO_WAIT_ASSERT();
        *fd = open(path_of(c->arena, key), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (*fd >= 0) {
                return SN_OK;
        }
        return errno == ENOENT ? rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file") : fail_disk(c);
}

static sn_status answer(struct rpc_call *c, const char *key)
{
        int fd = -1;

        TRY(open_file(c, key, &fd));
        return rpc_answer_file(c, fd);
}

static sn_status exists(struct rpc_call *c, const char *key, bool *there)
{
        struct stat file;

        *there = lstat(path_of(c->arena, key), &file) == 0 && S_ISREG(file.st_mode); /* links are not followed */
        return SN_OK;
}

static sn_status remove_file(struct rpc_call *c, const char *key)
{
        return unlink(path_of(c->arena, key)) == 0 || errno == ENOENT ? SN_OK : fail_disk(c);
}

/* --- lists --- */

static bool is_listed(int folder, const char *name, int64_t before_s)
{
        struct stat file;

        return fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode) &&
               file.st_mtime < before_s;
}

static sn_status list(struct rpc_call *c, const char *folder, int64_t age_s, struct storage_names *names)
{
        int64_t before_s = age_s > 0 ? c->now_ms / 1000 - age_s : INT64_MAX;
        DIR *opened = opendir(path_of(c->arena, folder));

        if (opened == NULL) {
                return fail_disk(c);
        }
        for (struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened)) {
                if (is_listed(dirfd(opened), entry->d_name, before_s)) {
                        storage_add_name(c, str_of(entry->d_name), names);
                }
        }
        (void)closedir(opened);
        return SN_OK;
}

const struct storage folder_storage = {.stage = stage,
                                       .publish = publish,
                                       .open = open_file,
                                       .answer = answer,
                                       .exists = exists,
                                       .remove = remove_file,
                                       .list = list};
