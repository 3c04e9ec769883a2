/* Owns the live channel `notifications`: changes of the member's own notifications and counts, on all devices. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/arrivals.h"
#include "services/notification/show.h"
#include "services/notification/store.h"
#include "services/notification/unread.h"

#define TOPIC "notifications"

enum { SPREAD_MAX = 10000 }; /* topics of one event */

static bool is_spread(const bus_event *e)
{
        return strcmp(e->type, EVENT_NOTIFICATION_SPREAD) == 0 || strcmp(e->type, EVENT_NOTIFICATION_CHAT_SPREAD) == 0;
}

static char *spread_key(struct arena *arena, const bus_event *e)
{
        bool chat = strcmp(e->type, EVENT_NOTIFICATION_CHAT_SPREAD) == 0;

        return arrival_key(arena, chat ? TYPE_MESSAGE : TYPE_NEW_NOTE, e->aggregate_id);
}

sn_status notification_handle_subscribe_notifications(struct rpc_call *c,
                                                      const Notification__SubscribeNotificationsRequest *in,
                                                      Sonet__Live__Topic *out)
{
        out->key = TOPIC;
        out->personal = true;
        return SN_OK;
}

static sn_status route_spread(struct rpc_call *c, const bus_event *e, Sonet__Live__Routes *out)
{
        NotificationRows__Pair **rows = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_spread(tx, spread_key(c->arena, e), e, SPREAD_MAX, &n, &rows)));
        out->topics = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                out->topics[out->n_topics++] = arena_printf(c->arena, TOPIC ":%s", rows[i]->user_id);
        }
        return SN_OK;
}

sn_status notification_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in,
                                           Sonet__Live__Routes *out)
{
        if (in->event != NULL && is_spread(in->event)) {
                return route_spread(c, in->event, out);
        }
        if (in->event != NULL && in->event->object_id[0] != '\0') {
                out->topics = ARENA_ARRAY(c->arena, char *, 1);
                out->topics[out->n_topics++] = arena_printf(c->arena, TOPIC ":%s", in->event->object_id);
        }
        return SN_OK;
}

/* Events as shown to one viewer. */
struct showing {
        struct rpc_call *c;
        const Sonet__Live__ShowRequest *in;
        Notification__NotificationEvents *out;
        uint32_t viewer;
        Notification__UnreadCount *count;
        char **ids; /* of the notification of each event; NULL: it is not the viewer's */
        Notification__Notification **shown;
        size_t n_shown;
        char **actors; /* visible actors among those who undid something */
        size_t n_actors;
};

static Notification__Notification *find_notification(const struct showing *s, const char *id)
{
        for (size_t i = 0; i < s->n_shown; i++) {
                if (strcmp(s->shown[i]->id, id) == 0) {
                        return s->shown[i];
                }
        }
        return NULL;
}

static void set_changed(struct showing *s, Notification__NotificationEvent *item, Notification__Notification *of)
{
        Notification__NotificationNews *news = ARENA_NEW(s->c->arena, Notification__NotificationNews);

        notification__notification_news__init(news);
        news->notification = of;
        news->count = s->count;
        item->data_case = NOTIFICATION__NOTIFICATION_EVENT__DATA_NOTIFICATION_CHANGED;
        item->notification_changed = news;
}

static void set_removed(struct showing *s, Notification__NotificationEvent *item, char *id)
{
        Notification__NotificationName *name = ARENA_NEW(s->c->arena, Notification__NotificationName);

        notification__notification_name__init(name);
        name->id = id;
        name->count = s->count;
        item->data_case = NOTIFICATION__NOTIFICATION_EVENT__DATA_NOTIFICATION_REMOVED;
        item->notification_removed = name;
}

static bool is_shown_actor(const struct showing *s, const char *id)
{
        for (size_t i = 0; i < s->n_actors; i++) {
                if (uuid_equal(s->actors[i], id)) {
                        return true;
                }
        }
        return false;
}

/* False if the viewer may not see it; then nothing is sent, not even a changed count. */
static bool set_data(struct showing *s, Notification__NotificationEvent *item, bus_event *e, char *id)
{
        Notification__Notification *now = find_notification(s, id);
        bool undone = strcmp(e->type, EVENT_NOTIFICATION_UNDONE) == 0;

        if (strcmp(e->type, EVENT_NOTIFICATION_COUNTED) == 0) {
                item->data_case = NOTIFICATION__NOTIFICATION_EVENT__DATA_NOTIFICATION_COUNTED;
                item->notification_counted = s->count;
        } else if (strcmp(e->type, EVENT_NOTIFICATION_REMOVED) == 0) {
                set_removed(s, item, id);
        } else if (undone && !is_shown_actor(s, e->actor_id)) {
                return false;
        } else if (now != NULL) {
                set_changed(s, item, now);
        } else if (undone) {
                set_removed(s, item, id);
        } else {
                return false;
        }
        return true;
}

