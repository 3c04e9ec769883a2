/* Reads and writes the tables phone_numbers and phone_codes. */
#include "services/notification/store.h"

DB_STATEMENT(SELECT_PHONE, "notification_service", &notification_rows__phone__message,
             "select number, verified_at from phone_numbers where user_id = $1");

sn_status store_phone(struct db_tx *tx, const char *user_id, NotificationRows__Phone *out, bool *found)
{
        return db_one(tx, &SELECT_PHONE, DB_BINDS(bind_uuid(user_id)), &out->base, found);
}

DB_STATEMENT(SELECT_VERIFIED_PHONES, "notification_service", &notification_rows__subscription__message,
             "select user_id as id, user_id, number as endpoint from phone_numbers where user_id = any($1)"
             " and verified_at is not null");

sn_status store_verified_phones(struct db_tx *tx, char **user_ids, size_t n_users, size_t *n,
                                NotificationRows__Subscription ***rows)
{
        return db_list(tx, &SELECT_VERIFIED_PHONES, DB_BINDS(bind_uuids(user_ids, n_users)), n, rows);
}

DB_STATEMENT(SET_PHONE, "notification_service", NULL,
             "insert into phone_numbers as p (user_id, number) values ($1, $2) on conflict (user_id) do update"
             " set number = excluded.number,"
             " verified_at = case when p.number = excluded.number then p.verified_at end");

sn_status store_set_phone(struct db_tx *tx, const char *user_id, const char *number)
{
        return db_exec(tx, &SET_PHONE, DB_BINDS(bind_uuid(user_id), bind_text(number)), NULL);
}

DB_STATEMENT(VERIFY_PHONE, "notification_service", NULL,
             "with used as (delete from phone_codes where user_id = $1)"
             " update phone_numbers set verified_at = now() where user_id = $1 and number = $2");

sn_status store_verify_phone(struct db_tx *tx, const char *user_id, const char *number)
{
        return db_exec(tx, &VERIFY_PHONE, DB_BINDS(bind_uuid(user_id), bind_text(number)), NULL);
}

DB_STATEMENT(FORGET_PHONE, "notification_service", NULL,
             "delete from phone_numbers where user_id = $1 and ($2::text is null or number = $2)");

sn_status store_forget_phone(struct db_tx *tx, const char *user_id, const char *number)
{
        return db_exec(tx, &FORGET_PHONE, DB_BINDS(bind_uuid(user_id), bind_text(number)), NULL);
}

DB_STATEMENT(COUNT_CODES, "notification_service", &notification_rows__code_counts__message,
             "select (select count(*) from phone_codes where user_id = $1 and created_at > now() - interval '1 day') as"
             " of_member, (select count(*) from phone_codes where recipient = $2 and created_at > now() - interval"
             " '1 day') as of_number, coalesce((select extract(epoch from min(created_at) + interval '1 day' - now())"
             " from phone_codes where (user_id = $1 or recipient = $2) and created_at > now() - interval '1 day'),"
             " 0)::bigint as wait_s");

sn_status store_count_codes(struct db_tx *tx, const char *user_id, const uint8_t key[PHONE_KEY_BYTES],
                            NotificationRows__CodeCounts *out)
{
        bool found = false;

        return db_one(tx, &COUNT_CODES, DB_BINDS(bind_uuid(user_id), bind_bytes(key, PHONE_KEY_BYTES)), &out->base,
                      &found);
}

DB_STATEMENT(ADD_CODE, "notification_service", NULL,
             "insert into phone_codes (id, user_id, recipient) values ($1, $2, $3)");

sn_status store_add_code(struct db_tx *tx, const char *id, const char *user_id, const uint8_t key[PHONE_KEY_BYTES])
{
        return db_exec(tx, &ADD_CODE, DB_BINDS(bind_uuid(id), bind_uuid(user_id), bind_bytes(key, PHONE_KEY_BYTES)),
                       NULL);
}

DB_STATEMENT(TRY_PHONE_CODE, "notification_service", &notification_rows__phone_code__message,
             "with newest as (select id from phone_codes where user_id = $1 order by id desc limit 1)"
             " update phone_codes c set tries = tries + 1 from newest n, phone_numbers p where c.id = n.id"
             " and p.user_id = $1 and c.tries < 5 and c.created_at > now() - interval '10 minutes'"
             " returning c.id, c.user_id, p.number");

sn_status store_try_phone_code(struct db_tx *tx, const char *user_id, NotificationRows__PhoneCode *out, bool *found)
{
        return db_one(tx, &TRY_PHONE_CODE, DB_BINDS(bind_uuid(user_id)), &out->base, found);
}

DB_STATEMENT(CLAIM_CODES, "notification_service", &notification_rows__phone_code__message,
             "with due as (select id from phone_codes where due_at <= now() order by due_at limit $1"
             " for update skip locked), taken as (update phone_codes c set attempts = attempts + 1,"
             " due_at = now() + $2 * interval '1 millisecond' from due where c.id = due.id"
             " returning c.id, c.user_id, c.attempts, c.created_at)"
             " select t.id, t.user_id, coalesce(p.number, '') as number, t.attempts, greatest(0, extract(epoch from"
             " t.created_at + interval '10 minutes' - now()))::bigint as left_s from taken t"
             " left join phone_numbers p on p.user_id = t.user_id");

sn_status store_claim_codes(struct db_tx *tx, int64_t limit, int64_t lease_ms, size_t *n,
                            NotificationRows__PhoneCode ***rows)
{
        return db_list(tx, &CLAIM_CODES, DB_BINDS(bind_i64(limit), bind_i64(lease_ms)), n, rows);
}

DB_STATEMENT(SETTLE_CODE, "notification_service", NULL,
             "update phone_codes set due_at = case when $2::timestamptz > 'epoch' then $2 end where id = $1");

sn_status store_settle_code(struct db_tx *tx, const char *id, int64_t due_ms)
{
        return db_exec(tx, &SETTLE_CODE, DB_BINDS(bind_uuid(id), bind_time_ms(due_ms)), NULL);
}

DB_STATEMENT(POSTPONE_CODE, "notification_service", NULL,
             "update phone_codes set due_at = $2, attempts = attempts - 1 where id = $1");

sn_status store_postpone_code(struct db_tx *tx, const char *id, int64_t due_ms)
{
        return db_exec(tx, &POSTPONE_CODE, DB_BINDS(bind_uuid(id), bind_time_ms(due_ms)), NULL);
}

DB_STATEMENT(PRUNE_CODES, "notification_service", NULL,
             "delete from phone_codes where id = any(array(select id from phone_codes where created_at < now()"
             " - interval '1 day' order by created_at limit $1 for update skip locked))");

sn_status store_prune_codes(struct db_tx *tx, int64_t limit, int64_t *n)
{
        return db_exec(tx, &PRUNE_CODES, DB_BINDS(bind_i64(limit)), n);
}
