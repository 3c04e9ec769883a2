/* Spool: unnamed files in one folder for bodies that transports receive before a handler runs. The totals of a
 * process are limited: bytes, files, buffered bytes, and free space to leave on the disk. Only the spool's threads and
 * whoever finishes a file wait for the disk. Any thread; a file is used by one thread at a time. */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct spool_options {
        const char *folder; /* "": TMPDIR, or /var/tmp */
        int64_t max_bytes;
        int64_t max_files;
        int64_t free_bytes; /* to leave free on the disk */
};

const char *spool_folder(void);

/* At start, before any thread. The defaults are 4 GiB in 128 files, leaving 256 MiB free. */
void spool_setup(const struct spool_options *options);

enum spool_result {
        SPOOL_OK,
        SPOOL_FULL,   /* of bytes or files, or the disk is: waiting helps */
        SPOOL_BROKEN, /* the folder is missing, or the disk fails; errno says why */
        SPOOL_LATE,   /* the disk was too slow */
};

struct spool;

/* expected: the announced number of bytes, 0: unknown. They must fit now, but are counted only as they arrive: an
 * announcement takes nothing from others. Later calls report if the disk is full or failing. */
enum spool_result spool_new(int64_t expected, struct spool **out);
/* Computes its SHA-256 as it is written. To be called before its first byte. False: out of memory. */
bool spool_hash(struct spool *s);
/* Up to 1.5 MiB of it may be in memory while others hold little, so that those who receive, write and hash it rarely
 * wait for each other, and 384 KiB otherwise; of files that are not wide 160 KiB. Before its first byte. */
void spool_widen(struct spool *s);
enum spool_result spool_append(struct spool *s, const void *bytes, size_t len);
/* Memory for the next bytes, so that they need not be copied: fills in up to n areas, which may be less than there is
 * room for, and returns how many; 0: out of memory. Then spool_append_reserved is called, or spool_free. */
int spool_reserve(struct spool *s, struct iovec *areas, int n);
/* Appends the first len bytes of the areas, possibly 0. */
enum spool_result spool_append_reserved(struct spool *s, size_t len);
/* So many bytes are waiting for the disk that no more should be added before spool_listen reports room. */
bool spool_is_full(struct spool *s);
/* tell, which must be quick, is called on a thread of the spool when a full one has room again. False: too many
 * listeners. */
bool spool_listen(void (*tell)(void *context), void *context);
void spool_listen_no_more(void *context);
/* Notifies all listeners, on behalf of other code that paused bodies. Any thread. */
void spool_tell(void);
/* Copies all of the file `from` from its start; waits for the disk until the given clock_monotonic_us() at most, so
 * only for workers. SPOOL_BROKEN also if it cannot be read. */
enum spool_result spool_copy(struct spool *s, int from, int64_t until_us);
int64_t spool_size(const struct spool *s);
/* Everything appended, for reading from its start; *fd still belongs to the spool. Waits until the rest is written,
 * until the given clock_monotonic_us() at most. */
enum spool_result spool_finish(struct spool *s, int64_t until_us, int *fd);
/* After spool_finish. False: spool_hash was not called, or out of memory. */
bool spool_sha256(const struct spool *s, uint8_t digest[32]);
void spool_free(struct spool *s); /* takes NULL; it counts towards the limits until its file is closed */
int64_t spool_bytes_in_use(void);
int64_t spool_files_in_use(void);

/* --- other unnamed files in the same folder --- */

/* To be closed by the caller; -1 with errno. */
int spool_open_unnamed(void);
/* Whether that many more bytes leave the required space free. */
bool spool_has_room(int fd, int64_t more);
/* False with errno. */
bool spool_write_all(int fd, const void *bytes, size_t len, int64_t at);

/* Saves the bytes of a body under a name that does not exist yet: with a link if the folder is on the spool's file
 * system, otherwise with a copy. The bytes are on disk then; the name is once its folder is synced. False with errno,
 * leaving nothing behind. */
bool spool_keep(int fd, const char *path);

#endif
