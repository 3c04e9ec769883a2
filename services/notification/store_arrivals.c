/* Adds arrivals to the tables notifications and notification_actors, and removes them. */
#include "services/notification/store.h"

#include <string.h>

/* The columns of a run of arrivals. */
struct columns {
        char **ids, **users, **types, **keys, **actors, **notes, **chats, **rules, **filters;
        int64_t *times, *boxes, *seqs;
};

static struct columns columns_of(struct arena *arena, const struct arrival *items, size_t n)
{
        struct columns c = {
            ARENA_ARRAY(arena, char *, n),  ARENA_ARRAY(arena, char *, n),  ARENA_ARRAY(arena, char *, n),
            ARENA_ARRAY(arena, char *, n),  ARENA_ARRAY(arena, char *, n),  ARENA_ARRAY(arena, char *, n),
            ARENA_ARRAY(arena, char *, n),  ARENA_ARRAY(arena, char *, n),  ARENA_ARRAY(arena, char *, n),
            ARENA_ARRAY(arena, int64_t, n), ARENA_ARRAY(arena, int64_t, n), ARENA_ARRAY(arena, int64_t, n)};

        for (size_t i = 0; i < n; i++) {
                c.ids[i] = uuid_new_in(arena);
                c.users[i] = (char *)items[i].user_id;
                c.types[i] = (char *)type_name(items[i].type);
                c.keys[i] = (char *)items[i].group_key;
                c.actors[i] = (char *)items[i].actor_id;
                c.notes[i] = (char *)items[i].note_id;
                c.chats[i] = items[i].chat_id != NULL ? (char *)items[i].chat_id : "";
                c.seqs[i] = items[i].chat_seq;
                c.times[i] = items[i].at_ms;
                c.boxes[i] = items[i].decision.box;
                c.rules[i] = (char *)reason_name(items[i].decision.reason);
                c.filters[i] =
                    items[i].decision.reason == REASON_FILTER ? (char *)filter_name(items[i].decision.filter) : "";
        }
        return c;
}

/* An actor who is already in a notification of the group, read or not, is not added again, except in a chat, where the
 * entry's number says whether it was included. Whether actors have notifications of their own depends on the rule at
 * that time. "offset 0" makes the planner look up the group first: it would expect each actor to have the same number
 * of notifications, and read for each member all those of an actor with twenty thousand. */
DB_STATEMENT(
    ADD_ARRIVALS, "notification_service", &notification_rows__changed__message,
    "with given as (select a.id, a.user_id, a.type, a.group_key, a.actor_id, nullif(a.note_id, '')::uuid as"
    " note_id, nullif(a.chat_id, '')::uuid as chat_id, a.chat_seq, timestamptz 'epoch' + a.at_ms * interval "
    "'1 millisecond' as at,"
    " a.box, a.rule, a.filter, a.place from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[],"
    " $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[],"
    " $12::bigint[]) with ordinality as a (id, user_id, type, group_key, actor_id, note_id, at_ms, box, rule,"
    " filter, chat_id, chat_seq, place)"
    " where not exists (select from notifications n where n.group_key = any(array[a.group_key,"
    " a.group_key || ':' || a.actor_id, replace(a.group_key, ':' || a.actor_id, '')]) and n.user_id = a.user_id"
    " and n.chat_seq >= a.chat_seq and exists (select from notification_actors d where d.notification_id = n.id"
    " and d.actor_id = a.actor_id offset 0) offset 0)),"
    " joined as (insert into notifications as n (id, user_id, type, group_key, note_id, box, chat_id, rule,"
    " filter, chat_seq, latest_at, created_at, sole_actor_id) select (array_agg(id order by place))[1],"
    " user_id, type, group_key, note_id, box, chat_id, min(rule), min(filter), max(chat_seq), max(at), min(at),"
    " case when min(actor_id::text) = max(actor_id::text) then min(actor_id::text)::uuid end from given"
    " group by user_id, type, group_key, note_id, box, chat_id order by group_key, user_id, box"
    " on conflict (group_key, user_id, box) where open"
    " do update set latest_at = greatest(n.latest_at, excluded.latest_at), seen_at = null,"
    " chat_seq = greatest(n.chat_seq, excluded.chat_seq),"
    " sole_actor_id = case when n.sole_actor_id = excluded.sole_actor_id then n.sole_actor_id end"
    " returning id, user_id, group_key, box, created_at, sole_actor_id, chat_seq),"
    " added as (insert into notification_actors as a (notification_id, actor_id, created_at)"
    " select j.id, g.actor_id, max(g.at) from given g join joined j using (group_key, user_id, box)"
    " group by j.id, g.actor_id on conflict (notification_id, actor_id) do update"
    " set created_at = greatest(a.created_at, excluded.created_at) returning notification_id, xmax = 0 as is_new)"
    " select id, user_id, user_id as actor_id, box, group_key, created_at as began_ms,"
    " sole_actor_id is null and id in (select notification_id from added where is_new) as gained, chat_seq from joined "
    "order by group_key, user_id");

