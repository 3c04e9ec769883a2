/* Owns the SQL on members. */
#include "services/user/store.h"

#include "services/user/pictures.h"
#include "services/user/user_columns.h"

DB_STATEMENT(
    INSERT_USER, "user_service", NULL,
    "insert into users (id, username, username_key, email, email_key, password_hash, display_name, created_at,"
    " waiting_since, join_reason) values ($1, $2, $3, $4, $5, $6, $7, $8, case when $9 then $8::timestamptz end, $10)");

sn_status store_username_taken(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_ALREADY_EXISTS, "username_taken", "username", "is taken; choose another one");
}

sn_status store_insert_user(struct db_tx *tx, const struct new_user *user)
{
        struct rpc_call *c = db_call(tx);
        sn_status status =
            db_exec(tx, &INSERT_USER,
                    DB_BINDS(bind_uuid(user->id), bind_text(user->username), bind_text(user->username_key),
                             bind_text(user->email), bind_text(user->email_key), bind_text(user->password_hash),
                             bind_text(user->display_name), bind_time_ms(c->now_ms), bind_bool(user->waits),
                             bind_text(user->join_reason)),
                    NULL);

        return status == SN_ALREADY_EXISTS ? store_username_taken(c) : status;
}

sn_status store_lock_username(struct db_tx *tx, const char *username_key)
{
        return db_lock_one(tx, "username", username_key);
}

DB_STATEMENT(SELECT_TAKEN, "user_service", NULL,
             "select from users where username_key = $1 and id is distinct from $2 union all select from"
             " former_usernames where username_key = $1 and user_id is distinct from $2 and kept_until > now()");

sn_status store_check_username_free(struct db_tx *tx, const char *username_key, const char *user_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_TAKEN, DB_BINDS(bind_text(username_key), bind_uuid(user_id)), &rows));
        return db_rows_count(rows) == 0 ? SN_OK : store_username_taken(db_call(tx));
}

void store_complete_user(struct db_tx *tx, User__User *user)
{
        picture_address(db_arena(tx), &user->avatar_url);
        picture_address(db_arena(tx), &user->header_url);
}

static sn_status one_user(struct db_tx *tx, const struct db_statement *s, struct db_bind which, User__User *out)
{
        bool found = false;

        TRY(db_one(tx, s, &which, 1, &out->base, &found));
        store_complete_user(tx, out);
        return found ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no member with this id or username");
}

DB_STATEMENT(SELECT_OWN_USER, "user_service", &user__user__message,
             "select " USER_COLUMNS("") USER_TABLES " where u.id = $1");

sn_status store_user(struct db_tx *tx, const char *id, User__User *out)
{
        return one_user(tx, &SELECT_OWN_USER, bind_uuid(id), out);
}

DB_STATEMENT(SELECT_USER, "user_service", &user__user__message,
             "select " USER_COLUMNS("") USER_TABLES " where u.id = $1 and " USER_IS_SHOWN("u"));

sn_status store_shown_user(struct db_tx *tx, const char *id, User__User *out)
{
        return one_user(tx, &SELECT_USER, bind_uuid(id), out);
}

/* The member with the username, or else its former owner. */
#define NAMED(key)                                                                                                     \
        "coalesce((select id from users where username_key = " key                                                     \
        "), (select user_id from former_usernames where username_key = " key " and kept_until > now()))"

DB_STATEMENT(SELECT_USER_BY_NAME, "user_service", &user__user__message,
             "select " USER_COLUMNS("") USER_TABLES " where u.id = " NAMED("$1") " and " USER_IS_SHOWN("u"));

sn_status store_shown_user_by_name(struct db_tx *tx, const char *username_key, User__User *out)
{
        return one_user(tx, &SELECT_USER_BY_NAME, bind_text(username_key), out);
}

DB_STATEMENT(UPDATE_PROFILE, "user_service", NULL,
             "update users set display_name = coalesce(case $2 when '' then username else $2 end, display_name),"
             " bio = coalesce($3, bio) where id = $1");

sn_status store_update_profile(struct db_tx *tx, const char *id, const char *display_name, const char *bio)
{
        return db_exec(tx, &UPDATE_PROFILE, DB_BINDS(bind_uuid(id), bind_text(display_name), bind_text(bio)), NULL);
}

