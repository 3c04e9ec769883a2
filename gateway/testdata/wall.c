/* Handlers of the wall service. */
#include "gateway/testdata/wall.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/keys.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/signals.h"
#include "gateway/testdata/wall.service.h"
#include "rpc/lanes.h"
#include "rpc/rpc.h"

#define MOST   20000
#define LOG_ID "018f0000-0000-7000-8000-0000000000aa"
#define OTHER  "018f0000-0000-7000-8000-0000000000bb"
#define MEMBER "01890a5d-ac96-774b-bcce-b302099a8050"

atomic_int wall_show_status, wall_route_status, wall_shows_left, wall_acknowledge_status, wall_age_s;
atomic_bool wall_log_is_away;
struct settings wall_settings;

/* ---- The gate ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static bool closed;
static int inside;

static void pass_gate(const char *wall)
{
        pthread_mutex_lock(&lock);
        if (strcmp(wall, "gate") == 0) {
                inside++;
                pthread_cond_broadcast(&change);
                while (closed) {
                        pthread_cond_wait(&change, &lock);
                }
                inside--;
        }
        pthread_mutex_unlock(&lock);
}

static void set_gate(bool closes)
{
        pthread_mutex_lock(&lock);
        closed = closes;
        pthread_cond_broadcast(&change);
        pthread_mutex_unlock(&lock);
}

void wall_gate_close(void)
{
        set_gate(true);
}

void wall_gate_open(void)
{
        set_gate(false);
}

void wall_gate_await(int n)
{
        pthread_mutex_lock(&lock);
        while (inside < n) {
                pthread_cond_wait(&change, &lock);
        }
        pthread_mutex_unlock(&lock);
}

/* ---- The log ---- */

static struct {
        char wall[24];
        size_t bytes;
        int64_t seconds;
} posts[MOST];
static int n_posts;

void wall_post(const char *wall, size_t bytes)
{
        pthread_mutex_lock(&lock);
        (void)snprintf(posts[n_posts].wall, sizeof(posts[n_posts].wall), "%s", wall);
        posts[n_posts].bytes = bytes;
        posts[n_posts++].seconds = clock_wall_ms() / 1000 - wall_age_s;
        pthread_mutex_unlock(&lock);
}

static Sonet__Events__Event *event_at(struct rpc_call *c, int i)
{
        Sonet__Events__Event *event = ARENA_NEW(c->arena, Sonet__Events__Event);

        sonet__events__event__init(event);
        event->occurred_at = ARENA_NEW(c->arena, Google__Protobuf__Timestamp);
        google__protobuf__timestamp__init(event->occurred_at);
        event->occurred_at->seconds = posts[i].seconds;
        event->position = i + 1;
        event->id = event->aggregate_id = arena_printf(c->arena, "018f0000-0000-7000-8000-%012d", i + 1);
        event->actor_id = MEMBER;
        event->object_id = "";
        event->type = "post.created";
        event->source = "wall";
        return event;
}

sn_status wall_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                  Sonet__Events__ReadOutboxResponse *out)
{
        if (wall_log_is_away) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the log is away");
        }
        pthread_mutex_lock(&lock);
        out->head = n_posts;
        out->oldest = 1;
        out->log_id = strcmp(c->service->name, "wall") == 0 ? LOG_ID : OTHER;
        out->events = ARENA_ARRAY(c->arena, Sonet__Events__Event *, in->limit);
        for (int i = (int)in->after; i < n_posts && out->n_events < in->limit; i++) {
                out->events[out->n_events++] = event_at(c, i);
        }
        pthread_mutex_unlock(&lock);
        return SN_OK;
}

/* ---- The channel ---- */

sn_status wall_handle_subscribe_wall(struct rpc_call *c, const Wall__SubscribeWallRequest *in, Sonet__Live__Topic *out)
{
        pass_gate(in->name);
        out->key = arena_printf(c->arena, "wall:%s", in->name);
        return strcmp(in->name, "none") == 0 ? rpc_fail(c, SN_NOT_FOUND, "name", "there is no such wall") : SN_OK;
}

sn_status wall_handle_subscribe_mine(struct rpc_call *c, const Wall__SubscribeMineRequest *in, Sonet__Live__Topic *out)
{
        out->key = "mine";
        out->personal = true;
        return SN_OK;
}

