/* Reads and writes the tables notification_preferences and notification_choices. */
#include "services/notification/store.h"

DB_STATEMENT(SELECT_PREFERENCES, "notification_service", &notification_rows__preference__message,
             "select user_id, type, in_app, push, email, sms from notification_preferences where user_id = any($1)");

sn_status store_preferences(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                            NotificationRows__Preference ***rows)
{
        return db_list(tx, &SELECT_PREFERENCES, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}

DB_STATEMENT(SELECT_CHOICES, "notification_service", &notification_rows__choices__message,
             "select user_id, not_followed, not_following, new_account, private_mention, digest_hour, time_zone,"
             " quiet_days, quiet_from, quiet_until, loud, show_content, daily_budget from notification_choices where "
             "user_id = any($1)");

sn_status store_choices(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NotificationRows__Choices ***rows)
{
        return db_list(tx, &SELECT_CHOICES, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}

DB_STATEMENT(DELETE_PREFERENCES, "notification_service", NULL,
             "delete from notification_preferences where user_id = $1");
DB_STATEMENT(INSERT_PREFERENCES, "notification_service", NULL,
             "insert into notification_preferences (user_id, type, in_app, push, email, sms)"
             " select $1, p.type, p.in_app, p.push, p.email, p.sms from unnest($2::text[], $3::bigint[], $4::bigint[],"
             " $5::bigint[], $6::bigint[]) as p (type, in_app, push, email, sms)");

sn_status store_replace_preferences(struct db_tx *tx, const char *user_id, const struct preference_columns *p)
{
        TRY(db_exec(tx, &DELETE_PREFERENCES, DB_BINDS(bind_uuid(user_id)), NULL));
        return db_exec(tx, &INSERT_PREFERENCES,
                       DB_BINDS(bind_uuid(user_id), bind_texts(p->types, p->n), bind_i64s(p->deliveries[0], p->n),
                                bind_i64s(p->deliveries[1], p->n), bind_i64s(p->deliveries[2], p->n),
                                bind_i64s(p->deliveries[3], p->n)),
                       NULL);
}

DB_STATEMENT(MAIL_BY_SETTING, "notification_service", NULL,
             "update notification_preferences set email = $2 where user_id = $1 and email > $3");

sn_status store_mail_by_setting(struct db_tx *tx, const char *user_id)
{
        TRY(db_lock_one(tx, "preferences", user_id));
        return db_exec(tx, &MAIL_BY_SETTING,
                       DB_BINDS(bind_uuid(user_id), bind_i64(DELIVERY_DEFAULT), bind_i64(DELIVERY_OFF)), NULL);
}

DB_STATEMENT(SET_FILTERS, "notification_service", NULL,
             "insert into notification_choices (user_id, not_followed, not_following, new_account, private_mention,"
             " digest_hour, show_content, daily_budget) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (user_id) "
             "do update set"
             " not_followed = $2, not_following = $3, new_account = $4, private_mention = $5, digest_hour = $6,"
             " show_content = $7, daily_budget = $8");

sn_status store_set_filters(struct db_tx *tx, const NotificationRows__Choices *choices)
{
        return db_exec(tx, &SET_FILTERS,
                       DB_BINDS(bind_uuid(choices->user_id), bind_i64(choices->not_followed),
                                bind_i64(choices->not_following), bind_i64(choices->new_account),
                                bind_i64(choices->private_mention), bind_i64(choices->digest_hour),
                                bind_bool(choices->show_content), bind_i64(choices->daily_budget)),
                       NULL);
}

DB_STATEMENT(SET_QUIET_HOURS, "notification_service", NULL,
             "insert into notification_choices (user_id, time_zone, quiet_days, quiet_from, quiet_until, loud)"
             " values ($1, $2, $3, $4, $5, $6) on conflict (user_id) do update set"
             " time_zone = $2, quiet_days = $3, quiet_from = $4, quiet_until = $5, loud = $6");

sn_status store_set_quiet_hours(struct db_tx *tx, const NotificationRows__Choices *choices)
{
        size_t n = choices->n_quiet_days;

        return db_exec(tx, &SET_QUIET_HOURS,
                       DB_BINDS(bind_uuid(choices->user_id), bind_text(choices->time_zone),
                                bind_i64s(choices->quiet_days, n), bind_i64s(choices->quiet_from, n),
                                bind_i64s(choices->quiet_until, n), bind_texts(choices->loud, choices->n_loud)),
                       NULL);
}
