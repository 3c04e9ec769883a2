/* What the files of the spool share: spool.c takes bytes in, spool_thread.c waits for the disk, spool_disk.c is the
 * file, spool_keep.c gives it a name. Private to base/. */
#ifndef BASE_SPOOL_PRIVATE_H
#define BASE_SPOOL_PRIVATE_H

#include <pthread.h>
#include "base/buf.h"
#include "base/spool.h"

enum {
        SPOOL_PIECE_BYTES = 16 << 10,  /* so that bytes that come one by one are no system calls one by one */
        SPOOL_FULL_BYTES = 256 << 10,  /* that wait for the disk: no more should come, */
        SPOOL_ROOM_BYTES = 64 << 10,   /* before only so many wait */
        SPOOL_WAITING_BYTES = 4 << 20, /* when so many wait in all files, one that has a piece is full, too */
        SPOOL_QUEUE_MAX = 16 << 20,    /* what comes nevertheless */
        SPOOL_FOLDER_BYTES = 4096,
};

extern struct spool_options spool_options;

/* The thread's alone. */
struct spool_file {
        int fd;                      /* -1: not open yet */
        int64_t expected;            /* bytes that must fit when it is opened */
        int64_t size, begun, synced; /* written; of that on its way to the disk; and there */
};

struct spool {
        struct spool_file file;
        int64_t size;
        /* under spool_lock */
        struct buf queued;
        bool writing, opened, was_full, freed;
        enum spool_result result; /* of the disk */
        int why;                  /* an errno */
        bool listed;
        struct spool *next;
};

extern size_t spool_waiting_bytes; /* under spool_lock: what waits in all files */
extern pthread_mutex_t spool_lock; /* of all spools: what is done under it is short */

/* Under the lock. The thread is to look at it: it has something to write, or is not needed any more. */
void spool_list(struct spool *s);
/* Under the lock. Until the thread has done something; false when a moment of clock_monotonic_us() has passed. */
bool spool_wait(int64_t until_us);
bool spool_thread_start(void); /* once */
void spool_uncount(const struct spool *s);

/* Opens the file the first time. errno says why it did not work. */
enum spool_result spool_file_write(struct spool_file *file, const char *bytes, size_t len);

#endif
