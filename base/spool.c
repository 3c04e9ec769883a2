/* Owns bytes on their way to files: counts them, and buffers them until the disk takes them. */
#include "base/spool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static bool reserve_bytes(atomic_int_least64_t *count, int64_t n, int64_t max)
{
        if (atomic_fetch_add(count, n) + n <= max) {
                return true;
        }
        atomic_fetch_sub(count, n);
        return false;
}

enum spool_result spool_new(int64_t expected, struct spool **out)
{
        if (!spool_threads_start() || expected > spool_options.max_bytes - atomic_load(&bytes_in_use) ||
            !reserve_bytes(&files_in_use, 1, spool_options.max_files)) {
                return SPOOL_FULL;
        }
        struct spool *s = calloc(1, sizeof(*s));

        if (s == NULL) {
                atomic_fetch_sub(&files_in_use, 1);
                return SPOOL_FULL;
        }
        s->file = (struct spool_file){.fd = -1, .expected = expected};
        pthread_mutex_lock(&spool_lock);
        spool_list(s); /* so that it is opened, or fails, while the bytes arrive */
        pthread_mutex_unlock(&spool_lock);
        *out = s;
        return SPOOL_OK;
}

bool spool_hash(struct spool *s)
{
        s->file.hash = EVP_MD_CTX_new();
        return s->file.hash != NULL && EVP_DigestInit_ex(s->file.hash, EVP_sha256(), NULL) == 1;
}

void spool_widen(struct spool *s)
{
        pthread_mutex_lock(&spool_lock); /* a thread may be opening it */
        s->wide = true;
        pthread_mutex_unlock(&spool_lock);
}

/* --- buffered bytes --- */

/* Under the lock. */
static enum spool_result result_of(const struct spool *s)
{
        if (s->result != SPOOL_OK) {
                errno = s->why;
        }
        return s->overflow ? SPOOL_FULL : s->result;
}

size_t spool_piece(const struct spool *s)
{
        if (spool_waiting_bytes >= SPOOL_WAITING_BYTES / 2) {
                return SPOOL_BLOCK_BYTES;
        }
        return s->wide ? SPOOL_WIDE_PIECE_BYTES : SPOOL_PIECE_BYTES;
}

/* Under the lock. After an overflow nothing more is taken, so that the file has no gap. */
static void queue_blocks(struct spool *s, struct spool_blocks *blocks)
{
        s->overflow = s->overflow || s->held_bytes + blocks->bytes > SPOOL_QUEUE_MAX;
        if (s->overflow) {
                spool_blocks_free(blocks);
                return;
        }
        s->held_bytes += blocks->bytes;
        spool_waiting_bytes += blocks->bytes;
        spool_blocks_move(&s->queued, blocks);
}

/* Fills blocks that no other thread sees; full ones are moved to *full. False: out of memory. */
static bool fill_blocks(struct spool *s, const char *bytes, size_t len, struct spool_blocks *full)
{
        while (len > 0) {
                s->filling = s->filling != NULL ? s->filling : spool_block_new();
                if (s->filling == NULL) {
                        return false;
                }
                size_t room = SPOOL_BLOCK_BYTES - s->filling->len, n = len < room ? len : room;

                memcpy(s->filling->bytes + s->filling->len, bytes, n);
                s->filling->len += n;
                bytes += n;
                len -= n;
                if (n == room) {
                        spool_blocks_add(full, s->filling);
                        s->filling = NULL;
                }
        }
        return true;
}

static bool count_appended(struct spool *s, size_t len)
{
        bool fits = reserve_bytes(&bytes_in_use, (int64_t)len, spool_options.max_bytes);

        s->size += fits ? (int64_t)len : 0;
        return fits;
}

static enum spool_result append_blocks(struct spool *s, struct spool_blocks *full, bool filled)
{
        pthread_mutex_lock(&spool_lock);
        s->overflow = s->overflow || !filled;
        queue_blocks(s, full);
        if (s->queued.bytes >= spool_piece(s) && !s->writing) {
                spool_list(s);
        }
        enum spool_result result = result_of(s);

        pthread_mutex_unlock(&spool_lock);
        return result;
}

enum spool_result spool_append(struct spool *s, const void *bytes, size_t len)
{
        struct spool_blocks full = {NULL, NULL, 0};

        if (!count_appended(s, len)) {
                return SPOOL_FULL;
        }
        bool filled = fill_blocks(s, bytes, len, &full);

        return append_blocks(s, &full, filled);
}

/* --- bytes that are received into blocks --- */

