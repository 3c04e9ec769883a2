/* Owns note_service's live channels: who may subscribe, whom an event may concern, and what each viewer sees of it,
 * using the same predicate as pages. The home timeline's channel (services/timeline/live.c) is rendered here, too. */
#include "services/note/note.h"

#include <string.h>
#include "services/member.h"
#include "services/note/mentions.h"
#include "services/note/renoters.h"
#include "services/note/show.h"
#include "services/note/stored.h"
#include "services/entities.h"

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
        char *key = hashtag_key(c->arena, in->tag, &problem);

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
            {EVENT_COMMENT_DELETED, DELETED}, {EVENT_COMMENT_REMOVED, DELETED}, {EVENT_NOTE_COUNTED, COUNTED},
            {EVENT_NOTE_LIKED, COUNTED},      {EVENT_NOTE_UNLIKED, COUNTED}};

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                if (strcmp(event->type, kinds[i].type) == 0) {
                        return kinds[i].kind;
                }
        }
        return OTHER;
}

/* The object of a renote's event is the renoted note. */
static bool is_comment(const bus_event *event)
{
        return event->object_id[0] != '\0' && strncmp(event->type, "renote.", 7) != 0;
}

/* The notes of events; those of deletions as they were before. */
static sn_status load_stored(struct rpc_call *c, bus_event *const *events, size_t n, NoteRows__StoredNote **stored,
                             bool *was_removed)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n), **gone = ARENA_ARRAY(c->arena, char *, n);
        NoteRows__StoredNote **as_they_were = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_gone = 0;
        bool *removed = ARENA_ARRAY(c->arena, bool, n);

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
        TRY(stored_get_deleted(c, gone, n_gone, as_they_were, removed));
        for (size_t i = 0; i < n_gone; i++) {
                stored[places[i]] = as_they_were[i];
                was_removed[places[i]] = removed[i];
        }
        return SN_OK;
}

/* Only public notes are listed by hashtag. The hashtags of a deleted note are found in its text only. */
static void hashtags_of(struct arena *arena, const NoteRows__StoredNote *stored, struct entities *out)
{
        *out = (struct entities){0};
        if (stored != NULL && stored->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC) {
                entities_extract(arena, stored->note->text, out);
        }
}

/* ---- Members concerned ---- */

static void add_topic(struct rpc_call *c, Sonet__Live__Routes *out, const char *kind, const char *name)
{
        out->topics[out->n_topics++] = arena_printf(c->arena, "%s:%s", kind, name);
}

sn_status note_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in, Sonet__Live__Routes *out)
{
        bus_event *event = in->event;
        NoteRows__StoredNote *stored = NULL;
        struct entities entities;
        bool was_removed = false;

        if (event == NULL || kind_of(event) == OTHER) {
                return SN_OK;
        }
        out->topics = ARENA_ARRAY(c->arena, char *, 3 + ENTITIES_MAX_HASHTAGS);
        add_topic(c, out, "note", event->aggregate_id);
        if (kind_of(event) == COUNTED) {
                return SN_OK;
        }
        add_topic(c, out, is_comment(event) ? "note" : "user", is_comment(event) ? event->object_id : event->actor_id);
        TRY(load_stored(c, &event, 1, &stored, &was_removed));
        hashtags_of(c->arena, stored, &entities);
        for (size_t i = 0; i < entities.n_hashtags; i++) {
                add_topic(c, out, "hashtag", entities.hashtags[i].key);
        }
        return SN_OK;
}

