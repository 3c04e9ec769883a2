/* What the files of the spool share: spool.c takes bytes in, spool_blocks.c is the memory they wait in, spool_thread.c
 * waits for the disk, spool_disk.c is the file, spool_keep.c gives it a name. Private to base/. */
#ifndef BASE_SPOOL_PRIVATE_H
#define BASE_SPOOL_PRIVATE_H

#include <openssl/evp.h>
#include <pthread.h>
#include "base/spool.h"

enum {
        SPOOL_BLOCK_BYTES = 16 << 10,  /* so that bytes that come one by one are no system calls one by one */
        SPOOL_PIECE_BYTES = 64 << 10,  /* so that a thread is not woken for each block, while little waits in all: */
        SPOOL_LITTLE_BYTES = 1 << 20,  /* less than so much */
        SPOOL_FULL_BYTES = 192 << 10,  /* that wait for the disk: no more should come, */
        SPOOL_ROOM_BYTES = 64 << 10,   /* before only so many wait */
        SPOOL_WAITING_BYTES = 4 << 20, /* when so many wait in all files, one that has a block is full, too */
        SPOOL_QUEUE_MAX = 16 << 20,    /* what comes nevertheless */
        SPOOL_FOLDER_BYTES = 4096,
};

struct spool_block {
        struct spool_block *next;
        size_t len;
        char bytes[SPOOL_BLOCK_BYTES];
};

struct spool_blocks {
        struct spool_block *first, *last;
        size_t bytes; /* in all of them */
};

extern struct spool_options spool_options;

/* Of one thread at a time. */
struct spool_file {
        int fd;                      /* -1: not open yet */
        int64_t expected;            /* bytes that must fit when it is opened */
        int64_t size, begun, synced; /* written; of that on its way to the disk; and there */
        EVP_MD_CTX *hash;            /* of what was written; NULL: of nothing */
};

struct spool {
        struct spool_file file;
        int64_t size;
        struct spool_block *filling; /* by who gives the bytes; NULL: none */
        /* under spool_lock */
        struct spool_blocks queued;
        bool writing, opened, was_full, freed, overflow;
        enum spool_result result; /* of the disk */
        int why;                  /* an errno */
        bool listed;
        struct spool *next;
};

extern size_t spool_waiting_bytes; /* under spool_lock: what waits in all files */
extern pthread_mutex_t spool_lock; /* of all spools; held only briefly */

/* NULL: no memory. */
struct spool_block *spool_block_new(void);
void spool_block_free(struct spool_block *block);
void spool_blocks_add(struct spool_blocks *to, struct spool_block *block);
void spool_blocks_free(struct spool_blocks *blocks);

/* Under the lock. A thread is to look at it: it has something to write, or is not needed any more. */
void spool_list(struct spool *s);
/* Under the lock. Until a thread has done something; false when a moment of clock_monotonic_us() has passed. */
bool spool_wait(int64_t until_us);
bool spool_threads_start(void); /* once */
void spool_uncount(const struct spool *s);

/* Opens the file the first time. errno says why it did not work. */
enum spool_result spool_file_write(struct spool_file *file, const struct spool_blocks *blocks);

#endif
