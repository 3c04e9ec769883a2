/* Time and randomness behind an interface, so that tests can fix them. All other code uses this, never the system
 * directly. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

int64_t clock_wall_us(void); /* microseconds since 1970 UTC */
int64_t clock_wall_ms(void);
int64_t clock_monotonic_us(void); /* for deadlines and durations; no relation to the wall */
int64_t clock_boot_us(void);      /* monotonic, and continues while the machine is suspended */
void clock_sleep_ms(int64_t ms);

void random_bytes(void *out, size_t len); /* cryptographically secure */
uint32_t random_below(uint32_t bound);    /* 0 ≤ value < bound */

/* Tests: NULL members keep the system's. */
struct clock_source {
        int64_t (*wall_us)(void);
        int64_t (*monotonic_us)(void);
        int64_t (*boot_us)(void);
        void (*random)(void *out, size_t len);
};
void clock_set_source(const struct clock_source *source); /* NULL restores */

#define CLOCK_RFC3339_SIZE 25 /* "2026-01-02T03:04:05.678Z" and NUL */
/* RFC 3339 in UTC with milliseconds. */
char *clock_format_ms(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]);

#endif