static bool has_hashtag(struct arena *arena, const NoteRows__StoredNote *stored, const char *key)
{
        struct entities entities;

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

/* ---- Rendering ---- */

struct showing {
        const Sonet__Live__ShowRequest *in;
        NoteRows__StoredNote **stored;
        bool *was_removed;
        char **topic_ids;      /* the note that is the topic, per viewer */
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

static void add_item(struct rpc_call *c, struct showing *s, uint32_t event, uint32_t viewer, Note__Note *note)
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

/* The author of a removed comment still sees it until they delete it; that deletion is announced to them only. */
static bool is_told(const struct showing *s, uint32_t event, const char *viewer, const Note__Note *note)
{
        bool is_maker = uuid_equal(viewer, note->author->id);

        if (strcmp(s->in->events[event]->type, EVENT_COMMENT_REMOVED) == 0) {
                return !is_maker;
        }
        return is_maker || !s->was_removed[event];
}

/* Renders some events for each of the viewers: either deletions, or all others. */
struct pairs {
        bool gone;
        char **viewers, **ids;
        uint32_t *viewer, *event;
        size_t n;
};

static bool is_selected(struct rpc_call *c, const struct showing *s, uint32_t event, bool gone)
{
        const bus_event *e = s->in->events[event];

        return kind_of(e) != OTHER && (kind_of(e) == DELETED) == gone &&
               is_on_topic(c->arena, s->in->topic, e, s->stored[event]);
}

/* Comments on a note are for those who can see the note itself, as on its page. */
static sn_status check_topic(struct rpc_call *c, const struct showing *s, bool gone, bool *seen)
{
        size_t n = s->in->n_viewer_ids;
        Note__Note **notes = ARENA_ARRAY(c->arena, Note__Note *, n);

        if (s->topic_ids != NULL) {
                TRY(show_to_viewers(c, &(struct reader){.with_deleted = gone}, s->in->viewer_ids, s->topic_ids, n,
                                    notes));
        }
        for (size_t i = 0; i < n; i++) {
                seen[i] = s->topic_ids == NULL || notes[i] != NULL;
        }
        return SN_OK;
}

static sn_status pair(struct rpc_call *c, const struct showing *s, bool gone, struct pairs *out)
{
        size_t n = s->in->n_events * s->in->n_viewer_ids, n_events = 0;
        uint32_t *events = ARENA_ARRAY(c->arena, uint32_t, s->in->n_events);
        bool *seen = ARENA_ARRAY(c->arena, bool, s->in->n_viewer_ids);

        *out = (struct pairs){gone,
                              ARENA_ARRAY(c->arena, char *, n),
                              ARENA_ARRAY(c->arena, char *, n),
                              ARENA_ARRAY(c->arena, uint32_t, n),
                              ARENA_ARRAY(c->arena, uint32_t, n),
                              0};
        for (uint32_t i = 0; i < s->in->n_events; i++) {
                if (is_selected(c, s, i, gone)) {
                        events[n_events++] = i;
                }
        }
        if (n_events == 0) {
                return SN_OK;
        }
        TRY(check_topic(c, s, gone, seen));
        for (uint32_t v = 0; v < s->in->n_viewer_ids; v++) {
                for (size_t i = 0; i < n_events && seen[v]; i++) {
                        out->viewers[out->n] = s->in->viewer_ids[v];
                        out->ids[out->n] = s->in->events[events[i]]->aggregate_id;
                        out->viewer[out->n] = v;
                        out->event[out->n++] = events[i];
                }
        }
        return SN_OK;
}

/* A renote on a home timeline represents all members who renoted the note. */
static sn_status show_renoters(struct rpc_call *c, const struct pairs *pairs, Note__Note *const *notes)
{
        Note__Note **there = ARENA_ARRAY(c->arena, Note__Note *, pairs->n);
        char **viewers = ARENA_ARRAY(c->arena, char *, pairs->n);
        size_t n = 0;

        for (size_t i = 0; i < pairs->n; i++) {
                if (notes[i] != NULL) {
                        viewers[n] = pairs->viewers[i];
                        there[n++] = notes[i];
                }
        }
        return renoters_show(c, viewers, there, n, ARENA_ARRAY(c->arena, char *, n));
}

/* As on pages: of members who no longer exist. */
static sn_status hide_mentions(struct rpc_call *c, Note__Note *const *notes, size_t n)
{
        Note__Note **there = ARENA_ARRAY(c->arena, Note__Note *, n);
        size_t n_there = 0;

        for (size_t i = 0; i < n; i++) {
                if (notes[i] != NULL) {
                        there[n_there++] = notes[i];
                }
        }
        return mentions_hide_gone(c, there, n_there);
}

static sn_status show_pairs(struct rpc_call *c, struct showing *s, bool gone)
{
        struct reader reader = {.hides_muted = s->hides_muted, .asked_for = s->asked_for, .with_deleted = gone};
        struct pairs pairs;

        TRY(pair(c, s, gone, &pairs));
        Note__Note **notes = ARENA_ARRAY(c->arena, Note__Note *, pairs.n);

        TRY(show_to_viewers(c, &reader, pairs.viewers, pairs.ids, pairs.n, notes));
        TRY(hide_mentions(c, notes, pairs.n));
        if (strcmp(s->in->topic, TOPIC_HOME) == 0 && !gone) {
                TRY(show_renoters(c, &pairs, notes));
        }
        for (size_t i = 0; i < pairs.n; i++) {
                if (notes[i] != NULL && is_told(s, pairs.event[i], pairs.viewers[i], notes[i])) {
                        add_item(c, s, pairs.event[i], pairs.viewer[i], notes[i]);
                }
        }
        return SN_OK;
}

/* As on pages: the author of an opened note or profile is shown even if muted; other lists leave muted members out. */
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
        s->topic_ids = show_one_viewer(c->arena, id, s->in->n_viewer_ids);
        return SN_OK;
}

#define MOST_SHOWN 500

sn_status note_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in, Note__NoteEvents *out)
{
        struct showing s = {.in = in, .out = out};

        if (in->n_events * in->n_viewer_ids > MOST_SHOWN) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "viewer_ids",
                                "too many: events times viewers must not exceed %d", MOST_SHOWN);
        }
        s.stored = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, in->n_events);
        s.was_removed = ARENA_ARRAY(c->arena, bool, in->n_events);
        out->items = ARENA_ARRAY(c->arena, Note__NoteEvent *, in->n_events * in->n_viewer_ids);
        TRY(load_stored(c, in->events, in->n_events, s.stored, s.was_removed));
        TRY(set_reader(c, &s));
        TRY(show_pairs(c, &s, false));
        return show_pairs(c, &s, true);
}
