/* Owns the points at which tests kill a process. */
#include "base/fault.h"

#ifndef NDEBUG
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fault_point(const char *name)
{
        const char *dir = getenv("SONET_FAULT_DIR");
        char path[PATH_MAX];

        if (dir == NULL) {
                return;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
        if (unlink(path) == 0) {
                (void)kill(getpid(), SIGKILL);
        }
}
#endif
