/* Owns the SQL of chats and chat lists. */
#include "services/messaging/store_chats.h"

#include <string.h>

DB_STATEMENT(INSERT_CHAT, "messaging_service", NULL,
             "insert into chats (id, kind, title, creator_id, peer_low, peer_high, history, active_at)"
             " values ($1, $2, $3, $4, least($4::uuid, $5::uuid), case when $5::uuid is not null then"
             " greatest($4::uuid, $5::uuid) end, $6, $7)");

sn_status chat_store_insert_chat(struct db_tx *tx, const struct new_chat *chat)
{
        const struct rpc_call *c = db_call(tx);
        const char *low = chat->peer_id[0] != '\0' ? chat->peer_id : NULL;

        return db_exec(tx, &INSERT_CHAT,
                       DB_BINDS(bind_uuid(chat->id), bind_i64(chat->kind), bind_text(chat->title), bind_uuid(c->actor),
                                bind_uuid(low), bind_bool(chat->history), bind_time_ms(c->now_ms)),
                       NULL);
}

DB_STATEMENT(SELECT_DIRECT, "messaging_service", NULL,
             "select id from chats where kind = 1 and peer_low = least($1::uuid, $2::uuid)"
             " and peer_high = greatest($1::uuid, $2::uuid)");

sn_status chat_store_find_direct(struct db_tx *tx, const char *a, const char *b, char **id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_DIRECT, DB_BINDS(bind_uuid(a), bind_uuid(b)), &rows));
        *id = db_rows_count(rows) > 0 ? (char *)db_text(rows, 0, "id") : "";
        return SN_OK;
}

DB_STATEMENT(LOCK_CHAT, "messaging_service", NULL, "select id from chats where id = $1 for no key update");

sn_status chat_store_lock_chat(struct db_tx *tx, const char *id)
{
        return db_exec_later(tx, &LOCK_CHAT, DB_BINDS(bind_uuid(id)));
}

/* Almost all members have a single range, for which an array costs a tenth of a subquery. */
#define RANGES(of_one, of_each)                                                                                        \
        " case when p.visible <> '{}' and p.visible = range_merge(p.visible)::int8multirange then array[" of_one       \
        "] else (select array_agg(" of_each " order by r) from unnest(p.visible) r) end"
#define VISIBLE                                                                                                        \
        RANGES("lower(p.visible)", "lower(r)")                                                                         \
        " as visible_from," RANGES("coalesce(upper(p.visible), 9223372036854775807)",                                  \
                                   "coalesce(upper(r), 9223372036854775807)") " as visible_to"
#define STATE "case when c.ended_at is not null and p.state in (1, 2) then 3 else p.state end as state"
#define MEMBER(user)                                                                                                   \
        "select c.id as chat_id, c.kind, c.title, case when c.peer_low = " user                                        \
        " then c.peer_high else c.peer_low end as peer_id, c.history, c.last_seq, c.last_n, c.last_ms, c.members,"     \
        " c.active_at as active_at_ms, c.created_at, " user " as user_id, p.role,"                                     \
        " " STATE ", p.read_seq, p.read_n," VISIBLE ", p.created_at as joined_at, c.expires_in_s, p.archived, "        \
        "p.pinned, p.muted_until, p.draft, p.removed, c.picture_id"

DB_STATEMENT(SELECT_MEMBER, "messaging_service", &messaging_rows__member__message,
             MEMBER("$2::uuid") " from chats c left join chat_participants p on p.chat_id = c.id and p.user_id = $2"
                                " where c.id = $1");

sn_status chat_store_member(struct db_tx *tx, const char *chat_id, const char *user_id, chat_member *member,
                            bool *found)
{
        return db_one(tx, &SELECT_MEMBER, DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id)), &member->base, found);
}

DB_STATEMENT(SELECT_SENDER, "messaging_service", &messaging_rows__member__message,
             MEMBER("$2::uuid") ", exists (select from message_client_ids where sender_id = $2 and client_id = $3) as"
                                " sent, c.kind = 1 and exists (select from chat_participants o where o.chat_id = c.id"
                                " and o.user_id = case when c.peer_low = $2 then c.peer_high else c.peer_low end"
                                " and o.visible @> c.last_seq + 1) as peer_sees from chats c left join"
                                " chat_participants p on p.chat_id = c.id and p.user_id = $2 where c.id = $1");

sn_status chat_store_sender(struct db_tx *tx, const char *chat_id, const char *user_id, const char *client_id,
                            chat_member *member, bool *found)
{
        return db_one(tx, &SELECT_SENDER, DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id), bind_uuid(client_id)),
                      &member->base, found);
}

