/* Owns the SQL that erases members. */
#include "services/messaging/store_erase.h"

DB_STATEMENT(SELECT_SENT_BY, "messaging_service", &messaging_rows__sent_as__message,
             "select client_id, chat_id, message_id from message_client_ids where sender_id = $1 limit $2");

sn_status chat_store_sent_by(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                             MessagingRows__SentAs ***sent)
{
        return db_list(tx, &SELECT_SENT_BY, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), n, sent);
}

DB_STATEMENT(FORGET_SENDER, "messaging_service", NULL,
             "update messages set sender_id = '" NOBODY "', client_id = null where id = any($1)");
DB_STATEMENT(FORGET_SENT, "messaging_service", NULL,
             "delete from message_client_ids where sender_id = $1 and client_id = any($2)");

sn_status chat_store_forget_sent(struct db_tx *tx, const char *user_id, MessagingRows__SentAs *const *sent, size_t n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n), **messages = ARENA_ARRAY(db_arena(tx), char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = sent[i]->client_id;
                messages[i] = sent[i]->message_id;
        }
        TRY(db_exec(tx, &FORGET_SENDER, DB_BINDS(bind_uuids(messages, n)), NULL));
        return db_exec(tx, &FORGET_SENT, DB_BINDS(bind_uuid(user_id), bind_uuids(ids, n)), NULL);
}

DB_STATEMENT(SELECT_REACTED, "messaging_service", &messaging_rows__reacted__message,
             "select m.chat_id, r.message_id, r.emoji from (select message_id, emoji from message_reactions"
             " where user_id = $1 limit $2) r cross join lateral (select chat_id from messages where id = r.message_id"
             " offset 0) m");

sn_status chat_store_reacted(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                             MessagingRows__Reacted ***reacted)
{
        return db_list(tx, &SELECT_REACTED, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), n, reacted);
}

DB_STATEMENT(SELECT_CHATS_WITH, "messaging_service", NULL,
             "select chat_id from chat_participants where user_id = $1 limit $2");

sn_status chat_store_chats_with(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***chat_ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_CHATS_WITH, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), &rows));
        *n = db_rows_count(rows);
        *chat_ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*chat_ids)[i] = (char *)db_text(rows, i, "chat_id");
        }
        return SN_OK;
}

DB_STATEMENT(FORGET_MEMBER, "messaging_service", NULL,
             "with r as (delete from read_receipts where chat_id = $1 and user_id = $2),"
             " t as (delete from typing_indicators where chat_id = $1 and user_id = $2),"
             " l as (delete from chat_links where chat_id = $1 and creator_id = $2)"
             " delete from chat_participants where chat_id = $1 and user_id = $2");

/* The other member keeps the direct chat. The erased member's id is replaced by one that belongs to nobody, since each
 * pair has only one chat. */
DB_STATEMENT(
    FORGET_IN_CHAT, "messaging_service", NULL,
    "update chats c set changed_xid = pg_current_xact_id(), creator_id = case when creator_id = $2 then '" NOBODY
    "' else creator_id end,"
    " peer_low = case when kind = 1 then least($3::uuid, o.id) end,"
    " peer_high = case when kind = 1 then greatest($3::uuid, o.id) end"
    " from (select case when peer_low = $2 then peer_high else peer_low end as id from chats where id = $1) o"
    " where c.id = $1");

sn_status chat_store_forget_member(struct db_tx *tx, const char *chat_id, const char *user_id)
{
        TRY(db_exec(tx, &FORGET_IN_CHAT,
                    DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id), bind_uuid(uuid_new_in(db_arena(tx)))), NULL));
        return db_exec(tx, &FORGET_MEMBER, DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id)), NULL);
}

DB_STATEMENT(FORGET_BY, "messaging_service", NULL,
             "update messages set sender_id = '" NOBODY "' where id = any(array(select id from messages"
             " where sender_id = $1 and kind <> 1 limit $2))");
DB_STATEMENT(FORGET_ABOUT, "messaging_service", NULL,
             "update messages set target_id = '" NOBODY "' where id = any(array(select id from messages"
             " where target_id = $1 and kind in (2, 3, 11) limit $2))");

sn_status chat_store_forget_in_logs(struct db_tx *tx, const char *user_id, size_t limit, bool *more)
{
        int64_t by = 0, about = 0;

        TRY(db_exec(tx, &FORGET_BY, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), &by));
        TRY(db_exec(tx, &FORGET_ABOUT, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), &about));
        *more = by + about > 0;
        return SN_OK;
}

DB_STATEMENT(
    ERASE_REST, "messaging_service", NULL,
    "with p as (delete from presence where user_id = $1), m as (delete from message_mentions where user_id = $1),"
    " a as (delete from chat_applicants where user_id = $1)"
    " delete from message_hides where user_id = $1");

sn_status chat_store_erase_rest(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &ERASE_REST, DB_BINDS(bind_uuid(user_id)), NULL);
}