sn_status wall_handle_subscribe_glimpse(struct rpc_call *c, const Wall__SubscribeWallRequest *in,
                                        Sonet__Live__Topic *out)
{
        out->key = arena_printf(c->arena, "glimpse:%s", in->name);
        return SN_OK;
}

static char acknowledged[200];

sn_status wall_handle_acknowledge_mine(struct rpc_call *c, const Sonet__Live__AcknowledgeRequest *in,
                                       Google__Protobuf__Empty *out)
{
        if (wall_acknowledge_status != SN_OK) {
                return rpc_fail(c, (sn_status)wall_acknowledge_status, NULL, "as asked");
        }
        pthread_mutex_lock(&lock);
        (void)snprintf(acknowledged, sizeof(acknowledged), "%s%s %s %s %s %lld", in->channel, in->value, in->user_id,
                       in->session_id, in->log_id, (long long)in->position);
        pthread_mutex_unlock(&lock);
        return SN_OK;
}

void wall_acknowledged(char out[200])
{
        pthread_mutex_lock(&lock);
        memcpy(out, acknowledged, sizeof(acknowledged));
        pthread_mutex_unlock(&lock);
}

static bool is_signal(const Sonet__Events__Event *event)
{
        return event->position == 0;
}

static const char *wall_of(const Sonet__Events__Event *event)
{
        return is_signal(event) ? event->object_id : posts[event->position - 1].wall;
}

static char *member_of(struct rpc_call *c, const char *wall)
{
        return strncmp(wall, "to-", 3) == 0 ? arena_printf(c->arena, "%.35s%c", MEMBER, wall[3]) : NULL;
}

/* The wall "to-3" is visible to one member only. */
static bool is_shown_to(struct rpc_call *c, const Sonet__Events__Event *event, const char *topic, const char *viewer)
{
        const char *wall = wall_of(event);
        char *member = member_of(c, wall);

        if (is_signal(event)) {
                return member == NULL || uuid_equal(member, viewer);
        }
        return member != NULL ? strcmp(topic, "mine") == 0 && uuid_equal(member, viewer)
                              : strncmp(topic, "wall:", 5) == 0 && strcmp(topic + 5, wall) == 0;
}

sn_status wall_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in, Sonet__Live__Routes *out)
{
        const char *wall = wall_of(in->event);

        pass_gate(wall);
        out->topics = ARENA_ARRAY(c->arena, char *, 1);
        out->topics[0] = is_signal(in->event)         ? arena_printf(c->arena, "glimpse:%s", wall)
                         : member_of(c, wall) != NULL ? arena_printf(c->arena, "mine:%s", member_of(c, wall))
                                                      : arena_printf(c->arena, "wall:%s", wall);
        out->n_topics = 1;
        return wall_route_status == SN_OK ? SN_OK : rpc_fail(c, (sn_status)wall_route_status, NULL, "as asked");
}

static void show(struct rpc_call *c, const Sonet__Live__ShowRequest *in, uint32_t event, uint32_t viewer,
                 Wall__PostEvents *out)
{
        Wall__PostEvent *item = ARENA_NEW(c->arena, Wall__PostEvent);
        size_t bytes = is_signal(in->events[event]) ? 1 : posts[in->events[event]->position - 1].bytes;

        wall__post_event__init(item);
        item->event = event;
        item->viewer = viewer;
        item->data_case = WALL__POST_EVENT__DATA_POST_CREATED;
        item->post_created = ARENA_NEW(c->arena, Wall__Post);
        wall__post__init(item->post_created);
        item->post_created->id = in->events[event]->aggregate_id;
        item->post_created->text = arena_alloc(c->arena, bytes + 1);
        memset(item->post_created->text, 'x', bytes);
        out->items[out->n_items++] = item;
}

sn_status wall_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in, Wall__PostEvents *out)
{
        if (wall_show_status != SN_OK && atomic_fetch_sub(&wall_shows_left, 1) <= 0) {
                return rpc_fail(c, (sn_status)wall_show_status, NULL, "as asked");
        }
        out->items = ARENA_ARRAY(c->arena, Wall__PostEvent *, in->n_events * in->n_viewer_ids);
        for (uint32_t i = 0; i < in->n_events; i++) {
                for (uint32_t v = 0; v < in->n_viewer_ids; v++) {
                        if (is_shown_to(c, in->events[i], in->topic, in->viewer_ids[v])) {
                                show(c, in, i, v, out);
                        }
                }
        }
        return SN_OK;
}

