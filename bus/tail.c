/* Owns the newest events of the logs that this process's relays stream, in one ring buffer per log, and waiting for
 * more. */
#include "bus/tail.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/ticker.h"

struct tail_event {
        int64_t position, at_us;
        size_t len;
        uint8_t *packed;
};

struct tail {
        struct tail *next;
        const char *source;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool live;
        char log_id[UUID_SIZE];
        int64_t after, end;                     /* all events after `after`, up to `end`, are there */
        struct tail_event events[BUS_TAIL_MAX]; /* a ring buffer, ordered by position */
        size_t first, n;
};

/* One for each service that ever had a relay here; never freed. */
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tail *all;
static atomic_bool is_hidden;

static struct tail *find_tail(const char *source)
{
        struct tail *tail;

        (void)pthread_mutex_lock(&all_lock);
        for (tail = all; tail != NULL && strcmp(tail->source, source) != 0; tail = tail->next) {
        }
        (void)pthread_mutex_unlock(&all_lock);
        return tail;
}

static struct tail *find_or_make_tail(const char *source)
{
        struct tail *tail = find_tail(source);

        if (tail != NULL) {
                return tail;
        }
        tail = calloc(1, sizeof(*tail));
        if (tail == NULL || (tail->source = strdup(source)) == NULL) {
                abort();
        }
        (void)pthread_mutex_init(&tail->lock, NULL);
        (void)pthread_cond_init(&tail->changed, NULL);
        (void)pthread_mutex_lock(&all_lock);
        tail->next = all; /* a service has one relay, so no other thread creates it */
        all = tail;
        (void)pthread_mutex_unlock(&all_lock);
        return tail;
}

/* ---- The ring buffer, with its lock held ---- */

static struct tail_event *event_at(struct tail *tail, size_t i)
{
        return &tail->events[(tail->first + i) % BUS_TAIL_MAX];
}

static void drop_oldest(struct tail *tail)
{
        struct tail_event *oldest = event_at(tail, 0);

        tail->after = oldest->position;
        free(oldest->packed);
        tail->first = (tail->first + 1) % BUS_TAIL_MAX;
        tail->n--;
}

static void drop_all(struct tail *tail)
{
        while (tail->n > 0) {
                drop_oldest(tail);
        }
}

static void add_event(struct tail *tail, const bus_event *event)
{
        size_t len = sonet__events__event__get_packed_size(event);
        uint8_t *packed = malloc(len > 0 ? len : 1);

        if (packed == NULL) {
                abort();
        }
        (void)sonet__events__event__pack(event, packed);
        if (tail->n == BUS_TAIL_MAX) {
                drop_oldest(tail);
        }
        *event_at(tail, tail->n++) = (struct tail_event){
            .position = event->position, .at_us = clock_monotonic_us(), .len = len, .packed = packed};
}

/* ---- For the relay ---- */

void bus_tail_begin(const char *source, const char *log_id, int64_t position)
{
        struct tail *tail = find_or_make_tail(source);

        (void)pthread_mutex_lock(&tail->lock);
        if (!tail->live || position < tail->after || position > tail->end || strcmp(tail->log_id, log_id) != 0) {
                drop_all(tail);
                tail->live = true;
                tail->after = tail->end = position;
                memcpy(tail->log_id, log_id, strlen(log_id) + 1);
                (void)pthread_cond_broadcast(&tail->changed);
        }
        (void)pthread_mutex_unlock(&tail->lock);
}

void bus_tail_end(const char *source)
{
        struct tail *tail = find_tail(source);

        if (tail != NULL) {
                (void)pthread_mutex_lock(&tail->lock);
                drop_all(tail);
                tail->live = false;
                (void)pthread_cond_broadcast(&tail->changed);
                (void)pthread_mutex_unlock(&tail->lock);
        }
}

void bus_tail_append(const char *source, const struct relay_batch *batch)
{
        struct tail *tail = find_tail(source);

        if (tail == NULL) {
                return;
        }
        (void)pthread_mutex_lock(&tail->lock);
        bool ours = tail->live && strcmp(tail->log_id, batch->log_id) == 0;
        int64_t end = tail->end;

        for (size_t i = 0; i < batch->n && ours; i++) {
                if (batch->events[i]->position == tail->end + 1) {
                        add_event(tail, batch->events[i]);
                        tail->end++;
                }
        }
        if (tail->end != end) {
                (void)pthread_cond_broadcast(&tail->changed);
        }
        (void)pthread_mutex_unlock(&tail->lock);
}

void bus_tail_trim(const char *source)
{
        struct tail *tail = find_tail(source);
        int64_t oldest_us = clock_monotonic_us() - BUS_TAIL_S * INT64_C(1000000);

        if (tail != NULL) {
                (void)pthread_mutex_lock(&tail->lock);
                while (tail->n > 0 && event_at(tail, 0)->at_us < oldest_us) {
                        drop_oldest(tail);
                }
                (void)pthread_mutex_unlock(&tail->lock);
        }
}

/* ---- For readers ---- */

static bool has_all_behind(const struct tail *tail, int64_t position)
{
        return tail->live && !atomic_load(&is_hidden) && position >= tail->after && position <= tail->end;
}

/* How many events are at or before the position. */
static size_t count_until(struct tail *tail, int64_t position)
{
        size_t low = 0, high = tail->n;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (event_at(tail, middle)->position <= position) {
                        low = middle + 1;
                } else {
                        high = middle;
                }
        }
        return low;
}

static void copy_entries(struct arena *arena, struct tail *tail, size_t from, struct stream_entries *out)
{
        size_t n = tail->n - from < BUS_STREAM_READ_MAX ? tail->n - from : BUS_STREAM_READ_MAX;
        struct str log_id = str_of(arena_strdup(arena, tail->log_id));

        out->items = ARENA_ARRAY(arena, struct stream_entry, n);
        for (out->n = 0; out->n < n; out->n++) {
                const struct tail_event *event = event_at(tail, from + out->n);
                char *bytes = arena_alloc(arena, event->len);

                memcpy(bytes, event->packed, event->len);
                out->items[out->n] = (struct stream_entry){event->position, log_id, {bytes, event->len}};
        }
}

bool bus_tail_wait(struct rpc_call *c, struct stream_link *link, const char *source, int64_t position, int wait_ms,
                   struct stream_entries *out)
{
        struct tail *tail = find_tail(source);
        int64_t until_us = clock_monotonic_us() + wait_ms * INT64_C(1000);

        if (tail == NULL) {
                return false;
        }
        (void)pthread_mutex_lock(&tail->lock);
        while (has_all_behind(tail, position) && tail->end == position && !bus_link_has_ended(link) &&
               cond_wait_until(&tail->changed, &tail->lock, until_us)) {
        }
        bool there = has_all_behind(tail, position);

        if (there) {
                copy_entries(c->arena, tail, count_until(tail, position), out);
        }
        (void)pthread_mutex_unlock(&tail->lock);
        return there;
}

void bus_tail_wake(void)
{
        (void)pthread_mutex_lock(&all_lock);
        for (struct tail *tail = all; tail != NULL; tail = tail->next) {
                (void)pthread_mutex_lock(&tail->lock);
                (void)pthread_cond_broadcast(&tail->changed);
                (void)pthread_mutex_unlock(&tail->lock);
        }
        (void)pthread_mutex_unlock(&all_lock);
}

void bus_tail_hide(bool hidden)
{
        atomic_store(&is_hidden, hidden);
        bus_tail_wake();
}
