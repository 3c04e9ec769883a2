/* Spool: what transports take in before anybody handles it, in files without names below one folder. All of a process
 * is bounded: bytes, files, what waits for the disk, and what must stay free on it. Nobody waits for the disk but the
 * threads of the spool, and who finishes a file. Any thread; one file is one thread's at a time. */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_options {
        const char *folder; /* "": TMPDIR, or /var/tmp */
        int64_t max_bytes;
        int64_t max_files;
        int64_t free_bytes; /* that stay free on its disk */
};

const char *spool_folder(void);

/* At start, before any thread. Without it there are 4 GiB in 128 files, and 256 MiB stay free. */
void spool_setup(const struct spool_options *options);

enum spool_result {
        SPOOL_OK,
        SPOOL_FULL,   /* of bytes or files, or the disk is: waiting helps */
        SPOOL_BROKEN, /* the folder is not there, or the disk fails; errno says why */
        SPOOL_LATE,   /* the disk has not taken it in time */
};

struct spool;

/* expected: how many bytes are announced, 0: unknown. They must fit now, but are counted as they come: an announcement
 * takes nothing from others. That the disk is full or broken is said by one of the next calls. */
enum spool_result spool_new(int64_t expected, struct spool **out);
/* Its SHA-256 is made as it is written. Before its first byte. False: no memory. */
bool spool_hash(struct spool *s);
enum spool_result spool_append(struct spool *s, const void *bytes, size_t len);
/* So much waits for the disk that no more should be given, before spool_listen tells that there may be room again. */
bool spool_is_full(struct spool *s);
/* tell is called, on a thread of the spool and quickly, when one that was full is not any more. False: too many listen.
 */
bool spool_listen(void (*tell)(void *context), void *context);
void spool_listen_no_more(void *context);
/* All of a file, from its beginning; waits for the disk until a moment of clock_monotonic_us() at most: on workers.
 * SPOOL_BROKEN also when it cannot be read. */
enum spool_result spool_copy(struct spool *s, int from, int64_t until_us);
int64_t spool_size(const struct spool *s);
/* All that was appended, for reading from its beginning; *fd stays the spool's own. Waits until what is left of it is
 * written, until a moment of clock_monotonic_us() at most. */
enum spool_result spool_finish(struct spool *s, int64_t until_us, int *fd);
/* Of one that is finished. False: spool_hash was not called, or no memory. */
bool spool_sha256(const struct spool *s, uint8_t digest[32]);
void spool_free(struct spool *s); /* takes NULL; it counts until it is closed */
int64_t spool_bytes_in_use(void);
int64_t spool_files_in_use(void);

/* --- files without names that are not spools, in the same folder --- */

/* The caller's to close; -1 with errno. */
int spool_open_unnamed(void);
/* So many bytes more leave free on its disk what must stay free. */
bool spool_has_room(int fd, int64_t more);
/* False with errno. */
bool spool_write_all(int fd, const void *bytes, size_t len, int64_t at);

/* Keeps the bytes of a body under a name that is not taken, on disk when it returns: by a link where the folder is on
 * the spool's file system, by a copy elsewhere. False with errno otherwise, and nothing is there. */
bool spool_keep(int fd, const char *path);

#endif
