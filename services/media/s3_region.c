/* Owns transferring regions of objects into pipes, on one thread (libcurl's multi). Data that a reader does not read is
 * not fetched, except for what libcurl, the pipe and the socket buffer. */
#include "services/media/s3_private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/ticker.h"

enum { REGIONS_MAX = 512, POLL_MS = 10000, RANGE_SIZE = 64 };
/* The SHA-256 of no bytes. */
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Shared by the requester and the thread. */
struct region {
        CURL *curl;
        struct curl_slist *headers;
        struct s3_exchange x;
        int64_t offset, left; /* left: bytes still to come */
        int pipe;             /* the write end */
        char refusal[S3_REFUSAL_SIZE];
        char pending[CURL_MAX_WRITE_SIZE]; /* not yet accepted by the pipe */
        size_t pending_len, pending_at;
        bool paused;
        bool over; /* the transfer is done; pending bytes are still written */
        atomic_int holders;
        struct region *next; /* in the list of the thread, or of those waiting for it */
        /* under the lock */
        bool answered; /* the first bytes have arrived, or it is over */
        bool failed;
        CURLcode code;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static struct region *waiting; /* handed to the thread */
static int n_regions;          /* under the lock */
static CURLM *multi;           /* NULL if it could not be started */
static struct region *all;     /* owned by the thread */

/* --- both sides --- */

static void release_region(struct region *r)
{
        if (atomic_fetch_sub(&r->holders, 1) == 1) {
                curl_slist_free_all(r->headers);
                free(r);
        }
}

static void set_answered(struct region *r, bool failed, CURLcode code)
{
        (void)pthread_mutex_lock(&lock);
        if (!r->answered) {
                r->answered = true;
                r->failed = failed;
                r->code = code;
                (void)pthread_cond_broadcast(&told);
        }
        (void)pthread_mutex_unlock(&lock);
}

/* --- writing to the pipe, on the thread --- */

/* False if the reader is gone. */
static bool write_pending(struct region *r)
{
        while (r->pending_at < r->pending_len) {
                ssize_t n = write(r->pipe, r->pending + r->pending_at, r->pending_len - r->pending_at);

                if (n < 0 && errno != EINTR) {
                        return errno == EAGAIN;
                }
                r->pending_at += n > 0 ? (size_t)n : 0;
        }
        r->pending_at = r->pending_len = 0;
        return true;
}

/* A server may ignore Range and send the whole object. */
static bool is_wanted(struct region *r)
{
        if (r->x.status == 0) {
                (void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &r->x.status);
        }
        return r->x.status == 206 || (r->x.status == 200 && r->offset == 0);
}

/* Receiving more than requested is an error, as is less. */
static size_t take_bytes(char *bytes, size_t size, size_t n, void *context)
{
        struct region *r = context;
        size_t len = size * n;

        if (!is_wanted(r)) {
                s3_add_refusal(r->refusal, bytes, len);
                return len;
        }
        if (!write_pending(r) || (int64_t)len > r->left || len > sizeof(r->pending)) {
                return 0;
        }
        if (r->pending_len > 0) {
                r->paused = true;
                return CURL_WRITEFUNC_PAUSE;
        }
        memcpy(r->pending, bytes, len);
        r->pending_len = len;
        r->left -= (int64_t)len;
        set_answered(r, false, CURLE_OK);
        return write_pending(r) ? len : 0;
}

/* --- the thread --- */

static void drop_region(struct region *r)
{
        struct region **at = &all;

        while (*at != r) {
                at = &(*at)->next;
        }
        *at = r->next;
        if (!r->over) {
                (void)curl_multi_remove_handle(multi, r->curl);
        }
        curl_easy_cleanup(r->curl);
        close(r->pipe);
        (void)pthread_mutex_lock(&lock);
        n_regions--;
        (void)pthread_mutex_unlock(&lock);
        release_region(r);
}

static void begin_waiting(void)
{
        (void)pthread_mutex_lock(&lock);
        struct region *r = waiting;
        waiting = NULL;
        (void)pthread_mutex_unlock(&lock);
        while (r != NULL) {
                struct region *next = r->next;

                r->next = all;
                all = r;
                if (curl_multi_add_handle(multi, r->curl) != CURLM_OK) {
                        r->over = true;
                        set_answered(r, true, CURLE_OUT_OF_MEMORY);
                        drop_region(r);
                }
                r = next;
        }
}

static void end_transfer(struct region *r, CURLcode code)
{
        bool failed = code != CURLE_OK || !is_wanted(r) || r->left > 0;

        (void)curl_multi_remove_handle(multi, r->curl);
        r->over = true;
        s3_take_code(r->refusal, &r->x);
        set_answered(r, failed, code);
        if (failed || r->pending_len == 0) {
                drop_region(r);
        }
}

static void end_some(void)
{
        const struct CURLMsg *message;
        int left = 0;

        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
                void *r = NULL;

                (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&r);
                end_transfer(r, message->data.result);
        }
}

