/* Owns the channel `messages`: what happens in the chats of each member. Whom an event concerns is told by who may read
 * its entry, at that moment; what they are shown is decided by the same again. */
#include "services/messaging/messaging.h"

#include <string.h>
#include "services/messaging/membership.h"
#include "services/messaging/show.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_log.h"
#include "services/messaging/store_participants.h"

#define READERS_AT_ONCE 10000
#define MOST_SHOWN      500
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

static bool is_read_mark(const bus_event *event)
{
        return strcmp(event->type, EVENT_CHAT_READ) == 0;
}

static bool is_typing(const bus_event *event)
{
        return strcmp(event->type, SIGNAL_TYPING) == 0;
}

/* For the devices of one member alone. */
static bool is_touch(const bus_event *event)
{
        return strcmp(event->type, EVENT_CHAT_TOUCHED) == 0;
}

/* For media_service. */
static bool is_of_media(const bus_event *event)
{
        return strcmp(event->type, EVENT_MEDIA_ATTACHED) == 0 || strcmp(event->type, EVENT_MEDIA_DETACHED) == 0;
}

static bool is_of_log(const bus_event *event)
{
        return !is_read_mark(event) && !is_touch(event) && !is_typing(event) && !is_of_media(event);
}

/* ---- Whom it concerns ---- */

static void add_topic(struct rpc_call *c, Sonet__Live__Routes *out, const bus_event *event, const char *member)
{
        out->topics[out->n_topics++] =
            arena_printf(c->arena, "%s:%s", is_typing(event) ? TOPIC_SIGNALS : TOPIC_LOG, member);
}

/* Of what has no number: it is for who could read what is written now. */
static int64_t number_of(const bus_event *event, const chat_member *of)
{
        return is_typing(event) ? of->last_seq + 1 : event->version;
}

/* Who reads: all of their own devices, and the others of a small chat. */
static sn_status find_readers(struct db_tx *tx, const Sonet__Live__RouteRequest *in, size_t *n, char ***ids)
{
        const bus_event *event = in->event;
        chat_member reader = MESSAGING_ROWS__MEMBER__INIT;
        bool found = false;

        if (!is_of_log(event)) {
                TRY(chat_store_member(tx, event->aggregate_id, event->object_id, &reader, &found));
                if (!found || is_touch(event) || reader.members > TOLD_MAX) {
                        *ids = ARENA_ARRAY(db_arena(tx), char *, 1);
                        (*ids)[0] = event->object_id;
                        *n = found ? 1 : 0;
                        return SN_OK;
                }
        }
        return chat_store_readers(tx, event->aggregate_id, number_of(event, &reader), in->after, READERS_AT_ONCE, n,
                                  ids);
}

sn_status messaging_handle_route_events(struct rpc_call *c, const Sonet__Live__RouteRequest *in,
                                        Sonet__Live__Routes *out)
{
        char **ids = NULL;
        size_t n = 0;

        if (in->event == NULL || is_of_media(in->event)) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, find_readers(tx, in, &n, &ids)));
        out->topics = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                add_topic(c, out, in->event, ids[i]);
        }
        out->next = n == READERS_AT_ONCE ? ids[n - 1] : "";
        return SN_OK;
}

/* ---- What they are shown ---- */

/* Each event for each viewer. */
struct pair {
        uint32_t event, viewer;
        const bus_event *of;
        char *viewer_id;
        const chat_member *member; /* NULL: never was in the chat */
        chat_entry *entry;         /* NULL: not of the log */
        chat_entry *changed;       /* the message that it changes; NULL: none, or not for this viewer */
};

struct showing {
        const Sonet__Live__ShowRequest *in;
        struct pair *pairs;
        size_t n;
        Messaging__ReadMark **receipts;
        size_t n_receipts;
        Messaging__ChatEvents *out;
};

static void make_pairs(struct rpc_call *c, struct showing *s)
{
        s->pairs = ARENA_ARRAY(c->arena, struct pair, s->in->n_events * s->in->n_viewer_ids);
        for (uint32_t e = 0; e < s->in->n_events; e++) {
                for (uint32_t v = 0; v < s->in->n_viewer_ids; v++) {
                        s->pairs[s->n++] = (struct pair){
                            .event = e, .viewer = v, .of = s->in->events[e], .viewer_id = s->in->viewer_ids[v]};
                }
        }
}

static sn_status load_members(struct db_tx *tx, struct showing *s)
{
        char **chats = ARENA_ARRAY(db_arena(tx), char *, s->n), **viewers = ARENA_ARRAY(db_arena(tx), char *, s->n);
        chat_member **members = NULL;
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++) {
                chats[i] = s->pairs[i].of->aggregate_id;
                viewers[i] = s->pairs[i].viewer_id;
        }
        TRY(chat_store_members(tx, chats, viewers, s->n, &n, &members));
        for (size_t i = 0, at = 0; i < s->n && at < n; i++) {
                if (uuid_equal(members[at]->chat_id, chats[i]) && uuid_equal(members[at]->user_id, viewers[i])) {
                        s->pairs[i].member = members[at++];
                }
        }
        return SN_OK;
}

