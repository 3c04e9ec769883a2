/* Owns writes to a disk that stands still: they wait at the gate. */
#include "base/testdata/disk_gate.h"

#include <sys/types.h>

ssize_t __real_pwrite64(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t len, off_t at);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
        disk_gate_pass();
        return __real_pwrite64(fd, bytes, len, at);
}
