/* Owns the memory of stamps that several processes share: a page with its name, and a part for each process, which
 * begins with its epoch. */
#include "base/shared_stamps.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"

enum {
        HEAD_BYTES = 4096,
        PART_BYTES = 32 << 20,
        PACKED_BYTES_MAX = 8192, /* a header field of half as much again */
        NUMBER_BYTES_MAX = 10,
        LINE = 8, /* counters of a cache line: those of two users never share one */
};

static struct {
        pthread_mutex_t lock;
        int fd;
        uint64_t *base;   /* NULL: nothing is shared */
        size_t n;         /* counters in all */
        size_t next, end; /* of this process's part: what is not in use */
        size_t epoch_at;
        uint64_t epoch;
        char name[17];
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* ---- The memory ---- */

static size_t bytes_for(size_t processes)
{
        return HEAD_BYTES + processes * PART_BYTES;
}

int shared_stamps_create(size_t processes)
{
        int fd = memfd_create("sonet-stamps", MFD_CLOEXEC);

        if (fd >= 0 && ftruncate(fd, (off_t)bytes_for(processes)) != 0) {
                (void)close(fd);
                return -1;
        }
        return fd;
}

/* Whether there is memory for it, which otherwise would be found out by a signal. */
static bool reserve(size_t from, size_t n)
{
        return fallocate(shared.fd, 0, (off_t)(from * sizeof(uint64_t)), (off_t)(n * sizeof(uint64_t))) == 0;
}

/* The first process chooses it. */
static void read_name(void)
{
        uint64_t name = 0, chosen;

        random_bytes(&chosen, sizeof(chosen));
        if (__atomic_compare_exchange_n(&shared.base[0], &name, chosen | 1, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
                name = chosen | 1;
        }
        (void)snprintf(shared.name, sizeof(shared.name), "%016llx", (unsigned long long)name);
}

static bool map_memory(int fd, size_t part)
{
        struct stat st;

        if (fstat(fd, &st) != 0) {
                return false;
        }
        if (st.st_size < (off_t)bytes_for(part + 1)) {
                errno = EINVAL;
                return false;
        }
        void *base = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (base == MAP_FAILED) {
                return false;
        }
        shared.base = base;
        shared.n = (size_t)st.st_size / sizeof(uint64_t);
        return true;
}

bool shared_stamps_join(int fd, size_t part)
{
        size_t first = bytes_for(part) / sizeof(uint64_t);

        if (!map_memory(fd, part)) {
                return false;
        }
        shared.fd = fd;
        if (!reserve(0, 1) || !reserve(first, LINE) || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
                shared_stamps_leave();
                return false;
        }
        read_name();
        shared.epoch_at = first;
        shared.epoch = __atomic_add_fetch(&shared.base[first], 1, __ATOMIC_SEQ_CST);
        shared.next = first + LINE;
        shared.end = first + PART_BYTES / sizeof(uint64_t);
        return true;
}

void shared_stamps_leave(void)
{
        if (shared.base != NULL) {
                (void)munmap(shared.base, shared.n * sizeof(uint64_t));
                (void)close(shared.fd);
                shared.base = NULL;
                shared.fd = -1;
                shared.next = shared.end = 0;
        }
}

static bool is_shared(const void *counter)
{
        const uint64_t *at = counter;

        return shared.base != NULL && at >= shared.base && at < shared.base + shared.n;
}

/* ---- Counters ---- */

/* NULL: there is no room. */
static uint64_t *take_shared(size_t n)
{
        size_t whole = (n + LINE - 1) / LINE * LINE;
        uint64_t *counters = NULL;

        (void)pthread_mutex_lock(&shared.lock);
        if (n <= PART_BYTES && shared.end - shared.next >= whole && reserve(shared.next, whole)) {
                counters = shared.base + shared.next;
                shared.next += whole;
        }
        (void)pthread_mutex_unlock(&shared.lock);
        return counters;
}

uint64_t *shared_stamps_new(size_t n)
{
        uint64_t *counters = shared.base != NULL ? take_shared(n) : NULL;

        if (counters == NULL) {
                counters = calloc(n, sizeof(*counters));
        }
        for (size_t i = 0; counters != NULL && i < n; i++) {
                (void)__atomic_add_fetch(&counters[i], 1, __ATOMIC_SEQ_CST);
        }
        return counters;
}

void shared_stamps_free(uint64_t *counters)
{
        if (!is_shared(counters)) {
                free(counters);
        }
}

_Static_assert(sizeof(struct stamp_deadline) == 2 * sizeof(uint64_t), "a deadline is two counters");

struct stamp_deadline *shared_stamps_deadline_new(void)
{
        struct stamp_deadline *deadline = (struct stamp_deadline *)shared_stamps_new(2);

        if (deadline == NULL) {
                abort();
        }
        stamp_deadline_set(deadline, 0);
        return deadline;
}

void shared_stamps_deadline_free(struct stamp_deadline *deadline)
{
        shared_stamps_free((uint64_t *)deadline);
}

/* ---- Records of several processes ---- */

const char *shared_stamps_name(void)
{
        return shared.base != NULL ? shared.name : NULL;
}

/* Numbers of 7 bits a byte, the lowest first, as in protobuf. */
static uint8_t *put_number(uint8_t *at, uint64_t number)
{
        for (; number >= 0x80; number >>= 7) {
                *at++ = (uint8_t)(number | 0x80);
        }
        *at++ = (uint8_t)number;
        return at;
}

static bool take_number(struct str *packed, uint64_t *number)
{
        *number = 0;
        for (size_t i = 0; i < packed->len && i < NUMBER_BYTES_MAX; i++) {
                *number |= (uint64_t)(packed->ptr[i] & 0x7f) << 7 * i;
                if ((packed->ptr[i] & 0x80) == 0) {
                        *packed = (struct str){packed->ptr + i + 1, packed->len - i - 1};
                        return true;
                }
        }
        return false;
}

static bool are_shared(const struct stamps *stamps)
{
        bool all = true;

        for (size_t i = 0; i < stamps->n_deadlines; i++) {
                all = all && is_shared(stamps->deadlines[i]);
        }
        for (size_t i = 0; i < stamps->n; i++) {
                all = all && is_shared(stamps->all[i].at);
        }
        return all;
}

static uint64_t place_of(const void *counter)
{
        return (uint64_t)((const uint64_t *)counter - shared.base);
}

/* The time, or 0; the number of deadlines, and their places; and for each counter its place and value. */
struct str shared_stamps_pack(struct arena *arena, const struct stamps *stamps, struct str name)
{
        size_t numbers = 2 + stamps->n_deadlines + 2 * (1 + stamps->n);

        if (shared.base == NULL || !str_equal_c(name, shared.name) || !are_shared(stamps)) {
                return (struct str){0};
        }
        uint8_t *packed = arena_alloc(arena, numbers * NUMBER_BYTES_MAX), *at = packed;

        at = put_number(at, stamps->until_ms != INT64_MAX ? (uint64_t)stamps->until_ms : 0);
        at = put_number(at, stamps->n_deadlines);
        for (size_t i = 0; i < stamps->n_deadlines; i++) {
                at = put_number(at, place_of(stamps->deadlines[i]));
        }
        at = put_number(put_number(at, shared.epoch_at), shared.epoch);
        for (size_t i = 0; i < stamps->n; i++) {
                at = put_number(put_number(at, place_of(stamps->all[i].at)), stamps->all[i].value);
        }
        size_t len = (size_t)(at - packed);

        return len <= PACKED_BYTES_MAX ? (struct str){(const char *)packed, len} : (struct str){0};
}

static bool add_deadlines(struct str *packed)
{
        uint64_t n, place;
        bool fits = take_number(packed, &n) && n <= STAMP_DEADLINES_MAX;

        for (uint64_t i = 0; fits && i < n; i++) {
                fits = take_number(packed, &place) && place + 1 < shared.n;
                if (fits) {
                        stamps_before((struct stamp_deadline *)(shared.base + place));
                }
        }
        return fits;
}

bool shared_stamps_add(struct str packed)
{
        uint64_t until_ms, place, value;

        if (shared.base == NULL || !take_number(&packed, &until_ms) || !add_deadlines(&packed)) {
                return false;
        }
        stamps_until(until_ms > 0 && until_ms < INT64_MAX ? (int64_t)until_ms : INT64_MAX);
        while (packed.len > 0) {
                if (!take_number(&packed, &place) || !take_number(&packed, &value) || place >= shared.n) {
                        return false;
                }
                stamps_add(shared.base + place, value);
        }
        return true;
}
