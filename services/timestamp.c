/* Owns making times of messages. */
#include "services/timestamp.h"

Google__Protobuf__Timestamp *timestamp_new(struct arena *arena, int64_t wall_ms)
{
        Google__Protobuf__Timestamp *t = ARENA_NEW(arena, Google__Protobuf__Timestamp);

        google__protobuf__timestamp__init(t);
        t->seconds = wall_ms / 1000;
        t->nanos = (int32_t)(wall_ms % 1000) * 1000000;
        return t;
}
