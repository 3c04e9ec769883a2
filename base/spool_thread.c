/* Owns the threads that wait for the disk, so that no others have to: they write buffered bytes, hash what is written,
 * and close files. A file is written by one thread at a time, and hashed by one, which may run concurrently. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/spool_private.h"
#include "base/ticker.h"

enum { LISTENERS_MAX = 8, THREADS = 8 /* most of them wait for the disk, which does more of several writes at once */ };

size_t spool_waiting_bytes;
pthread_mutex_t spool_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static struct spool *first, **end = &first;

/* Listeners for room. */
static struct listener {
        void (*tell)(void *context);
        void *context;
} listeners[LISTENERS_MAX];
static pthread_mutex_t listeners_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- Listeners ---- */

bool spool_listen(void (*tell)(void *context), void *context)
{
        bool fits = false;

        pthread_mutex_lock(&listeners_lock);
        for (int i = 0; i < LISTENERS_MAX && !fits; i++) {
                if (listeners[i].tell == NULL) {
                        listeners[i] = (struct listener){tell, context};
                        fits = true;
                }
        }
        pthread_mutex_unlock(&listeners_lock);
        return fits;
}

void spool_listen_no_more(void *context)
{
        pthread_mutex_lock(&listeners_lock);
        for (int i = 0; i < LISTENERS_MAX; i++) {
                if (listeners[i].context == context) {
                        listeners[i] = (struct listener){0};
                }
        }
        pthread_mutex_unlock(&listeners_lock);
}

void spool_tell(void)
{
        pthread_mutex_lock(&listeners_lock);
        for (int i = 0; i < LISTENERS_MAX; i++) {
                if (listeners[i].tell != NULL) {
                        listeners[i].tell(listeners[i].context);
                }
        }
        pthread_mutex_unlock(&listeners_lock);
}

/* ---- The list ---- */

static bool add_to_list(struct spool *s)
{
        if (s->listed) {
                return false;
        }
        s->listed = true;
        s->next = NULL;
        *end = s;
        end = &s->next;
        return true;
}

void spool_list(struct spool *s)
{
        if (add_to_list(s)) {
                pthread_cond_signal(&work);
        }
}

bool spool_wait(int64_t until_us)
{
        return cond_wait_until(&done, &spool_lock, until_us);
}

/* Under the lock. */
static struct spool *wait_for_first(void)
{
        while (first == NULL) {
                pthread_cond_wait(&work, &spool_lock);
        }
        struct spool *s = first;

        first = s->next;
        if (first == NULL) {
                end = &first;
        }
        s->listed = false;
        return s;
}

/* ---- The threads ---- */

static void discard_spool(struct spool *s)
{
        if (s->file.fd >= 0) {
                close(s->file.fd);
        }
        spool_blocks_free(&s->queued);
        spool_blocks_free(&s->written);
        spool_blocks_free(&(struct spool_blocks){s->filling, NULL, 0});
        EVP_MD_CTX_free(s->file.hash);
        spool_uncount(s);
        free(s);
}

/* Under the lock. */
static bool is_widest(const struct spool *s)
{
        return spool_window(s) == SPOOL_WIDEST_BYTES;
}

/* Called with the lock held, and releases it. Takes half of what may be in memory, so that the other half can arrive
 * meanwhile; of the widest files a third, since another thread hashes what one has written. Returns the bytes of the
 * blocks. */
static size_t take_blocks(const struct spool *s, struct spool_blocks *from, struct spool_blocks *blocks)
{
        *blocks = (struct spool_blocks){NULL, NULL, 0};
        spool_blocks_take(blocks, from, is_widest(s) ? SPOOL_WIDEST_BYTES / 3 : spool_window(s) / 2);
        pthread_mutex_unlock(&spool_lock);
        return blocks->bytes;
}

/* Under the lock, when blocks have left the memory, or the file has failed. True: someone may be waiting for it. */
static bool account_for_blocks(struct spool *s, size_t left_bytes, enum spool_result result, int why)
{
        s->held_bytes -= left_bytes;
        spool_waiting_bytes -= left_bytes;
        if (result != SPOOL_OK) {
                s->result = result;
                s->why = why;
        }
        bool tells = s->result != SPOOL_OK || (s->was_full && !spool_reaches(s, spool_window(s) / 2));

        s->was_full = s->was_full && !tells;
        return tells;
}

