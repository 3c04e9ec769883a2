/* Owns the files of bytes on their way, and the count of them. */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
        LOOK_BYTES = 16 << 20,
        FOLDER_BYTES = 4096,
        COPY_BYTES = 1 << 20,
        BUFFER_BYTES = 16 << 10, /* so that bytes that come one by one are no system calls one by one */
};

struct spool {
        int fd;
        int64_t size;
        size_t buffered; /* not written yet */
        char buffer[BUFFER_BYTES];
};

static struct spool_options options = {"", INT64_C(4) << 30, 128, 256 << 20};
static char folder[FOLDER_BYTES];
static atomic_int_least64_t bytes_in_use, files_in_use;
static atomic_int_least64_t since_look; /* bytes written since the disk was looked at, in all files */

void spool_setup(const struct spool_options *given)
{
        options = *given;
        (void)snprintf(folder, sizeof(folder), "%s", given->folder);
}

const char *spool_folder(void)
{
        const char *temporary = getenv("TMPDIR");
        if (folder[0] != '\0') {
                return folder;
        }
        return temporary != NULL && temporary[0] != '\0' ? temporary : "/var/tmp";
}

/* Not every file system knows files without names (overlayfs of older kernels does not). */
static int open_unnamed(const char *in)
{
        char path[FOLDER_BYTES + 32];
        int fd = open(in, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) {
                return fd;
        }
        (void)snprintf(path, sizeof(path), "%s/.sonet-spool-XXXXXX", in);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
                (void)unlink(path);
        }
        return fd;
}

static bool disk_has(int fd, int64_t more)
{
        struct statvfs disk;
        return fstatvfs(fd, &disk) != 0 || (int64_t)disk.f_bavail * (int64_t)disk.f_frsize >= options.free_bytes + more;
}

static bool reserve(atomic_int_least64_t *count, int64_t n, int64_t max)
{
        if (atomic_fetch_add(count, n) + n <= max) {
                return true;
        }
        atomic_fetch_sub(count, n);
        return false;
}

static enum spool_result open_file(int64_t expected, struct spool **out)
{
        int fd = open_unnamed(spool_folder());
        if (fd < 0) {
                return errno == ENOSPC || errno == EMFILE || errno == ENFILE ? SPOOL_FULL : SPOOL_BROKEN;
        }
        struct spool *s = disk_has(fd, expected) ? calloc(1, sizeof(*s)) : NULL;
        if (s == NULL) {
                close(fd);
                return SPOOL_FULL;
        }
        s->fd = fd;
        *out = s;
        return SPOOL_OK;
}

enum spool_result spool_new(int64_t expected, struct spool **out)
{
        if (expected > options.max_bytes - atomic_load(&bytes_in_use) ||
            !reserve(&files_in_use, 1, options.max_files)) {
                return SPOOL_FULL;
        }
        enum spool_result result = open_file(expected, out);
        if (result != SPOOL_OK) {
                atomic_fetch_sub(&files_in_use, 1);
        }
        return result;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, bytes, len);
                if (n < 0 && errno != EINTR) {
                        return false;
                }
                bytes += n > 0 ? n : 0;
                len -= n > 0 ? (size_t)n : 0;
        }
        return true;
}

static enum spool_result write_out(struct spool *s, const char *bytes, size_t len)
{
        if (write_all(s->fd, bytes, len)) {
                return SPOOL_OK;
        }
        return errno == ENOSPC || errno == EDQUOT ? SPOOL_FULL : SPOOL_BROKEN;
}

static enum spool_result flush(struct spool *s)
{
        size_t len = s->buffered;
        s->buffered = 0;
        return write_out(s, s->buffer, len);
}

/* False: it is full; and whoever writes next looks too. */
static bool look_at_disk(const struct spool *s, size_t len)
{
        if (atomic_fetch_add(&since_look, (int64_t)len) + (int64_t)len < LOOK_BYTES) {
                return true;
        }
        if (!disk_has(s->fd, 0)) {
                return false;
        }
        atomic_store(&since_look, 0);
        return true;
}

