/* Threads that must not block. An I/O thread runs a request itself as long as that needs nothing slow: between
 * no_wait_begin and no_wait_end, anything that would block (on PostgreSQL, Redis, another process, a password hash)
 * must first call no_wait_refused, and fail. The attempt is then discarded, whatever its result, and the request
 * goes to a worker. So until then an attempt may change nothing but caches: code that records that it is about to do
 * something for others must call it before that. Blocking without asking aborts debug builds. */
#ifndef BASE_NO_WAIT_H
#define BASE_NO_WAIT_H

#include <stdbool.h>

void no_wait_begin(void);
/* True: something would have blocked. */
bool no_wait_end(void);
/* Called before blocking and before changing anything. True: it must not block, and fails; its caller may return
 * anything. Always false on threads that may block. */
bool no_wait_refuses(void);
/* Whether this thread must not block; the attempt continues. */
bool no_wait_here(void);
/* The attempt has failed already. */
bool no_wait_refused(void);

/* Called where a thread blocks: aborts debug builds on a thread that must not. */
#ifdef NDEBUG
#define NO_WAIT_ASSERT() ((void)0)
#else
#define NO_WAIT_ASSERT() no_wait_assert(__func__)
#endif
void no_wait_assert(const char *what);

#endif
