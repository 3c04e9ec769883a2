/* Threads that read shared memory without a lock, and what waits for them: memory that was unlinked may be freed once
 * every reader that may have found it before has finished. */
#ifndef CACHE_READERS_H
#define CACHE_READERS_H

/* Around a short read that neither blocks nor begins another. Pointers that a writer may unlink are read and written
 * with READERS_LOAD and READERS_STORE; what they pointed to is valid until readers_leave. */
void readers_enter(void);
void readers_leave(void);
/* Waits until all reads that have begun are finished. Not within a read, and not with a lock that a read takes. */
void readers_wait(void);

/* Sequentially consistent, like readers_enter: either the reader finds what was stored, or readers_wait sees the
 * reader. */
#define READERS_LOAD(at)         __atomic_load_n((at), __ATOMIC_SEQ_CST)
#define READERS_STORE(at, value) __atomic_store_n((at), (value), __ATOMIC_SEQ_CST)

#endif
