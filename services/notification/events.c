/* Owns interpreting the rows of events.def.h. */
#include "services/notification/events.h"

#include <string.h>
#include "services/note/note.rpc.h"
#include "services/notification/notify.h"

enum recipient { TO_ANYBODY, TO_AGGREGATE, TO_OBJECT, TO_AUTHOR, TO_PARENT_AUTHOR, TO_MENTIONED };
/* Which id of an event, or of its note, a row refers to. */
enum named { BY_NOTHING, BY_ACTOR, BY_AGGREGATE, BY_OBJECT, BY_EVENT, BY_AUTHOR };

static const struct event_row {
        const char *source, *event;
        enum arrival_kind kind;
        enum notification_type type;
        enum recipient recipient;
        enum named actor, key, note;
} rows[] = {
#define EVENT(source, event, kind, TYPE, recipient, actor, key, note)                                                  \
        {#source, event, ARRIVAL_##kind, TYPE_##TYPE, TO_##recipient, BY_##actor, BY_##key, BY_##note},
#include "services/notification/events.def.h"
#undef EVENT
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

bool events_can_undo(enum notification_type type)
{
        for (size_t i = 0; i < ROWS; i++) {
                if (rows[i].type == type && rows[i].kind == ARRIVAL_UNDONE) {
                        return true;
                }
        }
        return false;
}

const char *const event_types[] = {
#define EVENT(source, event, kind, TYPE, recipient, actor, key, note) event,
#include "services/notification/events.def.h"
#undef EVENT
    NULL};

static bool is_row_of(const struct event_row *row, const bus_event *event)
{
        return strcmp(row->event, event->type) == 0 && strcmp(row->source, event->source) == 0;
}

static char *id_of(const bus_event *event, enum named named)
{
        switch (named) {
        case BY_ACTOR:
                return event->actor_id;
        case BY_AGGREGATE:
                return event->aggregate_id;
        case BY_OBJECT:
                return event->object_id;
        case BY_EVENT:
                return event->id;
        default:
                return "";
        }
}

/* One event as interpreted by one row. */
struct reading {
        const struct event_row *row;
        const bus_event *event;
        size_t number;               /* index of the event in its batch */
        const Note__Concerned *note; /* empty if the event is about no note */
};

static const char *actor_of(const struct reading *r)
{
        return r->row->actor == BY_AUTHOR ? r->note->author_id : id_of(r->event, r->row->actor);
}

static void add_arrival(struct arrivals *a, const struct reading *r, const char *user_id)
{
        const char *root_id = r->note->root_id[0] != '\0' ? r->note->root_id : r->note->id;

        if (r->row->kind == ARRIVAL_NEWS && user_id[0] == '\0') {
                return; /* the note is gone */
        }
        arrivals_add(
            a, &(struct arrival){.kind = r->row->kind,
                                 .user_id = user_id,
                                 .type = r->row->type,
                                 .group_key = arrival_key(a->c->arena, r->row->type, id_of(r->event, r->row->key)),
                                 .actor_id = actor_of(r),
                                 .note_id = r->note->id,
                                 .root_id = root_id,
                                 .is_private = r->row->recipient == TO_MENTIONED && !r->note->is_public,
                                 .at_ms = arrival_time_ms(r->event),
                                 .event = r->number});
}

/* Members who are notified of a comment on their note are not also notified of being mentioned in it. */
static void add_mentioned(struct arrivals *a, const struct reading *r)
{
        for (size_t i = 0; i < r->note->n_mention_ids; i++) {
                if (!uuid_equal(r->note->mention_ids[i], r->note->parent_author_id)) {
                        add_arrival(a, r, r->note->mention_ids[i]);
                }
        }
}

static void add_recipients(struct arrivals *a, const struct reading *r)
{
        switch (r->row->recipient) {
        case TO_AGGREGATE:
                add_arrival(a, r, r->event->aggregate_id);
                break;
        case TO_OBJECT:
                add_arrival(a, r, r->event->object_id);
                break;
        case TO_AUTHOR:
                add_arrival(a, r, r->note->author_id);
                break;
        case TO_PARENT_AUTHOR:
                add_arrival(a, r, r->note->parent_author_id);
                break;
        case TO_MENTIONED:
                add_mentioned(a, r);
                break;
        default:
                add_arrival(a, r, "");
        }
}

/* ---- Notes ---- */

/* The note that an event is about, or "". */
static char *note_of(const bus_event *event)
{
        for (size_t i = 0; i < ROWS; i++) {
                if (rows[i].note != BY_NOTHING && is_row_of(&rows[i], event)) {
                        return id_of(event, rows[i].note);
                }
        }
        return "";
}

/* Loads the notes that the events of a batch are about. */
static sn_status load_notes(struct rpc_call *c, const struct bus_batch *batch, const Note__Concerned **notes)
{
        Note__GetConcernedRequest in = NOTE__GET_CONCERNED_REQUEST__INIT;
        Note__ConcernedList out = NOTE__CONCERNED_LIST__INIT;
        size_t *of = ARENA_ARRAY(c->arena, size_t, batch->n);

        in.ids = ARENA_ARRAY(c->arena, char *, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                char *id = note_of(batch->events[i]);

                if (id[0] != '\0') {
                        of[in.n_ids] = i;
                        in.ids[in.n_ids++] = id;
                }
        }
        if (in.n_ids > 0) {
                TRY(note_get_concerned(c, &in, &out));
        }
        for (size_t i = 0; out.n_items == in.n_ids && i < in.n_ids; i++) {
                notes[of[i]] = out.items[i];
        }
        return out.n_items == in.n_ids
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the note service answered with the wrong number of notes");
}

static sn_status collect_arrivals(struct arrivals *a, const struct bus_batch *batch)
{
        static const Note__Concerned none = NOTE__CONCERNED__INIT;
        const Note__Concerned **notes = ARENA_ARRAY(a->c->arena, const Note__Concerned *, batch->n);

        TRY(load_notes(a->c, batch, notes));
        for (size_t i = 0; i < batch->n; i++) {
                for (size_t k = 0; k < ROWS; k++) {
                        if (is_row_of(&rows[k], batch->events[i])) {
                                add_recipients(a, &(struct reading){&rows[k], batch->events[i], i,
                                                                    rows[k].note != BY_NOTHING ? notes[i] : &none});
                        }
                }
        }
        return SN_OK;
}

sn_status events_handle(struct rpc_call *c, struct bus_batch *batch)
{
        return notify_batch(c, batch, collect_arrivals);
}
