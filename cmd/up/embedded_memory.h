/* How much memory the embedded servers may use: as set, or a share of this machine's. */
#ifndef CMD_UP_EMBEDDED_MEMORY_H
#define CMD_UP_EMBEDDED_MEMORY_H

#include <stdint.h>
#include "base/settings.h"

struct embedded_memory {
        int64_t machine_bytes;    /* of the machine, or of its control group if that is less */
        int64_t postgresql_bytes; /* shared_buffers */
        int64_t redis_bytes;      /* maxmemory */
};

/* PostgreSQL an eighth (32 MiB to 2 GiB), Redis a sixteenth (64 MiB to 1 GiB), unless the settings give a size. */
struct embedded_memory embedded_memory_choose(const struct settings *settings);
/* The same for a machine of this size. */
struct embedded_memory embedded_memory_of(const struct settings *settings, int64_t machine_bytes);

#endif