DB_STATEMENT(SELECT_MEMBERS, "messaging_service", &messaging_rows__member__message,
             MEMBER("a.user_id") " from unnest($1::uuid[], $2::uuid[]) with ordinality a (chat_id, user_id, place)"
                                 " join chats c on c.id = a.chat_id"
                                 " join chat_participants p on p.chat_id = a.chat_id and p.user_id = a.user_id"
                                 " order by a.place");

sn_status chat_store_members(struct db_tx *tx, char *const *chat_ids, char *const *user_ids, size_t n,
                             size_t *n_members, chat_member ***members)
{
        return db_list(tx, &SELECT_MEMBERS, DB_BINDS(bind_uuids(chat_ids, n), bind_uuids(user_ids, n)), n_members,
                       members);
}

/* What decides about showing an event, for all viewers of a chat at once: a third of the cost of whole rows. */
DB_STATEMENT(SELECT_VIEWERS, "messaging_service", &messaging_rows__member__message,
             "select c.id as chat_id, c.kind, c.last_seq, c.last_n, c.members, p.user_id, " STATE ", p.read_seq, "
             "p.read_n," VISIBLE " from chats c join chat_participants p on p.chat_id = c.id"
             " where c.id = any($1) and p.user_id = any($2) order by c.id, p.user_id");

sn_status chat_store_viewers(struct db_tx *tx, char *const *chat_ids, size_t n_chats, char *const *user_ids, size_t n,
                             size_t *n_members, chat_member ***members)
{
        return db_list(tx, &SELECT_VIEWERS, DB_BINDS(bind_uuids(chat_ids, n_chats), bind_uuids(user_ids, n)), n_members,
                       members);
}

/* `offset 0` keeps it a loop over the member's chats. A chat that a member deleted for themselves reappears with its
 * next message. */
DB_STATEMENT(SELECT_CHATS, "messaging_service", &messaging_rows__chat_ref__message,
             "select c.id, c.active_at as active_at_ms from chat_participants p cross join lateral"
             " (select id, active_at, ended_at, last_seq from chats where id = p.chat_id offset 0) c"
             " where p.user_id = $1 and p.state = $2 and p.archived = $6 and c.ended_at is null"
             " and (c.last_seq = 0 or p.visible @> c.last_seq) and (c.active_at, c.id) < ($3, $4)"
             " order by c.active_at desc, c.id desc limit $5");

sn_status chat_store_chats_of(struct db_tx *tx, const char *user_id, int state, bool archived,
                              const struct page_scan *scan, size_t *n, MessagingRows__ChatRef ***refs)
{
        return db_list(tx, &SELECT_CHATS,
                       DB_BINDS(bind_uuid(user_id), bind_i64(state), bind_time_ms(page_beyond_ms(scan)),
                                bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit), bind_bool(archived)),
                       n, refs);
}

DB_STATEMENT(UPDATE_CHAT, "messaging_service", NULL,
             "update chats set title = coalesce($2, title), history = coalesce($3, history),"
             " expires_in_s = coalesce($4::bigint, expires_in_s) where id = $1");

sn_status chat_store_update_chat(struct db_tx *tx, const Messaging__UpdateChatRequest *in)
{
        return db_exec(tx, &UPDATE_CHAT,
                       DB_BINDS(bind_uuid(in->id),
                                in->title_presence_case == MESSAGING__UPDATE_CHAT_REQUEST__TITLE_PRESENCE_TITLE
                                    ? bind_text(in->title)
                                    : bind_null(),
                                in->history_presence_case == MESSAGING__UPDATE_CHAT_REQUEST__HISTORY_PRESENCE_HISTORY
                                    ? bind_bool(in->history)
                                    : bind_null(),
                                in->expiry_presence_case == MESSAGING__UPDATE_CHAT_REQUEST__EXPIRY_PRESENCE_EXPIRES_IN_S
                                    ? bind_i64(in->expires_in_s)
                                    : bind_null()),
                       NULL);
}

DB_STATEMENT(SET_PICTURE, "messaging_service", NULL,
             "update chats c set picture_id = $2, picture_use_id = $3 from (select id, picture_use_id from chats"
             " where id = $1 for no key update) o where c.id = o.id returning o.picture_use_id");

sn_status chat_store_set_picture(struct db_tx *tx, const char *id, const char *media_id, const char *use_id,
                                 char **before_use_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SET_PICTURE, DB_BINDS(bind_uuid(id), bind_uuid(media_id), bind_uuid(use_id)), &rows));
        *before_use_id = db_rows_count(rows) > 0 ? (char *)db_text(rows, 0, "picture_use_id") : "";
        return SN_OK;
}

DB_STATEMENT(END_CHAT, "messaging_service", NULL, "update chats set ended_at = now(), title = '' where id = $1");

sn_status chat_store_end_chat(struct db_tx *tx, const char *id)
{
        return db_exec(tx, &END_CHAT, DB_BINDS(bind_uuid(id)), NULL);
}
