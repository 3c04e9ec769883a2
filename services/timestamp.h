/* Times in messages. */
#ifndef SERVICES_TIMESTAMP_H
#define SERVICES_TIMESTAMP_H

#include <stdint.h>
#include "base/arena.h"
#include "google/protobuf/timestamp.pb-c.h"

/* wall_ms: milliseconds since 1970, not negative. */
Google__Protobuf__Timestamp *timestamp_new(struct arena *arena, int64_t wall_ms);

#endif
