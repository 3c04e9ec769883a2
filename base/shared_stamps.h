/* Stamps that the processes of one host share, so that a response made from several of them can be kept by one
 * (gateway/kept.h). `sonet up` creates memory for its processes, each with a part of its own for counters and deadlines
 * (base/stamps.h). A call from a process that records names that memory; the answer carries what it was read from, as
 * places in it, and the caller adds them to its own record. What the callee read elsewhere, or from processes on other
 * hosts, has no place there: then the answer carries nothing, and the caller's record is spoiled.
 *
 * Why a record that holds is still true:
 * - A change increases its counter before it is acknowledged, and processes see each other's memory at once.
 * - A process that dies after a COMMIT and before the increase has acknowledged nothing. Nobody else serves its rows
 *   until its lease is over, and its deadline was before that (db/ownership.h): the owner of rows, and the process that
 *   delivers timelines, trust their memory until these same deadlines, on a clock that all processes of a host share.
 * - So it makes no difference whether the successor is on this host, or on another one, which cannot change this
 *   memory. One on this host takes over the part: it increases the part's epoch before anything else, which is in every
 *   answer made from it, so that no record of its predecessor ever holds again.
 * - Without this memory, or without room in it, counters are private: everything works, and only responses that were
 *   read from other processes are not kept. */
#ifndef BASE_SHARED_STAMPS_H
#define BASE_SHARED_STAMPS_H

#include "base/arena.h"
#include "base/stamps.h"
#include "base/str.h"

/* Memory for this many processes, of which the kernel provides only what is used; lost with the last descriptor. -1
 * with errno. */
int shared_stamps_create(size_t processes);
/* At start, once, before anything is allocated: takes over a part, of which no other process may be the user, and
 * closes the descriptor. False with errno: nothing is shared. */
bool shared_stamps_join(int fd, size_t part);
/* Ends it: for tests. */
void shared_stamps_leave(void);

/* Counters, at least 1 and larger than any before in their places. Private if nothing is shared or there is no room;
 * NULL without memory. */
uint64_t *shared_stamps_new(size_t n);
void shared_stamps_free(uint64_t *counters); /* takes NULL */
/* At first nothing counts. Aborts without memory. */
struct stamp_deadline *shared_stamps_deadline_new(void);
void shared_stamps_deadline_free(struct stamp_deadline *deadline); /* takes NULL */

/* What a caller that records sends: the name of the memory. NULL: it shares none. */
const char *shared_stamps_name(void);
/* What the callee answers with, packed; ptr NULL: something has no place in the memory that the caller named, or there
 * is too much of it. */
struct str shared_stamps_pack(struct arena *arena, const struct stamps *stamps, struct str name);
/* Adds them to this thread's record. False if they are not well-formed. */
bool shared_stamps_add(struct str packed);

#endif
