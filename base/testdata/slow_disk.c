/* Owns writes to a hung disk: they wait at the gate. */
#include "base/testdata/disk_gate.h"

#include <sys/uio.h>

ssize_t __real_pwritev64(int fd, const struct iovec *parts, int n, off_t at);
ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n, off_t at);

ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n, off_t at)
{
        disk_gate_pass();
        return __real_pwritev64(fd, parts, n, at);
}
