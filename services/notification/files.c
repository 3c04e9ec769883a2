/* Members' files, one each by member and name, beside the spool. A service that keeps more has a folder and a table for
 * them. */
#include "services/notification/notification.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/spool.h"
#include "google/protobuf/timestamp.pb-c.h"

/* Names have passed their pattern. */
static const char *path_of(struct rpc_call *c, const char *name)
{
        return arena_printf(c->arena, "%s/notification-%s-%s", spool_folder(), c->actor, name);
}

static sn_status fail_disk(struct rpc_call *c)
{
        return rpc_fail(c, errno == ENOSPC ? SN_RESOURCE_EXHAUSTED : SN_INTERNAL, NULL, "the file could not be kept");
}

/* All or nothing: under a name of its own first. */
static sn_status replace(struct rpc_call *c, const char *path)
{
        const char *fresh = arena_printf(c->arena, "%s.%s", path, c->request_id);
        if (!spool_keep(c->body->fd, fresh)) {
                return fail_disk(c);
        }
        return rename(fresh, path) == 0 ? SN_OK : fail_disk(c);
}

static sn_status append(struct rpc_call *c, const char *path, int64_t offset)
{
        struct stat kept = {.st_size = 0};
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &kept) != 0 || kept.st_size != offset) {
                if (fd >= 0) {
                        close(fd);
                }
                return rpc_fail(c, SN_FAILED_PRECONDITION, "offset", "%" PRId64 " bytes are kept; go on from there",
                                (int64_t)kept.st_size);
        }
        off_t to = offset;
        ssize_t n = 1;
        for (int64_t left = c->body->size; left > 0 && n > 0; left -= n) {
                n = copy_file_range(c->body->fd, NULL, fd, &to, (size_t)left, 0);
        }
        bool ok = n > 0 && fsync(fd) == 0;
        close(fd);
        return ok ? SN_OK : fail_disk(c);
}

static sn_status answer(struct rpc_call *c, const char *name, Notification__File *out)
{
        struct stat file;
        if (stat(path_of(c, name), &file) != 0) {
                return fail_disk(c);
        }
        out->name = (char *)name;
        out->size = file.st_size;
        out->file_name = (char *)c->body->file_name;
        return SN_OK;
}

sn_status notification_handle_put_file(struct rpc_call *c, const Notification__PutFileRequest *in,
                                       Notification__File *out)
{
        const char *path = path_of(c, in->name);
        TRY(in->offset == 0 ? replace(c, path) : append(c, path, in->offset));
        return answer(c, in->name, out);
}

sn_status notification_handle_post_file(struct rpc_call *c, const Notification__PostFileRequest *in,
                                        Notification__File *out)
{
        TRY(replace(c, path_of(c, in->name)));
        return answer(c, in->name, out);
}

sn_status notification_handle_stat_file(struct rpc_call *c, const Notification__StatFileRequest *in,
                                        Notification__FileState *out)
{
        struct stat file;
        if (stat(path_of(c, in->name), &file) != 0) {
                return rpc_fail(c, SN_NOT_FOUND, NULL, "you keep no file of this name");
        }
        if (in->expected_case == NOTIFICATION__STAT_FILE_REQUEST__EXPECTED_SIZE && in->size != file.st_size) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, "size", "%" PRId64 " bytes are kept", (int64_t)file.st_size);
        }
        out->offset = file.st_size;
        out->modified_at = ARENA_NEW(c->arena, Google__Protobuf__Timestamp);
        google__protobuf__timestamp__init(out->modified_at);
        out->modified_at->seconds = file.st_mtime;
        return SN_OK;
}

/* The tag changes with the bytes: a file is replaced by another one, or grows. */
sn_status notification_handle_get_file(struct rpc_call *c, const Notification__GetFileRequest *in, File__Chunk *out)
{
        struct stat file;
        int fd = open(path_of(c, in->name), O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &file) != 0) {
                if (fd >= 0) {
                        close(fd);
                }
                return rpc_fail(c, SN_NOT_FOUND, NULL, "you keep no file of this name");
        }
        out->etag = arena_printf(c->arena, "%" PRIx64 "-%" PRIx64, (uint64_t)file.st_ino, (uint64_t)file.st_size);
        out->file_name = in->name;
        return rpc_answer_file(c, fd);
}
