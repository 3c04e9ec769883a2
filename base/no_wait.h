/* Threads that must not wait. An I/O thread runs a request itself as long as that needs nothing slow: from
 * no_wait_begin to no_wait_end whatever would have to wait (for PostgreSQL, Redis, another process, a password) asks
 * first, and fails. Then the attempt counts for nothing, whatever it answered, and the request goes to a worker. So
 * before it asks an attempt may change nothing but caches: who notes that it is about to do something for others asks
 * before that. What waits without asking aborts debug builds. */
#ifndef BASE_NO_WAIT_H
#define BASE_NO_WAIT_H

#include <stdbool.h>

void no_wait_begin(void);
/* True: something would have had to wait. */
bool no_wait_end(void);
/* Said by what is about to wait, before it changes anything. True: it must not, and fails; its caller may give any
 * answer. Always false on threads that may wait. */
bool no_wait_refuses(void);
/* Whether this thread must not wait; the attempt goes on. */
bool no_wait_here(void);
/* The attempt has failed already. */
bool no_wait_refused(void);

/* Said where a thread waits: aborts debug builds on one that must not. */
#ifdef NDEBUG
#define NO_WAIT_ASSERT() ((void)0)
#else
#define NO_WAIT_ASSERT() no_wait_assert(__func__)
#endif
void no_wait_assert(const char *what);

#endif
