/* Owns recording events of other services as ours, exactly once and with their own ids. */
#include "services/analytics/count_events.h"

#include <stdlib.h>
#include <string.h>
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/store.h"
#include "services/user/user.rpc.h"

static bool is_follow(const bus_event *event)
{
        return str_starts(str_of(event->type), str_of("follow."));
}

static int compare_ids(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Finds those of the events' actors and of followed members who consent to being counted; sorts them. */
static sn_status find_countable(struct rpc_call *c, const struct bus_batch *batch, User__CountableMembers *out)
{
        User__BatchGetCountableRequest in = USER__BATCH_GET_COUNTABLE_REQUEST__INIT;

        in.ids = ARENA_ARRAY(c->arena, char *, 2 * batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                if (uuid_valid(batch->events[i]->actor_id)) {
                        in.ids[in.n_ids++] = batch->events[i]->actor_id;
                }
                if (is_follow(batch->events[i]) && uuid_valid(batch->events[i]->object_id)) {
                        in.ids[in.n_ids++] = batch->events[i]->object_id;
                }
        }
        TRY(in.n_ids == 0 ? SN_OK : user_batch_get_countable(c, &in, out));
        if (out->n_ids > 0) {
                qsort(out->ids, out->n_ids, sizeof(out->ids[0]), compare_ids);
        }
        return SN_OK;
}

/* members is sorted. Both IDs are as databases print them. */
static char *if_countable(const User__CountableMembers *members, char *id)
{
        return members->n_ids > 0 &&
                       bsearch(&id, members->ids, members->n_ids, sizeof(members->ids[0]), compare_ids) != NULL
                   ? id
                   : "";
}

/* The note of the event: for a comment or renote, the note that it answers or renotes. */
static char *note_of(const bus_event *event)
{
        bool answers = strcmp(event->type, "comment.created") == 0 || strcmp(event->type, "renote.created") == 0;

        return answers ? event->object_id : event->aggregate_id;
}

/* Messages have no object: neither their chat nor their id is kept. */
static bool is_of_note(const bus_event *event)
{
        return !is_follow(event) && !str_starts(str_of(event->type), str_of("message."));
}

static AnalyticsRows__TakenEvent *to_taken(struct rpc_call *c, const bus_event *event,
                                           const User__CountableMembers *members)
{
        AnalyticsRows__TakenEvent *out = ARENA_NEW(c->arena, AnalyticsRows__TakenEvent);

        analytics_rows__taken_event__init(out);
        out->id = event->id;
        out->name = event->type;
        out->at_ms = event->occurred_at != NULL ? event->occurred_at->seconds * 1000 : c->now_ms;
        out->user_id = if_countable(members, event->actor_id);
        if (is_follow(event)) {
                out->about_user_id = if_countable(members, event->object_id);
        } else if (is_of_note(event)) {
                out->object_id = note_of(event);
        }
        return out;
}

/* Nothing is kept about members who do not consent, except that a note or comment was deleted, which deletes what was
 * kept of it (store_events.c). */
static bool is_kept(const AnalyticsRows__TakenEvent *event)
{
        return event->user_id[0] != '\0' || strcmp(event->name, "note.deleted") == 0 ||
               strcmp(event->name, "comment.deleted") == 0 || strcmp(event->name, "comment.removed") == 0;
}

sn_status count_events(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        User__CountableMembers members = USER__COUNTABLE_MEMBERS__INIT;
        AnalyticsRows__TakenEvent **events = ARENA_ARRAY(c->arena, AnalyticsRows__TakenEvent *, batch->n);
        size_t n = 0;

        TRY(find_countable(c, batch, &members));
        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                AnalyticsRows__TakenEvent *event = to_taken(c, batch->events[i], &members);

                if (is_kept(event)) {
                        events[n++] = event;
                }
        }
        TRY(store_events(tx, events, n, analytics_min_group()));
        return bus_commit(c, batch, &tx);
}
