/* Owns how much memory the embedded servers get. */
#include "cmd/up/embedded_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB         (INT64_C(1) << 20)
#define LEAST_BYTES (8 * MIB) /* neither server starts with much less */

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
        return value < least ? least : value > most ? most : value;
}

/* The limit of our control group (version 2, as seen inside a container); INT64_MAX without one. */
static int64_t group_limit(void)
{
        FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
        char line[32] = "";
        int64_t bytes = 0;

        if (file == NULL) {
                return INT64_MAX;
        }
        if (fgets(line, sizeof(line), file) != NULL && strncmp(line, "max", 3) != 0) {
                bytes = strtoll(line, NULL, 10);
        }
        (void)fclose(file);
        return bytes > 0 ? bytes : INT64_MAX;
}

static int64_t machine_memory(void)
{
        int64_t pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
        int64_t bytes = pages > 0 && page_bytes > 0 ? pages * page_bytes : 512 * MIB;
        int64_t limit = group_limit();

        return bytes < limit ? bytes : limit;
}

static int64_t choose_bytes(int64_t set, int64_t share, int64_t least, int64_t most)
{
        return set > 0 ? clamp(set, LEAST_BYTES, INT64_MAX) : clamp(share, least, most);
}

struct embedded_memory embedded_memory_of(const struct settings *settings, int64_t machine_bytes)
{
        return (struct embedded_memory){
            .machine_bytes = machine_bytes,
            .postgresql_bytes =
                choose_bytes(settings->embedded_postgresql_bytes, machine_bytes / 8, 32 * MIB, 2048 * MIB),
            .redis_bytes = choose_bytes(settings->embedded_redis_bytes, machine_bytes / 16, 64 * MIB, 1024 * MIB),
        };
}

struct embedded_memory embedded_memory_choose(const struct settings *settings)
{
        return embedded_memory_of(settings, machine_memory());
}