static bool is_viewers(const struct showing *s, const bus_event *e)
{
        const char *viewer = s->in->viewer_ids[s->viewer];

        return is_spread(e) ? strcmp(e->object_id, viewer) <= 0 && strcmp(viewer, e->actor_id) <= 0
                            : uuid_equal(e->object_id, viewer);
}

static void show_event(struct showing *s, uint32_t event)
{
        Notification__NotificationEvent *item = ARENA_NEW(s->c->arena, Notification__NotificationEvent);

        notification__notification_event__init(item);
        item->event = event;
        item->viewer = s->viewer;
        if (set_data(s, item, s->in->events[event], s->ids[event])) {
                s->out->items[s->out->n_items++] = item;
        }
}

/* Finds the viewer's own notifications of new notes and messages, whose events name only the note or chat. */
static sn_status find_spread(struct showing *s)
{
        char **keys = ARENA_ARRAY(s->c->arena, char *, s->in->n_events);
        NotificationRows__Changed **rows = NULL;
        size_t n = 0, n_rows = 0;

        for (size_t i = 0; i < s->in->n_events; i++) {
                if (is_spread(s->in->events[i]) && is_viewers(s, s->in->events[i])) {
                        keys[n++] = spread_key(s->c->arena, s->in->events[i]);
                }
        }
        if (n == 0) {
                return SN_OK;
        }
        TRY(DB_READ(s->c, tx, store_in_groups(tx, s->in->viewer_ids[s->viewer], keys, n, &n_rows, &rows)));
        for (size_t i = 0, at = 0; i < s->in->n_events; i++) {
                bool own = is_spread(s->in->events[i]) && is_viewers(s, s->in->events[i]);

                for (size_t k = 0; own && k < n_rows; k++) {
                        bool told = rows[k]->chat_seq >= s->in->events[i]->version;

                        s->ids[i] = told && strcmp(rows[k]->group_key, keys[at]) == 0 ? rows[k]->id : s->ids[i];
                }
                at += own;
        }
        return SN_OK;
}

static sn_status load_notifications(struct showing *s)
{
        char **ids = ARENA_ARRAY(s->c->arena, char *, s->in->n_events);
        size_t n = 0;

        s->actors = ARENA_ARRAY(s->c->arena, char *, s->in->n_events);
        s->ids = ARENA_ARRAY(s->c->arena, char *, s->in->n_events);
        TRY(find_spread(s));
        for (size_t i = 0; i < s->in->n_events; i++) {
                bus_event *e = s->in->events[i];

                if (!is_spread(e) && is_viewers(s, e)) {
                        s->ids[i] = e->aggregate_id;
                        if (strcmp(e->type, EVENT_NOTIFICATION_UNDONE) == 0) {
                                s->actors[s->n_actors++] = e->actor_id;
                        }
                }
                if (s->ids[i] != NULL) {
                        ids[n++] = s->ids[i];
                }
        }
        if (n == 0) {
                return SN_OK;
        }
        TRY(show_notifications(s->c, s->in->viewer_ids[s->viewer], ids, n, &s->n_shown, &s->shown));
        return show_actors(s->c, s->in->viewer_ids[s->viewer], s->actors, &s->n_actors);
}

static sn_status show_viewer(struct showing *s)
{
        size_t before = s->out->n_items;

        TRY(load_notifications(s));
        s->count = ARENA_NEW(s->c->arena, Notification__UnreadCount);
        notification__unread_count__init(s->count);
        for (uint32_t i = 0; i < s->in->n_events; i++) {
                if (s->ids[i] != NULL) {
                        show_event(s, i);
                }
        }
        return s->out->n_items > before ? unread_count(s->c, s->in->viewer_ids[s->viewer], s->count) : SN_OK;
}

sn_status notification_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in,
                                          Notification__NotificationEvents *out)
{
        out->items = ARENA_ARRAY(c->arena, Notification__NotificationEvent *, in->n_events * in->n_viewer_ids);
        for (uint32_t i = 0; i < in->n_viewer_ids; i++) {
                struct showing s = {.c = c, .in = in, .out = out, .viewer = i};

                TRY(show_viewer(&s));
        }
        return SN_OK;
}
