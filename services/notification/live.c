/* Owns the channel `notifications`: one's own, as they change, with the counts, on all devices. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/show.h"
#include "services/notification/unread.h"

#define TOPIC "notifications"

sn_status notification_handle_subscribe_notifications(struct rpc_call *c,
                                                      const Notification__SubscribeNotificationsRequest *in,
                                                      Sonet__Live__Topic *out)
{
        out->key = TOPIC;
        out->personal = true;
        return SN_OK;
}

sn_status notification_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in,
                                           Sonet__Live__Routes *out)
{
        if (in->event != NULL && in->event->object_id[0] != '\0') {
                out->topics = ARENA_ARRAY(c->arena, char *, 1);
                out->topics[out->n_topics++] = arena_printf(c->arena, TOPIC ":%s", in->event->object_id);
        }
        return SN_OK;
}

/* What one viewer is shown of events. */
struct showing {
        struct rpc_call *c;
        const Sonet__Live__ShowRequest *in;
        Notification__NotificationEvents *out;
        uint32_t viewer;
        Notification__UnreadCount *count;
        Notification__Notification **shown;
        size_t n_shown;
};

static Notification__Notification *find(const struct showing *s, const char *id)
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

/* What is not to be seen was perhaps never shown: then only the count is told. */
static void show_event(struct showing *s, uint32_t event)
{
        const bus_event *e = s->in->events[event];
        Notification__Notification *now = find(s, e->aggregate_id);
        Notification__NotificationEvent *item = ARENA_NEW(s->c->arena, Notification__NotificationEvent);

        notification__notification_event__init(item);
        item->event = event;
        item->viewer = s->viewer;
        if (strcmp(e->type, EVENT_NOTIFICATION_REMOVED) == 0) {
                set_removed(s, item, e->aggregate_id);
        } else if (now != NULL && strcmp(e->type, EVENT_NOTIFICATION_CHANGED) == 0) {
                set_changed(s, item, now);
        } else {
                item->data_case = NOTIFICATION__NOTIFICATION_EVENT__DATA_NOTIFICATION_COUNTED;
                item->notification_counted = s->count;
        }
        s->out->items[s->out->n_items++] = item;
}

static sn_status show_viewer(struct showing *s)
{
        const char *viewer = s->in->viewer_ids[s->viewer];
        char **ids = ARENA_ARRAY(s->c->arena, char *, s->in->n_events);
        size_t n = 0;

        for (size_t i = 0; i < s->in->n_events; i++) {
                if (uuid_equal(s->in->events[i]->object_id, viewer)) {
                        ids[n++] = s->in->events[i]->aggregate_id;
                }
        }
        if (n == 0) {
                return SN_OK;
        }
        s->count = ARENA_NEW(s->c->arena, Notification__UnreadCount);
        notification__unread_count__init(s->count);
        TRY(show_notifications(s->c, viewer, ids, n, &s->n_shown, &s->shown));
        TRY(unread_count(s->c, viewer, s->count));
        for (uint32_t i = 0; i < s->in->n_events; i++) {
                if (uuid_equal(s->in->events[i]->object_id, viewer)) {
                        show_event(s, i);
                }
        }
        return SN_OK;
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
