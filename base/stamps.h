/* What a response was read from, so that it can be sent again as long as nothing of that has changed. While a thread
 * records, whatever it reads in memory adds a stamp: a counter that each change increases before the change is
 * acknowledged, and the value that it had before the read. What counts only for a time, like what the holder of a lease
 * has in memory, adds a deadline, which its owner moves on. What memory does not show (PostgreSQL, Redis) spoils the
 * record; code that blocks need not say so, since it asks no_wait_refuses first (base/no_wait.h). Another process adds
 * its own stamps to the record if both share memory (base/shared_stamps.h), and spoils it otherwise. */
#ifndef BASE_STAMPS_H
#define BASE_STAMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMPS_MAX          1000 /* beyond it the record is spoiled */
#define STAMP_DEADLINES_MAX 8

/* Two counters, so that both kinds can be in the same memory. */
struct stamp_deadline {
        int64_t until_us; /* on the boot clock; 0: nothing counts */
        uint64_t asked;   /* not 0: somebody has relied on it since the owner last looked */
};

struct stamps {
        int64_t until_ms; /* wall-clock time */
        size_t n_deadlines, n;
        struct stamp_deadline *deadlines[STAMP_DEADLINES_MAX];
        struct stamp {
                const uint64_t *at;
                uint64_t value;
        } all[];
};

/* ---- For whoever makes the response ---- */

/* Records on this thread from now on, until stamps_end. */
void stamps_begin(void);
bool stamps_recording(void);
/* The record, valid until the thread's next stamps_begin; NULL if it was spoiled, or none was begun. */
const struct stamps *stamps_end(void);
size_t stamps_bytes(const struct stamps *stamps);
/* True: at a moment during the call nothing had changed since it was recorded. Any thread, while what the stamps are
 * of exists. */
bool stamps_hold(const struct stamps *stamps, int64_t now_ms);

/* ---- For whoever reads for it; without effect on a thread that does not record ---- */

/* Before the read. *at never decreases, and changes after what is read has changed and before that is acknowledged. */
void stamps_add(const uint64_t *at, uint64_t value);
/* The response counts only before the deadline, wherever that is then. */
void stamps_before(struct stamp_deadline *deadline);
/* The response counts before this time only. */
void stamps_until(int64_t ms);
/* The response depends on something that has no stamp. */
void stamps_spoil(void);

/* ---- For the owner of a deadline, and whoever relies on it; any thread ---- */

/* Whatever else becomes true with it must be so before: it may be seen at once. */
void stamp_deadline_set(struct stamp_deadline *deadline, int64_t until_us);
int64_t stamp_deadline_get(const struct stamp_deadline *deadline);
/* Somebody relies on it; whether somebody has since the owner last looked. */
void stamp_deadline_ask(struct stamp_deadline *deadline);
bool stamp_deadline_was_asked(struct stamp_deadline *deadline);

#endif
