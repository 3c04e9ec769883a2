/* Owns the SQL of typing indicators. */
#include "services/messaging/store_typing.h"

DB_STATEMENT(PUT_TYPING, "messaging_service", NULL,
             "insert into typing_indicators as t (chat_id, user_id, until_at) values ($1, $2, now() + interval '6 s')"
             " on conflict (chat_id, user_id) do update set until_at = excluded.until_at"
             " where t.until_at < now() + interval '4 s'");

sn_status typing_store_put(struct db_tx *tx, const char *chat_id, bool *tell)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &PUT_TYPING, DB_BINDS(bind_uuid(chat_id), bind_uuid(db_call(tx)->actor)), &affected));
        *tell = affected > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_TYPING, "messaging_service", NULL,
             "select t.user_id from typing_indicators t join chat_participants p on p.chat_id = t.chat_id"
             " and p.user_id = t.user_id where t.chat_id = $1 and t.user_id <> $2 and t.until_at > now()"
             " and p.state = 1 order by t.created_at limit $3");

sn_status typing_store_list(struct db_tx *tx, const char *chat_id, size_t *n, char ***user_ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_TYPING,
                    DB_BINDS(bind_uuid(chat_id), bind_uuid(db_call(tx)->actor), bind_i64(TYPING_MAX)), &rows));
        *n = db_rows_count(rows);
        *user_ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*user_ids)[i] = (char *)db_text(rows, i, "user_id");
        }
        return SN_OK;
}

DB_STATEMENT(SWEEP_TYPING, "messaging_service", NULL,
             "delete from typing_indicators where until_at < now() - interval '1 minute'");

sn_status typing_store_sweep(struct db_tx *tx)
{
        return db_exec(tx, &SWEEP_TYPING, DB_BINDS(), NULL);
}
