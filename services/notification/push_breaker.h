/* The breaker of push services: one that fails again and again is asked no more for a while. For one thread. */
#ifndef SERVICES_NOTIFICATION_PUSH_BREAKER_H
#define SERVICES_NOTIFICATION_PUSH_BREAKER_H

#include <stdbool.h>

/* Whether to ask the push service of this origin now. */
bool push_breaker_admits(const char *origin);
/* It answered, or (failed) did not, or said that it cannot. */
void push_breaker_note(const char *origin, bool failed);

#endif
