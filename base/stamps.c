/* Owns the record of what this thread reads. */
#include "base/stamps.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/clock.h"

struct record {
        bool on, spoiled;
        struct stamps stamps; /* last, with room */
};

/* Allocated by a thread's first record: few threads ever record, and what is __thread takes its room in all of them. */
static __thread struct record *record;
static pthread_key_t key; /* for its destructor, which runs when a thread ends */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_record(void *own)
{
        record = NULL;
        free(own);
}

static void make_key(void)
{
        if (pthread_key_create(&key, free_record) != 0) {
                abort();
        }
}

/* False without memory. */
static bool has_record(void)
{
        if (record == NULL) {
                pthread_once(&once, make_key);
                record = calloc(1, sizeof(*record) + STAMPS_MAX * sizeof(struct stamp));
                if (record != NULL && pthread_setspecific(key, record) != 0) {
                        free_record(record);
                }
        }
        return record != NULL;
}

void stamps_begin(void)
{
        if (has_record()) {
                record->on = true;
                record->spoiled = false;
                record->stamps.until_ms = INT64_MAX;
                record->stamps.n_deadlines = record->stamps.n = 0;
        }
}

bool stamps_recording(void)
{
        return record != NULL && record->on && !record->spoiled;
}

const struct stamps *stamps_end(void)
{
        bool whole = stamps_recording();

        if (record != NULL) {
                record->on = false;
        }
        return whole ? &record->stamps : NULL;
}

size_t stamps_bytes(const struct stamps *stamps)
{
        return sizeof(*stamps) + stamps->n * sizeof(stamps->all[0]);
}

static bool are_unchanged(const struct stamp *all, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (__atomic_load_n(all[i].at, __ATOMIC_SEQ_CST) != all[i].value) {
                        return false;
                }
        }
        return true;
}

static int64_t earliest_us(const struct stamps *stamps)
{
        int64_t until_us = INT64_MAX;

        for (size_t i = 0; i < stamps->n_deadlines; i++) {
                int64_t one_us = stamp_deadline_get(stamps->deadlines[i]);

                until_us = one_us < until_us ? one_us : until_us;
        }
        return until_us;
}

/* The deadlines are read first and compared with the time last: so in between nobody else could change what the stamps
 * are of, and a successor's deadline does not count for its predecessor's stamps. */
bool stamps_hold(const struct stamps *stamps, int64_t now_ms)
{
        int64_t until_us = earliest_us(stamps);

        if (now_ms >= stamps->until_ms || !are_unchanged(stamps->all, stamps->n) ||
            (until_us != INT64_MAX && clock_boot_us() >= until_us)) {
                return false;
        }
        for (size_t i = 0; i < stamps->n_deadlines; i++) {
                stamp_deadline_ask(stamps->deadlines[i]);
        }
        return true;
}

void stamps_add(const uint64_t *at, uint64_t value)
{
        if (!stamps_recording()) {
                return;
        }
        struct stamps *s = &record->stamps;

        if (s->n > 0 && s->all[s->n - 1].at == at && s->all[s->n - 1].value == value) {
                return; /* one row twice in a row */
        }
        if (s->n == STAMPS_MAX) {
                record->spoiled = true;
                return;
        }
        s->all[s->n++] = (struct stamp){at, value};
}

static bool has_deadline(const struct stamps *stamps, const struct stamp_deadline *deadline)
{
        for (size_t i = 0; i < stamps->n_deadlines; i++) {
                if (stamps->deadlines[i] == deadline) {
                        return true;
                }
        }
        return false;
}

void stamps_before(struct stamp_deadline *deadline)
{
        if (!stamps_recording() || has_deadline(&record->stamps, deadline)) {
                return;
        }
        if (record->stamps.n_deadlines == STAMP_DEADLINES_MAX) {
                record->spoiled = true;
                return;
        }
        record->stamps.deadlines[record->stamps.n_deadlines++] = deadline;
}

void stamps_until(int64_t ms)
{
        if (stamps_recording() && ms < record->stamps.until_ms) {
                record->stamps.until_ms = ms;
        }
}

void stamps_spoil(void)
{
        if (record != NULL) {
                record->spoiled = true;
        }
}

/* ---- Deadlines ---- */

void stamp_deadline_set(struct stamp_deadline *deadline, int64_t until_us)
{
        __atomic_store_n(&deadline->until_us, until_us, __ATOMIC_SEQ_CST);
}

int64_t stamp_deadline_get(const struct stamp_deadline *deadline)
{
        return __atomic_load_n(&deadline->until_us, __ATOMIC_SEQ_CST);
}

/* Read often, written rarely. */
void stamp_deadline_ask(struct stamp_deadline *deadline)
{
        if (__atomic_load_n(&deadline->asked, __ATOMIC_RELAXED) == 0) {
                __atomic_store_n(&deadline->asked, 1, __ATOMIC_RELAXED);
        }
}

bool stamp_deadline_was_asked(struct stamp_deadline *deadline)
{
        return __atomic_exchange_n(&deadline->asked, 0, __ATOMIC_RELAXED) != 0;
}
