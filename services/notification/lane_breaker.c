/* Owns the circuit breakers of providers. */
#include "services/notification/lane_breaker.h"

#include <stdio.h>
#include <string.h>
#include "base/clock.h"

enum { FAILURES = 5, FIRST_PAUSE_S = 5, LONGEST_PAUSE_S = 300 };

/* NULL if the provider is not tracked. */
static const struct lane_provider *find_provider(const struct lane_breaker *breaker, const char *origin)
{
        for (size_t i = 0; i < BREAKER_REMEMBERED; i++) {
                if (strcmp(breaker->providers[i].origin, origin) == 0) {
                        return &breaker->providers[i];
                }
        }
        return NULL;
}

/* Replaces the provider that failed longest ago. */
static struct lane_provider *add_provider(struct lane_breaker *breaker, const char *origin)
{
        struct lane_provider *oldest = &breaker->providers[0];

        for (size_t i = 1; i < BREAKER_REMEMBERED; i++) {
                oldest = breaker->providers[i].used_us < oldest->used_us ? &breaker->providers[i] : oldest;
        }
        *oldest = (struct lane_provider){.failures = 0};
        (void)snprintf(oldest->origin, sizeof(oldest->origin), "%s", origin);
        return oldest;
}

bool lane_breaker_admits(const struct lane_breaker *breaker, const char *origin)
{
        const struct lane_provider *p = find_provider(breaker, origin);

        return p == NULL || p->paused_until_us <= clock_monotonic_us();
}

void lane_breaker_note(struct lane_breaker *breaker, const char *origin, bool failed)
{
        struct lane_provider *p = (struct lane_provider *)find_provider(breaker, origin);

        if (!failed) {
                if (p != NULL) {
                        *p = (struct lane_provider){.failures = 0};
                }
                return;
        }
        p = p != NULL ? p : add_provider(breaker, origin);
        p->used_us = clock_monotonic_us();
        if (p->paused_until_us > p->used_us) { /* it was in flight when the pause began */
                return;
        }
        if (++p->failures >= FAILURES) {
                int beyond = p->failures - FAILURES < 6 ? p->failures - FAILURES : 6;
                int64_t pause_s = FIRST_PAUSE_S << beyond;

                p->paused_until_us = p->used_us + (pause_s < LONGEST_PAUSE_S ? pause_s : LONGEST_PAUSE_S) * 1000000;
        }
}
