/* Reads and writes the table notification_queue: pending deliveries, which are leased by moving their due time. */
#include "services/notification/store.h"

/* Only for members who have a target on the channel. A delivery in flight does not include what arrived since, so its
 * row gets a new id and is sent again, whatever the result of that attempt. What awaits an outcome no longer does once
 * anything else arrives for the same notification. */
DB_STATEMENT(
    ENQUEUE, "notification_service", NULL,
    "insert into notification_queue as q (id, notification_id, user_id, channel, hold, due_at, awaits)"
    " select (array_agg(a.id))[1], a.notification_id, a.user_id, a.channel, max(a.hold), timestamptz 'epoch' + case"
    " when bool_or(a.awaits = '') then min(a.due_ms) filter (where a.awaits = '') else max(a.due_ms) end * interval"
    " '1 millisecond', case when not bool_or(a.awaits = '') then array_agg(decode(a.awaits, 'hex')) end"
    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])"
    " as a (id, notification_id, user_id, channel, hold, due_ms, awaits) where case a.channel"
    " when 1 then exists (select from push_subscriptions s where s.user_id = a.user_id and s.provider = '')"
    " when 3 then exists (select from phone_numbers p where p.user_id = a.user_id and p.verified_at is not null)"
    " when 4 then exists (select from push_subscriptions s where s.user_id = a.user_id and s.provider <> '')"
    " else true end group by a.notification_id, a.user_id, a.channel order by a.notification_id, a.channel"
    " on conflict (notification_id, channel, target_id) do update set id = excluded.id, due_at ="
    " greatest(excluded.due_at, case when q.attempts = 0 and excluded.awaits is not null then q.due_at end),"
    " awaits = case when q.attempts = 0 and excluded.awaits is not null then q.awaits || excluded.awaits"
    " else excluded.awaits end, hold = excluded.hold, attempts = 0, paid = false"
    " where q.attempts > 0 or q.awaits is not null");

sn_status store_enqueue(struct db_tx *tx, const struct queue_columns *q)
{
        return q->n == 0 ? SN_OK
                         : db_exec(tx, &ENQUEUE,
                                   DB_BINDS(bind_uuids(q->ids, q->n), bind_uuids(q->notification_ids, q->n),
                                            bind_uuids(q->user_ids, q->n), bind_i64s(q->channels, q->n),
                                            bind_i64s(q->holds, q->n), bind_i64s(q->due_ms, q->n),
                                            bind_texts(q->awaits, q->n)),
                                   NULL);
}

/* Of the deliveries held for a member only the first can be claimed, and the others come with it, so that they become
 * one digest however many processes claim. A retraction is obsolete if a later notification was pushed with the same
 * tag, but not if only an earlier one is left, nor if the later one is held by a filter or was put away by its reader.
 * What awaited an outcome is obsolete if all of it was sent. */
DB_STATEMENT(
    CLAIM, "notification_service", &notification_rows__queued__message,
    "with heads as (select q.id, q.user_id, q.hold from notification_queue q where q.channel = $1"
    " and q.due_at <= $2 and (q.hold = 0 or not exists (select from notification_queue e"
    " where e.user_id = q.user_id and e.channel = $1 and e.hold > 0 and e.due_at <= $2 and e.id < q.id))"
    " order by q.due_at, q.id limit $3 for update skip locked),"
    " rest as (select r.id from heads h, lateral (select q.id from notification_queue q where q.user_id = h.user_id"
    " and q.channel = $1 and q.hold > 0 and q.due_at <= $2 order by q.id limit 1000) r where h.hold > 0),"
    " taken as (update notification_queue q set due_at = $4, leased_until = $4, attempts = attempts + 1"
    " where q.id = any(array(select id from heads union select id from rest))"
    " returning q.id, q.notification_id, q.user_id, q.target_id, q.hold, q.attempts, q.paid, q.retracts,"
    " q.pushed_at, q.awaits)"
    " select t.id, t.notification_id, t.user_id, t.target_id, t.hold, t.attempts, t.paid, coalesce(n.type, '') as type,"
    " coalesce(t.retracts, '') as retracts, t.pushed_at as pushed_ms,"
    " case when t.retracts is null then n.read_at is not null or (t.awaits is not null and not exists (select from"
    " unnest(t.awaits) w (effect) where not exists (select from notification_effects e where e.effect = w.effect"
    " and e.pending_until is null))) else exists (select from notifications m"
    " where m.group_key = t.retracts and m.user_id = t.user_id and m.id > t.notification_id"
    " and m.box <> 2 and m.read_at is null and m.archived_at is null and m.snoozed_until is null) end"
    " as obsolete from taken t left join notifications n on n.id = t.notification_id"
    " where n.id is not null or t.retracts is not null order by t.user_id, t.id");

