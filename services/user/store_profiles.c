/* Owns the SQL on what members say of themselves, and on their former usernames. */
#include "services/user/store_profiles.h"

#include "services/cleanup.h"
#include "services/user/store.h"

DB_STATEMENT(
    SELECT_PROFILE, "user_service", &user_rows__profile_row__message,
    "select location, website, pronouns, to_char(birthday, 'YYYY-MM-DD') as birthday, field_names, field_values"
    " from user_profiles where user_id = $1");

static void take_fields(struct arena *arena, const UserRows__ProfileRow *row, UserProfiles__Profile *out)
{
        out->n_fields = row->n_field_names < row->n_field_values ? row->n_field_names : row->n_field_values;
        out->fields = ARENA_ARRAY(arena, UserProfiles__ProfileField *, out->n_fields);
        for (size_t i = 0; i < out->n_fields; i++) {
                out->fields[i] = ARENA_NEW(arena, UserProfiles__ProfileField);
                user_profiles__profile_field__init(out->fields[i]);
                out->fields[i]->name = row->field_names[i];
                out->fields[i]->value = row->field_values[i];
        }
}

sn_status store_profile(struct db_tx *tx, const char *user_id, UserProfiles__Profile *out)
{
        UserRows__ProfileRow row = USER_ROWS__PROFILE_ROW__INIT;
        bool found = false;

        TRY(db_one(tx, &SELECT_PROFILE, DB_BINDS(bind_uuid(user_id)), &row.base, &found));
        out->location = row.location;
        out->website = row.website;
        out->pronouns = row.pronouns;
        out->birthday = row.birthday;
        take_fields(db_arena(tx), &row, out);
        return SN_OK;
}

DB_STATEMENT(
    PUT_PROFILE, "user_service", NULL,
    "insert into user_profiles as p (user_id, location, website, pronouns, birthday, field_names, field_values)"
    " values ($1, $2, $3, $4, nullif($5, '')::date, $6, $7) on conflict (user_id) do update"
    " set location = excluded.location, website = excluded.website, pronouns = excluded.pronouns,"
    " birthday = excluded.birthday, field_names = excluded.field_names, field_values = excluded.field_values");

sn_status store_put_profile(struct db_tx *tx, const char *user_id, const UserProfiles__Profile *profile)
{
        char **names = ARENA_ARRAY(db_arena(tx), char *, profile->n_fields);
        char **values = ARENA_ARRAY(db_arena(tx), char *, profile->n_fields);

        for (size_t i = 0; i < profile->n_fields; i++) {
                names[i] = profile->fields[i]->name;
                values[i] = profile->fields[i]->value;
        }
        return db_exec(tx, &PUT_PROFILE,
                       DB_BINDS(bind_uuid(user_id), bind_text(profile->location), bind_text(profile->website),
                                bind_text(profile->pronouns), bind_text(profile->birthday),
                                bind_texts(names, profile->n_fields), bind_texts(values, profile->n_fields)),
                       NULL);
}

DB_STATEMENT(LOCK_USERNAME, "user_service", NULL,
             "select username_key, coalesce(extract(day from now() - username_changed_at)::bigint, -1) as days"
             " from users where id = $1 for update");

sn_status store_username_age(struct db_tx *tx, const char *user_id, int64_t *days, const char **key)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &LOCK_USERNAME, DB_BINDS(bind_uuid(user_id)), &rows));
        *days = db_rows_count(rows) > 0 ? db_i64(rows, 0, "days") : -1;
        *key = db_rows_count(rows) > 0 ? db_text(rows, 0, "username_key") : "";
        return SN_OK;
}

DB_STATEMENT(KEEP_USERNAME, "user_service", NULL,
             "insert into former_usernames (username_key, user_id, kept_until)"
             " select username_key, id, now() + interval '90 days' from users where id = $1 and username_key <> $2"
             " on conflict (username_key) do update set user_id = excluded.user_id, kept_until = excluded.kept_until");
DB_STATEMENT(DROP_FORMER_USERNAME, "user_service", NULL, "delete from former_usernames where username_key = $1");
DB_STATEMENT(SET_USERNAME, "user_service", NULL,
             "update users set username = $2, username_key = $3, username_changed_at = now() where id = $1");

sn_status store_change_username(struct db_tx *tx, const char *user_id, const char *username, const char *key)
{
        TRY(db_exec(tx, &KEEP_USERNAME, DB_BINDS(bind_uuid(user_id), bind_text(key)), NULL));
        TRY(db_exec(tx, &DROP_FORMER_USERNAME, DB_BINDS(bind_text(key)), NULL));
        sn_status status =
            db_exec(tx, &SET_USERNAME, DB_BINDS(bind_uuid(user_id), bind_text(username), bind_text(key)), NULL);

        return status == SN_ALREADY_EXISTS ? store_username_taken(db_call(tx)) : status;
}

DB_STATEMENT(CLEANUP_USERNAMES, "user_service", NULL,
             "with old as (select username_key from former_usernames where kept_until < now() order by kept_until"
             " limit $1 for update skip locked), gone as (delete from former_usernames f using old"
             " where f.username_key = old.username_key returning 1) select count(*) as most from gone");

sn_status store_cleanup_usernames(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_USERNAMES, more);
}