DB_STATEMENT(SET_NAMES, "user_service", NULL,
             "with wanted as (select key from (select unnest($2::text[]) as key union select username_key from users"
             " where id = $1) as k where exists (select from users where id = $1 and deactivated_at is null"
             " and waiting_since is null)"
             " and not exists (select from user_settings where user_id = $1"
             " and key = 'privacy.discoverable' and value = 'false')),"
             " gone as (delete from user_names where user_id = $1 and key not in (select key from wanted))"
             " insert into user_names (key, user_id) select key, $1 from wanted on conflict do nothing");

sn_status store_set_names(struct db_tx *tx, const char *user_id, char **keys, size_t n)
{
        return db_exec(tx, &SET_NAMES, DB_BINDS(bind_uuid(user_id), bind_texts(keys, n)), NULL);
}

/* No text with a given prefix sorts after that prefix followed by the last character. */
#define STARTS_WITH(key) key " >= $1 and " key " < $1 || U&'\\+10FFFF'"

DB_STATEMENT(SELECT_NAME_KEY, "user_service", NULL,
             "select key from user_names where user_id = $2 and " STARTS_WITH("key") " order by key limit 1");

sn_status store_name_key(struct db_tx *tx, const char *start, const char *user_id, char **key)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_NAME_KEY, DB_BINDS(bind_text(start), bind_uuid(user_id)), &rows));
        *key = arena_strdup(db_arena(tx), db_rows_count(rows) > 0 ? db_text(rows, 0, "key") : "");
        return SN_OK;
}

DB_STATEMENT(FIND_USERS, "user_service", &user_rows__found_user__message,
             "select f.key, " USER_COLUMNS(
                 "user.") " from (select n.key, n.user_id from user_names n"
                          " join users u on u.id = n.user_id and " USER_IS_SHOWN("u") " where " STARTS_WITH(
                              "n.key") " and (n.key, n.user_id) > ($2, $3) and not exists (select from user_names m"
                                       " where m.user_id = n.user_id and m.key >= $1 and m.key < n.key) order by "
                                       "n.key, n.user_id limit $4) f"
                                       " join users u on u.id = f.user_id left join user_stats s on s.user_id = u.id "
                                       "order by f.key, f.user_id");

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

