/* Owns writes to a hung disk: they wait at the gate. Direct ones can fail or be short. */
#include "base/testdata/disk_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/uio.h>

ssize_t __real_pwritev64(int fd, const struct iovec *parts, int n, off_t at);
ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n, off_t at);

static atomic_int direct_is, direct_writes;

int slow_disk_direct(enum slow_disk_direct direct)
{
        atomic_store(&direct_is, (int)direct);
        return atomic_exchange(&direct_writes, 0);
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *parts, int n, off_t at)
{
        disk_gate_pass();
        if ((fcntl(fd, F_GETFL) & O_DIRECT) == 0) {
                return __real_pwritev64(fd, parts, n, at);
        }
        atomic_fetch_add(&direct_writes, 1);
        if (atomic_load(&direct_is) == SLOW_DISK_REFUSES_DIRECT) {
                errno = EINVAL;
                return -1;
        }
        return __real_pwritev64(fd, parts, atomic_load(&direct_is) == SLOW_DISK_CUTS_DIRECT ? 1 : n, at);
}
