/* Reads and writes notification_aggregation_rules, and reads past events for dry runs. */
#include "services/notification/store.h"

DB_STATEMENT(SELECT_AGGREGATION, "notification_service", &notification_rows__aggregation__message,
             "select type, window_s, fold_by, least, languages, texts, updated_at from notification_aggregation_rules");

sn_status store_aggregation(struct db_tx *tx, size_t *n, NotificationRows__Aggregation ***rows)
{
        return db_list(tx, &SELECT_AGGREGATION, DB_NO_BINDS, n, rows);
}

DB_STATEMENT(SET_AGGREGATION, "notification_service", NULL,
             "insert into notification_aggregation_rules (type, window_s, fold_by, least, languages, texts)"
             " values ($1, $2, $3, $4, $5::text[], $6::text[]) on conflict (type) do update set"
             " window_s = excluded.window_s, fold_by = excluded.fold_by, least = excluded.least,"
             " languages = excluded.languages, texts = excluded.texts");

sn_status store_set_aggregation(struct db_tx *tx, const NotificationRows__Aggregation *rule)
{
        return db_exec(tx, &SET_AGGREGATION,
                       DB_BINDS(bind_text(rule->type), bind_i64(rule->window_s), bind_i64(rule->fold_by),
                                bind_i64(rule->least), bind_texts(rule->languages, rule->n_languages),
                                bind_texts(rule->texts, rule->n_texts)),
                       NULL);
}

DB_STATEMENT(DELETE_AGGREGATION, "notification_service", NULL,
             "delete from notification_aggregation_rules where type = $1");

sn_status store_delete_aggregation(struct db_tx *tx, const char *type, int64_t *n)
{
        return db_exec(tx, &DELETE_AGGREGATION, DB_BINDS(bind_text(type)), n);
}

/* The group key of ungrouped notifications ends with the actor; the object is the part before it. */
DB_STATEMENT(SELECT_HAPPENED, "notification_service", &notification_rows__happened__message,
             "with newest as (select n.user_id, n.group_key, a.actor_id, a.created_at from (select id, user_id,"
             " group_key from notifications where type = $1 and latest_at >= $2 order by latest_at desc limit $4) n,"
             " lateral (select d.actor_id, d.created_at from notification_actors d where d.notification_id = n.id"
             " and d.created_at >= $2 and d.created_at < $3 order by d.created_at limit $5) a"
             " order by a.created_at desc limit $4)"
             " select dense_rank() over (order by user_id) as user_n, dense_rank() over (order by user_id,"
             " case when right(group_key, 37) = ':' || actor_id then left(group_key, -37) else group_key end)"
             " as object_n, dense_rank() over (order by actor_id) as actor_n, created_at as at_ms"
             " from newest order by user_n, object_n, created_at, actor_n");

sn_status store_happened(struct db_tx *tx, const char *type, int64_t from_ms, int64_t until_ms, int64_t limit,
                         size_t *n, NotificationRows__Happened ***rows)
{
        return db_list(tx, &SELECT_HAPPENED,
                       DB_BINDS(bind_text(type), bind_time_ms(from_ms), bind_time_ms(until_ms), bind_i64(limit),
                                bind_i64(GROUP_FULL)),
                       n, rows);
}
