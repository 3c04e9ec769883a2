/* Notifies members of new notes by authors whom they watch, in batches of watchers of one note. */
#include "services/notification/notification.h"

#include <stdio.h>
#include <string.h>
#include "services/note/note.rpc.h"
#include "services/notification/notify.h"
#include "services/notification/rules.h"
#include "services/notification/store.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

static bool is_among(NotificationRows__Pair *const *watched, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++) {
                if (uuid_equal(watched[i]->other_id, id)) {
                        return true;
                }
        }
        return false;
}

/* Counts the leading events whose authors have no watchers. */
static sn_status count_unwatched(struct rpc_call *c, const struct bus_batch *batch, size_t *n)
{
        char **authors = ARENA_ARRAY(c->arena, char *, batch->n);
        NotificationRows__Pair **watched = NULL;
        size_t n_watched = 0;

        for (size_t i = 0; i < batch->n; i++) {
                authors[i] = batch->events[i]->actor_id;
        }
        TRY(DB_READ(c, tx, store_watched(tx, authors, batch->n, &n_watched, &watched)));
        for (*n = 0; *n < batch->n && !is_among(watched, n_watched, authors[*n]); (*n)++) {
        }
        return SN_OK;
}

static void add_new_note(struct arrivals *a, const bus_event *event, const char *user_id)
{
        arrivals_add(a, &(struct arrival){.user_id = user_id,
                                          .type = TYPE_NEW_NOTE,
                                          .group_key = arrival_key(a->c->arena, TYPE_NEW_NOTE, event->aggregate_id),
                                          .actor_id = event->actor_id,
                                          .note_id = event->aggregate_id,
                                          .root_id = event->aggregate_id,
                                          .at_ms = arrival_time_ms(event)});
}

/* May run again: arrivals_store adds each actor only once. */
static sn_status notify_some(struct rpc_call *c, const bus_event *event, const char *after, size_t *n,
                             NotificationRows__Pair ***watchers)
{
        struct arrivals arrivals;

        TRY(DB_READ(c, tx, store_watchers(tx, event->actor_id, after, RULES_MAX, n, watchers)));
        arrivals_start(&arrivals, c);
        for (size_t i = 0; i < *n; i++) {
                add_new_note(&arrivals, event, (*watchers)[i]->user_id);
        }
        return notify_portion(&arrivals);
}

static sn_status handle_new_notes(struct rpc_call *c, struct bus_batch *batch)
{
        NotificationRows__Pair **watchers = NULL;
        size_t n = 0, n_unwatched = 0;

        if (batch->cursor[0] == '\0') {
                TRY(count_unwatched(c, batch, &n_unwatched));
        }
        if (n_unwatched > 0) {
                batch->n_done = n_unwatched;
                return SN_OK;
        }
        TRY(notify_some(c, batch->events[0], batch->cursor[0] != '\0' ? batch->cursor : FIRST_ID, &n, &watchers));
        batch->n_done = n < RULES_MAX ? 1 : 0;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", n < RULES_MAX ? "" : watchers[n - 1]->user_id);
        return SN_OK;
}

static const char *const types[] = {"note.created", NULL};

const struct bus_consumer notification_new_notes = {
    .name = "new_notes",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = handle_new_notes,
};
