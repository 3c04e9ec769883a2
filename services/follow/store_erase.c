/* Owns the SQL for erasing a member. */
#include "services/follow/store.h"

DB_STATEMENT(SELECT_FOLLOWS_OF, "follow_service", &follow_rows__follower__message,
             "(select followee_id as user_id, follower_id from user_relationships where follower_id = $1 limit $2)"
             " union all"
             " (select followee_id as user_id, follower_id from user_relationships where followee_id = $1 limit $2)");

sn_status store_follows_of(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                           FollowRows__Follower ***follows)
{
        return db_list(tx, &SELECT_FOLLOWS_OF, DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), n, follows);
}

/* Rows of a table with the member on either side. */
#define ERASE_PAIRS(table, one, other)                                                                                 \
        "delete from " table " where (" one ", " other ") in ((select " one ", " other " from " table " where " one    \
        " = $1 limit $2) union all (select " one ", " other " from " table " where " other " = $1 limit $2))"          \
        " returning " one " as user_id, " other " as follower_id"

DB_STATEMENT(ERASE_BLOCKS, "follow_service", &follow_rows__follower__message,
             ERASE_PAIRS("user_blocks", "blocker_id", "blocked_id"));
DB_STATEMENT(ERASE_MUTES, "follow_service", &follow_rows__follower__message,
             ERASE_PAIRS("user_mutes", "muter_id", "muted_id"));
DB_STATEMENT(ERASE_REQUESTS, "follow_service", &follow_rows__follower__message,
             ERASE_PAIRS("follow_requests", "requester_id", "target_id"));

sn_status store_erase_some(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                           FollowRows__Follower ***pairs)
{
        static const struct db_statement *const statements[] = {&ERASE_BLOCKS, &ERASE_MUTES, &ERASE_REQUESTS};

        *n = 0;
        for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]) && *n == 0; i++) {
                TRY(db_list(tx, statements[i], DB_BINDS(bind_uuid(user_id), bind_i64((int64_t)limit)), n, pairs));
        }
        return SN_OK;
}

DB_STATEMENT(ERASE_OPENING, "follow_service", NULL, "delete from account_openings where user_id = $1");
DB_STATEMENT(ERASE_KEYS, "follow_service", NULL, "delete from idempotency_keys where actor_id = $1");

sn_status store_erase_single_rows(struct db_tx *tx, const char *user_id)
{
        TRY(db_exec(tx, &ERASE_OPENING, DB_BINDS(bind_uuid(user_id)), NULL));
        return db_exec(tx, &ERASE_KEYS, DB_BINDS(bind_uuid(user_id)), NULL);
}
