/* Owns the threads that wait for the disk, so that no others have to: they write buffered bytes and close files. A file
 * is used by one thread at a time. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/spool_private.h"
#include "base/ticker.h"

enum { LISTENERS_MAX = 8, THREADS = 2 };

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

static bool add(struct spool *s)
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
        if (add(s)) {
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

static void discard(struct spool *s)
{
        if (s->file.fd >= 0) {
                close(s->file.fd);
        }
        spool_blocks_free(&s->queued);
        spool_block_free(s->filling);
        EVP_MD_CTX_free(s->file.hash);
        spool_uncount(s);
        free(s);
}

/* Under the lock. There is room as soon as its blocks are taken: more arrives while they are written. */
static bool make_room(struct spool *s, struct spool_blocks *blocks)
{
        bool tells = s->was_full;

        *blocks = s->queued;
        spool_waiting_bytes -= blocks->bytes;
        s->queued = (struct spool_blocks){NULL, NULL, 0};
        s->writing = true;
        s->was_full = false;
        return tells;
}

/* Under the lock, except while others are told and the disk is working. True: it failed, and someone may be waiting
 * for it. */
static bool write_queued(struct spool *s)
{
        struct spool_blocks blocks;
        bool tells = make_room(s, &blocks);

        pthread_mutex_unlock(&spool_lock);
        if (tells) {
                spool_tell();
        }
        enum spool_result result = spool_file_write(&s->file, &blocks);
        int why = errno;

        spool_blocks_free(&blocks);
        pthread_mutex_lock(&spool_lock);
        s->writing = false;
        s->opened = true;
        if (result != SPOOL_OK) {
                s->result = result;
                s->why = why;
        } else if (s->queued.bytes >= SPOOL_BLOCK_BYTES) {
                (void)add(s); /* this thread goes on until the list is empty */
        }
        return result != SPOOL_OK;
}

/* Under the lock, but for while the disk works. True: as above. */
static bool work_on(struct spool *s)
{
        bool tells = !s->freed && s->result == SPOOL_OK && write_queued(s);

        pthread_cond_broadcast(&done);
        if (s->freed && !s->listed) { /* whoever frees it lists it once more; the last who has it discards it */
                spool_waiting_bytes -= s->queued.bytes;
                pthread_mutex_unlock(&spool_lock);
                discard(s);
                pthread_mutex_lock(&spool_lock);
        }
        return tells;
}

static void *run_spool_thread(void *unused)
{
        pthread_setname_np(pthread_self(), "spool");
        pthread_mutex_lock(&spool_lock);
        for (;;) {
                struct spool *s = wait_for_first();

                if (s->writing) { /* it was freed meanwhile, which the thread that writes it will see */
                        continue;
                }
                if (work_on(s)) {
                        pthread_mutex_unlock(&spool_lock);
                        spool_tell();
                        pthread_mutex_lock(&spool_lock);
                }
        }
        return NULL;
}

static bool started;

static void start(void)
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

        pthread_once(&once, start);
        return started;
}
