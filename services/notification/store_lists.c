/* Reads the tables notifications and notification_actors. */
#include "services/notification/store.h"

/* Of what is snoozed latest_at is when it comes back. */
#define PLACES(condition)                                                                                              \
        "select id, latest_at as at_ms from notifications where user_id = $1 and " condition                           \
        " and (cardinality($2::text[]) = 0 or type = any($2)) and (latest_at, id) < ($3, $4)"                          \
        " and latest_at <= $6 order by latest_at desc, id desc limit $5"

DB_STATEMENT(SELECT_PLACES, "notification_service", &notification_rows__place__message,
             PLACES("archived_at is null and box = 1"));
DB_STATEMENT(SELECT_UNREAD_PLACES, "notification_service", &notification_rows__place__message,
             PLACES("read_at is null and archived_at is null and box = 1"));
DB_STATEMENT(SELECT_ARCHIVED_PLACES, "notification_service", &notification_rows__place__message,
             PLACES("archived_at is not null and box = 1"));
DB_STATEMENT(SELECT_REQUEST_PLACES, "notification_service", &notification_rows__place__message, PLACES("box = 2"));

sn_status store_places(struct db_tx *tx, const struct list_filter *filter, const struct page_scan *scan, size_t *n,
                       NotificationRows__Place ***rows)
{
        const struct db_statement *s = filter->requests   ? &SELECT_REQUEST_PLACES
                                       : filter->archived ? &SELECT_ARCHIVED_PLACES
                                       : filter->unread   ? &SELECT_UNREAD_PLACES
                                                          : &SELECT_PLACES;

        return db_list(tx, s,
                       DB_BINDS(bind_uuid(filter->user_id), bind_texts(filter->types, filter->n_types),
                                bind_time_ms(page_beyond_ms(scan)), bind_uuid(page_beyond_id(scan)),
                                bind_i64((int64_t)scan->limit), bind_time_ms(db_call(tx)->now_ms)),
                       n, rows);
}

DB_STATEMENT(
    SELECT_NOTIFICATIONS, "notification_service", &notification_rows__stored__message,
    "select n.id as \"notification.id\", n.type as \"notification.type\","
    " n.group_key as \"notification.group_key\", n.latest_at as \"notification.latest_at\","
    " n.created_at as \"notification.created_at\", n.seen_at as \"notification.seen_at\","
    " n.read_at as \"notification.read_at\", n.archived_at as \"notification.archived_at\", n.note_id, n.chat_id,"
    " n.box, n.rule as \"notification.why.rule\", n.filter as \"notification.why.filter\","
    " array(select a.actor_id from notification_actors a where a.notification_id = n.id"
    " order by a.created_at desc, a.actor_id desc limit $4) as actor_ids"
    " from unnest($2::uuid[]) with ordinality as asked (id, place) join notifications n on n.id = asked.id"
    " where n.user_id = $1 and (n.box < 3 or $5) and n.latest_at <= $3 order by asked.place");

sn_status store_notifications(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t actors_max,
                              bool unlisted, size_t *n_rows, NotificationRows__Stored ***rows)
{
        return db_list(tx, &SELECT_NOTIFICATIONS,
                       DB_BINDS(bind_uuid(user_id), bind_uuids(ids, n), bind_time_ms(db_call(tx)->now_ms),
                                bind_i64(actors_max), bind_bool(unlisted)),
                       n_rows, rows);
}

DB_STATEMENT(SELECT_ACTORS, "notification_service", &notification_rows__place__message,
             "select actor_id as id, created_at as at_ms from notification_actors where notification_id = $1"
             " and (created_at, actor_id) < ($2, $3) order by created_at desc, actor_id desc limit $4");

sn_status store_actors(struct db_tx *tx, const char *notification_id, const struct page_scan *scan, size_t *n,
                       NotificationRows__Place ***rows)
{
        return db_list(tx, &SELECT_ACTORS,
                       DB_BINDS(bind_uuid(notification_id), bind_time_ms(page_beyond_ms(scan)),
                                bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)),
                       n, rows);
}
