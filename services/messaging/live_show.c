/* Owns showing live events of chats: each event for each viewer, as far as the viewer may see it now. */
#include "services/messaging/live.h"

#include <stdlib.h>
#include <string.h>
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/presence.h"
#include "services/messaging/receipts.h"
#include "services/messaging/show.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_log.h"
#include "services/messaging/store_receipts.h"

#define MOST_SHOWN 500

/* An event for a viewer. */
struct pair {
        uint32_t event, viewer;
        enum live_kind kind;
        const bus_event *of;
        char *viewer_id;
        const chat_member *member; /* NULL if never in the chat */
        chat_entry *entry;         /* NULL if it is not a log event */
        chat_entry *changed; /* the message that it changes; NULL if there is none or the viewer may not read it */
        Messaging__Receipt *receipt; /* of the member who read or received; NULL if it is not disclosed */
        bool told;                   /* whether the viewer is told of a presence */
};

struct showing {
        const Sonet__Live__ShowRequest *in;
        struct pair *pairs;
        size_t n;
        Messaging__ChatEvents *out;
};

static void make_pairs(struct rpc_call *c, struct showing *s)
{
        s->pairs = ARENA_ARRAY(c->arena, struct pair, s->in->n_events * s->in->n_viewer_ids);
        for (uint32_t e = 0; e < s->in->n_events; e++) {
                for (uint32_t v = 0; v < s->in->n_viewer_ids; v++) {
                        s->pairs[s->n++] = (struct pair){.event = e,
                                                         .viewer = v,
                                                         .kind = live_kind_of(s->in->events[e]),
                                                         .of = s->in->events[e],
                                                         .viewer_id = s->in->viewer_ids[v]};
                }
        }
}

static int compare_member(const void *key, const void *item)
{
        const struct pair *pair = key;
        const chat_member *member = *(chat_member *const *)item;
        int order = strcmp(pair->of->aggregate_id, member->chat_id);

        return order != 0 ? order : strcmp(pair->viewer_id, member->user_id);
}

static sn_status load_members(struct db_tx *tx, struct showing *s)
{
        char **chats = ARENA_ARRAY(db_arena(tx), char *, s->in->n_events);
        chat_member **members = NULL, **found;
        size_t n = 0;

        for (size_t i = 0; i < s->in->n_events; i++) {
                chats[i] = s->in->events[i]->aggregate_id;
        }
        TRY(chat_store_viewers(tx, chats, s->in->n_events, s->in->viewer_ids, s->in->n_viewer_ids, &n, &members));
        for (size_t i = 0; i < s->n && n > 0; i++) {
                found = bsearch(&s->pairs[i], members, n, sizeof(*members), compare_member);
                s->pairs[i].member = found != NULL ? *found : NULL;
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

/* Their rows come in the same round trip as the members. */
static sn_status ask_entries(struct db_tx *tx, const struct showing *s, struct db_rows **rows)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, s->in->n_events);
        size_t n_ids = 0;

        for (size_t i = 0; i < s->in->n_events; i++) {
                if (live_kind_of(s->in->events[i]) == LIVE_LOG) {
                        ids[n_ids++] = s->in->events[i]->object_id;
                }
        }
        return chat_store_entries_later(tx, ids, n_ids, rows);
}

static sn_status take_entries(struct db_tx *tx, struct showing *s, const struct db_rows *rows)
{
        chat_entry **entries = NULL;
        size_t n = 0;

        TRY(rows != NULL ? db_rows_list(db_call(tx), rows, &n, &entries) : SN_OK);
        for (size_t i = 0; i < s->n; i++) {
                s->pairs[i].entry =
                    s->pairs[i].kind == LIVE_LOG ? find_entry(entries, n, s->pairs[i].of->object_id) : NULL;
        }
        return SN_OK;
}

/* Loads the messages that entries change, for viewers who may read those as well. */
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

/* Whether the event is a receipt of another member. */
static bool is_receipt(const struct pair *p)
{
        return (p->kind == LIVE_READ || p->kind == LIVE_DELIVERED) && !uuid_equal(p->viewer_id, p->of->object_id);
}

static Messaging__Receipt *find_receipt(Messaging__Receipt *const *receipts, size_t n, const bus_event *event)
{
        for (size_t i = 0; i < n; i++) {
                if (uuid_equal(receipts[i]->chat_id, event->aggregate_id) &&
                    uuid_equal(receipts[i]->user_id, event->object_id)) {
                        return receipts[i];
                }
        }
        return NULL;
}