sn_status store_claim(struct db_tx *tx, enum channel channel, int64_t limit, int64_t until_ms, size_t *n,
                      NotificationRows__Queued ***rows)
{
        return db_list(
            tx, &CLAIM,
            DB_BINDS(bind_i64(channel), bind_time_ms(db_call(tx)->now_ms), bind_i64(limit), bind_time_ms(until_ms)), n,
            rows);
}

DB_STATEMENT(SELECT_NEXT_DUE, "notification_service", NULL,
             "select min(due_at) as due_at from notification_queue where channel = $1");

sn_status store_next_due(struct db_tx *tx, enum channel channel, int64_t *due_ms)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_NEXT_DUE, DB_BINDS(bind_i64(channel)), &rows));
        *due_ms = db_is_null(rows, 0, "due_at") ? INT64_MAX : db_i64(rows, 0, "due_at");
        return SN_OK;
}

DB_STATEMENT(LOCK_SETTLED, "notification_service", NULL,
             "select id from notifications where id = any($1) order by id for key share");

sn_status store_lock_settled(struct db_tx *tx, char **notification_ids, size_t n)
{
        return n == 0 ? SN_OK : db_exec_later(tx, &LOCK_SETTLED, DB_BINDS(bind_uuids(notification_ids, n)));
}

DB_STATEMENT(DEQUEUE, "notification_service", NULL, "delete from notification_queue where id = any($1)");

sn_status store_dequeue(struct db_tx *tx, char **ids, size_t n)
{
        return n == 0 ? SN_OK : db_exec_later(tx, &DEQUEUE, DB_BINDS(bind_uuids(ids, n)));
}

DB_STATEMENT(POSTPONE, "notification_service", NULL,
             "update notification_queue set due_at = $2, hold = $3, attempts = attempts - $4, leased_until = null"
             " where id = any($1)");

sn_status store_postpone(struct db_tx *tx, char **ids, size_t n, int64_t due_ms, enum hold hold, bool untried)
{
        return db_exec(tx, &POSTPONE,
                       DB_BINDS(bind_uuids(ids, n), bind_time_ms(due_ms), bind_i64(hold), bind_i64(untried)), NULL);
}

/* Deliveries of a digest stay held, so that they are a digest again. Locks the notifications, so that they are not
 * deleted meanwhile. */
DB_STATEMENT(RETRY_TARGET, "notification_service", NULL,
             "insert into notification_queue as q (id, notification_id, user_id, channel, target_id, hold, due_at,"
             " attempts) select gen_random_uuid(), n.id, n.user_id, $6, $3, r.hold, $4, $5"
             " from unnest($1::uuid[], $2::bigint[]) as r (id, hold) join notifications n on n.id = r.id order by n.id"
             " for key share of n"
             " on conflict (notification_id, channel, target_id) do update set due_at = excluded.due_at,"
             " hold = excluded.hold, attempts = excluded.attempts, leased_until = null");

sn_status store_retry_target(struct db_tx *tx, NotificationRows__Queued *const *rows, size_t n, enum channel channel,
                             const char *target_id, int64_t due_ms, int64_t attempts)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        int64_t *holds = ARENA_ARRAY(db_arena(tx), int64_t, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = rows[i]->notification_id;
                holds[i] = rows[i]->hold;
        }
        return db_exec(tx, &RETRY_TARGET,
                       DB_BINDS(bind_uuids(ids, n), bind_i64s(holds, n), bind_uuid(target_id), bind_time_ms(due_ms),
                                bind_i64(attempts), bind_i64(channel)),
                       NULL);
}