static chat_entry *find_entry(chat_entry *const *entries, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++) {
                if (uuid_equal(entries[i]->id, id)) {
                        return entries[i];
                }
        }
        return NULL;
}

static sn_status load_entries(struct db_tx *tx, struct showing *s)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, s->in->n_events);
        chat_entry **entries = NULL;
        size_t n_ids = 0, n = 0;

        for (size_t i = 0; i < s->in->n_events; i++) {
                if (is_of_log(s->in->events[i])) {
                        ids[n_ids++] = s->in->events[i]->object_id;
                }
        }
        TRY(chat_store_entries(tx, ids, n_ids, &n, &entries));
        for (size_t i = 0; i < s->n; i++) {
                s->pairs[i].entry =
                    is_of_log(s->pairs[i].of) ? find_entry(entries, n, s->pairs[i].of->object_id) : NULL;
        }
        return SN_OK;
}

/* The messages that entries change, for who may read those, too. */
static sn_status load_changed(struct db_tx *tx, struct showing *s)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, s->n);
        chat_entry **entries = NULL;
        size_t n_ids = 0, n = 0;

        for (size_t i = 0; i < s->n; i++) {
                const chat_entry *e = s->pairs[i].entry;

                if (e != NULL && e->target_id[0] != '\0' && (n_ids == 0 || !uuid_equal(ids[n_ids - 1], e->target_id))) {
                        ids[n_ids++] = e->target_id;
                }
        }
        TRY(chat_store_entries(tx, ids, n_ids, &n, &entries));
        for (size_t i = 0; i < s->n; i++) {
                struct pair *p = &s->pairs[i];
                chat_entry *of = p->entry != NULL ? find_entry(entries, n, p->entry->target_id) : NULL;

                p->changed = of != NULL && p->member != NULL && membership_sees(p->member, of->seq) ? of : NULL;
        }
        return SN_OK;
}

static sn_status load_receipts(struct db_tx *tx, struct showing *s)
{
        char **chats = ARENA_ARRAY(db_arena(tx), char *, s->in->n_events);
        char **readers = ARENA_ARRAY(db_arena(tx), char *, s->in->n_events);
        size_t n = 0;

        for (size_t i = 0; i < s->in->n_events; i++) {
                if (is_read_mark(s->in->events[i])) {
                        chats[n] = s->in->events[i]->aggregate_id;
                        readers[n++] = s->in->events[i]->object_id;
                }
        }
        return n > 0 ? chat_store_receipts_of(tx, chats, readers, n, &s->n_receipts, &s->receipts) : SN_OK;
}

static sn_status load(struct db_tx *tx, struct showing *s)
{
        TRY(load_members(tx, s));
        TRY(load_entries(tx, s));
        TRY(load_changed(tx, s));
        return load_receipts(tx, s);
}

static Messaging__ChatEvent *add(struct rpc_call *c, struct showing *s, const struct pair *pair)
{
        Messaging__ChatEvent *item = ARENA_NEW(c->arena, Messaging__ChatEvent);

        messaging__chat_event__init(item);
        item->event = pair->event;
        item->viewer = pair->viewer;
        s->out->items[s->out->n_items++] = item;
        return item;
}

static void add_change(struct rpc_call *c, struct showing *s, const struct pair *pair, Messaging__Change *change)
{
        static const Messaging__ChatEvent__DataCase names[] = {
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE] = MESSAGING__CHAT_EVENT__DATA_MESSAGE_CREATED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_JOINED] = MESSAGING__CHAT_EVENT__DATA_PARTICIPANT_JOINED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_LEFT] = MESSAGING__CHAT_EVENT__DATA_PARTICIPANT_LEFT,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_EDITED] = MESSAGING__CHAT_EVENT__DATA_MESSAGE_EDITED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_DELETED] = MESSAGING__CHAT_EVENT__DATA_MESSAGE_DELETED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_REACTED] = MESSAGING__CHAT_EVENT__DATA_MESSAGE_REACTED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_UNREACTED] = MESSAGING__CHAT_EVENT__DATA_MESSAGE_UNREACTED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_PINNED] = MESSAGING__CHAT_EVENT__DATA_MESSAGE_PINNED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_UNPINNED] = MESSAGING__CHAT_EVENT__DATA_MESSAGE_UNPINNED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_CHAT] = MESSAGING__CHAT_EVENT__DATA_CHAT_CHANGED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_ROLE] = MESSAGING__CHAT_EVENT__DATA_PARTICIPANT_CHANGED,
            [MESSAGING__CHANGE_KIND__CHANGE_KIND_ENDED] = MESSAGING__CHAT_EVENT__DATA_CHAT_ENDED,
        };
        Messaging__ChatEvent *item = add(c, s, pair);

        item->data_case = names[change->kind];
        item->message_created = change; /* a union of pointers to changes */
}

