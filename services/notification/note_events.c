/* Notifies members of likes, renotes and comments of their notes, and of mentions. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/note/note.rpc.h"
#include "services/notification/notify.h"

static bool is(const bus_event *event, const char *type)
{
        return strcmp(event->type, type) == 0;
}

/* The note of an event: the one that was liked or renoted, or the one that was written. */
static char *note_of(const bus_event *event)
{
        return strncmp(event->type, "renote.", 7) == 0 ? event->object_id : event->aggregate_id;
}

/* An event of the batch, and the note that it is about. */
struct told {
        const bus_event *event;
        size_t number;
        const Note__Concerned *note;
};

static const char *root_of(const Note__Concerned *note)
{
        return note->root_id[0] != '\0' ? note->root_id : note->id;
}

static void add(struct arrivals *a, const struct told *t, enum notification_type type, const char *user_id)
{
        if (user_id[0] != '\0') {
                arrivals_add(a, &(struct arrival){.user_id = user_id,
                                                  .type = type,
                                                  .group_key = arrival_key(a->c->arena, type, t->note->id),
                                                  .actor_id = t->event->actor_id,
                                                  .note_id = t->note->id,
                                                  .root_id = root_of(t->note),
                                                  .is_private = type == TYPE_MENTION && !t->note->is_public,
                                                  .at_ms = arrival_time_ms(t->event),
                                                  .event = t->number});
        }
}

static void undo(struct arrivals *a, const struct told *t, enum notification_type type)
{
        arrivals_add(a, &(struct arrival){.kind = ARRIVAL_UNDONE,
                                          .user_id = "",
                                          .type = type,
                                          .group_key = arrival_key(a->c->arena, type, t->note->id),
                                          .actor_id = t->event->actor_id,
                                          .note_id = "",
                                          .root_id = "",
                                          .at_ms = arrival_time_ms(t->event),
                                          .event = t->number});
}

/* A member who is notified of a comment on their note is not notified of the mention in it as well. */
static void add_mentions(struct arrivals *a, const struct told *t)
{
        for (size_t i = 0; i < t->note->n_mention_ids; i++) {
                if (!uuid_equal(t->note->mention_ids[i], t->note->parent_author_id)) {
                        add(a, t, TYPE_MENTION, t->note->mention_ids[i]);
                }
        }
}

static void add_event(struct arrivals *a, const struct told *t)
{
        if (is(t->event, "note.unliked")) {
                undo(a, t, TYPE_LIKE);
        } else if (is(t->event, "renote.deleted")) {
                undo(a, t, TYPE_RENOTE);
        } else if (is(t->event, "note.liked")) {
                add(a, t, TYPE_LIKE, t->note->author_id);
        } else if (is(t->event, "renote.created")) {
                add(a, t, TYPE_RENOTE, t->note->author_id);
        } else {
                if (is(t->event, "comment.created")) {
                        add(a, t, TYPE_COMMENT, t->note->parent_author_id);
                }
                add_mentions(a, t);
        }
}

static sn_status load_concerned(struct rpc_call *c, const struct bus_batch *batch, Note__ConcernedList *out)
{
        Note__GetConcernedRequest in = NOTE__GET_CONCERNED_REQUEST__INIT;

        in.n_ids = batch->n;
        in.ids = ARENA_ARRAY(c->arena, char *, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                in.ids[i] = note_of(batch->events[i]);
        }
        TRY(note_get_concerned(c, &in, out));
        return out->n_items == batch->n
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the note service answered with the wrong number of notes");
}

static sn_status collect(struct arrivals *a, const struct bus_batch *batch)
{
        Note__ConcernedList notes = NOTE__CONCERNED_LIST__INIT;

        TRY(load_concerned(a->c, batch, &notes));
        for (size_t i = 0; i < batch->n; i++) {
                add_event(a, &(struct told){batch->events[i], i, notes.items[i]});
        }
        return SN_OK;
}

static sn_status handle(struct rpc_call *c, struct bus_batch *batch)
{
        return notify_batch(c, batch, collect);
}

static const char *const types[] = {"note.liked",      "note.unliked", "renote.created", "renote.deleted",
                                    "comment.created", "note.created", "note.edited",    NULL};

const struct bus_consumer notification_note_events = {
    .name = "note_events",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = handle,
};
