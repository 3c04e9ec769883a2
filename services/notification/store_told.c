/* Reads and writes the tables muted_threads and watched_members, and reads who was told of a new note. */
#include "services/notification/store.h"

DB_STATEMENT(MUTE_THREAD, "notification_service", NULL,
             "insert into muted_threads (user_id, root_id) select $1, $2 where (select count(*) from (select from"
             " muted_threads where user_id = $1 limit $3) few) < $3 or exists (select from muted_threads"
             " where user_id = $1 and root_id = $2) on conflict (user_id, root_id) do update set root_id = $2");

sn_status store_mute_thread(struct db_tx *tx, const char *user_id, const char *root_id, int64_t most, int64_t *changed)
{
        return db_exec(tx, &MUTE_THREAD, DB_BINDS(bind_uuid(user_id), bind_uuid(root_id), bind_i64(most)), changed);
}

DB_STATEMENT(UNMUTE_THREAD, "notification_service", NULL,
             "delete from muted_threads where user_id = $1 and root_id = $2");

sn_status store_unmute_thread(struct db_tx *tx, const char *user_id, const char *root_id)
{
        return db_exec(tx, &UNMUTE_THREAD, DB_BINDS(bind_uuid(user_id), bind_uuid(root_id)), NULL);
}

DB_STATEMENT(SELECT_MUTED_THREADS, "notification_service", &notification_rows__pair__message,
             "select m.user_id, m.root_id as other_id from unnest($1::uuid[], $2::uuid[]) as a (user_id, root_id)"
             " join muted_threads m on m.user_id = a.user_id and m.root_id = a.root_id");

sn_status store_muted_threads(struct db_tx *tx, char **user_ids, char **root_ids, size_t n, size_t *n_rows,
                              NotificationRows__Pair ***rows)
{
        return db_list(tx, &SELECT_MUTED_THREADS, DB_BINDS(bind_uuids(user_ids, n), bind_uuids(root_ids, n)), n_rows,
                       rows);
}

DB_STATEMENT(WATCH_MEMBER, "notification_service", NULL,
             "insert into watched_members (author_id, user_id) select $2, $1 where (select count(*) from (select from"
             " watched_members where user_id = $1 limit $3) few) < $3 or exists (select from watched_members"
             " where user_id = $1 and author_id = $2) on conflict (author_id, user_id) do update set author_id = $2");

sn_status store_watch_member(struct db_tx *tx, const char *user_id, const char *author_id, int64_t most,
                             int64_t *changed)
{
        return db_exec(tx, &WATCH_MEMBER, DB_BINDS(bind_uuid(user_id), bind_uuid(author_id), bind_i64(most)), changed);
}

DB_STATEMENT(UNWATCH_MEMBER, "notification_service", NULL,
             "delete from watched_members where author_id = $2 and user_id = $1");

sn_status store_unwatch_member(struct db_tx *tx, const char *user_id, const char *author_id)
{
        return db_exec(tx, &UNWATCH_MEMBER, DB_BINDS(bind_uuid(user_id), bind_uuid(author_id)), NULL);
}

DB_STATEMENT(SELECT_WATCH, "notification_service", NULL,
             "select exists (select from watched_members where author_id = $2 and user_id = $1) as watches");

sn_status store_watches(struct db_tx *tx, const char *user_id, const char *author_id, bool *watches)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_WATCH, DB_BINDS(bind_uuid(user_id), bind_uuid(author_id)), &rows));
        *watches = db_i64(rows, 0, "watches") != 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_WATCHERS, "notification_service", &notification_rows__pair__message,
             "select user_id, author_id as other_id from watched_members where author_id = $1 and user_id > $2"
             " order by user_id limit $3");

sn_status store_watchers(struct db_tx *tx, const char *author_id, const char *after_id, int64_t limit, size_t *n_rows,
                         NotificationRows__Pair ***rows)
{
        return db_list(tx, &SELECT_WATCHERS, DB_BINDS(bind_uuid(author_id), bind_uuid(after_id), bind_i64(limit)),
                       n_rows, rows);
}

DB_STATEMENT(SELECT_WATCHED, "notification_service", &notification_rows__pair__message,
             "select a.id as other_id from unnest($1::uuid[]) as a (id) where exists (select from watched_members w"
             " where w.author_id = a.id)");

sn_status store_watched(struct db_tx *tx, char **author_ids, size_t n, size_t *n_rows, NotificationRows__Pair ***rows)
{
        return db_list(tx, &SELECT_WATCHED, DB_BINDS(bind_uuids(author_ids, n)), n_rows, rows);
}

DB_STATEMENT(SELECT_SPREAD, "notification_service", &notification_rows__pair__message,
             "select distinct user_id from notifications where group_key = $1 and user_id between $2 and $3"
             " and box = 1 and chat_seq >= $5 order by user_id limit $4");

sn_status store_spread(struct db_tx *tx, const char *group_key, const bus_event *event, int64_t limit, size_t *n,
                       NotificationRows__Pair ***rows)
{
        return db_list(tx, &SELECT_SPREAD,
                       DB_BINDS(bind_text(group_key), bind_uuid(event->object_id), bind_uuid(event->actor_id),
                                bind_i64(limit), bind_i64(event->version)),
                       n, rows);
}

DB_STATEMENT(SELECT_IN_GROUPS, "notification_service", &notification_rows__changed__message,
             "select id, group_key, chat_seq from notifications where group_key = any($2) and user_id = $1 and box = 1"
             " order by latest_at");

sn_status store_in_groups(struct db_tx *tx, const char *user_id, char **group_keys, size_t n, size_t *n_rows,
                          NotificationRows__Changed ***rows)
{
        return db_list(tx, &SELECT_IN_GROUPS, DB_BINDS(bind_uuid(user_id), bind_texts(group_keys, n)), n_rows, rows);
}
