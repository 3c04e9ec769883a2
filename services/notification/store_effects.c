/* Reads and writes notification_effects: what was sent and then undone. The table has only hashes, not the members
 * concerned. */
#include "services/notification/events.h"
#include "services/notification/store.h"

/* The collapse key is that of the object, even where each actor has a notification of their own. */
#define EFFECT(user, key, actor, channel)                                                                              \
        "sha256(convert_to(" user " || ' ' || replace(" key ", ':' || " actor ", '') || ' ' || " actor                 \
        " || ' ' || " channel ", 'UTF8'))"

/* What was sent before the actor joined does not count as their effect: at the latest it was begun took_ms before its
 * entry in the log. What is being sent is pending until that ends. "limit 1" makes the planner look up the actor in the
 * notification, not all notifications of the actor. */
DB_STATEMENT(
    KEEP_EFFECTS, "notification_service", NULL,
    "insert into notification_effects as e (effect, created_at, pending_until, notification_id)"
    " select effect, max(at), case when count(until) = count(*) then max(until) end,"
    " case when count(until) = count(*) then (array_agg(notification_id order by until desc))[1] end from (select"
    " " EFFECT(
        "n.user_id", "n.group_key", "a.actor_id",
        "c.channel") " as effect, a.created_at as at, c.until, n.id as notification_id"
                     " from unnest($1::text[], $2::uuid[]) as u (group_key, actor_id) join notifications n"
                     " on n.group_key = any(array[u.group_key, u.group_key || ':' || u.actor_id]) and n.read_at is null"
                     " cross join lateral (select * from notification_actors d where d.notification_id = n.id"
                     " and d.actor_id = u.actor_id limit 1) a"
                     " cross join lateral (select l.channel, null::timestamptz as until from notification_delivery_logs"
                     " l where l.notification_id = n.id and l.outcome = 'sent'"
                     " and l.created_at - l.took_ms * interval '1 millisecond' >= a.created_at"
                     " union all select q.channel, q.leased_until from notification_queue q"
                     " where q.notification_id = n.id and q.leased_until > $4) c) undone group by effect"
                     " on conflict (effect) do update set created_at = excluded.created_at,"
                     " pending_until = excluded.pending_until, notification_id = excluded.notification_id"
                     " where e.pending_until is not null"
                     " or e.created_at < excluded.created_at - $3 * interval '1 second'");

sn_status store_keep_effects(struct db_tx *tx, char **group_keys, char **actor_ids, size_t n)
{
        return db_exec(tx, &KEEP_EFFECTS,
                       DB_BINDS(bind_texts(group_keys, n), bind_uuids(actor_ids, n), bind_i64(EFFECT_WINDOW_S),
                                bind_time_ms(db_call(tx)->now_ms)),
                       NULL);
}

/* "limit 1" makes the planner look up each one: without it, it expects more rows than there are. */
DB_STATEMENT(
    SELECT_EFFECTS, "notification_service", &notification_rows__effect__message,
    "select a.place, c.channel, e.pending_until as pending_ms, encode(e.effect, 'hex') as effect"
    " from unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])"
    " as a (place, user_id, group_key, actor_id, at_ms) cross join generate_series(1, $6) c (channel)"
    " cross join lateral (select * from notification_effects where effect = " EFFECT(
        "a.user_id", "a.group_key", "a.actor_id",
        "c.channel") " limit 1) e where e.created_at > timestamptz 'epoch' + a.at_ms * interval '1 millisecond'"
                     " - $7 * interval '1 second' and (e.pending_until is null or e.pending_until > $8)");

sn_status store_effects(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                        NotificationRows__Effect ***rows)
{
        struct arena *arena = db_arena(tx);
        char **users = ARENA_ARRAY(arena, char *, n), **keys = ARENA_ARRAY(arena, char *, n);
        char **actors = ARENA_ARRAY(arena, char *, n);
        int64_t *times = ARENA_ARRAY(arena, int64_t, n), *places = ARENA_ARRAY(arena, int64_t, n);
        size_t some = 0;

        for (size_t i = 0; i < n; i++) {
                if (events_can_undo(items[i].type)) {
                        places[some] = (int64_t)i;
                        users[some] = (char *)items[i].user_id;
                        keys[some] = (char *)items[i].group_key;
                        actors[some] = (char *)items[i].actor_id;
                        times[some++] = items[i].at_ms;
                }
        }
        return some == 0 ? SN_OK
                         : db_list(tx, &SELECT_EFFECTS,
                                   DB_BINDS(bind_i64s(places, some), bind_uuids(users, some), bind_texts(keys, some),
                                            bind_uuids(actors, some), bind_i64s(times, some), bind_i64(CHANNEL_MOBILE),
                                            bind_i64(EFFECT_WINDOW_S), bind_time_ms(db_call(tx)->now_ms)),
                                   n_rows, rows);
}

DB_STATEMENT(SELECT_PENDING_EFFECTS, "notification_service", &notification_rows__pending__message,
             "select distinct notification_id from notification_effects where notification_id = any($1)");

sn_status store_pending_effects(struct db_tx *tx, char **notification_ids, size_t n, size_t *n_rows,
                                NotificationRows__Pending ***rows)
{
        return db_list(tx, &SELECT_PENDING_EFFECTS, DB_BINDS(bind_uuids(notification_ids, n)), n_rows, rows);
}

DB_STATEMENT(
    SETTLE_EFFECTS, "notification_service", NULL,
    "update notification_effects e set pending_until = null, notification_id = null where e.pending_until is"
    " not null and e.effect = any(array(select " EFFECT(
        "s.user_id", "s.group_key", "s.actor_id",
        "$4::bigint") " from unnest($1::uuid[], $2::text[], $3::uuid[]) as s (user_id, group_key, actor_id)))");

sn_status store_settle_effects(struct db_tx *tx, char **user_ids, char **group_keys, char **actor_ids, size_t n,
                               enum channel channel)
{
        return db_exec(
            tx, &SETTLE_EFFECTS,
            DB_BINDS(bind_uuids(user_ids, n), bind_texts(group_keys, n), bind_uuids(actor_ids, n), bind_i64(channel)),
            NULL);
}

DB_STATEMENT(PRUNE_EFFECTS, "notification_service", NULL,
             "delete from notification_effects where effect = any(array(select effect from notification_effects"
             " where created_at < now() - $1 * interval '1 second' order by created_at limit $2"
             " for update skip locked))");

sn_status store_prune_effects(struct db_tx *tx, int64_t limit, int64_t *n)
{
        return db_exec(tx, &PRUNE_EFFECTS, DB_BINDS(bind_i64(EFFECT_WINDOW_S), bind_i64(limit)), n);
}