static sn_status show_log(struct rpc_call *c, struct showing *s)
{
        struct shown *items = ARENA_ARRAY(c->arena, struct shown, s->n);
        Messaging__Change **changes = ARENA_ARRAY(c->arena, Messaging__Change *, s->n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, s->n), n = 0;

        for (size_t i = 0; i < s->n; i++) {
                const struct pair *p = &s->pairs[i];

                if (p->entry != NULL && p->member != NULL && membership_sees(p->member, p->entry->seq)) {
                        items[n] = (struct shown){
                            .entry = p->entry, .viewer = p->viewer_id, .member = p->member, .of = p->changed};
                        places[n++] = i;
                }
        }
        TRY(show_changes(c, items, n, changes));
        for (size_t i = 0; i < n; i++) {
                add_change(c, s, &s->pairs[places[i]], changes[i]);
        }
        return SN_OK;
}

/* The others are shown what is in their list of receipts, and no more: a mark that was told to nobody is not told
 * later, when one above it is, and what was passed meanwhile is told by the event that passed it. */
static bool has_receipt(const struct showing *s, const bus_event *event)
{
        for (size_t i = 0; i < s->n_receipts; i++) {
                if (uuid_equal(s->receipts[i]->chat_id, event->aggregate_id) &&
                    uuid_equal(s->receipts[i]->user_id, event->object_id) && s->receipts[i]->seq == event->version) {
                        return true;
                }
        }
        return false;
}

/* One's own mark as it is now, on all devices alike. */
static void show_read_mark(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        Messaging__ReadMark *mark = ARENA_NEW(c->arena, Messaging__ReadMark);
        bool own = uuid_equal(p->viewer_id, p->of->object_id);

        if (!own && (p->member->members > TOLD_MAX || !has_receipt(s, p->of))) {
                return;
        }
        messaging__read_mark__init(mark);
        mark->chat_id = p->of->aggregate_id;
        mark->user_id = p->of->object_id;
        mark->seq = own ? p->member->read_seq : p->of->version;
        if (own) {
                mark->own_case = MESSAGING__READ_MARK__OWN_UNREAD;
                mark->unread = membership_unread(p->member);
        }
        Messaging__ChatEvent *item = add(c, s, p);

        item->data_case = MESSAGING__CHAT_EVENT__DATA_MESSAGES_READ;
        item->messages_read = mark;
}

static void show_touch(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        Messaging__ChatName *name = ARENA_NEW(c->arena, Messaging__ChatName);
        Messaging__ChatEvent *item = add(c, s, p);

        messaging__chat_name__init(name);
        name->id = p->of->aggregate_id;
        item->data_case = MESSAGING__CHAT_EVENT__DATA_CHAT_TOUCHED;
        item->chat_touched = name;
}

/* To who has accepted the chat, as who writes has. */
static void show_typing(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        Messaging__Typing *typing = ARENA_NEW(c->arena, Messaging__Typing);
        Messaging__ChatEvent *item = add(c, s, p);

        messaging__typing__init(typing);
        typing->chat_id = p->of->aggregate_id;
        typing->user_id = p->of->object_id;
        item->data_case = MESSAGING__CHAT_EVENT__DATA_CHAT_TYPING;
        item->chat_typing = typing;
}

static bool is_shown_typing(const struct pair *p)
{
        return is_typing(p->of) && p->member != NULL && !uuid_equal(p->viewer_id, p->of->object_id) &&
               p->member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN && p->member->members <= TOLD_MAX;
}

static void show_others(struct rpc_call *c, struct showing *s)
{
        for (size_t i = 0; i < s->n; i++) {
                const struct pair *p = &s->pairs[i];

                if (is_read_mark(p->of) && p->member != NULL && membership_is_present(p->member)) {
                        show_read_mark(c, s, p);
                }
                if (is_touch(p->of) && uuid_equal(p->viewer_id, p->of->object_id)) {
                        show_touch(c, s, p);
                }
                if (is_shown_typing(p)) {
                        show_typing(c, s, p);
                }
        }
}

sn_status messaging_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in,
                                       Messaging__ChatEvents *out)
{
        struct showing s = {.in = in, .out = out};

        if (in->n_events * in->n_viewer_ids > MOST_SHOWN) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "viewer_ids", "at most %d events times viewers", MOST_SHOWN);
        }
        make_pairs(c, &s);
        out->items = ARENA_ARRAY(c->arena, Messaging__ChatEvent *, s.n);
        TRY(DB_READ(c, tx, load(tx, &s)));
        TRY(show_log(c, &s));
        show_others(c, &s);
        return SN_OK;
}
