/* Owns the SQL of a chat's members, and how far they have read. */
#include "services/messaging/store_participants.h"

DB_STATEMENT(
    PUT_PARTICIPANT, "messaging_service", NULL,
    "insert into chat_participants as p (chat_id, user_id, role, state, visible, read_seq, read_n)"
    " values ($1, $2, $3, $4, int8multirange(int8range($5, null)), $6, $7)"
    " on conflict (chat_id, user_id) do update set role = excluded.role, state = excluded.state,"
    " removed = false, visible = p.visible + excluded.visible, read_seq = excluded.read_seq, read_n = excluded.read_n,"
    " created_at = now(), changed_xid = pg_current_xact_id(), joined_xid = pg_current_xact_id()");
DB_STATEMENT(COUNT_MEMBERS, "messaging_service", NULL, "update chats set members = members + $2 where id = $1");

sn_status chat_store_put_participant(struct db_tx *tx, const char *chat_id, const struct new_participant *p)
{
        TRY(db_exec(tx, &PUT_PARTICIPANT,
                    DB_BINDS(bind_uuid(chat_id), bind_uuid(p->user_id), bind_i64(p->role), bind_i64(p->state),
                             bind_i64(p->from_seq), bind_i64(p->seq), bind_i64(p->n)),
                    NULL));
        return db_exec(tx, &COUNT_MEMBERS, DB_BINDS(bind_uuid(chat_id), bind_i64(1)), NULL);
}

DB_STATEMENT(END_PARTICIPANT, "messaging_service", NULL,
             "update chat_participants set state = 3, visible = visible * int8multirange(int8range(1, $3::bigint + 1)),"
             " removed = $2 <> $4, changed_xid = pg_current_xact_id() where chat_id = $1 and user_id = $2");

sn_status chat_store_end_participant(struct db_tx *tx, const char *chat_id, const char *user_id, const char *by,
                                     int64_t seq)
{
        TRY(db_exec(tx, &END_PARTICIPANT,
                    DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id), bind_i64(seq), bind_uuid(by)), NULL));
        return db_exec(tx, &COUNT_MEMBERS, DB_BINDS(bind_uuid(chat_id), bind_i64(-1)), NULL);
}

/* A member who declined a direct chat still appears as a member to the other one. */
DB_STATEMENT(
    SELECT_PARTICIPANTS, "messaging_service", &messaging_rows__member__message,
    "select user_id, role, state, created_at as joined_at from chat_participants"
    " where chat_id = $1 and state in (1, 2, 4) and (date_trunc('milliseconds', created_at), user_id) > ($2, $3)"
    " order by date_trunc('milliseconds', created_at), user_id limit $4");

sn_status chat_store_participants(struct db_tx *tx, const char *chat_id, const struct page_scan *scan, size_t *n,
                                  chat_member ***members)
{
        return db_list(tx, &SELECT_PARTICIPANTS,
                       DB_BINDS(bind_uuid(chat_id), bind_time_ms(scan->beyond.sort_key),
                                bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)),
                       n, members);
}

DB_STATEMENT(SELECT_READERS, "messaging_service", NULL,
             "select user_id from chat_participants where chat_id = $1 and user_id > $3 and visible @> $2::bigint"
             " order by user_id limit $4");

sn_status chat_store_readers_later(struct db_tx *tx, const char *chat_id, int64_t seq, size_t limit,
                                   struct db_rows **rows)
{
        return db_rows_later(tx, &SELECT_READERS,
                             DB_BINDS(bind_uuid(chat_id), bind_i64(seq), bind_uuid(NOBODY), bind_i64((int64_t)limit)),
                             rows);
}

sn_status chat_store_readers(struct db_tx *tx, const char *chat_id, int64_t seq, const char *after, size_t limit,
                             size_t *n, char ***ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_READERS,
                    DB_BINDS(bind_uuid(chat_id), bind_i64(seq), bind_uuid(after[0] != '\0' ? after : NOBODY),
                             bind_i64((int64_t)limit)),
                    &rows));
        *n = db_rows_count(rows);
        *ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*ids)[i] = (char *)db_text(rows, i, "user_id");
        }
        return SN_OK;
}

DB_STATEMENT(SELECT_RECIPIENTS, "messaging_service", &messaging_rows__recipient__message,
             "select a.place, p.user_id, p.state from unnest($1::uuid[], $2::bigint[], $3::uuid[]) with ordinality"
             " a (chat_id, seq, sender_id, place) cross join lateral (select user_id, state from chat_participants"
             " where chat_id = a.chat_id and user_id > case when a.place = 1 then $4 else '" NOBODY "'::uuid end"
             " and state in (1, 2) and visible @> a.seq and read_seq < a.seq and user_id <> a.sender_id"
             " and (muted_until is null or muted_until <= $5) order by user_id limit $6) p"
             " order by a.place, p.user_id limit $6");

sn_status chat_store_recipients(struct db_tx *tx, const Messaging__ListRecipientsRequest *in, size_t *n,
                                MessagingRows__Recipient ***rows)
{
        struct arena *arena = db_arena(tx);
        char **chats = ARENA_ARRAY(arena, char *, in->n_messages),
             **senders = ARENA_ARRAY(arena, char *, in->n_messages);
        int64_t *seqs = ARENA_ARRAY(arena, int64_t, in->n_messages);

        for (size_t i = 0; i < in->n_messages; i++) {
                chats[i] = in->messages[i]->chat_id;
                seqs[i] = in->messages[i]->seq;
                senders[i] = in->messages[i]->sender_id[0] != '\0' ? in->messages[i]->sender_id : NOBODY;
        }
        return db_list(tx, &SELECT_RECIPIENTS,
                       DB_BINDS(bind_uuids(chats, in->n_messages), bind_i64s(seqs, in->n_messages),
                                bind_uuids(senders, in->n_messages),
                                bind_uuid(in->after_id[0] != '\0' ? in->after_id : NOBODY),
                                bind_time_ms(db_call(tx)->now_ms), bind_i64(in->limit)),
                       n, rows);
}

