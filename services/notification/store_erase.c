/* Deletes data of erased members, and old data. */
#include "services/notification/store.h"

DB_STATEMENT(
    ERASE_TOLD, "notification_service", NULL,
    "with gone as ((select id from notifications where user_id = $1 and archived_at is null and box = 1 limit $2)"
    " union all (select id from notifications where user_id = $1 and archived_at is not null and box = 1 limit $2)"
    " union all (select id from notifications where user_id = $1 and box = 2 limit $2)"
    " union all (select id from notifications where user_id = $1 and box = 3 limit $2))"
    " delete from notifications n using gone where n.id = gone.id");

sn_status store_erase_told(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n)
{
        return db_exec(tx, &ERASE_TOLD, DB_BINDS(bind_uuid(user_id), bind_i64(limit)), n);
}

/* Notifications without actors are not shown, and are deleted when they are old enough. */
DB_STATEMENT(ERASE_ACTOR, "notification_service", NULL,
             "with gone as (select notification_id from notification_actors where actor_id = $1 limit $2),"
             " alone as (update notifications n set sole_actor_id = null"
             " where n.id = any(array(select notification_id from gone)) and n.sole_actor_id = $1)"
             " delete from notification_actors a where a.actor_id = $1"
             " and a.notification_id = any(array(select notification_id from gone))");

sn_status store_erase_actor(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n)
{
        return db_exec(tx, &ERASE_ACTOR, DB_BINDS(bind_uuid(user_id), bind_i64(limit)), n);
}

/* At most a thousand watched members and as many muted conversations. */
DB_STATEMENT(
    ERASE_CHOICES, "notification_service", NULL,
    "with p as (delete from notification_preferences where user_id = $1),"
    " t as (delete from muted_threads where user_id = $1), w as (delete from watched_members where user_id = $1),"
    " s as (delete from push_subscriptions where user_id = $1),"
    " b as (delete from notification_budgets where user_id = $1),"
    " n as (delete from phone_numbers where user_id = $1), c as (delete from phone_codes where user_id = $1),"
    " m as (delete from mail_suppressions where user_id = $1)"
    " delete from notification_choices where user_id = $1");

sn_status store_erase_choices(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &ERASE_CHOICES, DB_BINDS(bind_uuid(user_id)), NULL);
}

DB_STATEMENT(ERASE_WATCHERS, "notification_service", NULL,
             "delete from watched_members w where w.author_id = $1 and w.user_id = any(array(select user_id"
             " from watched_members where author_id = $1 limit $2))");

sn_status store_erase_watchers(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n)
{
        return db_exec(tx, &ERASE_WATCHERS, DB_BINDS(bind_uuid(user_id), bind_i64(limit)), n);
}

DB_STATEMENT(ERASE_LOGS, "notification_service", NULL,
             "delete from notification_delivery_logs l where l.id = any(array(select id"
             " from notification_delivery_logs where user_id = $1 limit $2))");

sn_status store_erase_logs(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n)
{
        return db_exec(tx, &ERASE_LOGS, DB_BINDS(bind_uuid(user_id), bind_i64(limit)), n);
}

DB_STATEMENT(PRUNE, "notification_service", NULL,
             "delete from notifications where id = any(array(select id from notifications"
             " where latest_at < now() - $1 * interval '1 day' order by latest_at limit $2 for update skip locked))");

sn_status store_prune(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n)
{
        return db_exec(tx, &PRUNE, DB_BINDS(bind_i64(days), bind_i64(limit)), n);
}
