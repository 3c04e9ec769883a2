/* Reads and writes the table push_subscriptions. */
#include "services/notification/store.h"

/* A subscription belongs to the session that last registered it, and is dated from when its member got it. */
DB_STATEMENT(
    SUBSCRIBE, "notification_service", &notification_rows__subscription__message,
    "with given as (select sha256(convert_to(case $8 when '' then $4 else $8 || ' ' || $4 end, 'UTF8')) as hash)"
    " insert into push_subscriptions as s (id, user_id, session_id, endpoint, endpoint_hash, p256dh, auth,"
    " provider) select $1, $2, $3, $4, g.hash, $5, $6, $8 from given g where (select count(*) from"
    " push_subscriptions o where o.user_id = $2 and o.endpoint_hash <> g.hash) < $7"
    " on conflict (endpoint_hash) do update set user_id = excluded.user_id, session_id = excluded.session_id,"
    " p256dh = excluded.p256dh, auth = excluded.auth, created_at = case when s.user_id = excluded.user_id"
    " then s.created_at else now() end returning id, user_id, endpoint, created_at, provider");

sn_status store_subscribe(struct db_tx *tx, const NotificationRows__Subscription *s, const char *session_id,
                          int64_t most, NotificationRows__Subscription *out, bool *done)
{
        return db_one(tx, &SUBSCRIBE,
                      DB_BINDS(bind_uuid(s->id), bind_uuid(s->user_id), bind_uuid(session_id), bind_text(s->endpoint),
                               bind_text(s->p256dh), bind_text(s->auth), bind_i64(most), bind_text(s->provider)),
                      &out->base, done);
}

DB_STATEMENT(SELECT_SUBSCRIPTIONS, "notification_service", &notification_rows__subscription__message,
             "select id, user_id, endpoint, p256dh, auth, created_at, provider from push_subscriptions where user_id ="
             " any($1) and (provider <> '') = $2 order by user_id, id");

sn_status store_subscriptions(struct db_tx *tx, char **user_ids, size_t n_users, bool devices, size_t *n,
                              NotificationRows__Subscription ***rows)
{
        return db_list(tx, &SELECT_SUBSCRIPTIONS, DB_BINDS(bind_uuids(user_ids, n_users), bind_bool(devices)), n, rows);
}

DB_STATEMENT(UNSUBSCRIBE, "notification_service", NULL,
             "delete from push_subscriptions where id = $1 and user_id = $2");

sn_status store_unsubscribe(struct db_tx *tx, const char *id, const char *user_id, int64_t *n)
{
        return db_exec(tx, &UNSUBSCRIBE, DB_BINDS(bind_uuid(id), bind_uuid(user_id)), n);
}

DB_STATEMENT(END_SUBSCRIPTIONS, "notification_service", NULL,
             "delete from push_subscriptions where session_id = any($1)");

sn_status store_end_subscriptions(struct db_tx *tx, char **session_ids, size_t n)
{
        return db_exec(tx, &END_SUBSCRIPTIONS, DB_BINDS(bind_uuids(session_ids, n)), NULL);
}
