/* Owns what notification_service needs to know: the recipients of messages, and what is new in a chat for a member. */
#include "services/messaging/messaging.h"

#include "services/messaging/membership.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_log.h"
#include "services/messaging/store_participants.h"

sn_status messaging_handle_list_recipients(struct rpc_call *c, const Messaging__ListRecipientsRequest *in,
                                           Messaging__RecipientList *out)
{
        MessagingRows__Recipient **rows = NULL;
        size_t n = 0;

        if (in->n_messages == 0) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, chat_store_recipients(tx, in, &n, &rows)));
        out->items = ARENA_ARRAY(c->arena, Messaging__Recipient *, n);
        for (size_t i = 0; i < n; i++) {
                Messaging__Recipient *item = ARENA_NEW(c->arena, Messaging__Recipient);

                messaging__recipient__init(item);
                item->message = (uint32_t)(rows[i]->place - 1);
                item->user_id = rows[i]->user_id;
                item->request = rows[i]->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_REQUEST;
                out->items[out->n_items++] = item;
        }
        return SN_OK;
}

/* ---- Unread chats ---- */

struct unread_chats {
        const char *viewer;
        chat_member **members;
        size_t n;
        chat_entry **newest; /* of some of the chats, in the same order */
        size_t n_newest;
        bool *hidden; /* for each: the viewer has deleted it for themselves */
};

static bool is_new(const chat_member *m, int64_t now_ms)
{
        bool muted = m->muted_until != NULL && m->muted_until->seconds * 1000 > now_ms;

        return membership_is_present(m) && membership_unread(m) > 0 && !muted;
}

static void keep_new(struct unread_chats *u, int64_t now_ms)
{
        size_t kept = 0;

        for (size_t i = 0; i < u->n; i++) {
                if (is_new(u->members[i], now_ms)) {
                        u->members[kept++] = u->members[i];
                }
        }
        u->n = kept;
}

static sn_status read_newest(struct db_tx *tx, struct unread_chats *u)
{
        struct arena *arena = db_arena(tx);
        char **ids = ARENA_ARRAY(arena, char *, u->n), **viewers = ARENA_ARRAY(arena, char *, u->n);
        int64_t *ns = ARENA_ARRAY(arena, int64_t, u->n);

        for (size_t i = 0; i < u->n; i++) {
                ids[i] = u->members[i]->chat_id;
                ns[i] = u->members[i]->last_n;
                viewers[i] = (char *)u->viewer;
        }
        TRY(chat_store_messages_at(tx, ids, ns, u->n, &u->n_newest, &u->newest));
        for (size_t i = 0; i < u->n_newest; i++) {
                ids[i] = u->newest[i]->id;
        }
        return chat_store_hidden(tx, ids, viewers, u->n_newest, &u->hidden);
}

static sn_status read_unread(struct db_tx *tx, const Messaging__BatchGetUnreadChatsRequest *in, struct unread_chats *u)
{
        char **viewers = ARENA_ARRAY(db_arena(tx), char *, in->n_ids);

        for (size_t i = 0; i < in->n_ids; i++) {
                viewers[i] = in->viewer_id;
        }
        TRY(chat_store_members(tx, in->ids, viewers, in->n_ids, &u->n, &u->members));
        keep_new(u, db_call(tx)->now_ms);
        return u->n > 0 ? read_newest(tx, u) : SN_OK;
}

static const chat_entry *find_newest(const struct unread_chats *u, const chat_member *m, bool *hidden)
{
        for (size_t i = 0; i < u->n_newest; i++) {
                if (uuid_equal(u->newest[i]->chat_id, m->chat_id)) {
                        *hidden = u->hidden[i] || u->newest[i]->deleted || !membership_sees(m, u->newest[i]->seq);
                        return u->newest[i];
                }
        }
        return NULL;
}

/* False if the only new message is gone. */
static bool fill_unread(const struct unread_chats *u, const chat_member *m, Messaging__UnreadChat *out)
{
        bool hidden = false;
        const chat_entry *newest = find_newest(u, m, &hidden);

        out->id = m->chat_id;
        out->kind = (Messaging__ChatKind)m->kind;
        out->title = m->title;
        out->request = m->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_REQUEST;
        if (newest == NULL || hidden) {
                return membership_unread(m) > 1;
        }
        out->sender_id = newest->sender_id;
        if (newest->expires_at == NULL && !uuid_equal(newest->sender_id, u->viewer)) {
                out->text = newest->text;
        }
        return true;
}

sn_status messaging_handle_batch_get_unread_chats(struct rpc_call *c, const Messaging__BatchGetUnreadChatsRequest *in,
                                                  Messaging__UnreadChats *out)
{
        struct unread_chats u = {.viewer = in->viewer_id};

        TRY(DB_READ(c, tx, read_unread(tx, in, &u)));
        out->items = ARENA_ARRAY(c->arena, Messaging__UnreadChat *, u.n);
        for (size_t i = 0; i < u.n; i++) {
                Messaging__UnreadChat *item = ARENA_NEW(c->arena, Messaging__UnreadChat);

                messaging__unread_chat__init(item);
                if (fill_unread(&u, u.members[i], item)) {
                        out->items[out->n_items++] = item;
                }
        }
        return SN_OK;
}
