/* Owns the thread that waits for the disk, so that nobody else does: it writes what was taken in, and closes files. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/spool_private.h"
#include "base/ticker.h"

enum { LISTENERS_MAX = 8 };

size_t spool_waiting_bytes;
pthread_mutex_t spool_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static struct spool *first, **end = &first;

/* Who is told that there is room. */
static struct listener {
        void (*tell)(void *context);
        void *context;
} listeners[LISTENERS_MAX];
static pthread_mutex_t listeners_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- Who is told ---- */

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

static void tell_all(void)
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

void spool_list(struct spool *s)
{
        if (!s->listed) {
                s->listed = true;
                s->next = NULL;
                *end = s;
                end = &s->next;
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

/* ---- The thread ---- */

static void discard(struct spool *s)
{
        if (s->file.fd >= 0) {
                close(s->file.fd);
        }
        buf_free(&s->queued);
        spool_uncount(s);
        free(s);
}

/* Under the lock, but for while the disk works. True: there is room, for which somebody waits. */
static bool write_queued(struct spool *s)
{
        struct buf bytes = s->queued;
        spool_waiting_bytes -= bytes.len;

        buf_init(&s->queued, SPOOL_QUEUE_MAX);
        s->writing = true;
        pthread_mutex_unlock(&spool_lock);
        enum spool_result result = spool_file_write(&s->file, bytes.data, bytes.len);
        int why = errno;

        buf_free(&bytes);
        pthread_mutex_lock(&spool_lock);
        s->writing = false;
        s->opened = true;
        if (result != SPOOL_OK) {
                s->result = result;
                s->why = why;
        } else if (s->queued.len >= SPOOL_PIECE_BYTES) {
                spool_list(s);
        }
        bool tells = s->was_full && (s->queued.len <= SPOOL_ROOM_BYTES || s->result != SPOOL_OK);

        s->was_full = s->was_full && !tells;
        return tells;
}

static void *run_spool_thread(void *unused)
{
        pthread_setname_np(pthread_self(), "spool");
        pthread_mutex_lock(&spool_lock);
        for (;;) {
                struct spool *s = wait_for_first();
                bool freed = s->freed; /* whoever frees it lists it once more */
                spool_waiting_bytes -= freed ? s->queued.len : 0;
                bool tells = !freed && s->result == SPOOL_OK && write_queued(s);

                pthread_cond_broadcast(&done);
                pthread_mutex_unlock(&spool_lock);
                if (freed) {
                        discard(s);
                }
                if (tells) {
                        tell_all();
                }
                pthread_mutex_lock(&spool_lock);
        }
        return NULL;
}

static bool started;

static void start(void)
{
        pthread_t thread;

        started = pthread_create(&thread, NULL, run_spool_thread, NULL) == 0 && pthread_detach(thread) == 0;
}

bool spool_thread_start(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        pthread_once(&once, start);
        return started;
}