sn_status store_add_arrivals(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                             NotificationRows__Changed ***rows)
{
        struct columns c = columns_of(db_arena(tx), items, n);

        return db_list(tx, &ADD_ARRIVALS,
                       DB_BINDS(bind_uuids(c.ids, n), bind_uuids(c.users, n), bind_texts(c.types, n),
                                bind_texts(c.keys, n), bind_uuids(c.actors, n), bind_texts(c.notes, n),
                                bind_i64s(c.times, n), bind_i64s(c.boxes, n), bind_texts(c.rules, n),
                                bind_texts(c.filters, n), bind_texts(c.chats, n), bind_i64s(c.seqs, n)),
                       n_rows, rows);
}

static char **ids_of(struct arena *arena, NotificationRows__Changed *const *rows, size_t n)
{
        char **ids = ARENA_ARRAY(arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = rows[i]->id;
        }
        return ids;
}

DB_STATEMENT(CLOSE_OVERDUE, "notification_service", NULL,
             "update notifications n set open = false from unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[])"
             " as a (group_key, user_id, at_ms, window_s) where n.group_key = a.group_key and n.user_id = a.user_id"
             " and n.open and n.created_at + a.window_s * interval '1 second' <= timestamptz 'epoch' + a.at_ms"
             " * interval '1 millisecond'");

sn_status store_close_overdue(struct db_tx *tx, const struct arrival *items, size_t n)
{
        struct arena *arena = db_arena(tx);
        char **keys = ARENA_ARRAY(arena, char *, n), **users = ARENA_ARRAY(arena, char *, n);
        int64_t *times = ARENA_ARRAY(arena, int64_t, n), *windows = ARENA_ARRAY(arena, int64_t, n);
        size_t some = 0;

        for (size_t i = 0; i < n; i++) {
                if (items[i].rule->window_s > 0) {
                        keys[some] = (char *)items[i].group_key;
                        users[some] = (char *)items[i].user_id;
                        times[some] = items[i].at_ms;
                        windows[some++] = items[i].rule->window_s;
                }
        }
        return some == 0 ? SN_OK
                         : db_exec(tx, &CLOSE_OVERDUE,
                                   DB_BINDS(bind_texts(keys, some), bind_uuids(users, some), bind_i64s(times, some),
                                            bind_i64s(windows, some)),
                                   NULL);
}

DB_STATEMENT(REMOVE_OLD_REQUESTS, "notification_service", &notification_rows__changed__message,
             "delete from notifications n using unnest($1::text[], $2::uuid[], $3::bigint[]) as a (group_key, user_id,"
             " at_ms) where n.group_key = a.group_key and n.user_id = a.user_id and n.latest_at <= timestamptz 'epoch'"
             " + a.at_ms * interval '1 millisecond' - $4 * interval '1 second'"
             " returning n.id, n.user_id, n.user_id as actor_id, n.box");

sn_status store_remove_old_requests(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                    NotificationRows__Changed ***rows)
{
        struct arrival *requests = ARENA_ARRAY(db_arena(tx), struct arrival, n);
        size_t some = 0;

        for (size_t i = 0; i < n; i++) {
                if (items[i].type == TYPE_FOLLOW_REQUEST) {
                        requests[some++] = items[i];
                }
        }
        if (some == 0) {
                return SN_OK;
        }
        struct columns c = columns_of(db_arena(tx), requests, some);
        return db_list(tx, &REMOVE_OLD_REQUESTS,
                       DB_BINDS(bind_texts(c.keys, some), bind_uuids(c.users, some), bind_i64s(c.times, some),
                                bind_i64(EFFECT_WINDOW_S)),
                       n_rows, rows);
}

