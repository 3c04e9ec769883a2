/* Owns bytes on their way into files: the count of them, and those that wait for the disk. */
#include "base/spool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/spool_private.h"

enum { COPY_BYTES = 1 << 16 };

struct spool_options spool_options = {"", INT64_C(4) << 30, 128, 256 << 20};
static char folder[SPOOL_FOLDER_BYTES];
static atomic_int_least64_t bytes_in_use, files_in_use;

void spool_setup(const struct spool_options *given)
{
        spool_options = *given;
        (void)snprintf(folder, sizeof(folder), "%s", given->folder);
}

const char *spool_folder(void)
{
        const char *temporary = getenv("TMPDIR");

        if (folder[0] != '\0') {
                return folder;
        }
        return temporary != NULL && temporary[0] != '\0' ? temporary : "/var/tmp";
}

static bool reserve(atomic_int_least64_t *count, int64_t n, int64_t max)
{
        if (atomic_fetch_add(count, n) + n <= max) {
                return true;
        }
        atomic_fetch_sub(count, n);
        return false;
}

enum spool_result spool_new(int64_t expected, struct spool **out)
{
        if (!spool_thread_start() || expected > spool_options.max_bytes - atomic_load(&bytes_in_use) ||
            !reserve(&files_in_use, 1, spool_options.max_files)) {
                return SPOOL_FULL;
        }
        struct spool *s = calloc(1, sizeof(*s));

        if (s == NULL) {
                atomic_fetch_sub(&files_in_use, 1);
                return SPOOL_FULL;
        }
        s->file = (struct spool_file){.fd = -1, .expected = expected};
        buf_init(&s->queued, SPOOL_QUEUE_MAX);
        pthread_mutex_lock(&spool_lock);
        spool_list(s); /* it is opened, or will be known not to be, while the bytes come */
        pthread_mutex_unlock(&spool_lock);
        *out = s;
        return SPOOL_OK;
}

/* Under the lock. */
static enum spool_result result_of(const struct spool *s)
{
        if (s->result != SPOOL_OK) {
                errno = s->why;
        }
        return s->queued.overflow ? SPOOL_FULL : s->result;
}

enum spool_result spool_append(struct spool *s, const void *bytes, size_t len)
{
        if (!reserve(&bytes_in_use, (int64_t)len, spool_options.max_bytes)) {
                return SPOOL_FULL;
        }
        s->size += (int64_t)len;
        pthread_mutex_lock(&spool_lock);
        size_t before = s->queued.len;
        buf_append(&s->queued, bytes, len);
        spool_waiting_bytes += s->queued.len - before;
        if (s->queued.len >= SPOOL_PIECE_BYTES && !s->writing) {
                spool_list(s);
        }
        enum spool_result result = result_of(s);

        pthread_mutex_unlock(&spool_lock);
        return result;
}

/* With many files what waits in each must be little. A full one is listed, and tells when it was written. */
static bool is_full(const struct spool *s)
{
        bool is_crowded = spool_waiting_bytes >= SPOOL_WAITING_BYTES && s->queued.len >= SPOOL_PIECE_BYTES;

        return s->result == SPOOL_OK &&
               (is_crowded || s->queued.len >= (s->was_full ? SPOOL_ROOM_BYTES + 1 : SPOOL_FULL_BYTES));
}

bool spool_is_full(struct spool *s)
{
        bool full;
        pthread_mutex_lock(&spool_lock);
        full = is_full(s);
        s->was_full = full;
        pthread_mutex_unlock(&spool_lock);
        return full;
}

static enum spool_result wait_for_room(struct spool *s, int64_t until_us)
{
        bool in_time = true;

        pthread_mutex_lock(&spool_lock);
        while (s->result == SPOOL_OK && s->queued.len >= SPOOL_FULL_BYTES && in_time) {
                in_time = spool_wait(until_us);
        }
        enum spool_result result = in_time ? result_of(s) : SPOOL_LATE;

        pthread_mutex_unlock(&spool_lock);
        return result;
}

enum spool_result spool_copy(struct spool *s, int from, int64_t until_us)
{
        char bytes[COPY_BYTES];
        enum spool_result result = SPOOL_OK;
        ssize_t n = 0;

        for (off_t at = 0; result == SPOOL_OK && (n = pread(from, bytes, sizeof(bytes), at)) > 0; at += n) {
                result = spool_append(s, bytes, (size_t)n);
                result = result == SPOOL_OK ? wait_for_room(s, until_us) : result;
        }
        return n < 0 ? SPOOL_BROKEN : result;
}

int64_t spool_size(const struct spool *s)
{
        return s->size;
}

enum spool_result spool_finish(struct spool *s, int64_t until_us, int *fd)
{
        bool in_time = true;

        pthread_mutex_lock(&spool_lock);
        if (s->queued.len > 0 && !s->writing) {
                spool_list(s);
        }
        while (s->result == SPOOL_OK && (s->queued.len > 0 || s->writing || !s->opened) && in_time) {
                in_time = spool_wait(until_us);
                if (s->queued.len > 0 && !s->writing) {
                        spool_list(s);
                }
        }
        enum spool_result result = in_time ? result_of(s) : SPOOL_LATE;

        if (result == SPOOL_OK) {
                *fd = s->file.fd;
                (void)lseek(*fd, 0, SEEK_SET);
        }
        pthread_mutex_unlock(&spool_lock);
        return result;
}

void spool_free(struct spool *s)
{
        if (s != NULL) {
                pthread_mutex_lock(&spool_lock);
                s->freed = true;
                spool_list(s);
                pthread_mutex_unlock(&spool_lock);
        }
}

void spool_uncount(const struct spool *s)
{
        atomic_fetch_sub(&bytes_in_use, s->size);
        atomic_fetch_sub(&files_in_use, 1);
}

int64_t spool_bytes_in_use(void)
{
        return atomic_load(&bytes_in_use);
}

int64_t spool_files_in_use(void)
{
        return atomic_load(&files_in_use);
}
