/* Owns the events on their way from their emitters to the relay. COMMITs return in any order, so the events are ordered
 * by position. */
#include "bus/handed.h"

#include <stdlib.h>
#include <string.h>
#include "base/uuid.h"

struct handed_event {
        struct handed_event *next;
        int64_t position;
        char log_id[UUID_SIZE];
        size_t len;
        uint8_t packed[];
};

void bus_handed_init(struct bus_handed *handed)
{
        (void)pthread_mutex_init(&handed->lock, NULL);
}

static void drop_first(struct bus_handed *handed)
{
        struct handed_event *first = handed->first;

        handed->first = first->next;
        handed->n--;
        free(first);
}

static void drop_all(struct bus_handed *handed)
{
        while (handed->first != NULL) {
                drop_first(handed);
        }
}

void bus_handed_drop(struct bus_handed *handed)
{
        (void)pthread_mutex_lock(&handed->lock);
        drop_all(handed);
        (void)pthread_mutex_unlock(&handed->lock);
}

void bus_handed_destroy(struct bus_handed *handed)
{
        drop_all(handed);
        (void)pthread_mutex_destroy(&handed->lock);
}

static bool put_event(struct bus_handed *handed, const char *log_id, const bus_event *event)
{
        size_t len = sonet__events__event__get_packed_size(event);
        struct handed_event *item = handed->n < BUS_HANDED_MAX ? malloc(sizeof(*item) + len) : NULL;
        struct handed_event **at = &handed->first;

        if (item == NULL) {
                return false;
        }
        while (*at != NULL && (*at)->position < event->position) {
                at = &(*at)->next;
        }
        *item = (struct handed_event){.next = *at, .position = event->position, .len = len};
        memcpy(item->log_id, log_id, UUID_SIZE);
        (void)sonet__events__event__pack(event, item->packed);
        *at = item;
        handed->n++;
        return true;
}

bool bus_handed_put(struct bus_handed *handed, const struct relay_batch *batch)
{
        bool all = true;

        (void)pthread_mutex_lock(&handed->lock);
        for (size_t i = 0; i < batch->n && all; i++) {
                all = put_event(handed, batch->log_id, batch->events[i]);
        }
        if (!all) {
                drop_all(handed);
        }
        (void)pthread_mutex_unlock(&handed->lock);
        return all;
}

/* False: the event that continues the log is not there yet. */
static bool take_first(struct bus_handed *handed, struct rpc_call *c, int64_t after, struct relay_batch *batch)
{
        const struct handed_event *first = handed->first;
        int64_t next = batch->n > 0 ? batch->events[batch->n - 1]->position + 1 : after + 1;
        bool ours = strcmp(first->log_id, batch->log_id) == 0;

        if (ours && first->position > next) {
                return false;
        }
        if (ours && first->position == next) {
                bus_event *event =
                    sonet__events__event__unpack(arena_protobuf_allocator(c->arena), first->len, first->packed);

                if (event != NULL) {
                        batch->events[batch->n++] = event;
                }
        }
        drop_first(handed);
        return true;
}

bool bus_handed_take(struct bus_handed *handed, struct rpc_call *c, int64_t after, size_t most,
                     struct relay_batch *batch)
{
        bool more = true;

        (void)pthread_mutex_lock(&handed->lock);
        batch->events = ARENA_ARRAY(c->arena, bus_event *, handed->n);
        batch->n = 0;
        while (more && handed->first != NULL && batch->n < most) {
                more = take_first(handed, c, after, batch);
        }
        (void)pthread_mutex_unlock(&handed->lock);
        return !more;
}
