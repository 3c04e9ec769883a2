/* The table messaging_counts. */
#include "services/messaging/store.h"

DB_STATEMENT(SELECT_COUNT, "messaging_service", &messaging__count__message,
             "select m.id as user_id, coalesce(c.notes, 0) as notes"
             " from (select $1::uuid as id) m left join messaging_counts c on c.user_id = m.id");

sn_status messaging_store_count(struct db_tx *tx, const char *user_id, Messaging__Count *out)
{
        return db_one(tx, &SELECT_COUNT, DB_BINDS(bind_uuid(user_id)), &out->base, NULL);
}

DB_STATEMENT(UPSERT_COUNTS, "messaging_service", NULL,
             "insert into messaging_counts as c (user_id, notes)"
             " select a.id, sum(a.notes)::bigint from unnest($1::uuid[], $2::bigint[]) as a (id, notes)"
             " group by a.id order by a.id"
             " on conflict (user_id) do update set notes = c.notes + excluded.notes");

sn_status messaging_store_add(struct db_tx *tx, char *const *authors, const int64_t *notes, size_t n)
{
        return db_exec(tx, &UPSERT_COUNTS, DB_BINDS(bind_uuids(authors, n), bind_i64s(notes, n)), NULL);
}