static sn_status load_receipts(struct db_tx *tx, struct showing *s)
{
        char **chats = ARENA_ARRAY(db_arena(tx), char *, s->in->n_events);
        char **members = ARENA_ARRAY(db_arena(tx), char *, s->in->n_events);
        Messaging__Receipt **receipts = NULL;
        size_t n = 0, n_receipts = 0;

        for (size_t i = 0; i < s->n; i += s->in->n_viewer_ids) {
                if (s->pairs[i].kind == LIVE_READ || s->pairs[i].kind == LIVE_DELIVERED) {
                        chats[n] = s->pairs[i].of->aggregate_id;
                        members[n++] = s->pairs[i].of->object_id;
                }
        }
        TRY(n > 0 ? receipt_store_of(tx, chats, members, n, &n_receipts, &receipts) : SN_OK);
        for (size_t i = 0; i < s->n; i++) {
                struct pair *p = &s->pairs[i];

                p->receipt = is_receipt(p) ? find_receipt(receipts, n_receipts, p->of) : NULL;
        }
        return SN_OK;
}

static sn_status load_all(struct db_tx *tx, struct showing *s)
{
        struct db_rows *entries = NULL;

        TRY(ask_entries(tx, s, &entries));
        TRY(load_members(tx, s));
        TRY(take_entries(tx, s, entries));
        TRY(load_changed(tx, s));
        return load_receipts(tx, s);
}

/* ---- Calls to other services ---- */

/* Members who do not disclose their own receipts do not see those of others, so each viewer gets a copy. */
static sn_status hide_receipts(struct rpc_call *c, struct showing *s)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, s->n);
        struct pair **pairs = ARENA_ARRAY(c->arena, struct pair *, s->n);
        User__PrivacySettings **privacy = NULL;
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++) {
                if (s->pairs[i].receipt != NULL) {
                        viewers[n] = s->pairs[i].viewer_id;
                        pairs[n++] = &s->pairs[i];
                }
        }
        TRY(n > 0 ? people_privacy(c, viewers, n, &privacy) : SN_OK);
        for (size_t i = 0; i < n; i++) {
                Messaging__Receipt *own = ARENA_NEW(c->arena, Messaging__Receipt);

                *own = *pairs[i]->receipt;
                receipts_hide(privacy[i], own);
                pairs[i]->receipt = own;
        }
        return SN_OK;
}

static sn_status ask_presence(struct rpc_call *c, struct showing *s)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, s->n), **ids = ARENA_ARRAY(c->arena, char *, s->n);
        struct pair **pairs = ARENA_ARRAY(c->arena, struct pair *, s->n);
        bool *told = NULL;
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++) {
                if (s->pairs[i].kind == LIVE_PRESENCE) {
                        viewers[n] = s->pairs[i].viewer_id;
                        ids[n] = s->pairs[i].of->aggregate_id;
                        pairs[n++] = &s->pairs[i];
                }
        }
        TRY(presence_check(c, viewers, ids, n, &told));
        for (size_t i = 0; i < n; i++) {
                pairs[i]->told = told[i];
        }
        return SN_OK;
}

/* ---- The answer ---- */

static Messaging__ChatEvent *new_item(struct rpc_call *c, Messaging__ChatEvents *out, uint32_t event, uint32_t viewer)
{
        Messaging__ChatEvent *item = ARENA_NEW(c->arena, Messaging__ChatEvent);

        messaging__chat_event__init(item);
        item->event = event;
        item->viewer = viewer;
        out->items[out->n_items++] = item;
        return item;
}

static Messaging__ChatEvent *add_item(struct rpc_call *c, struct showing *s, const struct pair *pair)
{
        return new_item(c, s->out, pair->event, pair->viewer);
}

void live_add_change(struct rpc_call *c, Messaging__ChatEvents *out, uint32_t event, uint32_t viewer,
                     Messaging__Change *change)
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
        Messaging__ChatEvent *item = new_item(c, out, event, viewer);

        item->data_case = names[change->kind];
        item->message_created = change; /* all members of the union are pointers to changes */
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
                const struct pair *p = &s->pairs[places[i]];

                live_add_change(c, s->out, p->event, p->viewer, changes[i]);
        }
        return SN_OK;
}

/* The viewer's own mark is the current one, on all devices alike. Others see what their list of receipts shows and no
 * more: a mark that is not disclosed does not appear when a later one is, and a mark that was passed meanwhile is shown
 * by the event that passed it. */
static void show_read_mark(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        bool own = uuid_equal(p->viewer_id, p->of->object_id);

        if (!own && (p->receipt == NULL || p->receipt->seq != p->of->version)) {
                return;
        }
        Messaging__ReadMark *mark = ARENA_NEW(c->arena, Messaging__ReadMark);
        Messaging__ChatEvent *item = add_item(c, s, p);

        messaging__read_mark__init(mark);
        mark->chat_id = p->of->aggregate_id;
        mark->user_id = p->of->object_id;
        mark->seq = own ? p->member->read_seq : p->of->version;
        if (own) {
                mark->own_case = MESSAGING__READ_MARK__OWN_UNREAD;
                mark->unread = membership_unread(p->member);
        }
        item->data_case = MESSAGING__CHAT_EVENT__DATA_MESSAGES_READ;
        item->messages_read = mark;
}

