/* Owns the SQL of receipts. */
#include "services/messaging/store_receipts.h"

DB_STATEMENT(PUT_READ, "messaging_service", NULL,
             "insert into read_receipts as r (chat_id, user_id, read_seq) values ($1, $2, $3)"
             " on conflict (chat_id, user_id) do update set read_seq = greatest(r.read_seq, excluded.read_seq)");

sn_status receipt_store_put_read(struct db_tx *tx, const chat_member *member, int64_t seq)
{
        return db_exec(tx, &PUT_READ, DB_BINDS(bind_uuid(member->chat_id), bind_uuid(member->user_id), bind_i64(seq)),
                       NULL);
}

DB_STATEMENT(SELECT_RECEIPTS, "messaging_service", &messaging__receipt__message,
             "select r.chat_id, r.user_id, r.read_seq as seq, r.delivered_seq from read_receipts r"
             " join chat_participants p on p.chat_id = r.chat_id and p.user_id = r.user_id"
             " where r.chat_id = $1 and p.state = 1 order by r.read_seq desc, r.delivered_seq desc limit 1000");

sn_status receipt_store_list(struct db_tx *tx, const char *chat_id, size_t *n, Messaging__Receipt ***receipts)
{
        return db_list(tx, &SELECT_RECEIPTS, DB_BINDS(bind_uuid(chat_id)), n, receipts);
}

DB_STATEMENT(SELECT_RECEIPTS_OF, "messaging_service", &messaging__receipt__message,
             "select r.chat_id, r.user_id, r.read_seq as seq, r.delivered_seq"
             " from unnest($1::uuid[], $2::uuid[]) a (chat_id, user_id)"
             " join read_receipts r on r.chat_id = a.chat_id and r.user_id = a.user_id");

sn_status receipt_store_of(struct db_tx *tx, char *const *chat_ids, char *const *user_ids, size_t n, size_t *n_receipts,
                           Messaging__Receipt ***receipts)
{
        return db_list(tx, &SELECT_RECEIPTS_OF, DB_BINDS(bind_uuids(chat_ids, n), bind_uuids(user_ids, n)), n_receipts,
                       receipts);
}

/* ---- Deliveries ---- */

/* How far streams can resume, in events (gateway/stream.h). */
#define EVENTS_BACK "10000"

/* Old rows are deleted first, so if the row of a position exists, all later rows exist, too. */
DB_STATEMENT(SELECT_REACHED, "messaging_service", NULL,
             "select from outbox_head where log_id = $1 and $2 >= position - " EVENTS_BACK
             " and ($2 = position or exists (select from outbox where position = $2))");

sn_status receipt_store_is_known(struct db_tx *tx, const struct reached *reached, bool *known)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_REACHED, DB_BINDS(bind_uuid(reached->log_id), bind_i64(reached->position)), &rows));
        *known = db_rows_count(rows) > 0;
        return SN_OK;
}

/* A chat's events are in the order of its log, so everything after the position begins with the first message there. */
DB_STATEMENT(
    SELECT_UNDELIVERED, "messaging_service", &messaging_rows__undelivered__message,
    "with later as materialized (select aggregate_id as chat_id, min(version) as seq from"
    " (select aggregate_id, version from outbox where position > $2 and type = '" EVENT_MESSAGE_CREATED "'"
    " union all select aggregate_id, version from outbox where position is null and type = '" EVENT_MESSAGE_CREATED
    "') e group by aggregate_id)"
    " select p.chat_id, coalesce(l.seq - 1, c.last_seq) as seq, c.peer_id from chat_participants p cross join lateral"
    " (select last_seq, case when peer_low = $1 then peer_high else peer_low end as peer_id from chats"
    " where id = p.chat_id and members <= $3 and ended_at is null offset 0) c"
    " left join later l on l.chat_id = p.chat_id where p.user_id = $1 and p.state = 1"
    " and p.delivered_seq < coalesce(l.seq - 1, c.last_seq) limit $4");

sn_status receipt_store_undelivered(struct db_tx *tx, const struct reached *reached, size_t limit, size_t *n,
                                    MessagingRows__Undelivered ***chats)
{
        return db_list(tx, &SELECT_UNDELIVERED,
                       DB_BINDS(bind_uuid(reached->user_id), bind_i64(reached->position), bind_i64(TOLD_MAX),
                                bind_i64((int64_t)limit)),
                       n, chats);
}

DB_STATEMENT(DELIVER, "messaging_service", NULL,
             "update chat_participants set delivered_seq = $3"
             " where chat_id = $1 and user_id = $2 and state = 1 and delivered_seq < $3");

sn_status receipt_store_deliver(struct db_tx *tx, const char *user_id, const MessagingRows__Undelivered *chat,
                                bool *raised)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &DELIVER, DB_BINDS(bind_uuid(chat->chat_id), bind_uuid(user_id), bind_i64(chat->seq)),
                    &affected));
        *raised = affected > 0;
        return SN_OK;
}

DB_STATEMENT(
    PUT_DELIVERED, "messaging_service", NULL,
    "insert into read_receipts as r (chat_id, user_id, read_seq, delivered_seq) values ($1, $2, 0, $3)"
    " on conflict (chat_id, user_id) do update set delivered_seq = greatest(r.delivered_seq, excluded.delivered_seq)");

sn_status receipt_store_put_delivered(struct db_tx *tx, const char *user_id, const MessagingRows__Undelivered *chat)
{
        return db_exec(tx, &PUT_DELIVERED, DB_BINDS(bind_uuid(chat->chat_id), bind_uuid(user_id), bind_i64(chat->seq)),
                       NULL);
}
