/* Owns the SQL of presence. */
#include "services/messaging/store_presence.h"

DB_STATEMENT(PUT_PRESENCE, "messaging_service", NULL,
             "insert into presence as p (user_id, seen_at, until_at) values ($1, now(), now() + interval '1 minute')"
             " on conflict (user_id) do update set seen_at = excluded.seen_at, until_at = excluded.until_at"
             " where p.seen_at < now() - interval '20 s' or p.until_at <= now()");

sn_status presence_store_put(struct db_tx *tx, bool *tell)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &PUT_PRESENCE, DB_BINDS(bind_uuid(db_call(tx)->actor)), &affected));
        *tell = affected > 0;
        return SN_OK;
}

DB_STATEMENT(END_PRESENCE, "messaging_service", NULL,
             "update presence set seen_at = now(), until_at = now() where user_id = $1 and until_at > now()");

sn_status presence_store_end(struct db_tx *tx, bool *tell)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &END_PRESENCE, DB_BINDS(bind_uuid(db_call(tx)->actor)), &affected));
        *tell = affected > 0;
        return SN_OK;
}

DB_STATEMENT(FORGET_PRESENCE, "messaging_service", NULL, "delete from presence where user_id = $1");

sn_status presence_store_forget(struct db_tx *tx)
{
        return db_exec(tx, &FORGET_PRESENCE, DB_BINDS(bind_uuid(db_call(tx)->actor)), NULL);
}

DB_STATEMENT(SELECT_PRESENCE, "messaging_service", &messaging__presence__message,
             "select p.user_id, p.until_at > now() as online, p.seen_at as last_seen_at"
             " from unnest($1::uuid[]) with ordinality a (id, place) join presence p on p.user_id = a.id"
             " order by a.place");

sn_status presence_store_list(struct db_tx *tx, char *const *ids, size_t n, size_t *n_found,
                              Messaging__Presence ***found)
{
        return db_list(tx, &SELECT_PRESENCE, DB_BINDS(bind_uuids(ids, n)), n_found, found);
}

/* `offset 0` keeps it a loop over the member's chats. */
DB_STATEMENT(SELECT_PEERS, "messaging_service", NULL,
             "select c.peer_id from chat_participants p cross join lateral (select kind, case when peer_low = $1"
             " then peer_high else peer_low end as peer_id from chats where id = p.chat_id offset 0) c"
             " where p.user_id = $1 and p.state = 1 and c.kind = 1 order by c.peer_id limit $2");

sn_status presence_store_peers(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_PEERS, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), &rows));
        *n = db_rows_count(rows);
        *ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*ids)[i] = (char *)db_text(rows, i, "peer_id");
        }
        return SN_OK;
}
