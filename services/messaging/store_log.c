/* Owns the SQL of chat logs. The partition of a month is found by the bounds of ids in chat_months, so that a plan
 * opens no other partition. */
#include "services/messaging/store_log.h"

#include "services/jobs.h"
#include "services/messaging/store_log_sql.h"

/* Sending a message marks everything before it as read. Fails if the client id is already claimed. */
DB_STATEMENT(APPEND_ENTRY, "messaging_service", NULL,
             "with claim as (insert into message_client_ids (sender_id, client_id, chat_id, message_id)"
             " select $4, $7, $2, $1 where $7::uuid is not null),"
             " c as (update chats set last_seq = $14, last_n = $15, last_ms = $9,"
             " active_at = case when $3 = 1 then $8 else active_at end, changed_xid = pg_current_xact_id()"
             " where id = $2),"
             " r as (update chat_participants set read_seq = $14, read_n = $15, delivered_seq = $14,"
             " changed_xid = pg_current_xact_id() where chat_id = $2 and user_id = $4 and $3 = 1)"
             " insert into messages (id, chat_id, seq, n, kind, sender_id, target_id, text, client_id, created_at,"
             " reply_to_id, note_id, forwarded, expires_at)"
             " values ($1, $2, $14, $15, $3::smallint, $4, $5, $6, $7, $8, $10, $11, $12, $13)");

sn_status chat_store_append(struct db_tx *tx, const chat_entry *e)
{
        int64_t at_ms = uuid_time_ms(e->id), over_ms = at_ms + e->expires_in_s * 1000;

        return db_exec_later(
            tx, &APPEND_ENTRY,
            DB_BINDS(bind_uuid(e->id), bind_uuid(e->chat_id), bind_i64(e->kind), bind_uuid(e->sender_id),
                     bind_uuid(e->target_id), bind_text(e->text), bind_uuid(e->client_id), bind_time_ms(at_ms),
                     bind_i64(at_ms), bind_uuid(e->reply_to_id), bind_uuid(e->note_id), bind_bool(e->forwarded),
                     e->expires_in_s > 0 ? bind_time_ms(over_ms) : bind_null(), bind_i64(e->seq), bind_i64(e->n)));
}

DB_STATEMENT(BEGIN_MONTH, "messaging_service", NULL,
             "insert into chat_months (chat_id, first_seq, first_n, from_id, before_id)"
             " values ($1, $2, $3, first_id_of(month_of($4)), first_id_of(month_after($4)))");

sn_status chat_store_begin_month(struct db_tx *tx, const chat_entry *e)
{
        int64_t first_n = e->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE ? e->n : e->n + 1;

        return db_exec_later(
            tx, &BEGIN_MONTH,
            DB_BINDS(bind_uuid(e->chat_id), bind_i64(e->seq), bind_i64(first_n), bind_time_ms(uuid_time_ms(e->id))));
}

DB_STATEMENT(SELECT_SENT_AS, "messaging_service", &messaging_rows__sent_as__message,
             "select client_id, chat_id, message_id from message_client_ids where sender_id = $1 and client_id = $2");

sn_status chat_store_sent_as(struct db_tx *tx, const char *client_id, MessagingRows__SentAs *sent, bool *found)
{
        return db_one(tx, &SELECT_SENT_AS, DB_BINDS(bind_uuid(db_call(tx)->actor), bind_uuid(client_id)), &sent->base,
                      found);
}

/* Expired messages are hidden from the moment of expiry, erased or not. `offset 0` keeps the look-ups of a message's
 * other data index scans per message. */
#define IS_OVER "(m.deleted_at is not null or m.expires_at <= now())"
#define ENTRY                                                                                                          \
        "m.id, m.chat_id, m.seq, m.n, m.kind, m.sender_id, m.target_id, m.created_at, m.client_id, m.edited_at,"       \
        " m.expires_at, case when " IS_OVER " then '' else m.text end as text, coalesce(" IS_OVER                      \
        ", false) as deleted, m.reply_to_id, case when not coalesce(" IS_OVER                                          \
        ", false) then m.note_id end as note_id, m.forwarded,"                                                         \
        " exists (select from message_reaction_counts where message_id = m.id offset 0) as reacted,"                   \
        " exists (select from message_mentions where message_id = m.id offset 0) as names,"                            \
        " exists (select from message_attachments where message_id = m.id offset 0) as has_media,"                     \
        " exists (select from message_hides where message_id = m.id offset 0) as hidden"

DB_STATEMENT(SELECT_ENTRY, "messaging_service", &messaging_rows__entry__message,
             "select " ENTRY " from messages m where m.id = $2 and m.chat_id = $1");

sn_status chat_store_entry(struct db_tx *tx, const char *chat_id, const char *id, chat_entry *entry, bool *found)
{
        return db_one(tx, &SELECT_ENTRY, DB_BINDS(bind_uuid(chat_id), bind_uuid(id)), &entry->base, found);
}

DB_STATEMENT(SELECT_ENTRY_AT, "messaging_service", &messaging_rows__entry__message,
             "select " ENTRY " from messages m where m.chat_id = $1 and m.seq = $2"
             " and " IN_MONTHS("m.id", "first_seq", "$1", "$2", "$2"));

sn_status chat_store_entry_at(struct db_tx *tx, const char *chat_id, int64_t seq, chat_entry *entry, bool *found)
{
        return db_one(tx, &SELECT_ENTRY_AT, DB_BINDS(bind_uuid(chat_id), bind_i64(seq)), &entry->base, found);
}

