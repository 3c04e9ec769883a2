/* The circuit breaker of push services: one that fails again and again is not tried for a while. For one thread. */
#ifndef SERVICES_NOTIFICATION_PUSH_BREAKER_H
#define SERVICES_NOTIFICATION_PUSH_BREAKER_H

#include <stdbool.h>

/* Whether to try the push service of this origin now. */
bool push_breaker_admits(const char *origin);
/* Records that it answered, or (failed) that it did not, or answered with a server error. */
void push_breaker_note(const char *origin, bool failed);

#endif
