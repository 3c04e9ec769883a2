/* Owns the live channels `messages` and `chats`: routing events to those who may read them at that moment, and messages
 * that this process has just committed to those who could read them then. What they are shown is decided again, by the
 * same rules (live_show.c), or as it was then (live_recent.c). */
#include "services/messaging/live.h"

#include <string.h>
#include "services/messaging/recent_messages.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_participants.h"
#include "services/messaging/store_presence.h"

#define READERS_AT_ONCE 10000
#define PEERS_MAX       1000 /* members who are told of one member's presence */
#define TOPIC_LOG       "messages"
#define TOPIC_SIGNALS   "chats"

sn_status messaging_handle_subscribe_messages(struct rpc_call *c, const Messaging__SubscribeMessagesRequest *in,
                                              Sonet__Live__Topic *out)
{
        out->key = TOPIC_LOG;
        out->personal = true;
        return SN_OK;
}

sn_status messaging_handle_subscribe_chats(struct rpc_call *c, const Messaging__SubscribeChatsRequest *in,
                                           Sonet__Live__Topic *out)
{
        out->key = TOPIC_SIGNALS;
        out->personal = true;
        return SN_OK;
}

enum live_kind live_kind_of(const bus_event *event)
{
        static const struct {
                const char *type;
                enum live_kind kind;
        } others[] = {
            {EVENT_CHAT_READ, LIVE_READ},         {EVENT_CHAT_DELIVERED, LIVE_DELIVERED},
            {EVENT_CHAT_TOUCHED, LIVE_TOUCHED},   {SIGNAL_TYPING, LIVE_TYPING},
            {SIGNAL_PRESENCE, LIVE_PRESENCE},     {EVENT_MEDIA_ATTACHED, LIVE_NOTHING},
            {EVENT_MEDIA_DETACHED, LIVE_NOTHING},
        };

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                if (strcmp(event->type, others[i].type) == 0) {
                        return others[i].kind;
                }
        }
        return LIVE_LOG;
}

static bool is_signal(enum live_kind kind)
{
        return kind == LIVE_TYPING || kind == LIVE_PRESENCE;
}

static sn_status only_member(struct rpc_call *c, char *id, size_t *n, char ***ids)
{
        *ids = ARENA_ARRAY(c->arena, char *, 1);
        (*ids)[0] = id;
        *n = 1;
        return SN_OK;
}

/* Finds all members who may read an entry. */
static sn_status find_readers(struct db_tx *tx, const Sonet__Live__RouteRequest *in, size_t *n, char ***ids)
{
        return chat_store_readers(tx, in->event->aggregate_id, in->event->version, in->after, READERS_AT_ONCE, n, ids);
}

/* They all fit into the first response. */
static bool knows_readers(struct rpc_call *c, const Sonet__Live__RouteRequest *in, size_t *n, char ***ids)
{
        return live_kind_of(in->event) == LIVE_LOG && in->after[0] == '\0' &&
               recent_messages_find_readers(c->arena, in->event->object_id, n, ids);
}

/* For events that are not in the log: all devices of the member and, in small chats, the other members who may read new
 * messages. */
static sn_status find_others(struct db_tx *tx, const Sonet__Live__RouteRequest *in, size_t *n, char ***ids)
{
        const bus_event *event = in->event;
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        bool found = false;

        TRY(chat_store_member(tx, event->aggregate_id, event->object_id, &member, &found));
        if (!found) {
                return SN_OK;
        }
        if (member.members > TOLD_MAX) {
                return only_member(db_call(tx), event->object_id, n, ids);
        }
        return chat_store_readers(tx, event->aggregate_id, member.last_seq + 1, in->after, READERS_AT_ONCE, n, ids);
}

static sn_status find_concerned(struct db_tx *tx, const Sonet__Live__RouteRequest *in, size_t *n, char ***ids)
{
        switch (live_kind_of(in->event)) {
        case LIVE_LOG:
                return find_readers(tx, in, n, ids);
        case LIVE_TOUCHED:
                return only_member(db_call(tx), in->event->object_id, n, ids);
        case LIVE_PRESENCE:
                return presence_store_peers(tx, in->event->aggregate_id, PEERS_MAX, n, ids);
        default:
                return find_others(tx, in, n, ids);
        }
}

sn_status messaging_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in,
                                        Sonet__Live__Routes *out)
{
        char **ids = NULL;
        size_t n = 0;

        if (in->event == NULL || live_kind_of(in->event) == LIVE_NOTHING) {
                return SN_OK;
        }
        if (!knows_readers(c, in, &n, &ids)) {
                TRY(DB_READ(c, tx, find_concerned(tx, in, &n, &ids)));
        }
        const char *topic = is_signal(live_kind_of(in->event)) ? TOPIC_SIGNALS : TOPIC_LOG;
        out->topics = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                out->topics[out->n_topics++] = arena_printf(c->arena, "%s:%s", topic, ids[i]);
        }
        out->next = n == READERS_AT_ONCE ? ids[n - 1] : "";
        return SN_OK;
}
