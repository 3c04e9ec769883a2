/* Owns what note_service offers on the stream: who may subscribe to what, whom an event may concern, and what of it
 * each viewer is shown, by the same predicate as pages. The home timeline's channel (services/timeline/live.c) is shown
 * here too. */
#include "services/note/note.h"

#include <string.h>
#include "services/member.h"
#include "services/note/marks.h"
#include "services/note/renoters.h"
#include "services/note/show.h"
#include "services/note/stored.h"
#include "services/note/text.h"

#define TOPIC_HOME "home"

/* ---- Subscribing ---- */

sn_status note_handle_subscribe_note(struct rpc_call *c, const Note__SubscribeNoteRequest *in, Sonet__Live__Topic *out)
{
        Note__Note note = NOTE__NOTE__INIT;

        TRY(show_note(c, in->id, &note));
        out->key = arena_printf(c->arena, "note:%s", in->id);
        return SN_OK;
}

sn_status note_handle_subscribe_hashtag(struct rpc_call *c, const Note__SubscribeHashtagRequest *in,
                                        Sonet__Live__Topic *out)
{
        const char *problem = NULL;
        char *key = note_hashtag_key(c->arena, in->tag, &problem);

        if (key == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "tag", "%s", problem);
        }
        out->key = arena_printf(c->arena, "hashtag:%s", key);
        return SN_OK;
}

sn_status note_handle_subscribe_user(struct rpc_call *c, const Note__SubscribeUserRequest *in, Sonet__Live__Topic *out)
{
        char *id = NULL;

        TRY(member_find(c, in->user_id, &id));
        out->key = arena_printf(c->arena, "user:%s", id);
        return SN_OK;
}

/* ---- Events ---- */

enum kind { CREATED, EDITED, DELETED, COUNTED, OTHER };

static enum kind kind_of(const bus_event *event)
{
        static const struct {
                const char *type;
                enum kind kind;
        } kinds[] = {
            {EVENT_NOTE_CREATED, CREATED},    {EVENT_RENOTE_CREATED, CREATED},  {EVENT_COMMENT_CREATED, CREATED},
            {EVENT_NOTE_EDITED, EDITED},      {EVENT_NOTE_DELETED, DELETED},    {EVENT_RENOTE_DELETED, DELETED},
            {EVENT_COMMENT_DELETED, DELETED}, {EVENT_COMMENT_REMOVED, DELETED}, {EVENT_NOTE_COUNTED, COUNTED}};

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                if (strcmp(event->type, kinds[i].type) == 0) {
                        return kinds[i].kind;
                }
        }
        return OTHER;
}

/* The object of a renote's event is what it passes on. */
static bool is_comment(const bus_event *event)
{
        return event->object_id[0] != '\0' && strncmp(event->type, "renote.", 7) != 0;
}

/* The notes of events; of those that say that a note is gone, as it was. */
static sn_status load_stored(struct rpc_call *c, bus_event *const *events, size_t n, NoteRows__StoredNote **stored)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n), **gone = ARENA_ARRAY(c->arena, char *, n);
        NoteRows__StoredNote **as_they_were = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_gone = 0;

        for (size_t i = 0; i < n; i++) {
                ids[i] = events[i]->aggregate_id;
        }
        TRY(stored_get(c, READ_FROM_ANYWHERE, ids, n, stored));
        for (size_t i = 0; i < n; i++) {
                if (kind_of(events[i]) == DELETED) {
                        places[n_gone] = i;
                        gone[n_gone++] = ids[i];
                }
        }
        if (n_gone == 0) {
                return SN_OK;
        }
        TRY(stored_get_deleted(c, gone, n_gone, as_they_were));
        for (size_t i = 0; i < n_gone; i++) {
                stored[places[i]] = as_they_were[i];
        }
        return SN_OK;
}

/* Of the public notes alone there are lists by hashtag. Those of a deleted note stand in its text only. */
static void hashtags_of(struct arena *arena, const NoteRows__StoredNote *stored, struct note_entities *out)
{
        *out = (struct note_entities){0};
        if (stored != NULL && stored->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC) {
                note_text_extract(arena, stored->note->text, out);
        }
}

/* ---- Whom it may concern ---- */

static void add_topic(struct rpc_call *c, Sonet__Live__Routes *out, const char *kind, const char *name)
{
        out->topics[out->n_topics++] = arena_printf(c->arena, "%s:%s", kind, name);
}

