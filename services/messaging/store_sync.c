/* Owns the SQL of synchronizing a member's chats. */
#include "services/messaging/store_sync.h"

#include "services/messaging/store_log_sql.h"

#define SINCE(xid, point) xid " >= (" point "::bigint)::text::xid8"

DB_STATEMENT(SELECT_NOW, "messaging_service", NULL,
             "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as point,"
             " ('x' || left(replace(log_id::text, '-', ''), 16))::bit(64)::bigint as log from outbox_head");

sn_status sync_store_now(struct db_tx *tx, int64_t *point, uint64_t *log)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_NOW, DB_BINDS(), &rows));
        *point = db_i64(rows, 0, "point");
        *log = (uint64_t)db_i64(rows, 0, "log");
        return SN_OK;
}

/* Former members only see that they left a chat or that it has ended. */
DB_STATEMENT(SCAN_CHATS, "messaging_service", &messaging_rows__scanned__message,
             "select p.chat_id as id, " SINCE("p.changed_xid", "$3") " or (p.state in (1, 2) and " SINCE(
                 "c.changed_xid",
                 "$3") ") as changed, " SINCE("p.joined_xid",
                                              "$3") " as joined"
                                                    " from (select * from chat_participants where user_id = $1 and "
                                                    "chat_id > $2 order by chat_id limit $4) p"
                                                    " cross join lateral (select changed_xid from chats where id = "
                                                    "p.chat_id offset 0) c order by p.chat_id");

sn_status sync_store_scan(struct db_tx *tx, const char *after_id, int64_t since, size_t *n,
                          MessagingRows__Scanned ***chats)
{
        return db_list(tx, &SCAN_CHATS,
                       DB_BINDS(bind_uuid(db_call(tx)->actor), bind_uuid(after_id[0] != '\0' ? after_id : NOBODY),
                                bind_i64(since), bind_i64(SCANNED_MAX)),
                       n, chats);
}

/* Entries are numbered and committed one at a time, so if an entry was visible, all before it were. */
#define FIRST_OF_WINDOW "greatest(a.last - $3 + 1, 1)"

DB_STATEMENT(SELECT_KNOWN, "messaging_service", NULL,
             "select a.place - 1 as place, m.seq from unnest($1::uuid[], $2::bigint[]) with ordinality"
             " a (chat_id, last, place) cross join lateral (select max(seq) as seq from (select seq, xid from messages"
             " where chat_id = a.chat_id and seq = " EACH(FIRST_OF_WINDOW, "a.last") " and " IN_MONTHS(
                 "id", "first_seq", "a.chat_id", FIRST_OF_WINDOW,
                 "a.last") " offset 0) e where not " SINCE("e.xid", "$4") ") m where m.seq is"
                                                                          " not null");

sn_status sync_store_known(struct db_tx *tx, char *const *chat_ids, const int64_t *lasts, size_t n, int64_t window,
                           int64_t since, int64_t *known)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_KNOWN,
                    DB_BINDS(bind_uuids(chat_ids, n), bind_i64s(lasts, n), bind_i64(window), bind_i64(since)), &rows));
        for (size_t i = 0; i < db_rows_count(rows); i++) {
                known[db_i64(rows, i, "place")] = db_i64(rows, i, "seq");
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_HIDDEN_SINCE, "messaging_service", &messaging_rows__hidden__message,
             "select h.chat_id, h.message_id from unnest($2::uuid[]) with ordinality a (chat_id, place)"
             " cross join lateral (select chat_id, message_id from message_hides where user_id = $1"
             " and chat_id = a.chat_id and " SINCE("xid", "$3") " limit $4) h order by a.place");

sn_status sync_store_hidden(struct db_tx *tx, char *const *chat_ids, size_t n, int64_t since, size_t *n_hidden,
                            MessagingRows__Hidden ***hidden)
{
        return db_list(
            tx, &SELECT_HIDDEN_SINCE,
            DB_BINDS(bind_uuid(db_call(tx)->actor), bind_uuids(chat_ids, n), bind_i64(since), bind_i64(HIDDEN_MAX + 1)),
            n_hidden, hidden);
}
