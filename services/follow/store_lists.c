/* Owns the SQL that reads relationships. */
#include "services/follow/store.h"

DB_STATEMENT(
    SELECT_RELATIONS, "follow_service", &follow__relationship__message,
    "select o.id as user_id,"
    " exists (select from user_relationships where follower_id = o.viewer and followee_id = o.id) as following,"
    " exists (select from user_relationships where follower_id = o.id and followee_id = o.viewer) as followed_by,"
    " exists (select from user_blocks where blocker_id = o.viewer and blocked_id = o.id) as blocking,"
    " exists (select from user_blocks where blocker_id = o.id and blocked_id = o.viewer) as blocked_by,"
    " exists (select from user_mutes where muter_id = o.viewer and muted_id = o.id) as muting,"
    " exists (select from follow_requests where requester_id = o.viewer and target_id = o.id) as requested,"
    " exists (select from follow_requests where requester_id = o.id and target_id = o.viewer) as requested_by"
    " from unnest($1::uuid[], $2::uuid[]) with ordinality as o (viewer, id, place) order by o.place");

sn_status store_relations(struct db_tx *tx, char **viewers, char **ids, size_t n, size_t *n_rows,
                          Follow__Relationship ***rows)
{
        return db_list(tx, &SELECT_RELATIONS, DB_BINDS(bind_uuids(viewers, n), bind_uuids(ids, n)), n_rows, rows);
}

DB_STATEMENT(SELECT_VERSION, "follow_service", NULL,
             "select coalesce(max(version), 0) as version from user_relationships where follower_id = $1");

sn_status store_version(struct db_tx *tx, const char *follower, int64_t *version)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_VERSION, DB_BINDS(bind_uuid(follower)), &rows));
        *version = db_i64(rows, 0, "version");
        return SN_OK;
}

#define EDGES(list, of, comparison, direction)                                                                         \
        "select " list " as user_id, version, created_at as created_at_ms from user_relationships where " of           \
        " = $1 and (created_at, " list ") " comparison " ($2, $3) order by created_at " direction ", " list            \
        " " direction " limit $4"

static sn_status list_edges(struct db_tx *tx, const struct db_statement *s, const char *member,
                            const struct page_scan *scan, size_t *n, FollowRows__Edge ***edges)
{
        return db_list(tx, s,
                       DB_BINDS(bind_uuid(member), bind_time_ms(page_beyond_ms(scan)), bind_uuid(page_beyond_id(scan)),
                                bind_i64((int64_t)scan->limit)),
                       n, edges);
}

DB_STATEMENT(SELECT_FOLLOWERS, "follow_service", &follow_rows__edge__message,
             EDGES("follower_id", "followee_id", "<", "desc"));
DB_STATEMENT(SELECT_FOLLOWERS_AFTER, "follow_service", &follow_rows__edge__message,
             EDGES("follower_id", "followee_id", ">", "asc"));

sn_status store_followers(struct db_tx *tx, const char *followee, const struct page_scan *scan, size_t *n,
                          FollowRows__Edge ***edges)
{
        return list_edges(tx, scan->newer ? &SELECT_FOLLOWERS_AFTER : &SELECT_FOLLOWERS, followee, scan, n, edges);
}

DB_STATEMENT(SELECT_FOLLOWING, "follow_service", &follow_rows__edge__message,
             EDGES("followee_id", "follower_id", "<", "desc"));
DB_STATEMENT(SELECT_FOLLOWING_AFTER, "follow_service", &follow_rows__edge__message,
             EDGES("followee_id", "follower_id", ">", "asc"));

sn_status store_following(struct db_tx *tx, const char *follower, const struct page_scan *scan, size_t *n,
                          FollowRows__Edge ***edges)
{
        return list_edges(tx, scan->newer ? &SELECT_FOLLOWING_AFTER : &SELECT_FOLLOWING, follower, scan, n, edges);
}

DB_STATEMENT(SELECT_FOLLOW, "follow_service", &follow_rows__edge__message,
             "select followee_id as user_id, version, created_at as created_at_ms from user_relationships"
             " where follower_id = $1 and followee_id = $2");

sn_status store_follow(struct db_tx *tx, const char *follower, const char *followee, FollowRows__Edge *edge,
                       bool *found)
{
        return db_one(tx, &SELECT_FOLLOW, DB_BINDS(bind_uuid(follower), bind_uuid(followee)), &edge->base, found);
}

/* Callers need the rows grouped, in the order of the function: a lateral join with a limit is always a nested loop,
 * and an ORDER BY would read and sort all before the limit. */
DB_STATEMENT(SELECT_FOLLOWER_IDS, "follow_service", &follow_rows__follower__message,
             "select m.id as user_id, f.follower_id from unnest($1::uuid[]) with ordinality as m (id, place), lateral"
             " (select follower_id from user_relationships where followee_id = m.id and follower_id >"
             " case when m.place = 1 then coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')"
             " else '00000000-0000-0000-0000-000000000000' end order by follower_id limit $3) as f"
             " limit nullif($4, 0)");

sn_status store_follower_ids(struct db_tx *tx, char **followees, size_t n_followees, const char *after, size_t limit,
                             size_t total, size_t *n, FollowRows__Follower ***followers)
{
        return db_list(tx, &SELECT_FOLLOWER_IDS,
                       DB_BINDS(bind_uuids(followees, n_followees), bind_uuid(after), bind_i64((int64_t)limit),
                                bind_i64((int64_t)total)),
                       n, followers);
}

DB_STATEMENT(SELECT_FOLLOWED_SINCE, "follow_service", &follow_rows__edge__message,
             "select followee_id as user_id, version from user_relationships r where follower_id = $1 and version > $2"
             " and not ($3 and exists (select from user_mutes where muter_id = $1 and muted_id = r.followee_id))"
             " order by version limit $4");

sn_status store_followed_since(struct db_tx *tx, const char *follower, int64_t after_version, bool without_muted,
                               size_t limit, size_t *n, FollowRows__Edge ***edges)
{
        return db_list(
            tx, &SELECT_FOLLOWED_SINCE,
            DB_BINDS(bind_uuid(follower), bind_i64(after_version), bind_bool(without_muted), bind_i64((int64_t)limit)),
            n, edges);
}
