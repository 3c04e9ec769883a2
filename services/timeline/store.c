/* Owns the SQL of timeline_service. */
#include "services/timeline/store.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

DB_STATEMENT(
    TOUCH, "timeline_service", NULL,
    "insert into timeline_cache as t (owner_id) values ($1) on conflict (owner_id) do update set read_at = now()"
    " where now() - t.read_at > interval '12 hours'");

sn_status store_touch(struct db_tx *tx, const char *owner)
{
        return db_exec(tx, &TOUCH, DB_BINDS(bind_uuid(owner)), NULL);
}

DB_STATEMENT(FORGET_UNREAD, "timeline_service", &timeline_rows__owner__message,
             "delete from timeline_cache where owner_id = any(array(select owner_id from timeline_cache"
             " where read_at < now() - interval '30 days' order by read_at limit $1 for update skip locked))"
             " returning owner_id");

sn_status store_forget_unread(struct db_tx *tx, size_t limit, size_t *n)
{
        TimelineRows__Owner **owners = NULL;

        return db_list(tx, &FORGET_UNREAD, DB_BINDS(bind_i64((int64_t)limit)), n, &owners);
}

/* Serialised, so that positions commit in order: a reader of one has seen all below it. */
DB_STATEMENT(LOCK_FAMOUS, "timeline_service", NULL, "lock table timeline_famous in exclusive mode");
DB_STATEMENT(INSERT_FAMOUS, "timeline_service", NULL,
             "insert into timeline_famous (author_id) values ($1) on conflict do nothing");

sn_status store_insert_famous(struct db_tx *tx, const char *author_id)
{
        TRY(db_exec(tx, &LOCK_FAMOUS, NULL, 0, NULL));
        return db_exec(tx, &INSERT_FAMOUS, DB_BINDS(bind_uuid(author_id)), NULL);
}

DB_STATEMENT(SELECT_FAMOUS, "timeline_service", &timeline_rows__famous__message,
             "select position, author_id from timeline_famous where position > $1 order by position limit $2");

sn_status store_famous(struct db_tx *tx, int64_t after, size_t limit, size_t *n, TimelineRows__Famous ***rows)
{
        return db_list(tx, &SELECT_FAMOUS, DB_BINDS(bind_i64(after), bind_i64((int64_t)limit)), n, rows);
}
