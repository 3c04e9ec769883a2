/* Reads the tables notifications and notification_actors. */
#include "services/notification/store.h"

/* $1: the most actors per notification, newest first. */
#define STORED                                                                                                         \
        "select n.id as \"notification.id\", n.type as \"notification.type\", n.group_key as"                          \
        " \"notification.group_key\", n.latest_at as \"notification.latest_at\", n.created_at as"                      \
        " \"notification.created_at\", n.seen_at as \"notification.seen_at\", n.read_at as \"notification.read_at\","  \
        " n.archived_at as \"notification.archived_at\", n.note_id, n.chat_id, n.box, n.rule as"                       \
        " \"notification.why.rule\", n.filter as \"notification.why.filter\", n.latest_at as at_ms,"                   \
        " case when n.sole_actor_id is null then array(select a.actor_id from notification_actors a"                   \
        " where a.notification_id = n.id order by a.created_at desc, a.actor_id desc limit $1)"                        \
        " else array[n.sole_actor_id] end as actor_ids"

/* Of what is snoozed latest_at is when it comes back. Most readers have nothing that waits on other channels: one look
 * says so for a whole page. */
#define LISTED(condition, is_due)                                                                                      \
        STORED ", (select exists (select from notification_queue w where w.user_id = $2 and w.hold > 0)) as may_wait"  \
               " from notifications n where n.user_id = $2 and " condition                                             \
               " and (cardinality($3::text[]) = 0 or n.type = any($3)) and (n.latest_at, n.id) < ($4,"                 \
               " $5) and n.latest_at " is_due " $7 order by n.latest_at desc, n.id desc limit $6"

DB_STATEMENT(SELECT_LISTED, "notification_service", &notification_rows__stored__message,
             LISTED("n.archived_at is null and n.box = 1", "<="));
DB_STATEMENT(SELECT_SNOOZED, "notification_service", &notification_rows__stored__message,
             LISTED("n.archived_at is null and n.box = 1", ">"));
DB_STATEMENT(SELECT_UNREAD, "notification_service", &notification_rows__stored__message,
             LISTED("n.read_at is null and n.archived_at is null and n.box = 1", "<="));
DB_STATEMENT(SELECT_ARCHIVED, "notification_service", &notification_rows__stored__message,
             LISTED("n.archived_at is not null and n.box = 1", "<="));
DB_STATEMENT(SELECT_REQUESTS, "notification_service", &notification_rows__stored__message, LISTED("n.box = 2", "<="));

sn_status store_listed(struct db_tx *tx, const struct list_filter *filter, const struct page_scan *scan,
                       int64_t actors_max, size_t *n, NotificationRows__Stored ***rows)
{
        const struct db_statement *s = filter->requests   ? &SELECT_REQUESTS
                                       : filter->archived ? &SELECT_ARCHIVED
                                       : filter->snoozed  ? &SELECT_SNOOZED
                                       : filter->unread   ? &SELECT_UNREAD
                                                          : &SELECT_LISTED;

        return db_list(tx, s,
                       DB_BINDS(bind_i64(actors_max), bind_uuid(filter->user_id),
                                bind_texts(filter->types, filter->n_types), bind_time_ms(page_beyond_ms(scan)),
                                bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit),
                                bind_time_ms(db_call(tx)->now_ms)),
                       n, rows);
}

DB_STATEMENT(SELECT_NOTIFICATIONS, "notification_service", &notification_rows__stored__message,
             STORED
             ", not $5 and exists (select from notification_queue w where w.notification_id = n.id and w.hold > 0) as"
             " may_wait from unnest($2::uuid[], $3::uuid[]) with ordinality as asked (user_id, id, place)"
             " join notifications n on n.id = asked.id and n.user_id = asked.user_id"
             " where (n.box < 3 or $5) and n.latest_at <= $4 order by asked.place");

sn_status store_notifications(struct db_tx *tx, char **user_ids, char **ids, size_t n, int64_t actors_max,
                              bool unlisted, size_t *n_rows, NotificationRows__Stored ***rows)
{
        return db_list(tx, &SELECT_NOTIFICATIONS,
                       DB_BINDS(bind_i64(actors_max), bind_uuids(user_ids, n), bind_uuids(ids, n),
                                bind_time_ms(db_call(tx)->now_ms), bind_bool(unlisted)),
                       n_rows, rows);
}

/* Of what was read nothing will be sent. The newest deliveries of a notification are one for each channel, and one for
 * each browser that put it off. */
DB_STATEMENT(SELECT_HELD, "notification_service", &notification_rows__held__message,
             "select n.id, q.channel, q.hold, q.due_at as until from unnest($1::uuid[]) as n (id)"
             " cross join lateral (select w.channel, w.hold, w.due_at, w.target_id from notification_queue w"
             " where w.notification_id = n.id and w.hold > 0 and w.attempts = 0"
             " order by w.channel, w.target_id limit 10) q");

sn_status store_held(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NotificationRows__Held ***rows)
{
        return db_list(tx, &SELECT_HELD, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
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