DB_STATEMENT(COUNT_ACTORS, "notification_service", &notification_rows__actor_count__message,
             "select g.id, (select count(*) from notification_actors a where a.notification_id = g.id) as actors"
             " from unnest($1::uuid[]) as g (id)");

sn_status store_count_actors(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n, size_t *n_counts,
                             NotificationRows__ActorCount ***counts)
{
        return db_list(tx, &COUNT_ACTORS, DB_BINDS(bind_uuids(ids_of(db_arena(tx), rows, n), n)), n_counts, counts);
}

DB_STATEMENT(CLOSE_FULL, "notification_service", NULL,
             "update notifications n set open = false where n.id = any($1) and (select count(*) from (select from"
             " notification_actors a where a.notification_id = n.id limit $2) as few) >= $2");

sn_status store_close_full(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        size_t some = 0;

        for (size_t i = 0; i < n; i++) {
                if (rows[i]->gained) {
                        ids[some++] = rows[i]->id;
                }
        }
        return some == 0 ? SN_OK
                         : db_exec(tx, &CLOSE_FULL, DB_BINDS(bind_uuids(ids, some), bind_i64(GROUP_FULL)), NULL);
}

DB_STATEMENT(LOCK_UNDONE, "notification_service", NULL,
             "select n.id from unnest($1::text[], $2::uuid[]) as u (group_key, actor_id) join notifications n"
             " on n.group_key = any(array[u.group_key, u.group_key || ':' || u.actor_id]) and n.read_at is null"
             " order by n.id for update of n");

DB_STATEMENT(UNDO_ARRIVALS, "notification_service", &notification_rows__changed__message,
             "with undone as materialized (select n.id, n.user_id, n.box, u.actor_id"
             " from unnest($1::text[], $2::uuid[]) as u (group_key, actor_id) join notifications n"
             " on n.group_key = any(array[u.group_key, u.group_key || ':' || u.actor_id]) and n.read_at is null),"
             " gone as (delete from notification_actors a using undone u where a.notification_id = u.id"
             " and a.actor_id = u.actor_id returning u.id, u.user_id, u.box, a.actor_id)"
             " select id, user_id, actor_id, box from gone");

sn_status store_undo_arrivals(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                              NotificationRows__Changed ***rows)
{
        struct columns c = columns_of(db_arena(tx), items, n);

        TRY(db_exec_later(tx, &LOCK_UNDONE, DB_BINDS(bind_texts(c.keys, n), bind_uuids(c.actors, n))));
        TRY(store_keep_effects(tx, c.keys, c.actors, n));
        return db_list(tx, &UNDO_ARRIVALS, DB_BINDS(bind_texts(c.keys, n), bind_uuids(c.actors, n)), n_rows, rows);
}

DB_STATEMENT(REMOVE_READ, "notification_service", &notification_rows__changed__message,
             "delete from notifications n using unnest($1::text[], $2::uuid[], $3::bigint[]) as a (group_key, user_id,"
             " seq) where n.group_key = a.group_key and n.user_id = a.user_id and n.chat_seq <= a.seq"
             " returning n.id, n.user_id, n.user_id as actor_id, n.box");

sn_status store_remove_read(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                            NotificationRows__Changed ***rows)
{
        struct columns c = columns_of(db_arena(tx), items, n);

        return db_list(tx, &REMOVE_READ, DB_BINDS(bind_texts(c.keys, n), bind_uuids(c.users, n), bind_i64s(c.seqs, n)),
                       n_rows, rows);
}

DB_STATEMENT(REMOVE_EMPTY, "notification_service", NULL,
             "delete from notifications n where n.id = any($1) and not exists (select from notification_actors a"
             " where a.notification_id = n.id)");

sn_status store_remove_empty(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n)
{
        return n == 0 ? SN_OK
                      : db_exec(tx, &REMOVE_EMPTY, DB_BINDS(bind_uuids(ids_of(db_arena(tx), rows, n), n)), NULL);
}