/* poll would report a full pipe whose reader is gone only as an error, so each is tried. */
static void write_some(void)
{
        for (struct region *r = all, *next = NULL; r != NULL; r = next) {
                next = r->next;
                if (r->pending_len == 0) {
                        continue;
                }
                bool has_reader = write_pending(r);
                if (!has_reader || (r->over && r->pending_len == 0)) {
                        drop_region(r);
                } else if (r->paused && r->pending_len == 0) {
                        r->paused = false;
                        (void)curl_easy_pause(r->curl, CURLPAUSE_CONT);
                }
        }
}

static unsigned list_full_pipes(struct curl_waitfd full[REGIONS_MAX])
{
        unsigned n = 0;

        for (const struct region *r = all; r != NULL && n < REGIONS_MAX; r = r->next) {
                if (r->pending_len > 0) {
                        full[n++] = (struct curl_waitfd){.fd = r->pipe, .events = CURL_WAIT_POLLOUT};
                }
        }
        return n;
}

static void *run_regions(void *unused)
{
        static struct curl_waitfd full[REGIONS_MAX];
        int running = 0;

        (void)pthread_setname_np(pthread_self(), "s3-regions");
        for (;;) {
                begin_waiting();
                (void)curl_multi_perform(multi, &running);
                end_some();
                write_some();
                (void)curl_multi_poll(multi, full, list_full_pipes(full), POLL_MS, NULL);
        }
        return unused;
}

static void start_thread(void)
{
        pthread_t thread;

        multi = curl_multi_init();
        if (multi != NULL && (pthread_create(&thread, NULL, run_regions, NULL) != 0 || pthread_detach(thread) != 0)) {
                (void)curl_multi_cleanup(multi);
                multi = NULL;
        }
}

/* --- the requester --- */

static struct region *region_new(const struct s3_exchange *x, int64_t offset, int64_t length, int pipe)
{
        char range[RANGE_SIZE];
        struct region *r = calloc(1, sizeof(*r));
        CURL *curl = r != NULL ? curl_easy_init() : NULL;

        if (curl == NULL) {
                free(r);
                return NULL;
        }
        *r = (struct region){.curl = curl, .x = *x, .offset = offset, .left = length, .pipe = pipe, .holders = 2};
        r->headers = s3_prepare(curl, x, EMPTY_SHA256, 0);
        (void)snprintf(range, sizeof(range), "%lld-%lld", (long long)offset, (long long)(offset + length - 1));
        (void)curl_easy_setopt(curl, CURLOPT_RANGE, range);
        (void)curl_easy_setopt(curl, CURLOPT_PRIVATE, r);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, r);
        return r;
}

/* False if REGIONS_MAX transfers are running. */
static bool hand_over(struct region *r)
{
        (void)pthread_mutex_lock(&lock);
        bool fits = n_regions < REGIONS_MAX;
        if (fits) {
                n_regions++;
                r->next = waiting;
                waiting = r;
        }
        (void)pthread_mutex_unlock(&lock);
        if (fits) {
                (void)curl_multi_wakeup(multi);
        } else {
                curl_easy_cleanup(r->curl);
                close(r->pipe);
                atomic_store(&r->holders, 1);
                release_region(r);
        }
        return fits;
}

/* True if the first bytes have arrived. */
static bool wait_for_answer(struct region *r, int64_t until_us, struct s3_exchange *x, CURLcode *code)
{
        bool in_time = true;

        (void)pthread_mutex_lock(&lock);
        while (!r->answered && in_time) {
                in_time = cond_wait_until(&told, &lock, until_us);
        }
        bool good = r->answered && !r->failed;
        *code = r->answered ? r->code : CURLE_OPERATION_TIMEDOUT;
        if (r->failed) { /* otherwise the thread still uses it */
                x->status = r->x.status;
                memcpy(x->code, r->x.code, sizeof(x->code));
        }
        (void)pthread_mutex_unlock(&lock);
        return good;
}

static int try_region(struct s3_exchange *x, int64_t offset, int64_t length, int64_t until_us, CURLcode *code)
{
        int ends[2];

        *code = CURLE_OUT_OF_MEMORY;
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
                return -1;
        }
        struct region *r = region_new(x, offset, length, ends[1]);
        if (r == NULL) {
                close(ends[1]);
        } else if (hand_over(r)) {
                bool good = wait_for_answer(r, until_us, x, code);

                release_region(r);
                if (good) {
                        return ends[0];
                }
        }
        close(ends[0]); /* tells the thread that the reader is gone */
        return -1;
}

int s3_open_region(struct s3_exchange *x, int64_t offset, int64_t length)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        int64_t until_us = clock_monotonic_us() + x->wait_ms * INT64_C(1000), pause_ms = S3_PAUSE_MS;
        CURLcode code = CURLE_OUT_OF_MEMORY;
        int fd = -1;

        (void)pthread_once(&once, start_thread);
        for (int i = 1; multi != NULL; i++, pause_ms *= 2) {
                x->status = 0;
                fd = try_region(x, offset, length, until_us, &code);
                bool has_time = clock_monotonic_us() + pause_ms * 1000 < until_us;

                if (fd >= 0 || !s3_may_help(x, code) || i == S3_TRIES || !has_time) {
                        break;
                }
                clock_sleep_ms(pause_ms);
        }
        if (fd < 0) {
                s3_log(x, code);
        }
        return fd;
}
