/* Owns the look into the system's time zones: a file of RFC 8536 for each. */
#include "services/user/time_zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo/"

bool time_zone_exists(const char *name)
{
        char path[128], magic[4];
        int len = snprintf(path, sizeof(path), ZONES "%s", name);

        if (len < 0 || (size_t)len >= sizeof(path) || strchr(name, '.') != NULL) {
                return false;
        }
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0) {
                return false;
        }
        bool is_zone = read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) && memcmp(magic, "TZif", 4) == 0;

        (void)close(fd);
        return is_zone;
}
