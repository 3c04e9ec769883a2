/* Owns the SQL that erases members. */
#include "services/messaging/store_erase.h"

DB_STATEMENT(SELECT_SENT_BY, "messaging_service", &messaging_rows__sent_as__message,
             "select client_id, chat_id, message_id from message_client_ids where sender_id = $1 limit $2");

sn_status chat_store_sent_by(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                             MessagingRows__SentAs ***sent)
{
        return db_list(tx, &SELECT_SENT_BY, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), n, sent);
}

DB_STATEMENT(FORGET_SENT, "messaging_service", NULL,
             "delete from message_client_ids where sender_id = $1 and client_id = any($2)");

sn_status chat_store_forget_sent(struct db_tx *tx, const char *user_id, MessagingRows__SentAs *const *sent, size_t n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = sent[i]->client_id;
        }
        return db_exec(tx, &FORGET_SENT, DB_BINDS(bind_uuid(user_id), bind_uuids(ids, n)), NULL);
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
             "with r as (delete from read_receipts where chat_id = $1 and user_id = $2)"
             " delete from chat_participants where chat_id = $1 and user_id = $2");

sn_status chat_store_forget_member(struct db_tx *tx, const char *chat_id, const char *user_id)
{
        return db_exec(tx, &FORGET_MEMBER, DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id)), NULL);
}

DB_STATEMENT(ERASE_HIDES, "messaging_service", NULL, "delete from message_hides where user_id = $1");

sn_status chat_store_erase_rest(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &ERASE_HIDES, DB_BINDS(bind_uuid(user_id)), NULL);
}