/* What fits into the file's window, and into the memory of all files; at least a block. */
static size_t room_of(const struct spool *s)
{
        pthread_mutex_lock(&spool_lock);
        size_t all = spool_waiting_bytes < SPOOL_WAITING_BYTES ? SPOOL_WAITING_BYTES - spool_waiting_bytes : 0;
        size_t own = s->held_bytes < spool_window(s) ? spool_window(s) - s->held_bytes : 0;

        pthread_mutex_unlock(&spool_lock);
        size_t room = own < all ? own : all;

        return room > SPOOL_BLOCK_BYTES ? room : SPOOL_BLOCK_BYTES;
}

int spool_reserve(struct spool *s, struct iovec *areas, int n)
{
        size_t room = room_of(s), size = 0;
        struct spool_block **at = &s->filling;
        int i = 0;

        for (; i < n && size < room; i++) {
                *at = *at != NULL ? *at : spool_block_new();
                struct spool_block *block = *at;

                if (block == NULL) {
                        break;
                }
                areas[i] = (struct iovec){block->bytes + block->len, SPOOL_BLOCK_BYTES - block->len};
                size += areas[i].iov_len;
                at = &block->next;
        }
        return i;
}

/* Moves full blocks to *full, and keeps one that is partly filled. */
static void take_reserved(struct spool *s, size_t len, struct spool_blocks *full)
{
        struct spool_block *block = s->filling, *next;

        s->filling = NULL;
        for (; block != NULL; block = next) {
                size_t room = SPOOL_BLOCK_BYTES - block->len, n = len < room ? len : room;

                next = block->next;
                block->next = NULL;
                block->len += n;
                len -= n;
                if (n == room) {
                        spool_blocks_add(full, block);
                } else if (block->len > 0) {
                        s->filling = block;
                } else {
                        spool_block_free(block);
                }
        }
}

enum spool_result spool_append_reserved(struct spool *s, size_t len)
{
        struct spool_blocks full = {NULL, NULL, 0};
        bool fits = count_appended(s, len);

        take_reserved(s, fits ? len : 0, &full);
        return fits ? append_blocks(s, &full, true) : SPOOL_FULL;
}

/* --- the window --- */

size_t spool_window(const struct spool *s)
{
        if (!s->wide) {
                return SPOOL_FULL_BYTES;
        }
        return spool_waiting_bytes - s->held_bytes < SPOOL_LITTLE_BYTES ? SPOOL_WIDEST_BYTES : SPOOL_WIDE_BYTES;
}

/* With many files, each may buffer only little. */
bool spool_reaches(const struct spool *s, size_t bytes)
{
        bool is_crowded = spool_waiting_bytes >= SPOOL_WAITING_BYTES && s->held_bytes >= SPOOL_BLOCK_BYTES;

        return s->result == SPOOL_OK && (is_crowded || s->held_bytes >= bytes);
}

/* A full one is listed with all its blocks, and the threads notify listeners when there is room again. */
bool spool_is_full(struct spool *s)
{
        pthread_mutex_lock(&spool_lock);
        bool full = spool_reaches(s, spool_window(s));
        s->was_full = full;
        if (full && !s->writing && s->queued.bytes > 0) {
                spool_list(s);
        }
        pthread_mutex_unlock(&spool_lock);
        return full;
}

static enum spool_result wait_for_room(struct spool *s, int64_t until_us)
{
        bool in_time = true;

        pthread_mutex_lock(&spool_lock);
        while (s->result == SPOOL_OK && s->held_bytes >= spool_window(s) && in_time) {
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

/* Under the lock. Also writes less than a piece. */
static void write_on(struct spool *s)
{
        if (s->queued.bytes > 0 && !s->writing) {
                spool_list(s);
        }
}

/* Under the lock. */
static void queue_rest(struct spool *s)
{
        struct spool_blocks rest = {NULL, NULL, 0};

        if (s->filling != NULL) {
                spool_blocks_add(&rest, s->filling);
                s->filling = NULL;
                queue_blocks(s, &rest);
        }
}

enum spool_result spool_finish(struct spool *s, int64_t until_us, int *fd)
{
        bool in_time = true;

        pthread_mutex_lock(&spool_lock);
        queue_rest(s);
        write_on(s);
        while (s->result == SPOOL_OK && (s->held_bytes > 0 || !s->opened) && in_time) {
                in_time = spool_wait(until_us);
                write_on(s);
        }
        enum spool_result result = in_time ? result_of(s) : SPOOL_LATE;

        if (result == SPOOL_OK) {
                *fd = s->file.fd;
                spool_file_rewind(&s->file);
        }
        pthread_mutex_unlock(&spool_lock);
        return result;
}

bool spool_sha256(const struct spool *s, uint8_t digest[32])
{
        EVP_MD_CTX *all = EVP_MD_CTX_new(); /* a copy: the digest may be asked for again */
        bool ok = all != NULL && s->file.hash != NULL && EVP_MD_CTX_copy_ex(all, s->file.hash) == 1 &&
                  EVP_DigestFinal_ex(all, digest, NULL) == 1;

        EVP_MD_CTX_free(all);
        return ok;
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
