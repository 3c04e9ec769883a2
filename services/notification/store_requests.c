/* Accepts and dismisses notifications held by a filter. */
#include "services/notification/store.h"

#define REQUESTS                                                                                                       \
        "select id from notifications where user_id = $1 and box = 2 and (cardinality($2::uuid[]) = 0 or id = "        \
        "any($2))"                                                                                                     \
        " order by latest_at limit $3 for update"

/* Closes them for further actors, since the list may already have a notification of their group. */
DB_STATEMENT(ACCEPT_REQUESTS, "notification_service", NULL,
             "update notifications set box = 1, open = false where id in (" REQUESTS ")");

sn_status store_accept_requests(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t limit,
                                int64_t *changed)
{
        return db_exec(tx, &ACCEPT_REQUESTS, DB_BINDS(bind_uuid(user_id), bind_uuids(ids, n), bind_i64(limit)),
                       changed);
}

DB_STATEMENT(DISMISS_REQUESTS, "notification_service", NULL, "delete from notifications where id in (" REQUESTS ")");

sn_status store_dismiss_requests(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t limit,
                                 int64_t *changed)
{
        return db_exec(tx, &DISMISS_REQUESTS, DB_BINDS(bind_uuid(user_id), bind_uuids(ids, n), bind_i64(limit)),
                       changed);
}
