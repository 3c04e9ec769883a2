/* Owns the SQL of mentions. */
#include "services/messaging/store_mentions.h"

DB_STATEMENT(SELECT_NAMED, "messaging_service", NULL,
             "select user_id from chat_participants where chat_id = $1 and user_id = any($2) and state in (1, 2)"
             " order by user_id");

sn_status mention_store_present(struct db_tx *tx, const char *chat_id, char *const *user_ids, size_t n,
                                size_t *n_present, char ***present)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_NAMED, DB_BINDS(bind_uuid(chat_id), bind_uuids(user_ids, n)), &rows));
        *n_present = db_rows_count(rows);
        *present = ARENA_ARRAY(db_arena(tx), char *, *n_present);
        for (size_t i = 0; i < *n_present; i++) {
                (*present)[i] = (char *)db_text(rows, i, "user_id");
        }
        return SN_OK;
}

DB_STATEMENT(DROP_MENTIONS, "messaging_service", NULL,
             "delete from message_mentions where message_id = $1 and user_id <> all($2::uuid[])");
DB_STATEMENT(PUT_MENTIONS, "messaging_service", NULL,
             "insert into message_mentions (message_id, user_id, chat_id, seq) select $1, id, $2, $3"
             " from unnest($4::uuid[]) id on conflict do nothing");

sn_status mention_store_put(struct db_tx *tx, const chat_entry *message, char *const *user_ids, size_t n)
{
        TRY(db_exec_later(tx, &DROP_MENTIONS, DB_BINDS(bind_uuid(message->id), bind_uuids(user_ids, n))));
        return n == 0 ? SN_OK
                      : db_exec_later(tx, &PUT_MENTIONS,
                                      DB_BINDS(bind_uuid(message->id), bind_uuid(message->chat_id),
                                               bind_i64(message->seq), bind_uuids(user_ids, n)));
}

DB_STATEMENT(SELECT_MENTIONS, "messaging_service", &messaging_rows__mention__message,
             "select a.place - 1 as place, m.user_id from unnest($1::uuid[]) with ordinality a (id, place)"
             " join message_mentions m on m.message_id = a.id order by a.place, m.user_id");

sn_status mention_store_list(struct db_tx *tx, char *const *message_ids, size_t n, size_t *n_mentions,
                             MessagingRows__Mention ***mentions)
{
        return db_list(tx, &SELECT_MENTIONS, DB_BINDS(bind_uuids(message_ids, n)), n_mentions, mentions);
}

DB_STATEMENT(COUNT_UNREAD_MENTIONS, "messaging_service", NULL,
             "select a.place - 1 as place, m.n from unnest($2::uuid[], $3::bigint[]) with ordinality"
             " a (chat_id, seq, place) cross join lateral (select count(*) as n from (select from message_mentions"
             " where user_id = $1 and chat_id = a.chat_id and seq > a.seq limit $4) x) m where m.n > 0");

sn_status mention_store_unread(struct db_tx *tx, char *const *chat_ids, const int64_t *read, size_t n, int64_t *unread)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_UNREAD_MENTIONS,
                    DB_BINDS(bind_uuid(db_call(tx)->actor), bind_uuids(chat_ids, n), bind_i64s(read, n),
                             bind_i64(UNREAD_MENTIONS_MAX)),
                    &rows));
        for (size_t i = 0; i < db_rows_count(rows); i++) {
                unread[db_i64(rows, i, "place")] = db_i64(rows, i, "n");
        }
        return SN_OK;
}