sn_status note_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in, Sonet__Live__Routes *out)
{
        bus_event *event = in->event;
        NoteRows__StoredNote *stored = NULL;
        struct note_entities entities;

        if (event == NULL || kind_of(event) == OTHER) {
                return SN_OK;
        }
        out->topics = ARENA_ARRAY(c->arena, char *, 3 + NOTE_MAX_HASHTAGS);
        add_topic(c, out, "note", event->aggregate_id);
        if (kind_of(event) == COUNTED) {
                return SN_OK;
        }
        add_topic(c, out, is_comment(event) ? "note" : "user", is_comment(event) ? event->object_id : event->actor_id);
        TRY(load_stored(c, &event, 1, &stored));
        hashtags_of(c->arena, stored, &entities);
        for (size_t i = 0; i < entities.n_hashtags; i++) {
                add_topic(c, out, "hashtag", entities.hashtags[i].key);
        }
        return SN_OK;
}

static bool has_hashtag(struct arena *arena, const NoteRows__StoredNote *stored, const char *key)
{
        struct note_entities entities;

        hashtags_of(arena, stored, &entities);
        for (size_t i = 0; i < entities.n_hashtags; i++) {
                if (strcmp(entities.hashtags[i].key, key) == 0) {
                        return true;
                }
        }
        return false;
}

static bool is_on_topic(struct arena *arena, const char *topic, const bus_event *event,
                        const NoteRows__StoredNote *stored)
{
        if (strcmp(topic, TOPIC_HOME) == 0) {
                return !is_comment(event) && kind_of(event) != COUNTED;
        }
        const char *name = strchr(topic, ':');

        if (name++ == NULL) {
                return false;
        }
        switch (topic[0]) {
        case 'n':
                return strcmp(event->aggregate_id, name) == 0 ||
                       (is_comment(event) && strcmp(event->object_id, name) == 0);
        case 'u':
                return !is_comment(event) && kind_of(event) != COUNTED && strcmp(event->actor_id, name) == 0;
        default:
                return kind_of(event) != COUNTED && has_hashtag(arena, stored, name);
        }
}

/* ---- What they are shown ---- */

/* Events of one sort, for one viewer: those that say that a note is gone, or the others. */
struct selection {
        char **ids;
        uint32_t *events;
        size_t n;
};

struct showing {
        const Sonet__Live__ShowRequest *in;
        struct selection there, gone;
        NoteRows__StoredNote **stored;
        const char *asked_for; /* the author of the note that is the topic */
        bool hides_muted;
        Note__NoteEvents *out;
};

static Note__NoteName *name_of(struct arena *arena, const Note__Note *note)
{
        Note__NoteName *name = ARENA_NEW(arena, Note__NoteName);

        note__note_name__init(name);
        name->id = note->id;
        return name;
}

static Note__NoteTally *tally_of(struct arena *arena, const Note__Note *note)
{
        Note__NoteTally *tally = ARENA_NEW(arena, Note__NoteTally);

        note__note_tally__init(tally);
        tally->id = note->id;
        tally->counts = note->counts;
        return tally;
}

static void add(struct rpc_call *c, struct showing *s, uint32_t event, uint32_t viewer, Note__Note *note)
{
        Note__NoteEvent *item = ARENA_NEW(c->arena, Note__NoteEvent);

        note__note_event__init(item);
        item->event = event;
        item->viewer = viewer;
        switch (kind_of(s->in->events[event])) {
        case CREATED:
                item->data_case = NOTE__NOTE_EVENT__DATA_NOTE_CREATED;
                item->note_created = note;
                break;
        case EDITED:
                item->data_case = NOTE__NOTE_EVENT__DATA_NOTE_EDITED;
                item->note_edited = note;
                break;
        case DELETED:
                item->data_case = NOTE__NOTE_EVENT__DATA_NOTE_DELETED;
                item->note_deleted = name_of(c->arena, note);
                break;
        default:
                item->data_case = NOTE__NOTE_EVENT__DATA_NOTE_COUNTS;
                item->note_counts = tally_of(c->arena, note);
        }
        s->out->items[s->out->n_items++] = item;
}

/* Who wrote a comment that was removed still sees it. */
static bool still_sees(const bus_event *event, const char *viewer, const Note__Note *note)
{
        return strcmp(event->type, EVENT_COMMENT_REMOVED) == 0 && uuid_equal(viewer, note->author->id);
}

