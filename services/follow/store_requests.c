/* Owns the SQL for follow requests, and for accounts becoming public, which accepts them. */
#include "services/follow/store.h"

sn_status store_lock_requests(struct db_tx *tx, const char *target)
{
        return db_lock_one(tx, "follow_requests", target);
}

DB_STATEMENT(SELECT_OPENING, "follow_service", NULL, "select version from account_openings where user_id = $1");

sn_status store_opening(struct db_tx *tx, const char *user_id, int64_t *version)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_OPENING, DB_BINDS(bind_uuid(user_id)), &rows));
        *version = db_rows_count(rows) > 0 ? db_i64(rows, 0, "version") : 0;
        return SN_OK;
}

DB_STATEMENT(NOTE_OPENING, "follow_service", NULL,
             "insert into account_openings as o (user_id, version) values ($1, $2)"
             " on conflict (user_id) do update set version = greatest(o.version, excluded.version)");

sn_status store_note_opening(struct db_tx *tx, const char *user_id, int64_t version)
{
        return db_exec(tx, &NOTE_OPENING, DB_BINDS(bind_uuid(user_id), bind_i64(version)), NULL);
}

DB_STATEMENT(INSERT_REQUEST, "follow_service", NULL,
             "insert into follow_requests (requester_id, target_id, privacy_version, created_at)"
             " values ($1, $2, $3, $4) on conflict do nothing");

/* The list is sorted by this time: drawn like an ID, within the call that commits it. */
sn_status store_insert_request(struct db_tx *tx, const char *requester, const char *target, int64_t privacy_version,
                               bool *inserted)
{
        int64_t at_ms = uuid_time_ms(uuid_new_in(db_arena(tx))), affected = 0;

        TRY(db_exec(tx, &INSERT_REQUEST,
                    DB_BINDS(bind_uuid(requester), bind_uuid(target), bind_i64(privacy_version), bind_time_ms(at_ms)),
                    &affected));
        *inserted = affected > 0;
        return SN_OK;
}

DB_STATEMENT(DELETE_REQUEST, "follow_service", NULL,
             "delete from follow_requests where requester_id = $1 and target_id = $2");

sn_status store_delete_request(struct db_tx *tx, const char *requester, const char *target, bool *deleted)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &DELETE_REQUEST, DB_BINDS(bind_uuid(requester), bind_uuid(target)), &affected));
        *deleted = affected > 0;
        return SN_OK;
}

#define REQUESTS(comparison, direction)                                                                                \
        "select requester_id as user_id, created_at as created_at_ms from follow_requests where target_id = $1"        \
        " and (created_at, requester_id) " comparison " ($2, $3) order by created_at " direction                       \
        ", requester_id " direction " limit $4"

DB_STATEMENT(SELECT_REQUESTS, "follow_service", &follow_rows__edge__message, REQUESTS("<", "desc"));
DB_STATEMENT(SELECT_REQUESTS_AFTER, "follow_service", &follow_rows__edge__message, REQUESTS(">", "asc"));

sn_status store_requests(struct db_tx *tx, const char *target, const struct page_scan *scan, size_t *n,
                         FollowRows__Edge ***requests)
{
        return db_list(tx, scan->newer ? &SELECT_REQUESTS_AFTER : &SELECT_REQUESTS,
                       DB_BINDS(bind_uuid(target), bind_time_ms(page_beyond_ms(scan)), bind_uuid(page_beyond_id(scan)),
                                bind_i64((int64_t)scan->limit)),
                       n, requests);
}

DB_STATEMENT(SELECT_REQUEST, "follow_service", &follow_rows__edge__message,
             "select requester_id as user_id, created_at as created_at_ms from follow_requests"
             " where target_id = $1 and requester_id = $2");

sn_status store_request(struct db_tx *tx, const char *target, const char *requester, FollowRows__Edge *request,
                        bool *found)
{
        return db_one(tx, &SELECT_REQUEST, DB_BINDS(bind_uuid(target), bind_uuid(requester)), &request->base, found);
}

DB_STATEMENT(SELECT_REQUESTS_BEFORE, "follow_service", &follow_rows__edge__message,
             "select requester_id as user_id, created_at as created_at_ms from follow_requests"
             " where target_id = $1 and privacy_version < $2 order by created_at, requester_id limit $3");

sn_status store_requests_before(struct db_tx *tx, const char *target, int64_t privacy_version, size_t limit, size_t *n,
                                FollowRows__Edge ***requests)
{
        return db_list(tx, &SELECT_REQUESTS_BEFORE,
                       DB_BINDS(bind_uuid(target), bind_i64(privacy_version), bind_i64((int64_t)limit)), n, requests);
}
