/* Owns the recent events of a log, kept for clients that resume. Under the hub's lock. */
#include <stdio.h>
#include "base/clock.h"
#include "gateway/stream.h"

static struct stream_event *kept_at(const struct stream_log *log, size_t i)
{
        return &log->kept[(log->first_kept + i) % STREAM_KEPT_EVENTS];
}

static void drop_oldest(struct stream_log *log)
{
        log->kept_after = kept_at(log, 0)->position;
        log->first_kept = (log->first_kept + 1) % STREAM_KEPT_EVENTS;
        log->n_kept--;
}

int64_t stream_kept_after(struct stream_log *log)
{
        int64_t oldest_s = clock_wall_ms() / 1000 - STREAM_KEPT_S;

        while (log->n_kept > 0 && kept_at(log, 0)->seconds < oldest_s) {
                drop_oldest(log);
        }
        return log->kept_after;
}

void stream_keep(struct stream_log *log, const bus_event *event)
{
        if (log->n_kept == STREAM_KEPT_EVENTS) {
                drop_oldest(log);
        }
        struct stream_event *kept = kept_at(log, log->n_kept++);

        *kept = (struct stream_event){.position = event->position,
                                      .seconds = event->occurred_at != NULL ? event->occurred_at->seconds : 0,
                                      .version = event->version};
        (void)snprintf(kept->id, sizeof(kept->id), "%s", event->id);
        (void)snprintf(kept->aggregate_id, sizeof(kept->aggregate_id), "%s", event->aggregate_id);
        (void)snprintf(kept->object_id, sizeof(kept->object_id), "%s", event->object_id);
        (void)snprintf(kept->actor_id, sizeof(kept->actor_id), "%s", event->actor_id);
        (void)snprintf(kept->type, sizeof(kept->type), "%s", event->type);
}

static bus_event *copy_of(struct arena *arena, const struct stream_log *log, const struct stream_event *kept)
{
        bus_event *event = ARENA_NEW(arena, bus_event);

        sonet__events__event__init(event);
        event->id = arena_strdup(arena, kept->id);
        event->source = (char *)log->source;
        event->position = kept->position;
        event->type = arena_strdup(arena, kept->type);
        event->aggregate_id = arena_strdup(arena, kept->aggregate_id);
        event->object_id = arena_strdup(arena, kept->object_id);
        event->actor_id = arena_strdup(arena, kept->actor_id);
        event->version = kept->version;
        return event;
}

bus_event **stream_kept_events(struct rpc_call *c, struct stream_log *log, int64_t after, size_t most, size_t *n)
{
        bus_event **events = ARENA_ARRAY(c->arena, bus_event *, most);
        int64_t skip = after - log->kept_after; /* positions have no gaps */

        *n = 0;
        for (size_t i = skip > 0 ? (size_t)skip : 0; i < log->n_kept && *n < most; i++) {
                events[(*n)++] = copy_of(c->arena, log, kept_at(log, i));
        }
        return events;
}
