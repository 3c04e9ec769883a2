/* Owns the SQL of searching messages. */
#include "services/messaging/store_search.h"

#include <string.h>

enum { CHAT_DIGITS = 12, PORTION_BITS = 12 };

/* Words are stored under their chat and portion, as chat_query searches them (schema/0010_search.sql). */
DB_STATEMENT(PUT_WORDS, "messaging_service", NULL,
             "insert into message_words (message_id, chat_id, seq, words) values ($1, $2, $3,"
             " array_to_tsvector($4::text[])) on conflict (message_id) do update set words = excluded.words");

sn_status search_store_put(struct db_tx *tx, const chat_entry *message, char *const *words, size_t n)
{
        char **placed = ARENA_ARRAY(db_arena(tx), char *, n);
        const char *chat = message->chat_id + strlen(message->chat_id) - CHAT_DIGITS;

        for (size_t i = 0; i < n; i++) {
                placed[i] =
                    arena_printf(db_arena(tx), "%s.%lld/%s", chat, (long long)(message->seq >> PORTION_BITS), words[i]);
        }
        return db_exec_later(tx, &PUT_WORDS,
                             DB_BINDS(bind_uuid(message->id), bind_uuid(message->chat_id), bind_i64(message->seq),
                                      bind_texts(placed, n)));
}

DB_STATEMENT(INDEX_WORDS, "messaging_service", NULL, "select index_message_words()");

sn_status search_store_index(struct db_tx *tx)
{
        return db_exec(tx, &INDEX_WORDS, DB_NO_BINDS, NULL);
}

/* Searches each chat from its end, one portion of its log after the other, until there are enough. `offset 0` keeps the
 * loops. */
DB_STATEMENT(FIND_MESSAGES, "messaging_service", NULL,
             "select f.message_id as id from (select chat_id, visible from chat_participants where user_id = $1"
             " and state in (1, 2) and ($4::uuid is null or chat_id = $4)) p"
             " cross join lateral (select last_seq from chats where id = p.chat_id and ended_at is null offset 0) c"
             " cross join lateral (select w.message_id from"
             " generate_series(chat_portion(c.last_seq), chat_portion(lower(p.visible)), -1) b cross join lateral"
             " (select message_id, seq from message_words where words @@ chat_query(p.chat_id, b, $2)"
             " and chat_id = p.chat_id and message_id < $3 order by message_id desc offset 0) w"
             " where p.visible @> w.seq limit $5) f order by f.message_id desc limit $5");

sn_status search_store_find(struct db_tx *tx, const struct wanted *wanted, size_t *n, char ***ids)
{
        struct db_rows *rows = NULL;
        const char *before = wanted->before_id[0] != '\0' ? wanted->before_id : "ffffffff-ffff-ffff-ffff-ffffffffffff";

        TRY(db_rows(tx, &FIND_MESSAGES,
                    DB_BINDS(bind_uuid(db_call(tx)->actor), bind_texts(wanted->words, wanted->n), bind_uuid(before),
                             bind_uuid(wanted->chat_id), bind_i64((int64_t)wanted->limit)),
                    &rows));
        *n = db_rows_count(rows);
        *ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*ids)[i] = (char *)db_text(rows, i, "id");
        }
        return SN_OK;
}
