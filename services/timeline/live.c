/* Owns the channel `home`: changes of the home timeline. Finds the followers whom an event concerns and who have its
 * author on their home timeline at that time; note_service renders the event. */
#include "services/timeline/timeline.h"

#include <string.h>
#include "services/follow/follow.rpc.h"

#define FOLLOWERS_AT_ONCE 10000

sn_status timeline_handle_subscribe_home(struct rpc_call *c, const Timeline__SubscribeHomeRequest *in,
                                         Sonet__Live__Topic *out)
{
        out->key = "home";
        out->personal = true;
        return SN_OK;
}

/* Counts are sent on the note's own channel only: on home timelines they would be a flood. */
static bool is_at_home(const bus_event *event)
{
        static const char *const types[] = {"note.created", "renote.created", "note.deleted", "renote.deleted"};

        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                if (strcmp(event->type, types[i]) == 0) {
                        return true;
                }
        }
        return strcmp(event->type, "note.edited") == 0 && event->object_id[0] == '\0'; /* not a comment */
}

static void add_topic(struct rpc_call *c, Sonet__Live__Routes *out, const char *member)
{
        out->topics[out->n_topics++] = arena_printf(c->arena, "home:%s", member);
}

/* The author, then their followers ordered by ID. */
sn_status timeline_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in,
                                       Sonet__Live__Routes *out)
{
        Follow__ListFollowerIdsRequest ask = FOLLOW__LIST_FOLLOWER_IDS_REQUEST__INIT;
        Follow__FollowerIds found = FOLLOW__FOLLOWER_IDS__INIT;

        if (in->event == NULL || !is_at_home(in->event)) {
                return SN_OK;
        }
        ask.user_ids = &in->event->actor_id;
        ask.n_user_ids = 1;
        ask.after_id = in->after;
        ask.limit = FOLLOWERS_AT_ONCE;
        TRY(follow_list_follower_ids(c, &ask, &found));
        const Follow__MemberFollowerIds *followers = found.n_items > 0 ? found.items[0] : NULL;
        size_t n = followers != NULL ? followers->n_ids : 0;

        out->topics = ARENA_ARRAY(c->arena, char *, n + 1);
        if (in->after[0] == '\0') {
                add_topic(c, out, in->event->actor_id);
        }
        for (size_t i = 0; i < n; i++) {
                add_topic(c, out, followers->ids[i]);
        }
        out->next = n == FOLLOWERS_AT_ONCE ? followers->ids[n - 1] : "";
        return SN_OK;
}

/* ---- Rendering ---- */

/* The relationships between one member and others, as seen by the first. */
static sn_status relations_of(struct rpc_call *c, char *member, char **others, size_t n, Follow__Relations *out)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;

        in.viewer_id = member;
        in.user_ids = others;
        in.n_user_ids = n;
        follow__relations__init(out);
        TRY(follow_get_relations(c, &in, out));
        return out->n_items == n
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of relations");
}

/* An event for many viewers: followers of its author, and the author. */
static sn_status keep_followers(struct rpc_call *c, Sonet__Live__ShowRequest *ask, uint32_t *viewers)
{
        char *author = ask->events[0]->actor_id;
        Follow__Relations relations;
        size_t n = 0;

        TRY(relations_of(c, author, ask->viewer_ids, ask->n_viewer_ids, &relations));
        for (uint32_t i = 0; i < ask->n_viewer_ids; i++) {
                if (relations.items[i]->followed_by || uuid_equal(author, ask->viewer_ids[i])) {
                        viewers[n] = i;
                        ask->viewer_ids[n++] = ask->viewer_ids[i];
                }
        }
        ask->n_viewer_ids = n;
        return SN_OK;
}

/* Many events for one viewer: of members whom they follow, and their own. */
static sn_status keep_followed(struct rpc_call *c, Sonet__Live__ShowRequest *ask, uint32_t *events)
{
        char **authors = ARENA_ARRAY(c->arena, char *, ask->n_events);
        Follow__Relations relations;
        size_t n = 0;

        for (size_t i = 0; i < ask->n_events; i++) {
                authors[i] = ask->events[i]->actor_id;
        }
        TRY(relations_of(c, ask->viewer_ids[0], authors, ask->n_events, &relations));
        for (uint32_t i = 0; i < ask->n_events; i++) {
                if (is_at_home(ask->events[i]) &&
                    (relations.items[i]->following || uuid_equal(authors[i], ask->viewer_ids[0]))) {
                        events[n] = i;
                        ask->events[n++] = ask->events[i];
                }
        }
        ask->n_events = n;
        return SN_OK;
}

static void *copy(struct rpc_call *c, const void *list, size_t n)
{
        void *made = ARENA_ARRAY(c->arena, char *, n);

        return n > 0 ? memcpy(made, list, n * sizeof(char *)) : made;
}

sn_status timeline_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in, Note__NoteEvents *out)
{
        Sonet__Live__ShowRequest ask = *in;
        bool many_viewers = in->n_viewer_ids > 1;
        size_t n = many_viewers ? in->n_viewer_ids : in->n_events;
        uint32_t *which = ARENA_ARRAY(c->arena, uint32_t, n);

        if (in->n_events == 0 || in->n_viewer_ids == 0) {
                return SN_OK;
        }
        if (many_viewers && in->n_events > 1) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "events",
                                "must be one event for many viewers, or many events for one viewer");
        }
        ask.events = copy(c, in->events, in->n_events);
        ask.viewer_ids = copy(c, in->viewer_ids, in->n_viewer_ids);
        TRY(many_viewers ? keep_followers(c, &ask, which) : keep_followed(c, &ask, which));
        if (ask.n_events == 0 || ask.n_viewer_ids == 0) {
                return SN_OK;
        }
        TRY(note_show_events(c, &ask, out));
        for (size_t i = 0; i < out->n_items; i++) {
                uint32_t *index = many_viewers ? &out->items[i]->viewer : &out->items[i]->event;

                *index = *index < n ? which[*index] : UINT32_MAX;
        }
        return SN_OK;
}
