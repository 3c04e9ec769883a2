/* Circuit breakers: a provider that fails repeatedly is not tried for a while. Single-threaded. */
#ifndef SERVICES_NOTIFICATION_LANE_BREAKER_H
#define SERVICES_NOTIFICATION_LANE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>
#include "push/push.h"

#define BREAKER_REMEMBERED 64

/* Zero-initialized: nothing has failed. */
struct lane_breaker {
        struct lane_provider {
                char origin[PUSH_ORIGIN_SIZE];
                int failures; /* consecutive */
                int64_t paused_until_us, used_us;
        } providers[BREAKER_REMEMBERED];
};

/* Whether the provider of this origin may be tried now. */
bool lane_breaker_admits(const struct lane_breaker *breaker, const char *origin);
/* Records a result. failed: there was no response, or a server error. */
void lane_breaker_note(struct lane_breaker *breaker, const char *origin, bool failed);

#endif