/* `offset 0` keeps it a loop over the ids, each of which opens only its own month. */
DB_STATEMENT(SELECT_ENTRIES, "messaging_service", &messaging_rows__entry__message,
             "select " ENTRY " from unnest($1::uuid[]) with ordinality a (id, place)"
             " cross join lateral (select * from messages where id = a.id offset 0) m order by a.place");

sn_status chat_store_entries_later(struct db_tx *tx, char *const *ids, size_t n, struct db_rows **rows)
{
        *rows = NULL;
        return n > 0 ? db_rows_later(tx, &SELECT_ENTRIES, DB_BINDS(bind_uuids(ids, n)), rows) : SN_OK;
}

sn_status chat_store_entries(struct db_tx *tx, char *const *ids, size_t n, size_t *n_entries, chat_entry ***entries)
{
        return n > 0 ? db_list(tx, &SELECT_ENTRIES, DB_BINDS(bind_uuids(ids, n)), n_entries, entries) : SN_OK;
}

DB_STATEMENT(SELECT_MESSAGES_AT, "messaging_service", &messaging_rows__entry__message,
             "select " ENTRY " from unnest($1::uuid[], $2::bigint[]) with ordinality a (chat_id, n, place)"
             " cross join lateral (select from_id, before_id from chat_months t where t.chat_id = a.chat_id"
             " and t.first_n <= a.n order by first_seq desc limit 1) t"
             " cross join lateral (select * from messages where chat_id = a.chat_id and n = a.n and kind = 1"
             " and id >= t.from_id and id < any(array[t.before_id]) offset 0) m order by a.place");

sn_status chat_store_messages_at(struct db_tx *tx, char *const *chat_ids, const int64_t *ns, size_t n,
                                 size_t *n_entries, chat_entry ***entries)
{
        return db_list(tx, &SELECT_MESSAGES_AT, DB_BINDS(bind_uuids(chat_ids, n), bind_i64s(ns, n)), n_entries,
                       entries);
}

DB_STATEMENT(SELECT_MESSAGES, "messaging_service", &messaging_rows__entry__message,
             "select " ENTRY " from messages m where m.chat_id = $1 and m.kind = 1 and m.n = " EACH(
                 "$2", "$3") " and " IN_MONTHS("m.id", "first_n", "$1", "$2", "$3") " order by m.n");

sn_status chat_store_messages(struct db_tx *tx, const char *chat_id, int64_t from_n, int64_t to_n, size_t *n,
                              chat_entry ***entries)
{
        return db_list(tx, &SELECT_MESSAGES, DB_BINDS(bind_uuid(chat_id), bind_i64(from_n), bind_i64(to_n)), n,
                       entries);
}

DB_STATEMENT(SELECT_RANGES, "messaging_service", &messaging_rows__entry__message,
             "select " ENTRY " from unnest($1::uuid[], $2::bigint[], $3::bigint[]) with ordinality"
             " a (chat_id, first, last, place) cross join lateral (select * from messages where chat_id = a.chat_id"
             " and seq = " EACH("a.first",
                                "a.last") " and " IN_MONTHS("id", "first_seq", "a.chat_id", "a.first",
                                                            "a.last") " offset 0) m order by a.place, m.seq");

sn_status chat_store_ranges(struct db_tx *tx, char *const *chat_ids, const int64_t *from, const int64_t *to, size_t n,
                            size_t *n_entries, chat_entry ***entries)
{
        return db_list(tx, &SELECT_RANGES, DB_BINDS(bind_uuids(chat_ids, n), bind_i64s(from, n), bind_i64s(to, n)),
                       n_entries, entries);
}

/* Answers are newer than the message that they answer. */
DB_STATEMENT(SELECT_REPLIES, "messaging_service", &messaging_rows__entry__message,
             "select " ENTRY " from messages m where m.reply_to_id = $1 and m.chat_id = $2 and m.id > $1 and m.n > $3"
             " order by m.n limit $4");

sn_status chat_store_replies(struct db_tx *tx, const chat_entry *message, int64_t after_n, size_t limit, size_t *n,
                             chat_entry ***entries)
{
        return db_list(
            tx, &SELECT_REPLIES,
            DB_BINDS(bind_uuid(message->id), bind_uuid(message->chat_id), bind_i64(after_n), bind_i64((int64_t)limit)),
            n, entries);
}

DB_STATEMENT(SELECT_EXPIRED, "messaging_service", &messaging_rows__entry__message,
             "select m.id, m.chat_id from messages m where m.expires_at <= now() and m.deleted_at is null limit $1");

sn_status chat_store_expired(struct db_tx *tx, size_t limit, size_t *n, chat_entry ***entries)
{
        return db_list(tx, &SELECT_EXPIRED, DB_BINDS(bind_i64((int64_t)limit)), n, entries);
}

/* At least a second from now, so that messages that expire together are erased together. */
DB_STATEMENT(NEXT_EXPIRY, "messaging_service", NULL,
             "select greatest(1000, ceil(extract(epoch from min(expires_at) - clock_timestamp()) * 1000))::bigint"
             " as wait_ms from messages where expires_at is not null and deleted_at is null"
             " having min(expires_at) is not null");

sn_status chat_store_next_expiry(struct db_tx *tx, int64_t *wait_ms)
{
        return jobs_read_wait(tx, &NEXT_EXPIRY, wait_ms);
}

DB_STATEMENT(MAKE_MONTHS, "messaging_service", NULL, "select create_message_months(now(), $1::integer)");

sn_status chat_store_make_months(struct db_tx *tx, int months)
{
        return db_exec(tx, &MAKE_MONTHS, DB_BINDS(bind_i64(months)), NULL);
}