static void show_delivery(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        if (p->receipt == NULL || p->receipt->delivered_seq != p->of->version) {
                return;
        }
        Messaging__Delivery *delivery = ARENA_NEW(c->arena, Messaging__Delivery);
        Messaging__ChatEvent *item = add_item(c, s, p);

        messaging__delivery__init(delivery);
        delivery->chat_id = p->of->aggregate_id;
        delivery->user_id = p->of->object_id;
        delivery->seq = p->of->version;
        item->data_case = MESSAGING__CHAT_EVENT__DATA_MESSAGES_DELIVERED;
        item->messages_delivered = delivery;
}

static void show_touch(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        Messaging__ChatName *name = ARENA_NEW(c->arena, Messaging__ChatName);
        Messaging__ChatEvent *item = add_item(c, s, p);

        messaging__chat_name__init(name);
        name->id = p->of->aggregate_id;
        item->data_case = MESSAGING__CHAT_EVENT__DATA_CHAT_TOUCHED;
        item->chat_touched = name;
}

static void show_typing(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        Messaging__Typing *typing = ARENA_NEW(c->arena, Messaging__Typing);
        Messaging__ChatEvent *item = add_item(c, s, p);

        messaging__typing__init(typing);
        typing->chat_id = p->of->aggregate_id;
        typing->user_id = p->of->object_id;
        item->data_case = MESSAGING__CHAT_EVENT__DATA_CHAT_TYPING;
        item->chat_typing = typing;
}

/* A signal arrives within two seconds or not at all, so it is current. */
static void show_presence(struct rpc_call *c, struct showing *s, const struct pair *p)
{
        Messaging__Presence *presence = ARENA_NEW(c->arena, Messaging__Presence);
        Messaging__ChatEvent *item = add_item(c, s, p);

        messaging__presence__init(presence);
        presence->user_id = p->of->aggregate_id;
        presence->online = p->of->version != 0;
        presence->last_seen_at = p->of->occurred_at;
        item->data_case = MESSAGING__CHAT_EVENT__DATA_MEMBER_PRESENCE;
        item->member_presence = presence;
}

/* Typing is shown to members who have accepted the chat. */
static bool is_shown_typing(const struct pair *p)
{
        return p->member != NULL && !uuid_equal(p->viewer_id, p->of->object_id) &&
               p->member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN && p->member->members <= TOLD_MAX;
}

/* False if the chat has grown too large meanwhile. */
static bool is_shown_receipt(const struct pair *p)
{
        return p->member != NULL && membership_is_present(p->member) &&
               (!is_receipt(p) || p->member->members <= TOLD_MAX);
}

static void show_others(struct rpc_call *c, struct showing *s)
{
        for (size_t i = 0; i < s->n; i++) {
                const struct pair *p = &s->pairs[i];

                if (p->kind == LIVE_READ && is_shown_receipt(p)) {
                        show_read_mark(c, s, p);
                } else if (p->kind == LIVE_DELIVERED && is_shown_receipt(p)) {
                        show_delivery(c, s, p);
                } else if (p->kind == LIVE_TOUCHED && uuid_equal(p->viewer_id, p->of->object_id)) {
                        show_touch(c, s, p);
                } else if (p->kind == LIVE_TYPING && is_shown_typing(p)) {
                        show_typing(c, s, p);
                } else if (p->kind == LIVE_PRESENCE && p->told) {
                        show_presence(c, s, p);
                }
        }
}

sn_status messaging_handle_show_events(struct rpc_call *c, const Sonet__Live__ShowRequest *in,
                                       Messaging__ChatEvents *out)
{
        struct showing s = {.in = in, .out = out};
        bool shown = false;

        if (in->n_events * in->n_viewer_ids > MOST_SHOWN) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "viewer_ids", "must be at most %d events times viewers",
                                MOST_SHOWN);
        }
        out->items = ARENA_ARRAY(c->arena, Messaging__ChatEvent *, in->n_events * in->n_viewer_ids);
        TRY(live_show_recent(c, in, out, &shown));
        if (shown) {
                return SN_OK;
        }
        make_pairs(c, &s);
        TRY(DB_READ(c, tx, load_all(tx, &s)));
        TRY(hide_receipts(c, &s));
        TRY(ask_presence(c, &s));
        TRY(show_log(c, &s));
        show_others(c, &s);
        return SN_OK;
}
