/* Tells members who likes, passes on and comments on their notes, and who mentions them. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/note/note.rpc.h"
#include "services/notification/arrivals.h"

static bool is(const bus_event *event, const char *type)
{
        return strcmp(event->type, type) == 0;
}

/* Which note an event is about: what was liked or passed on, or what was written. */
static char *note_of(const bus_event *event)
{
        return strncmp(event->type, "renote.", 7) == 0 ? event->object_id : event->aggregate_id;
}

static void add(struct arrivals *a, const bus_event *event, const char *type, const char *user_id)
{
        const char *note_id = note_of(event);

        if (user_id[0] != '\0') {
                arrivals_add(a, &(struct arrival){.user_id = user_id,
                                                  .type = type,
                                                  .group_key = arena_printf(a->c->arena, "%s:%s", type, note_id),
                                                  .actor_id = event->actor_id,
                                                  .note_id = note_id,
                                                  .at_ms = arrival_time_ms(event)});
        }
}

static void undo(struct arrivals *a, const bus_event *event, const char *type)
{
        arrivals_add(a, &(struct arrival){.undone = true,
                                          .user_id = "",
                                          .type = type,
                                          .group_key = arena_printf(a->c->arena, "%s:%s", type, note_of(event)),
                                          .actor_id = event->actor_id,
                                          .note_id = "",
                                          .at_ms = arrival_time_ms(event)});
}

/* Whoever is told of a comment on a note of theirs is not told once more that it mentions them. */
static void add_mentions(struct arrivals *a, const bus_event *event, const Note__Concerned *note)
{
        for (size_t i = 0; i < note->n_mention_ids; i++) {
                if (!uuid_equal(note->mention_ids[i], note->parent_author_id)) {
                        add(a, event, TYPE_MENTION, note->mention_ids[i]);
                }
        }
}

static void add_event(struct arrivals *a, const bus_event *event, const Note__Concerned *note)
{
        if (is(event, "note.unliked")) {
                undo(a, event, TYPE_LIKE);
        } else if (is(event, "renote.deleted")) {
                undo(a, event, TYPE_RENOTE);
        } else if (is(event, "note.liked")) {
                add(a, event, TYPE_LIKE, note->author_id);
        } else if (is(event, "renote.created")) {
                add(a, event, TYPE_RENOTE, note->author_id);
        } else {
                if (is(event, "comment.created")) {
                        add(a, event, TYPE_COMMENT, note->parent_author_id);
                }
                add_mentions(a, event, note);
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

/* Before the transaction: bus_begin may take events out of the batch, at its beginning. */
static sn_status tell(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Note__ConcernedList notes = NOTE__CONCERNED_LIST__INIT;
        struct arrivals arrivals;
        size_t n = batch->n;

        TRY(load_concerned(c, batch, &notes));
        TRY(bus_begin(c, batch, &tx));
        arrivals_start(&arrivals, c);
        for (size_t i = 0; i < batch->n; i++) {
                add_event(&arrivals, batch->events[i], notes.items[n - batch->n + i]);
        }
        TRY(arrivals_store(&arrivals, tx));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"note.liked",      "note.unliked", "renote.created", "renote.deleted",
                                    "comment.created", "note.created", "note.edited",    NULL};

const struct bus_consumer notification_note_events = {
    .name = "note_events",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = tell,
};