/* Under the lock. Handing a few blocks to another thread to hash them would take longer than hashing them. */
static bool hashes_too(const struct spool *s)
{
        return s->queued.bytes > 0 && s->file.hash != NULL && !is_widest(s) && !s->hashing && s->written.bytes == 0;
}

/* Under the lock, except while the disk is working. True: someone may be waiting for it. */
static bool write_queued(struct spool *s)
{
        struct spool_blocks blocks;
        bool hashes = hashes_too(s);

        s->writing = true;
        s->hashing = s->hashing || hashes;
        size_t bytes = take_blocks(s, &s->queued, &blocks);
        enum spool_result result = spool_file_write(&s->file, &blocks);
        if (result == SPOOL_OK && hashes && !spool_file_hash(&s->file, &blocks)) {
                result = SPOOL_BROKEN;
        }
        int why = errno;
        bool is_done = result != SPOOL_OK || bytes == 0 || hashes || s->file.hash == NULL;

        if (is_done) {
                spool_blocks_free(&blocks);
        }
        pthread_mutex_lock(&spool_lock);
        s->writing = false;
        s->hashing = s->hashing && !hashes;
        s->opened = true;
        spool_blocks_move(&s->written, &blocks);
        return account_for_blocks(s, is_done ? bytes : 0, result, why);
}

/* Under the lock, except while it hashes. True: as above. */
static bool hash_written(struct spool *s)
{
        struct spool_blocks blocks;

        s->hashing = true;
        size_t bytes = take_blocks(s, &s->written, &blocks);
        bool ok = spool_file_hash(&s->file, &blocks);

        spool_blocks_free(&blocks);
        pthread_mutex_lock(&spool_lock);
        s->hashing = false;
        return account_for_blocks(s, bytes, ok ? SPOOL_OK : SPOOL_BROKEN, ENOMEM);
}

/* Under the lock. */
static bool may_hash(const struct spool *s)
{
        return !s->hashing && s->written.bytes > 0;
}

/* Under the lock. Less waits for more bytes, or for the end. */
static bool may_write(const struct spool *s, size_t least)
{
        return !s->writing && (!s->opened || s->queued.bytes >= least);
}

/* Under the lock, except while it works. Writes first, so that the disk, which is slower, is always busy. */
static bool work_once(struct spool *s)
{
        bool writes = may_write(s, spool_piece(s)), hashes = may_hash(s);

        if (writes && hashes) {
                spool_list(s); /* another thread can hash meanwhile */
        }
        if (hashes && !writes) {
                return hash_written(s);
        }
        return may_write(s, 1) && write_queued(s);
}

/* Under the lock, except while it works. True: someone may be waiting for it. */
static bool work_on(struct spool *s)
{
        bool works = !s->freed && s->result == SPOOL_OK, tells = works && work_once(s);

        if (works && !s->freed && s->result == SPOOL_OK && (may_hash(s) || may_write(s, spool_piece(s)))) {
                (void)add_to_list(s); /* no thread is woken: this one continues until the list is empty */
        }
        pthread_cond_broadcast(&done);
        if (s->freed && !s->listed && !s->writing && !s->hashing) { /* the last thread to use it frees it */
                spool_waiting_bytes -= s->held_bytes;
                pthread_mutex_unlock(&spool_lock);
                discard_spool(s);
                pthread_mutex_lock(&spool_lock);
        }
        return tells;
}

static void *run_spool_thread(void *unused)
{
        pthread_setname_np(pthread_self(), "spool");
        pthread_mutex_lock(&spool_lock);
        for (;;) {
                if (work_on(wait_for_first())) {
                        pthread_mutex_unlock(&spool_lock);
                        spool_tell();
                        pthread_mutex_lock(&spool_lock);
                }
        }
        return NULL;
}

static bool started;

static void start_threads(void)
{
        pthread_t thread;

        for (int i = 0; i < THREADS; i++) {
                bool runs = pthread_create(&thread, NULL, run_spool_thread, NULL) == 0 && pthread_detach(thread) == 0;

                started = started || runs;
        }
}

bool spool_threads_start(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, start_threads);
        return started;
}
