/* Owns the SQL for erasing a member. */
#include "services/timeline/store.h"

/* What the previous release may still have written (0006_no_tails.sql). There is no index of entries by author. */
DB_STATEMENT(ERASE_AUTHOR, "timeline_service", NULL,
             "with owners as (select owner_id from timeline_cache where owner_id >"
             " coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') order by owner_id limit $3),"
             " gone as (delete from timeline_entries where owner_id = any(array(select owner_id from owners))"
             " and author_id = $1 returning owner_id)"
             " select owner_id as last from owners order by owner_id desc limit 1");

sn_status store_erase_author(struct db_tx *tx, const char *author_id, const char *after, size_t limit,
                             const char **last)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &ERASE_AUTHOR, DB_BINDS(bind_uuid(author_id), bind_uuid(after), bind_i64((int64_t)limit)),
                    &rows));
        *last = db_rows_count(rows) > 0 ? db_text(rows, 0, "last") : "";
        return SN_OK;
}

DB_STATEMENT(ERASE_ENTRIES, "timeline_service", NULL, "delete from timeline_entries where owner_id = $1");
DB_STATEMENT(ERASE_CACHE, "timeline_service", NULL, "delete from timeline_cache where owner_id = $1");
DB_STATEMENT(ERASE_GROWN, "timeline_service", NULL,
             "delete from timeline_grown where owner_id = $1 returning owner_id");
DB_STATEMENT(ERASE_FAMOUS, "timeline_service", NULL, "delete from timeline_famous where author_id = $1");
DB_STATEMENT(ERASE_KEYS, "timeline_service", NULL, "delete from idempotency_keys where actor_id = $1");

sn_status store_erase_owner(struct db_tx *tx, const char *user_id)
{
        static const struct db_statement *const statements[] = {&ERASE_ENTRIES, &ERASE_CACHE, &ERASE_GROWN,
                                                                &ERASE_FAMOUS, &ERASE_KEYS};

        for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
                TRY(db_exec(tx, statements[i], DB_BINDS(bind_uuid(user_id)), NULL));
        }
        return SN_OK;
}
