/* Owns which push services are tried for now. */
#include "services/notification/push_breaker.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "push/push.h"

enum { REMEMBERED = 64, FAILURES = 5, FIRST_PAUSE_S = 5, LONGEST_PAUSE_S = 300 };

static struct provider {
        char origin[PUSH_ORIGIN_SIZE];
        int failures; /* one after the other */
        int64_t paused_until_us, used_us;
} providers[REMEMBERED];

/* NULL: it is not remembered. */
static struct provider *find(const char *origin)
{
        for (size_t i = 0; i < REMEMBERED; i++) {
                if (strcmp(providers[i].origin, origin) == 0) {
                        return &providers[i];
                }
        }
        return NULL;
}

/* Replaces the one that failed longest ago. */
static struct provider *add(const char *origin)
{
        struct provider *oldest = &providers[0];

        for (size_t i = 1; i < REMEMBERED; i++) {
                oldest = providers[i].used_us < oldest->used_us ? &providers[i] : oldest;
        }
        *oldest = (struct provider){.failures = 0};
        (void)snprintf(oldest->origin, sizeof(oldest->origin), "%s", origin);
        return oldest;
}

bool push_breaker_admits(const char *origin)
{
        const struct provider *p = find(origin);

        return p == NULL || p->paused_until_us <= clock_monotonic_us();
}

void push_breaker_note(const char *origin, bool failed)
{
        struct provider *p = find(origin);

        if (!failed) {
                if (p != NULL) {
                        *p = (struct provider){.failures = 0};
                }
                return;
        }
        p = p != NULL ? p : add(origin);
        p->used_us = clock_monotonic_us();
        if (++p->failures >= FAILURES) {
                int beyond = p->failures - FAILURES < 6 ? p->failures - FAILURES : 6;
                int64_t pause_s = FIRST_PAUSE_S << beyond;

                p->paused_until_us = p->used_us + (pause_s < LONGEST_PAUSE_S ? pause_s : LONGEST_PAUSE_S) * 1000000;
        }
}
