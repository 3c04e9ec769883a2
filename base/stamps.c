/* Owns the record of what this thread reads. */
#include "base/stamps.h"

static __thread struct {
        bool on, spoiled;
        union {
                struct stamps stamps;
                char room[sizeof(struct stamps) + STAMPS_MAX * sizeof(struct stamp)];
        } of;
} record;

void stamps_begin(void)
{
        record.on = true;
        record.spoiled = false;
        record.of.stamps.until_ms = INT64_MAX;
        record.of.stamps.n_checks = record.of.stamps.n = 0;
}

const struct stamps *stamps_end(void)
{
        bool whole = record.on && !record.spoiled;

        record.on = false;
        return whole ? &record.of.stamps : NULL;
}

size_t stamps_bytes(const struct stamps *stamps)
{
        return sizeof(*stamps) + stamps->n * sizeof(stamps->all[0]);
}

bool stamps_hold(const struct stamps *stamps, int64_t now_ms)
{
        if (now_ms >= stamps->until_ms) {
                return false;
        }
        for (size_t i = 0; i < stamps->n; i++) {
                if (__atomic_load_n(stamps->all[i].at, __ATOMIC_SEQ_CST) != stamps->all[i].value) {
                        return false;
                }
        }
        for (size_t i = 0; i < stamps->n_checks; i++) {
                if (!stamps->checks[i].holds(stamps->checks[i].of)) {
                        return false;
                }
        }
        return true;
}

void stamps_add(const uint64_t *at, uint64_t value)
{
        struct stamps *s = &record.of.stamps;

        if (!record.on) {
                return;
        }
        if (s->n == STAMPS_MAX) {
                record.spoiled = true;
                return;
        }
        s->all[s->n++] = (struct stamp){at, value};
}

void stamps_require(bool (*holds)(const void *of), const void *of)
{
        struct stamps *s = &record.of.stamps;

        if (!record.on) {
                return;
        }
        for (size_t i = 0; i < s->n_checks; i++) {
                if (s->checks[i].holds == holds && s->checks[i].of == of) {
                        return;
                }
        }
        if (s->n_checks == STAMP_CHECKS_MAX) {
                record.spoiled = true;
                return;
        }
        s->checks[s->n_checks++] = (struct stamp_check){holds, of};
}

void stamps_until(int64_t ms)
{
        if (ms < record.of.stamps.until_ms) {
                record.of.stamps.until_ms = ms;
        }
}

void stamps_spoil(void)
{
        record.spoiled = true;
}
