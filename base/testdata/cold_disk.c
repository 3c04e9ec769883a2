/* Owns reads from a disk whose files are not in memory: they wait at the gate. */
#include "base/testdata/disk_gate.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t at);
ssize_t __real_preadv64v2(int fd, const struct iovec *pieces, int n, off_t at, int flags);
ssize_t __wrap_preadv64v2(int fd, const struct iovec *pieces, int n, off_t at, int flags);
ssize_t __real_sendfile64(int to, int from, off_t *at, size_t len);
ssize_t __wrap_sendfile64(int to, int from, off_t *at, size_t len);

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t at)
{
        disk_gate_pass();
        return __real_pread64(fd, bytes, len, at);
}

ssize_t __wrap_preadv64v2(int fd, const struct iovec *pieces, int n, off_t at, int flags)
{
        if ((flags & RWF_NOWAIT) != 0 && disk_gate_is_closed()) {
                errno = EAGAIN;
                return -1;
        }
        return __real_preadv64v2(fd, pieces, n, at, flags);
}

ssize_t __wrap_sendfile64(int to, int from, off_t *at, size_t len)
{
        disk_gate_pass();
        return __real_sendfile64(to, from, at, len);
}
