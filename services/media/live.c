/* Owns the live channel `media`: changes of a member's own media, on all devices. */
#include "services/media/media.h"

#include <string.h>
#include "services/media/describe.h"
#include "services/media/store.h"

#define TOPIC "media"

sn_status media_handle_subscribe_media(struct rpc_call *c, const Media__SubscribeMediaRequest *in,
                                       Sonet__Live__Topic *out)
{
        out->key = TOPIC;
        out->personal = true;
        return SN_OK;
}

/* The actor of every event is the owner of its media. */
sn_status media_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in, Sonet__Live__Routes *out)
{
        if (in->event != NULL && in->event->actor_id[0] != '\0') {
                out->topics = ARENA_ARRAY(c->arena, char *, 1);
                out->topics[out->n_topics++] = arena_printf(c->arena, TOPIC ":%s", in->event->actor_id);
        }
        return SN_OK;
}

static sn_status load_media(struct rpc_call *c, const Sonet__Live__ShowRequest *in, size_t *n,
                            MediaRows__StoredMedia ***rows)
{
        char **ids = ARENA_ARRAY(c->arena, char *, in->n_events);

        for (size_t i = 0; i < in->n_events; i++) {
                ids[i] = in->events[i]->aggregate_id;
        }
        TRY(DB_READ(c, tx, store_medias(tx, ids, in->n_events, n, rows)));
        for (size_t i = 0; i < *n; i++) {
                describe(c, (*rows)[i], (*rows)[i]->owner_id);
        }
        return SN_OK;
}

static Media__Media *find_media(MediaRows__StoredMedia **rows, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++) {
                if (uuid_equal(rows[i]->id, id)) {
                        return rows[i]->media;
                }
        }
        return NULL;
}

/* Not shown to streams that resume when it is over. */
static bool set_progress(struct rpc_call *c, const bus_event *e, const Media__Media *now, Media__MediaEvent *item)
{
        item->data_case = MEDIA__MEDIA_EVENT__DATA_MEDIA_PROGRESS;
        item->media_progress = ARENA_NEW(c->arena, Media__MediaProgress);
        media__media_progress__init(item->media_progress);
        item->media_progress->id = e->aggregate_id;
        item->media_progress->percent = (uint32_t)e->version;
        return now->status == MEDIA__STATUS__STATUS_PROCESSING;
}

/* Shows the current state; of deleted media only that they are deleted. */
static bool set_data(struct rpc_call *c, const bus_event *e, Media__Media *now, Media__MediaEvent *item)
{
        if (strcmp(e->type, EVENT_MEDIA_DELETED) == 0) {
                item->data_case = MEDIA__MEDIA_EVENT__DATA_MEDIA_DELETED;
                item->media_deleted = ARENA_NEW(c->arena, Media__MediaName);
                media__media_name__init(item->media_deleted);
                item->media_deleted->id = e->aggregate_id;
        } else if (now == NULL) {
                return false;
        } else if (strcmp(e->type, EVENT_MEDIA_PROGRESS) == 0) {
                return set_progress(c, e, now, item);
        } else if (strcmp(e->type, EVENT_MEDIA_FAILED) == 0) {
                item->data_case = MEDIA__MEDIA_EVENT__DATA_MEDIA_FAILED;
                item->media_failed = now;
        } else {
                item->data_case = MEDIA__MEDIA_EVENT__DATA_MEDIA_READY;
                item->media_ready = now;
        }
        return true;
}

sn_status media_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in, Media__MediaEvents *out)
{
        MediaRows__StoredMedia **rows = NULL;
        size_t n = 0;

        TRY(load_media(c, in, &n, &rows));
        out->items = ARENA_ARRAY(c->arena, Media__MediaEvent *, in->n_events * in->n_viewer_ids);
        for (uint32_t i = 0; i < in->n_events * in->n_viewer_ids; i++) {
                bus_event *e = in->events[i / in->n_viewer_ids];
                Media__MediaEvent *item = ARENA_NEW(c->arena, Media__MediaEvent);

                media__media_event__init(item);
                item->event = (uint32_t)(i / in->n_viewer_ids);
                item->viewer = (uint32_t)(i % in->n_viewer_ids);
                if (uuid_equal(e->actor_id, in->viewer_ids[item->viewer]) &&
                    set_data(c, e, find_media(rows, n, e->aggregate_id), item)) {
                        out->items[out->n_items++] = item;
                }
        }
        return SN_OK;
}
