/* What a response was read from, so that it can be sent again as long as nothing of that has changed. While a thread
 * records, whatever it reads in memory adds a stamp: a counter that each change increases before the change is
 * acknowledged, and the value that it had before the read. Where there is no counter, a function says whether what was
 * read still counts. What memory does not show (PostgreSQL, Redis, another process) spoils the record; code that blocks
 * need not say so, since it asks no_wait_refuses first (base/no_wait.h). */
#ifndef BASE_STAMPS_H
#define BASE_STAMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMPS_MAX       1000 /* beyond it the record is spoiled */
#define STAMP_CHECKS_MAX 8

struct stamp_check {
        bool (*holds)(const void *of);
        const void *of;
};

struct stamps {
        int64_t until_ms; /* wall-clock time */
        size_t n_checks, n;
        struct stamp_check checks[STAMP_CHECKS_MAX];
        struct stamp {
                const uint64_t *at;
                uint64_t value;
        } all[];
};

/* ---- For whoever makes the response ---- */

/* Records on this thread from now on, until stamps_end. */
void stamps_begin(void);
/* The record, valid until the thread's next stamps_begin; NULL if it was spoiled, or none was begun. */
const struct stamps *stamps_end(void);
size_t stamps_bytes(const struct stamps *stamps);
/* True: nothing has changed since it was recorded. Any thread, while what the stamps are of exists. */
bool stamps_hold(const struct stamps *stamps, int64_t now_ms);

/* ---- For whoever reads for it; without effect on a thread that does not record ---- */

/* Before the read. *at never decreases, and changes after what is read has changed and before that is acknowledged. */
void stamps_add(const uint64_t *at, uint64_t value);
/* The response counts only as long as holds(of) is true. */
void stamps_require(bool (*holds)(const void *of), const void *of);
/* The response counts before this time only. */
void stamps_until(int64_t ms);
/* The response depends on something that has no stamp. */
void stamps_spoil(void);

#endif