enum spool_result spool_append(struct spool *s, const void *bytes, size_t len)
{
        if (!reserve(&bytes_in_use, (int64_t)len, options.max_bytes)) {
                return SPOOL_FULL;
        }
        s->size += (int64_t)len;
        if (!look_at_disk(s, len)) {
                return SPOOL_FULL;
        }
        if (len > BUFFER_BYTES - s->buffered) {
                enum spool_result result = flush(s);
                if (result != SPOOL_OK) {
                        return result;
                }
        }
        if (len >= BUFFER_BYTES) {
                return write_out(s, bytes, len);
        }
        memcpy(s->buffer + s->buffered, bytes, len);
        s->buffered += len;
        return SPOOL_OK;
}

int64_t spool_size(const struct spool *s)
{
        return s->size;
}

enum spool_result spool_finish(struct spool *s, int *fd)
{
        *fd = s->fd;
        enum spool_result result = flush(s);
        (void)lseek(s->fd, 0, SEEK_SET);
        return result;
}

void spool_free(struct spool *s)
{
        if (s != NULL) {
                close(s->fd);
                atomic_fetch_sub(&bytes_in_use, s->size);
                atomic_fetch_sub(&files_in_use, 1);
                free(s);
        }
}

int64_t spool_bytes_in_use(void)
{
        return atomic_load(&bytes_in_use);
}

/* --- keeping --- */

static bool link_to(int fd, const char *path)
{
        char open_file_path[40];
        (void)snprintf(open_file_path, sizeof(open_file_path), "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, open_file_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/* In the kernel where it can, with shared blocks where the file system can. */
static bool copy(int from, int to, int64_t size)
{
        off_t at = 0;
        while (at < size) {
                size_t piece = size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES;
                ssize_t n = copy_file_range(from, &at, to, NULL, piece, 0);
                if (n < 0 && errno == EXDEV) {
                        char bytes[1 << 14];
                        n = pread(from, bytes, piece < sizeof(bytes) ? piece : sizeof(bytes), at);
                        if (n > 0 && !write_all(to, bytes, (size_t)n)) {
                                return false;
                        }
                        at += n > 0 ? n : 0;
                }
                if (n == 0 || (n < 0 && errno != EINTR)) {
                        errno = n == 0 ? EIO : errno;
                        return false;
                }
        }
        return true;
}

/* Under its name only when all of it is there: by a link to a copy without one, or by moving it into place. */
static bool copy_to(int fd, int64_t size, const char *path)
{
        char name[FOLDER_BYTES];
        (void)snprintf(name, sizeof(name), "%s.XXXXXX", path);
        int to = mkostemp(name, O_CLOEXEC);
        if (to < 0) {
                return false;
        }
        bool ok = copy(fd, to, size) && fsync(to) == 0 && link(name, path) == 0;
        int why = errno;
        (void)unlink(name);
        close(to);
        errno = why;
        return ok;
}

static bool sync_folder_of(const char *path)
{
        char copy_of_path[FOLDER_BYTES];
        (void)snprintf(copy_of_path, sizeof(copy_of_path), "%s", path);
        int fd = open(dirname(copy_of_path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool ok = fd >= 0 && fsync(fd) == 0;
        if (fd >= 0) {
                close(fd);
        }
        return ok;
}

bool spool_keep(int fd, const char *path)
{
        struct stat file;
        if (fstat(fd, &file) != 0) {
                return false;
        }
        bool linked = fsync(fd) == 0 && link_to(fd, path);
        if (!linked && errno != EXDEV && errno != ENOENT) {
                return false;
        }
        if (!linked && !copy_to(fd, file.st_size, path)) {
                return false;
        }
        if (!sync_folder_of(path)) {
                int why = errno;
                (void)unlink(path);
                errno = why;
                return false;
        }
        return true;
}