DB_STATEMENT(RETRY_RETRACTION, "notification_service", NULL,
             "insert into notification_queue as q (id, notification_id, user_id, channel, target_id, hold, due_at,"
             " attempts, retracts, pushed_at) values (gen_random_uuid(), $1, $2, $3, $4, 0, $5, $6, $7, $8)"
             " on conflict (notification_id, channel, target_id) do update set due_at = excluded.due_at,"
             " attempts = excluded.attempts");

sn_status store_retry_retraction(struct db_tx *tx, const NotificationRows__Queued *row, enum channel channel,
                                 const char *target_id, int64_t due_ms, int64_t attempts)
{
        return db_exec(tx, &RETRY_RETRACTION,
                       DB_BINDS(bind_uuid(row->notification_id), bind_uuid(row->user_id), bind_i64(channel),
                                bind_uuid(target_id), bind_time_ms(due_ms), bind_i64(attempts),
                                bind_text(row->retracts), bind_time_ms(row->pushed_ms)),
                       NULL);
}

DB_STATEMENT(ENQUEUE_AGAIN, "notification_service", NULL,
             "insert into notification_queue (id, notification_id, user_id, channel, target_id, hold, due_at)"
             " select gen_random_uuid(), n.id, n.user_id, a.channel, a.target_id, 0, now() from unnest($1::uuid[],"
             " $2::uuid[], $3::bigint[]) as a (id, target_id, channel) join notifications n on n.id = a.id"
             " for key share of n on conflict (notification_id, channel, target_id) do nothing");

sn_status store_enqueue_again(struct db_tx *tx, char **notification_ids, char **target_ids, const int64_t *channels,
                              size_t n)
{
        return db_exec(tx, &ENQUEUE_AGAIN,
                       DB_BINDS(bind_uuids(notification_ids, n), bind_uuids(target_ids, n), bind_i64s(channels, n)),
                       NULL);
}

DB_STATEMENT(
    PAY, "notification_service", NULL,
    "with spent as (insert into notification_budgets as b (user_id, channel, day, spent) values ($2, $3, $4, 1)"
    " on conflict (user_id, channel) do update set day = excluded.day,"
    " spent = case when b.day = excluded.day then b.spent + 1 else 1 end"
    " where b.day <> excluded.day or b.spent < $5 returning 1)"
    " update notification_queue set paid = true where id = $1 and exists (select from spent)");

sn_status store_pay(struct db_tx *tx, const struct payment *p, bool *paid)
{
        int64_t n = 0;

        TRY(db_exec(tx, &PAY,
                    DB_BINDS(bind_uuid(p->id), bind_uuid(p->user_id), bind_i64(p->channel), bind_i64(p->day),
                             bind_i64(p->budget)),
                    &n));
        *paid = n > 0;
        return SN_OK;
}

/* Labels contain no spaces. */
DB_STATEMENT(
    LOG_DELIVERIES, "notification_service", NULL,
    "insert into notification_delivery_logs (id, notification_id, user_id, channel, provider, outcome, status,"
    " took_ms, templates, notifications, hold) select l.id, l.notification_id, l.user_id, l.channel, l.provider,"
    " l.outcome, l.status, l.took_ms, string_to_array(l.templates, ' '), l.notifications, l.hold"
    " from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],"
    " $8::bigint[], $9::text[], $10::bigint[], $11::bigint[]) as l (id, notification_id, user_id, channel, provider, "
    "outcome,"
    " status, took_ms, templates, notifications, hold)");

