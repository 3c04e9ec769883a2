/* Owns the SQL that writes follows, blocks and mutes. */
#include "services/follow/store.h"

sn_status store_lock(struct db_tx *tx, const char *follower, const char *other)
{
        TRY(db_lock_pair(tx, follower, other));
        return db_lock_one(tx, "follower", follower);
}

DB_STATEMENT(SELECT_BLOCKED, "follow_service", NULL,
             "select 1 as blocked from user_blocks where (blocker_id = $1 and blocked_id = $2) or (blocker_id = $2 and "
             "blocked_id = $1)");

sn_status store_check_not_blocked(struct db_tx *tx, const char *a, const char *b)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_BLOCKED, DB_BINDS(bind_uuid(a), bind_uuid(b)), &rows));
        if (db_rows_count(rows) > 0) {
                return rpc_fail_code(db_call(tx), SN_PERMISSION_DENIED, "blocked", "user_id",
                                     "you cannot follow each other while one of you blocks the other");
        }
        return SN_OK;
}

static sn_status change_edge(struct db_tx *tx, const struct db_statement *s, const char *a, const char *b,
                             bool *changed)
{
        int64_t affected = 0;

        TRY(db_exec(tx, s, DB_BINDS(bind_uuid(a), bind_uuid(b)), &affected));
        if (changed != NULL) {
                *changed = affected > 0;
        }
        return SN_OK;
}

DB_STATEMENT(INSERT_FOLLOW, "follow_service", NULL,
             "insert into user_relationships (follower_id, followee_id, created_at) values ($1, $2, $3)"
             " on conflict do nothing");

/* Lists are sorted by this time: drawn like an ID, within the call that commits it. */
sn_status store_insert_follow(struct db_tx *tx, const char *follower, const char *followee, bool *changed)
{
        int64_t affected = 0, at_ms = uuid_time_ms(uuid_new_in(db_arena(tx)));

        TRY(db_exec(tx, &INSERT_FOLLOW, DB_BINDS(bind_uuid(follower), bind_uuid(followee), bind_time_ms(at_ms)),
                    &affected));
        *changed = affected > 0;
        return SN_OK;
}

DB_STATEMENT(DELETE_FOLLOW, "follow_service", NULL,
             "delete from user_relationships where follower_id = $1 and followee_id = $2");

sn_status store_delete_follow(struct db_tx *tx, const char *follower, const char *followee, bool *changed)
{
        return change_edge(tx, &DELETE_FOLLOW, follower, followee, changed);
}

DB_STATEMENT(INSERT_BLOCK, "follow_service", NULL,
             "insert into user_blocks (blocker_id, blocked_id) values ($1, $2) on conflict do nothing");

sn_status store_insert_block(struct db_tx *tx, const char *blocker, const char *blocked)
{
        return change_edge(tx, &INSERT_BLOCK, blocker, blocked, NULL);
}

DB_STATEMENT(DELETE_BLOCK, "follow_service", NULL, "delete from user_blocks where blocker_id = $1 and blocked_id = $2");

sn_status store_delete_block(struct db_tx *tx, const char *blocker, const char *blocked)
{
        return change_edge(tx, &DELETE_BLOCK, blocker, blocked, NULL);
}

DB_STATEMENT(INSERT_MUTE, "follow_service", NULL,
             "insert into user_mutes (muter_id, muted_id) values ($1, $2) on conflict do nothing");

sn_status store_insert_mute(struct db_tx *tx, const char *muter, const char *muted)
{
        return change_edge(tx, &INSERT_MUTE, muter, muted, NULL);
}

DB_STATEMENT(DELETE_MUTE, "follow_service", NULL, "delete from user_mutes where muter_id = $1 and muted_id = $2");

sn_status store_delete_mute(struct db_tx *tx, const char *muter, const char *muted)
{
        return change_edge(tx, &DELETE_MUTE, muter, muted, NULL);
}