/* What is answered to a note is for those who see the note itself, as on its page. */
static sn_status check_topic(struct rpc_call *c, const struct showing *s, const struct reader *reader, bool *seen)
{
        struct reader opener = {.id = reader->id, .with_deleted = reader->with_deleted};
        char *id = s->in->topic + strlen("note:");
        Note__Note **notes = NULL;
        size_t n = 1;

        if (strncmp(s->in->topic, "note:", 5) == 0) {
                TRY(show_notes(c, &opener, &id, 1, &n, &notes));
        }
        *seen = n > 0;
        return SN_OK;
}

static sn_status show_selection(struct rpc_call *c, struct showing *s, const struct selection *some, uint32_t viewer,
                                bool gone)
{
        struct reader reader = {.id = s->in->viewer_ids[viewer],
                                .hides_muted = s->hides_muted,
                                .asked_for = s->asked_for,
                                .with_deleted = gone};
        Note__Note **notes = NULL;
        bool seen = false;
        size_t n = 0;

        if (some->n == 0) {
                return SN_OK;
        }
        TRY(check_topic(c, s, &reader, &seen));
        if (!seen) {
                return SN_OK;
        }
        TRY(show_notes(c, &reader, some->ids, some->n, &n, &notes));
        if (strcmp(s->in->topic, TOPIC_HOME) == 0 && !gone) {
                TRY(renoters_show(c, reader.id, notes, n, ARENA_ARRAY(c->arena, char *, n)));
        }
        for (size_t i = 0, k = 0; i < some->n && k < n; i++) { /* in the order asked */
                if (uuid_equal(some->ids[i], notes[k]->id)) {
                        Note__Note *note = notes[k++];

                        if (!still_sees(s->in->events[some->events[i]], reader.id, note)) {
                                add(c, s, some->events[i], viewer, note);
                        }
                }
        }
        return SN_OK;
}

static void select_event(struct selection *some, const bus_event *event, uint32_t i)
{
        some->events[some->n] = i;
        some->ids[some->n++] = event->aggregate_id;
}

static struct selection new_selection(struct arena *arena, size_t n)
{
        return (struct selection){ARENA_ARRAY(arena, char *, n), ARENA_ARRAY(arena, uint32_t, n), 0};
}

static void select_events(struct rpc_call *c, struct showing *s)
{
        s->there = new_selection(c->arena, s->in->n_events);
        s->gone = new_selection(c->arena, s->in->n_events);
        for (uint32_t i = 0; i < s->in->n_events; i++) {
                const bus_event *event = s->in->events[i];

                if (kind_of(event) != OTHER && is_on_topic(c->arena, s->in->topic, event, s->stored[i])) {
                        select_event(kind_of(event) == DELETED ? &s->gone : &s->there, event, i);
                }
        }
}

/* As on the pages: who opens a note or a member has asked for them, other lists are without those whom one mutes. */
static sn_status set_reader(struct rpc_call *c, struct showing *s)
{
        NoteRows__StoredNote *note = NULL;
        char *id = s->in->topic + strlen("note:");

        s->hides_muted = strncmp(s->in->topic, "user:", 5) != 0;
        if (strncmp(s->in->topic, "note:", 5) != 0) {
                return SN_OK;
        }
        TRY(stored_get(c, READ_FROM_ANYWHERE, &id, 1, &note));
        s->asked_for = note != NULL ? note->note->author->id : NULL;
        return SN_OK;
}

#define MOST_SHOWN 500

sn_status note_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in, Note__NoteEvents *out)
{
        struct showing s = {.in = in, .out = out};

        if (in->n_events * in->n_viewer_ids > MOST_SHOWN) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "viewer_ids", "at most %d events times viewers", MOST_SHOWN);
        }
        s.stored = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, in->n_events);
        out->items = ARENA_ARRAY(c->arena, Note__NoteEvent *, in->n_events * in->n_viewer_ids);
        TRY(load_stored(c, in->events, in->n_events, s.stored));
        TRY(set_reader(c, &s));
        select_events(c, &s);
        if (in->n_viewer_ids > 1 && s.there.n == 1) {
                TRY(marks_prefetch(c, in->viewer_ids, in->n_viewer_ids, s.there.ids[0]));
        }
        for (uint32_t viewer = 0; viewer < in->n_viewer_ids; viewer++) {
                TRY(show_selection(c, &s, &s.there, viewer, false));
                TRY(show_selection(c, &s, &s.gone, viewer, true));
        }
        return SN_OK;
}