sn_status store_find_users(struct db_tx *tx, const char *start, const struct name_position *after, size_t limit,
                           size_t *n, UserRows__FoundUser ***users)
{
        TRY(db_list(tx, &FIND_USERS,
                    DB_BINDS(bind_text(start), bind_text(after->key),
                             bind_uuid(after->user_id[0] != '\0' ? after->user_id : FIRST_ID),
                             bind_i64((int64_t)limit)),
                    n, users));
        for (size_t i = 0; i < *n; i++) {
                store_complete_user(tx, (*users)[i]->user);
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_AUTHORS, "user_service", &user__author__message,
             "select id, username, display_name, " USER_AVATAR("u") " as avatar_url, " USER_IS_PRIVATE(
                 "u") " as private from users u where id = any($1::uuid[]) and " USER_IS_SHOWN("u"));

static sn_status list_authors(struct db_tx *tx, const struct db_statement *s, struct db_bind which, size_t *n,
                              User__Author ***rows)
{
        TRY(db_list(tx, s, &which, 1, n, rows));
        for (size_t i = 0; i < *n; i++) {
                picture_address(db_arena(tx), &(*rows)[i]->avatar_url);
        }
        return SN_OK;
}

sn_status store_authors(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, User__Author ***rows)
{
        return list_authors(tx, &SELECT_AUTHORS, bind_uuids(ids, n), n_rows, rows);
}

DB_STATEMENT(SELECT_AUTHORS_BY_NAME, "user_service", &user__author__message,
             "select u.id, u.username, u.display_name, " USER_AVATAR("u") " as avatar_url, " USER_IS_PRIVATE(
                 "u") " as private from unnest($1::text[]) with ordinality as k (key, place)"
                      " join users u on u.id = " NAMED("k.key") " and " USER_IS_SHOWN("u") " order by k.place");

sn_status store_authors_by_name(struct db_tx *tx, char **keys, size_t n, size_t *n_rows, User__Author ***rows)
{
        return list_authors(tx, &SELECT_AUTHORS_BY_NAME, bind_texts(keys, n), n_rows, rows);
}

#define SETTING_IS_OFF(key)                                                                                            \
        "exists (select from user_settings where user_id = u.id and key = '" key "' and value = 'false')"

#define INDEXED_USERS                                                                                                  \
        "select u.id, u.username, u.display_name, not " SETTING_IS_OFF(                                                \
            "privacy.discoverable") " as discoverable,"                                                                \
                                    " not " SETTING_IS_OFF("privacy.searchable") " as searchable, "                    \
                                                                                 "not " SETTING_IS_OFF(                \
                                                                                     "privacy."                        \
                                                                                     "search_"                         \
                                                                                     "history") " a"                   \
                                                                                                "s "                   \
                                                                                                "se"                   \
                                                                                                "ar"                   \
                                                                                                "ch"                   \
                                                                                                "_h"                   \
                                                                                                "is"                   \
                                                                                                "to"                   \
                                                                                                "ry"                   \
                                                                                                " f"                   \
                                                                                                "ro"                   \
                                                                                                "m "                   \
                                                                                                "us"                   \
                                                                                                "er"                   \
                                                                                                "s "                   \
                                                                                                "u "                   \
                                                                                                "wh"                   \
                                                                                                "er"                   \
                                                                                                "e"                    \
                                                                                                " " USER_IS_SHOWN("u")

DB_STATEMENT(SELECT_INDEXED, "user_service", &user__indexed_user__message, INDEXED_USERS " and u.id = any($1::uuid[])");
DB_STATEMENT(SELECT_INDEXED_AFTER, "user_service", &user__indexed_user__message,
             INDEXED_USERS " and u.id > $1 order by u.id limit $2");

sn_status store_indexed_after(struct db_tx *tx, const char *after_id, size_t limit, size_t *n_rows,
                              User__IndexedUser ***rows)
{
        return db_list(tx, &SELECT_INDEXED_AFTER, DB_BINDS(bind_uuid(after_id), bind_i64((int64_t)limit)), n_rows,
                       rows);
}

sn_status store_indexed(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, User__IndexedUser ***rows)
{
        return db_list(tx, &SELECT_INDEXED, DB_BINDS(bind_uuids(ids, n)), n_rows, rows);
}

DB_STATEMENT(UPSERT_STATS, "user_service", NULL,
             "insert into user_stats as s (user_id, notes, followers, following)"
             " select u.id, sum(c.notes)::bigint, sum(c.followers)::bigint, sum(c.following)::bigint"
             " from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as c (id, notes, followers, following)"
             " join users u on u.id = c.id group by u.id order by u.id"
             " on conflict (user_id) do update set notes = s.notes + excluded.notes,"
             " followers = s.followers + excluded.followers, following = s.following + excluded.following");

sn_status store_count_members(struct db_tx *tx, const struct member_counts *counts, size_t n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        int64_t *numbers = ARENA_ARRAY(db_arena(tx), int64_t, 3 * n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = counts[i].user_id;
                numbers[i] = counts[i].notes;
                numbers[n + i] = counts[i].followers;
                numbers[2 * n + i] = counts[i].following;
        }
        return db_exec(tx, &UPSERT_STATS,
                       DB_BINDS(bind_uuids(ids, n), bind_i64s(numbers, n), bind_i64s(numbers + n, n),
                                bind_i64s(numbers + 2 * n, n)),
                       NULL);
}

DB_STATEMENT(SELECT_PRIVACY, "user_service", &user__privacy__message,
             "select " USER_IS_PRIVATE(
                 "u") " as private, privacy_version as version from users u where id = $1 and " USER_IS_SHOWN("u"));

sn_status store_privacy(struct db_tx *tx, const char *user_id, User__Privacy *out, bool *found)
{
        return db_one(tx, &SELECT_PRIVACY, DB_BINDS(bind_uuid(user_id)), &out->base, found);
}

DB_STATEMENT(RAISE_PRIVACY_VERSION, "user_service", NULL,
             "update users set privacy_version = privacy_version + 1 where id = $1 returning privacy_version");

sn_status store_raise_privacy_version(struct db_tx *tx, const char *user_id, int64_t *version)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &RAISE_PRIVACY_VERSION, DB_BINDS(bind_uuid(user_id)), &rows));
        *version = db_rows_count(rows) > 0 ? db_i64(rows, 0, "privacy_version") : 0;
        return SN_OK;
}