/* ---- The gateway before it ---- */

static struct service service = {.name = "wall", .contract = &wall_contract, .handlers = &wall_handlers};
static struct rpc_method floor_methods[8];
static struct rpc_service floor_contract;
static struct service floor_service = {.name = "floor", .contract = &floor_contract, .handlers = &wall_handlers};
static struct gateway *gateway;
static struct rpc_lanes *lanes;

static bool is_ready(void *context, struct buf *report)
{
        return true;
}

static bool is_serving(void *context)
{
        return true;
}

static void make_floor(void)
{
        floor_contract = wall_contract;
        floor_contract.name = "floor";
        floor_contract.methods = floor_methods;
        memcpy(floor_methods, wall_contract.methods, wall_contract.n_methods * sizeof(struct rpc_method));
        for (size_t i = 0; i < floor_contract.n_methods; i++) {
                struct rpc_method *m = &floor_methods[i];

                m->service = &floor_contract;
                if (m->channel != NULL && m->channel_source == NULL) {
                        m->channel = "floor_glimpse:{name}";
                } else if (m->channel != NULL) {
                        m->channel = strcmp(m->name, "SubscribeWall") == 0 ? "floor:{name}" : "floors_mine";
                        m->channel_source = "floor";
                }
        }
}

static void set_up_once(void)
{
        static const uint8_t master[32] = {1};
        struct buf error;

        buf_init(&error, 1000);
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        keys_set_master(master);
        make_floor();
        if (token_signer_setup() != SN_OK || settings_load(&wall_settings, &error) != SN_OK) {
                abort();
        }
}

void wall_start(void)
{
        static const struct rpc_service *const contracts[] = {&wall_contract, &floor_contract};
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct buf error;

        buf_init(&error, 1000);
        pthread_once(&once, set_up_once);
        wall_settings.http_port = 0;
        rpc_register_local(&service);
        rpc_register_local(&floor_service);
        lanes = rpc_lanes_new(4, 1, 100);
        assert_int_equal(gateway_start(&(struct gateway_options){.settings = &wall_settings,
                                                                 .lanes = lanes,
                                                                 .contracts = contracts,
                                                                 .n_contracts = 2,
                                                                 .ready = is_ready,
                                                                 .serving = is_serving},
                                       &gateway, &error),
                         SN_OK);
        buf_free(&error);
}

int wall_port(void)
{
        return gateway_port(gateway);
}

void wall_stop(int grace_ms)
{
        gateway_stop(gateway, grace_ms);
        wall_gate_open();
        rpc_lanes_free(lanes);
        gateway_free(gateway);
        rpc_close();
        wall_show_status = wall_route_status = SN_OK;
        wall_acknowledge_status = SN_OK;
        wall_log_is_away = false;
        wall_shows_left = wall_age_s = 0;
        acknowledged[0] = '\0';
        n_posts = 0;
}

void wall_restart(void)
{
        int n = n_posts;

        wall_stop(5000);
        n_posts = n;
        wall_start();
}

void wall_signal(const char *wall)
{
        struct rpc_call *c = rpc_call_new_background(&service, 20000);

        bus_signal(c, &(struct outbox_event){.type = "glimpse.caught", .aggregate_id = MEMBER, .object_id = wall});
        rpc_call_free(c);
}

const char *wall_token(int life_s, const char *session)
{
        return wall_token_of(0, life_s, session);
}

const char *wall_token_of(int member, int life_s, const char *session)
{
        static char kept[TOKEN_MAX_BYTES];
        struct token_claims claims = {.scope = "read write", .expires_s = clock_wall_ms() / 1000 + life_s};
        struct rpc_call *c = rpc_call_new_background(&service, 20000);
        char *token = NULL;

        (void)snprintf(claims.subject, sizeof(claims.subject), "01890a5d-ac96-774b-bcce-b302099a805%c",
                       "0123456789"[member % 10]);
        (void)snprintf(claims.session, sizeof(claims.session), "%s", session);
        assert_int_equal(token_sign(c, &claims, &token), SN_OK);
        (void)snprintf(kept, sizeof(kept), "%s", token);
        rpc_call_free(c);
        return kept;
}
