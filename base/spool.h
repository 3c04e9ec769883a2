/* Spool: what transports take in before anybody handles it, in files without names below one folder. All of a process
 * is bounded: bytes, files, and what must stay free on the disk. Any thread; one file is one thread's at a time. */
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
};

struct spool;

/* expected: how many bytes are announced, 0: unknown. They must fit now, but are counted as they come: an announcement
 * takes nothing from others. */
enum spool_result spool_new(int64_t expected, struct spool **out);
enum spool_result spool_append(struct spool *s, const void *bytes, size_t len);
int64_t spool_size(const struct spool *s);
/* All that was appended, for reading from its beginning; *fd stays the spool's own. Writes what is left of it, which
 * may fail as spool_append may. */
enum spool_result spool_finish(struct spool *s, int *fd);
void spool_free(struct spool *s); /* takes NULL */
int64_t spool_bytes_in_use(void);

/* Keeps the bytes of a body under a name that is not taken, on disk when it returns: by a link where the folder is on
 * the spool's file system, by a copy elsewhere. False with errno otherwise, and nothing is there. */
bool spool_keep(int fd, const char *path);

#endif