sn_status store_log_deliveries(struct db_tx *tx, const struct delivery_log *logs, size_t n)
{
        struct arena *arena = db_arena(tx);
        char **ids = ARENA_ARRAY(arena, char *, n), **notifications = ARENA_ARRAY(arena, char *, n);
        char **users = ARENA_ARRAY(arena, char *, n), **providers = ARENA_ARRAY(arena, char *, n);
        char **outcomes = ARENA_ARRAY(arena, char *, n), **templates = ARENA_ARRAY(arena, char *, n);
        int64_t *channels = ARENA_ARRAY(arena, int64_t, n), *statuses = ARENA_ARRAY(arena, int64_t, n);
        int64_t *times = ARENA_ARRAY(arena, int64_t, n), *together = ARENA_ARRAY(arena, int64_t, n);
        int64_t *holds = ARENA_ARRAY(arena, int64_t, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = uuid_new_in(arena);
                notifications[i] = (char *)logs[i].notification_id;
                users[i] = (char *)logs[i].user_id;
                channels[i] = logs[i].channel;
                providers[i] = (char *)logs[i].provider;
                outcomes[i] = (char *)logs[i].outcome;
                statuses[i] = logs[i].status;
                times[i] = logs[i].took_ms;
                templates[i] = (char *)logs[i].templates;
                together[i] = logs[i].notifications;
                holds[i] = logs[i].hold;
        }
        return n == 0 ? SN_OK
                      : db_exec_later(tx, &LOG_DELIVERIES,
                                      DB_BINDS(bind_uuids(ids, n), bind_uuids(notifications, n), bind_uuids(users, n),
                                               bind_i64s(channels, n), bind_texts(providers, n),
                                               bind_texts(outcomes, n), bind_i64s(statuses, n), bind_i64s(times, n),
                                               bind_texts(templates, n), bind_i64s(together, n), bind_i64s(holds, n)));
}

DB_STATEMENT(
    SELECT_DELIVERIES, "notification_service", &notification_rows__delivered__message,
    "select channel, provider, outcome, status, took_ms, created_at, templates, hold from notification_delivery_logs"
    " where notification_id = $1 order by id desc limit $2");

sn_status store_deliveries(struct db_tx *tx, const char *notification_id, int64_t limit, size_t *n,
                           NotificationRows__Delivered ***rows)
{
        return db_list(tx, &SELECT_DELIVERIES, DB_BINDS(bind_uuid(notification_id), bind_i64(limit)), n, rows);
}

/* created_at is the start of a transaction, so only rows older than the longest transaction of this service are
 * complete. */
DB_STATEMENT(
    COUNT_DELIVERIES, "notification_service", &notification__delivery_count__message,
    "select until as counted_to, n.deliveries, n.people from (select date_trunc('second', least($2::timestamptz,"
    " now() - interval '60 seconds')) as until) u cross join lateral (select count(*) as deliveries,"
    " count(distinct user_id) as people from notification_delivery_logs where outcome = 'sent'"
    " and created_at >= $1::timestamptz and created_at < until) n");

sn_status store_count_deliveries(struct db_tx *tx, int64_t from_ms, int64_t to_ms, Notification__DeliveryCount *out)
{
        return db_one(tx, &COUNT_DELIVERIES, DB_BINDS(bind_time_ms(from_ms), bind_time_ms(to_ms)), &out->base, NULL);
}

DB_STATEMENT(SELECT_ANSWERED, "notification_service", &notification_rows__answered__message,
             "with recent as (select l.provider, l.status, l.created_at from (select * from notification_delivery_logs"
             " order by created_at desc limit 10000) l where l.channel = $1 and l.notifications > 0),"
             " failed as (select provider, max(created_at) as at from recent where status = 0 group by provider)"
             " select r.provider, count(*) as answers from recent r left join failed f on f.provider = r.provider"
             " where r.status > 0 and (f.at is null or r.created_at > f.at) group by r.provider having count(*) >= $2"
             " order by max(r.created_at)");

sn_status store_answered(struct db_tx *tx, enum channel channel, int64_t least, size_t *n,
                         NotificationRows__Answered ***rows)
{
        return db_list(tx, &SELECT_ANSWERED, DB_BINDS(bind_i64(channel), bind_i64(least)), n, rows);
}

DB_STATEMENT(PRUNE_LOGS, "notification_service", NULL,
             "delete from notification_delivery_logs where id = any(array(select id from notification_delivery_logs"
             " where created_at < now() - $1 * interval '1 day' order by created_at limit $2 for update skip locked))");

sn_status store_prune_logs(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n)
{
        return db_exec(tx, &PRUNE_LOGS, DB_BINDS(bind_i64(days), bind_i64(limit)), n);
}
