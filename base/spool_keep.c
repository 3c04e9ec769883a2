/* Owns saving the bytes of a body under a name. */
#include "base/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20 };

static bool link_to(int fd, const char *path)
{
        char open_file_path[40];
        (void)snprintf(open_file_path, sizeof(open_file_path), "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, open_file_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/* Copies in the kernel if possible, sharing blocks if the file system can. */
static bool copy_bytes(int from, int to, int64_t size)
{
        off_t at = 0;
        while (at < size) {
                size_t piece = size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES;
                ssize_t n = copy_file_range(from, &at, to, NULL, piece, 0);
                if (n < 0 && errno == EXDEV) {
                        char bytes[1 << 14];
                        n = pread(from, bytes, piece < sizeof(bytes) ? piece : sizeof(bytes), at);
                        if (n > 0 && !spool_write_all(to, bytes, (size_t)n, at)) {
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

/* The name appears only once everything is there: by linking an unnamed copy, or by renaming. */
static bool copy_to(int fd, int64_t size, const char *path)
{
        char name[SPOOL_FOLDER_BYTES];
        (void)snprintf(name, sizeof(name), "%s.XXXXXX", path);
        int to = mkostemp(name, O_CLOEXEC);
        if (to < 0) {
                return false;
        }
        bool ok = copy_bytes(fd, to, size) && fsync(to) == 0 && link(name, path) == 0;
        int why = errno;
        (void)unlink(name);
        close(to);
        errno = why;
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
        return linked || copy_to(fd, file.st_size, path);
}
