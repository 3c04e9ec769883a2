/* The circuit breaker of providers: one that fails again and again is not tried for a while. For one thread. */
#ifndef SERVICES_NOTIFICATION_LANE_BREAKER_H
#define SERVICES_NOTIFICATION_LANE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>
#include "push/push.h"

#define BREAKER_REMEMBERED 64

/* All zeros: nothing has failed. */
struct lane_breaker {
        struct lane_provider {
                char origin[PUSH_ORIGIN_SIZE];
                int failures; /* one after the other */
                int64_t paused_until_us, used_us;
        } providers[BREAKER_REMEMBERED];
};

/* Whether to try the provider of this origin now. */
bool lane_breaker_admits(const struct lane_breaker *breaker, const char *origin);
/* Records that it answered, or (failed) that it did not, or answered with a server error. */
void lane_breaker_note(struct lane_breaker *breaker, const char *origin, bool failed);

#endif