DB_STATEMENT(MARK_READ, "messaging_service", NULL,
             "update chat_participants set read_seq = $3, read_n = $4, changed_xid = pg_current_xact_id()"
             " where chat_id = $1 and user_id = $2 and read_seq < $3 and state in (1, 2)");

sn_status chat_store_mark_read(struct db_tx *tx, const chat_member *member, int64_t seq, int64_t n, bool *raised)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &MARK_READ,
                    DB_BINDS(bind_uuid(member->chat_id), bind_uuid(member->user_id), bind_i64(seq), bind_i64(n)),
                    &affected));
        *raised = affected > 0;
        return SN_OK;
}

#define OF_MEMBER " where chat_id = $1 and user_id = $2 and state in (1, 2)"
#define SET(what) "update chat_participants set " what ", changed_xid = pg_current_xact_id()"

DB_STATEMENT(SET_ARCHIVED, "messaging_service", NULL, SET("archived = $3") OF_MEMBER);
DB_STATEMENT(SET_PINNED, "messaging_service", NULL, SET("pinned = $3") OF_MEMBER);
DB_STATEMENT(SET_MUTED, "messaging_service", NULL, SET("muted_until = $3") OF_MEMBER);
DB_STATEMENT(SET_DRAFT, "messaging_service", NULL, SET("draft = $3") OF_MEMBER);
DB_STATEMENT(SET_STATE, "messaging_service", NULL, SET("state = $3") OF_MEMBER);

sn_status chat_store_set(struct db_tx *tx, enum own_setting setting, const char *chat_id, const char *user_id,
                         struct db_bind value)
{
        static const struct db_statement *const statements[] = {
            [OWN_ARCHIVED] = &SET_ARCHIVED, [OWN_PINNED] = &SET_PINNED, [OWN_MUTED] = &SET_MUTED,
            [OWN_DRAFT] = &SET_DRAFT,       [OWN_STATE] = &SET_STATE,
        };

        return db_exec(tx, statements[setting], DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id), value), NULL);
}

DB_STATEMENT(FORGET_PAST, "messaging_service", NULL,
             SET("visible = visible * int8multirange(int8range($3::bigint + 1, null)), read_seq = $3, read_n = $4,"
                 " archived = false, draft = ''") OF_MEMBER);

sn_status chat_store_forget_past(struct db_tx *tx, const chat_member *member)
{
        return db_exec(tx, &FORGET_PAST,
                       DB_BINDS(bind_uuid(member->chat_id), bind_uuid(member->user_id), bind_i64(member->last_seq),
                                bind_i64(member->last_n)),
                       NULL);
}

DB_STATEMENT(DECLINE, "messaging_service", NULL,
             SET("state = 4, visible = visible * int8multirange(int8range(1, $3::bigint + 1))") OF_MEMBER);

sn_status chat_store_decline(struct db_tx *tx, const chat_member *member)
{
        return db_exec(tx, &DECLINE,
                       DB_BINDS(bind_uuid(member->chat_id), bind_uuid(member->user_id), bind_i64(member->last_seq)),
                       NULL);
}

DB_STATEMENT(
    COME_BACK, "messaging_service", NULL,
    SET("state = 1, visible = visible + int8multirange(int8range($3::bigint + 1, null)), read_seq = $3,"
        " read_n = $4, joined_xid = pg_current_xact_id()") " where chat_id = $1 and user_id = $2 and state = 4");

sn_status chat_store_come_back(struct db_tx *tx, const chat_member *member)
{
        return db_exec(tx, &COME_BACK,
                       DB_BINDS(bind_uuid(member->chat_id), bind_uuid(member->user_id), bind_i64(member->last_seq),
                                bind_i64(member->last_n)),
                       NULL);
}

DB_STATEMENT(SET_ROLE, "messaging_service", NULL, SET("role = $3") OF_MEMBER);

sn_status chat_store_set_role(struct db_tx *tx, const char *chat_id, const char *user_id, int role)
{
        return db_exec(tx, &SET_ROLE, DB_BINDS(bind_uuid(chat_id), bind_uuid(user_id), bind_i64(role)), NULL);
}

DB_STATEMENT(
    SELECT_HEIR, "messaging_service", NULL,
    "select user_id from chat_participants where chat_id = $1 and state = 1 order by role, created_at limit 1");

sn_status chat_store_heir(struct db_tx *tx, const char *chat_id, char **id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_HEIR, DB_BINDS(bind_uuid(chat_id)), &rows));
        *id = db_rows_count(rows) > 0 ? (char *)db_text(rows, 0, "user_id") : "";
        return SN_OK;
}

DB_STATEMENT(HAS_OWNER, "messaging_service", NULL,
             "select exists (select from chat_participants where chat_id = $1 and state = 1 and role = 1) as has");

sn_status chat_store_has_owner(struct db_tx *tx, const char *chat_id, bool *has)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &HAS_OWNER, DB_BINDS(bind_uuid(chat_id)), &rows));
        *has = db_i64(rows, 0, "has") != 0;
        return SN_OK;
}
