/* Time and randomness: the system's, unless a test replaces them. */
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "base/no_wait.h"

#include "base/civil.h"

/* What tests put in place of the system's; NULL: nothing. */
static struct {
        int64_t (*_Atomic wall_us)(void);
        int64_t (*_Atomic monotonic_us)(void);
        int64_t (*_Atomic boot_us)(void);
        void (*_Atomic random)(void *out, size_t len);
} replaced;

/* Loads a member only once, since another thread may replace it meanwhile. */
#define REPLACED(member) atomic_load_explicit(&replaced.member, memory_order_acquire)

static int64_t read_us(clockid_t id)
{
        struct timespec t;
        clock_gettime(id, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
        int64_t (*own)(void) = REPLACED(wall_us);
        return own != NULL ? own() : read_us(CLOCK_REALTIME);
}

int64_t clock_wall_ms(void)
{
        return clock_wall_us() / 1000;
}

int64_t clock_monotonic_us(void)
{
        int64_t (*own)(void) = REPLACED(monotonic_us);
        return own != NULL ? own() : read_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_us(void)
{
        int64_t (*own)(void) = REPLACED(boot_us);
        return own != NULL ? own() : read_us(CLOCK_BOOTTIME);
}

void clock_sleep_ms(int64_t ms)
{
        if (ms <= 0) {
                return;
        }
        NO_WAIT_ASSERT();
        struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
        }
}

/* --- randomness --- */

enum { BUFFER_BYTES = 512, BUFFERED_MAX = 16 }; /* an id, or a trace id; keys come from the system each time */

/* Buffered per thread, so that a request does not need a system call for each ID that it draws. Bytes handed out are
 * wiped here. After a fork the child has a copy of the buffer, and must not hand out the same bytes. */
static __thread struct {
        unsigned char bytes[BUFFER_BYTES];
        size_t left;
        unsigned forks;
} buffer;

static atomic_uint forks; /* of this process's ancestors since the first draw */
static pthread_once_t watch_forks_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
        atomic_fetch_add(&forks, 1);
}

static void watch_forks(void)
{
        if (pthread_atfork(NULL, NULL, count_fork) != 0) {
                abort(); /* otherwise a child would draw its parent's IDs again */
        }
}

static void ask_system(void *out, size_t len)
{
        char *at = out;
        while (len > 0) {
                ssize_t got = getrandom(at, len, 0);
                if (got < 0 && errno != EINTR) {
                        abort(); /* nothing that needs randomness may continue without it */
                }
                if (got > 0) {
                        at += got;
                        len -= (size_t)got;
                }
        }
}

static void take_from_buffer(void *out, size_t len)
{
        (void)pthread_once(&watch_forks_once, watch_forks);
        unsigned now = atomic_load_explicit(&forks, memory_order_relaxed);
        if (buffer.left < len || buffer.forks != now) {
                ask_system(buffer.bytes, BUFFER_BYTES);
                buffer.left = BUFFER_BYTES;
                buffer.forks = now;
        }
        buffer.left -= len;
        memcpy(out, buffer.bytes + buffer.left, len);
        explicit_bzero(buffer.bytes + buffer.left, len);
}

void random_bytes(void *out, size_t len)
{
        void (*own)(void *, size_t) = REPLACED(random);
        if (own != NULL) {
                own(out, len);
        } else if (len <= BUFFERED_MAX) {
                take_from_buffer(out, len);
        } else {
                ask_system(out, len);
        }
}

uint32_t random_below(uint32_t bound)
{
        if (bound <= 1) {
                return 0;
        }
        /* Values under 2^32 mod bound would make low results more likely: draw again. */
        uint32_t least = -bound % bound;
        for (;;) {
                uint32_t value;
                random_bytes(&value, sizeof(value));
                if (value >= least) {
                        return value % bound;
                }
        }
}

void clock_set_source(const struct clock_source *source)
{
        static const struct clock_source none;
        source = source != NULL ? source : &none;
        atomic_store(&replaced.wall_us, source->wall_us);
        atomic_store(&replaced.monotonic_us, source->monotonic_us);
        atomic_store(&replaced.boot_us, source->boot_us);
        atomic_store(&replaced.random, source->random);
}

static void put_digits(char *out, int64_t value, int n)
{
        for (int i = n - 1; i >= 0; i--) {
                out[i] = (char)('0' + value % 10);
                value /= 10;
        }
}

char *clock_format_ms(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE])
{
        const int64_t least = -62167219200000, most = 253402300799999; /* the years 0000 to 9999 */
        wall_ms = wall_ms < least ? least : wall_ms > most ? most : wall_ms;
        int64_t of_day = wall_ms % 86400000;
        int64_t days = wall_ms / 86400000;
        if (of_day < 0) {
                of_day += 86400000;
                days--;
        }
        struct civil date = civil_of_days(days);
        memcpy(out, "0000-00-00T00:00:00.000Z", CLOCK_RFC3339_SIZE);
        put_digits(out, date.year, 4);
        put_digits(out + 5, date.month, 2);
        put_digits(out + 8, date.day, 2);
        put_digits(out + 11, of_day / 3600000, 2);
        put_digits(out + 14, of_day / 60000 % 60, 2);
        put_digits(out + 17, of_day / 1000 % 60, 2);
        put_digits(out + 20, of_day % 1000, 3);
        return out;
}
