/* Owns what note_service offers on the stream: who may subscribe to what, whom an event may concern, and what of it
 * each viewer is shown, by the same predicate as pages. */
#include "services/note/note.h"

#include <string.h>
#include "services/member.h"
#include "services/note/show.h"

sn_status note_handle_subscribe_user(struct rpc_call *c, const Note__SubscribeUserRequest *in, Sonet__Live__Topic *out)
{
        char *id = NULL;

        TRY(member_find(c, in->user_id, &id));
        out->key = arena_printf(c->arena, "user:%s", id);
        return SN_OK;
}

sn_status note_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in, Sonet__Live__Routes *out)
{
        const bus_event *event = in->event;

        out->topics = ARENA_ARRAY(c->arena, char *, 1);
        out->topics[0] = arena_printf(c->arena, "user:%s", event->actor_id);
        out->n_topics = 1;
        return SN_OK;
}

/* ---- Showing ---- */

static bool is_on_topic(const char *topic, const bus_event *event)
{
        return strncmp(topic, "user:", 5) == 0 && strcmp(topic + 5, event->actor_id) == 0;
}

static bool is_new(const bus_event *event)
{
        return strcmp(event->type, EVENT_NOTE_CREATED) == 0 || strcmp(event->type, EVENT_RENOTE_CREATED) == 0;
}

static void add(struct rpc_call *c, Note__NoteEvents *out, uint32_t event, uint32_t viewer, Note__Note *note)
{
        Note__NoteEvent *item = ARENA_NEW(c->arena, Note__NoteEvent);

        note__note_event__init(item);
        item->event = event;
        item->viewer = viewer;
        item->data_case = NOTE__NOTE_EVENT__DATA_NOTE_CREATED;
        item->note_created = note;
        out->items[out->n_items++] = item;
}

static sn_status show_to(struct rpc_call *c, const Sonet__Live__ShowRequest *in, uint32_t viewer, Note__NoteEvents *out)
{
        struct reader reader = {.id = in->viewer_ids[viewer]};
        char **ids = ARENA_ARRAY(c->arena, char *, in->n_events);
        uint32_t *events = ARENA_ARRAY(c->arena, uint32_t, in->n_events);
        size_t n = 0, n_notes = 0;
        Note__Note **notes = NULL;

        for (uint32_t i = 0; i < in->n_events; i++) {
                if (is_new(in->events[i]) && is_on_topic(in->topic, in->events[i])) {
                        events[n] = i;
                        ids[n++] = in->events[i]->aggregate_id;
                }
        }
        TRY(show_notes(c, &reader, ids, n, &n_notes, &notes));
        for (size_t i = 0, k = 0; i < n && k < n_notes; i++) { /* in the order asked */
                if (uuid_equal(ids[i], notes[k]->id)) {
                        add(c, out, events[i], viewer, notes[k++]);
                }
        }
        return SN_OK;
}

sn_status note_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in, Note__NoteEvents *out)
{
        out->items = ARENA_ARRAY(c->arena, Note__NoteEvent *, in->n_events * in->n_viewer_ids);
        for (uint32_t viewer = 0; viewer < in->n_viewer_ids; viewer++) {
                TRY(show_to(c, in, viewer, out));
        }
        return SN_OK;
}
