/* Owns assembling chats for a member. */
#include "services/messaging/show_chats.h"

#include "services/messaging/chat_mentions.h"
#include "services/messaging/chat_pictures.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/show.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_log.h"

static void fill_chat(const chat_member *m, Messaging__Chat *out)
{
        out->id = m->chat_id;
        out->kind = (Messaging__ChatKind)m->kind;
        out->title = m->title;
        out->created_at = m->created_at;
        out->role = (Messaging__Role)m->role;
        out->participants = m->members;
        out->history = m->history;
        out->last_seq = m->last_seq;
        out->unread = membership_unread(m);
        out->read_seq = m->read_seq;
        out->expires_in_s = m->expires_in_s;
        out->archived = m->archived;
        out->pinned = m->pinned;
        out->muted_until = m->muted_until;
        out->draft = m->draft;
        out->request = m->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_REQUEST;
}

static sn_status add_peers(struct rpc_call *c, chat_member **members, size_t n, Messaging__Chat **chats)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        User__Author **peers = NULL;

        for (size_t i = 0; i < n; i++) {
                ids[i] = members[i]->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT ? members[i]->peer_id : "";
        }
        TRY(people_get(c, ids, n, &peers));
        for (size_t i = 0; i < n; i++) {
                chats[i]->peer = peers[i];
        }
        return SN_OK;
}

/* Members who joined after the newest message do not see it. */
static sn_status read_last_messages(struct db_tx *tx, chat_member **members, size_t n, size_t *n_entries,
                                    chat_entry ***entries)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        int64_t *ns = ARENA_ARRAY(db_arena(tx), int64_t, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = members[i]->chat_id;
                ns[i] = members[i]->last_n;
        }
        TRY(chat_store_messages_at(tx, ids, ns, n, n_entries, entries));
        return chat_store_drop_hidden(tx, *entries, n_entries);
}

/* places[i]: the index of the chat of the i-th entry. */
static size_t match_entries(chat_member *const *members, size_t n, chat_entry *const *entries, size_t n_entries,
                            struct shown *items, size_t *places, const char *viewer)
{
        size_t n_items = 0;

        for (size_t i = 0, at = 0; i < n && at < n_entries; i++) {
                if (!uuid_equal(members[i]->chat_id, entries[at]->chat_id)) {
                        continue;
                }
                if (membership_sees(members[i], entries[at]->seq)) {
                        items[n_items] = (struct shown){.entry = entries[at], .viewer = viewer, .member = members[i]};
                        places[n_items++] = i;
                }
                at++;
        }
        return n_items;
}

static sn_status add_last_messages(struct rpc_call *c, chat_member **members, size_t n, Messaging__Chat **chats)
{
        struct shown *items = ARENA_ARRAY(c->arena, struct shown, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_entries = 0, n_items;
        chat_entry **entries = NULL;

        TRY(DB_READ(c, tx, read_last_messages(tx, members, n, &n_entries, &entries)));
        n_items = match_entries(members, n, entries, n_entries, items, places, c->actor);
        TRY(show_messages(c, items, n_items));
        for (size_t i = 0; i < n_items; i++) {
                chats[places[i]]->last_message = items[i].message;
        }
        return SN_OK;
}

sn_status show_chats(struct rpc_call *c, chat_member **members, size_t n, Messaging__Chat **chats)
{
        for (size_t i = 0; i < n; i++) {
                if (chats[i] == NULL) {
                        chats[i] = ARENA_NEW(c->arena, Messaging__Chat);
                        messaging__chat__init(chats[i]);
                }
                fill_chat(members[i], chats[i]);
        }
        TRY(add_peers(c, members, n, chats));
        TRY(chat_pictures_show(c, members, n, chats));
        TRY(chat_mentions_count(c, members, n, chats));
        return add_last_messages(c, members, n, chats);
}

sn_status show_chat(struct rpc_call *c, const char *id, Messaging__Chat *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(membership_read_present(c, id, &member));
        return show_chats(c, (chat_member *[]){&member}, 1, &out);
}

sn_status show_stored_chat(struct db_tx *tx, const char *id, Messaging__Chat *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(chat_store_member(tx, id, db_call(tx)->actor, &member, NULL));
        fill_chat(&member, out);
        return SN_OK;
}
