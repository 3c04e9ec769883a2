/* Shared by the files of the spool: spool.c buffers bytes, spool_blocks.c is the memory of the buffers, spool_thread.c
 * waits for the disk, spool_disk.c is the file, spool_keep.c gives it a name. Private to base/. */
#ifndef BASE_SPOOL_PRIVATE_H
#define BASE_SPOOL_PRIVATE_H

#include <openssl/evp.h>
#include <pthread.h>
#include <stdalign.h>
#include "base/spool.h"

enum {
        SPOOL_ALIGN_BYTES = 512,            /* of blocks, so that disks can read them directly */
        SPOOL_BLOCK_BYTES = 16 << 10,       /* so that bytes that arrive one by one do not need a system call each */
        SPOOL_PIECE_BYTES = 64 << 10,       /* so that a thread is not woken for each block while there is memory */
        SPOOL_WIDE_PIECE_BYTES = 192 << 10, /* of a wide file, instead */
        SPOOL_LITTLE_BYTES = 1 << 20,       /* of all other files */
        SPOOL_FULL_BYTES =
            160 << 10, /* when this much of a file is in memory no more should be added, until it is half */
        SPOOL_WIDE_BYTES = 384 << 10,    /* instead, of a wide one, */
        SPOOL_WIDEST_BYTES = 1536 << 10, /* and of a wide one while others hold little */
        SPOOL_WAITING_BYTES = 6 << 20,   /* if this much of all files is in memory, a file with a block is full, too */
        SPOOL_QUEUE_MAX = 16 << 20,      /* hard limit */
        SPOOL_FOLDER_BYTES = 4096,
};

struct spool_block {
        alignas(SPOOL_ALIGN_BYTES) char bytes[SPOOL_BLOCK_BYTES];
        struct spool_block *next;
        size_t len;
};

struct spool_blocks {
        struct spool_block *first, *last;
        size_t bytes; /* in all of them */
};

extern struct spool_options spool_options;

/* Used by one thread at a time; its hash by one at a time, too, which may be another. */
struct spool_file {
        int fd;                      /* -1: not open yet */
        int64_t expected;            /* bytes that must fit when it is opened */
        int64_t size, begun, synced; /* written; of that being written back; and durable */
        EVP_MD_CTX *hash;            /* of the bytes written; NULL: not hashed */
        bool direct, never_direct;   /* past the page cache; the file system, or the disk, does not support it */
};

struct spool {
        struct spool_file file;
        int64_t size;
        struct spool_block *filling; /* by the thread that appends, and reserved ones behind it; NULL: none */
        /* under spool_lock */
        struct spool_blocks queued, written; /* to be written; to be hashed */
        size_t held_bytes;                   /* in both, and in what threads took from them */
        bool wide, writing, hashing, opened, was_full, freed, overflow;
        enum spool_result result; /* of the disk */
        int why;                  /* an errno */
        bool listed;
        struct spool *next;
};

extern size_t spool_waiting_bytes; /* under spool_lock: held_bytes of all files */
extern pthread_mutex_t spool_lock; /* of all spools; held only briefly */

/* NULL when out of memory. */
struct spool_block *spool_block_new(void);
void spool_block_free(struct spool_block *block);
void spool_blocks_add(struct spool_blocks *to, struct spool_block *block);
void spool_blocks_move(struct spool_blocks *to, struct spool_blocks *from); /* behind what is there */
/* The first ones, until they have this much. */
void spool_blocks_take(struct spool_blocks *to, struct spool_blocks *from, size_t bytes);
void spool_blocks_free(struct spool_blocks *blocks);

/* Under the lock. How much of it, at least, is worth writing while more may arrive. */
size_t spool_piece(const struct spool *s);
/* Under the lock. How much of it may be in memory. */
size_t spool_window(const struct spool *s);
/* Under the lock. Whether this much of it, or too much of all files, is in memory. False if it has failed. */
bool spool_reaches(const struct spool *s, size_t bytes);
/* Under the lock. Puts it on the threads' list: it has something to write, or is no longer needed. */
void spool_list(struct spool *s);
/* Under the lock. Waits until a thread has done something; false after the given clock_monotonic_us(). */
bool spool_wait(int64_t until_us);
bool spool_threads_start(void); /* once */
void spool_uncount(const struct spool *s);

/* Opens the file on first use. errno says why it failed. */
enum spool_result spool_file_write(struct spool_file *file, const struct spool_blocks *blocks);
/* For reading it from its start, into any memory. */
void spool_file_rewind(struct spool_file *file);
/* False: out of memory. */
bool spool_file_hash(struct spool_file *file, const struct spool_blocks *blocks);

#endif
