/* Owns the SQL of changing messages. */
#include "services/messaging/store_changes.h"

#include <string.h>
#include "base/uuid.h"

DB_STATEMENT(KEEP_VERSION, "messaging_service", NULL,
             "insert into message_edits (message_id, seq, text, created_at)"
             " select id, $2, text, coalesce(edited_at, created_at) from messages where id = $1");
DB_STATEMENT(EDIT_MESSAGE, "messaging_service", NULL, "update messages set text = $2, edited_at = $3 where id = $1");

sn_status chat_store_edit(struct db_tx *tx, const chat_entry *message, const chat_entry *edit, const char *text)
{
        TRY(db_exec(tx, &KEEP_VERSION, DB_BINDS(bind_uuid(message->id), bind_i64(edit->seq)), NULL));
        return db_exec(tx, &EDIT_MESSAGE,
                       DB_BINDS(bind_uuid(message->id), bind_text(text), bind_time_ms(uuid_time_ms(edit->id))), NULL);
}

DB_STATEMENT(ERASE_MESSAGE, "messaging_service", NULL,
             "with e as (delete from message_edits where message_id = $1),"
             " r as (delete from message_reactions where message_id = $1),"
             " c as (delete from message_reaction_counts where message_id = $1),"
             " p as (delete from chat_pins where chat_id = $2 and message_id = $1),"
             " w as (delete from message_words where message_id = $1),"
             " m as (delete from message_mentions where message_id = $1)"
             " update messages set text = '', note_id = null, edited_at = null, deleted_at = now() where id = $1");

sn_status chat_store_erase_message(struct db_tx *tx, const chat_entry *message)
{
        return db_exec(tx, &ERASE_MESSAGE, DB_BINDS(bind_uuid(message->id), bind_uuid(message->chat_id)), NULL);
}

DB_STATEMENT(SELECT_ERASED, "messaging_service", NULL,
             "select 1 from messages where id = $1 and deleted_at is not null");

sn_status chat_store_is_erased(struct db_tx *tx, const char *message_id, bool *erased)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_ERASED, DB_BINDS(bind_uuid(message_id)), &rows));
        *erased = db_rows_count(rows) > 0;
        return SN_OK;
}

DB_STATEMENT(
    SELECT_VERSIONS, "messaging_service", &messaging__version__message,
    "select text, created_at from (select text, created_at, seq from message_edits where message_id = $1 and seq <= $3"
    " order by seq desc limit $2) e order by seq");

sn_status chat_store_versions(struct db_tx *tx, const char *message_id, size_t *n, int64_t end,
                              Messaging__Version ***versions)
{
        return db_list(tx, &SELECT_VERSIONS, DB_BINDS(bind_uuid(message_id), bind_i64(VERSIONS_MAX), bind_i64(end)), n,
                       versions);
}

DB_STATEMENT(SELECT_VERSIONS_AT, "messaging_service", &messaging_rows__old_version__message,
             "select a.place - 1 as place, e.text, e.created_at as since"
             " from unnest($1::uuid[], $2::bigint[]) with ordinality a (id, seq, place)"
             " cross join lateral (select text, created_at from message_edits where message_id = a.id and seq > a.seq"
             " order by seq limit 1) e");

sn_status chat_store_versions_at(struct db_tx *tx, char *const *ids, const int64_t *seqs, size_t n, size_t *n_versions,
                                 MessagingRows__OldVersion ***versions)
{
        return db_list(tx, &SELECT_VERSIONS_AT, DB_BINDS(bind_uuids(ids, n), bind_i64s(seqs, n)), n_versions, versions);
}

DB_STATEMENT(HIDE_MESSAGE, "messaging_service", NULL,
             "with p as (update chat_participants set changed_xid = pg_current_xact_id()"
             " where chat_id = $3 and user_id = $1)"
             " insert into message_hides (user_id, message_id, chat_id) values ($1, $2, $3) on conflict do nothing");

sn_status chat_store_hide(struct db_tx *tx, const chat_entry *message)
{
        return db_exec(tx, &HIDE_MESSAGE,
                       DB_BINDS(bind_uuid(db_call(tx)->actor), bind_uuid(message->id), bind_uuid(message->chat_id)),
                       NULL);
}

DB_STATEMENT(SELECT_HIDDEN, "messaging_service", NULL,
             "select a.place from unnest($1::uuid[], $2::uuid[]) with ordinality a (id, viewer, place)"
             " join message_hides h on h.user_id = a.viewer and h.message_id = a.id");

sn_status chat_store_hidden(struct db_tx *tx, char *const *ids, char *const *viewers, size_t n, bool **hidden)
{
        struct db_rows *rows = NULL;

        *hidden = ARENA_ARRAY(db_arena(tx), bool, n);
        if (n == 0) {
                return SN_OK;
        }
        TRY(db_rows(tx, &SELECT_HIDDEN, DB_BINDS(bind_uuids(ids, n), bind_uuids(viewers, n)), &rows));
        for (size_t i = 0; i < db_rows_count(rows); i++) {
                (*hidden)[db_i64(rows, i, "place") - 1] = true;
        }
        return SN_OK;
}

sn_status chat_store_drop_hidden(struct db_tx *tx, chat_entry **entries, size_t *n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, *n), **viewers = ARENA_ARRAY(db_arena(tx), char *, *n);
        bool *hidden = NULL;
        size_t kept = 0;

        for (size_t i = 0; i < *n; i++) {
                ids[i] = entries[i]->id;
                viewers[i] = (char *)db_call(tx)->actor;
        }
        TRY(chat_store_hidden(tx, ids, viewers, *n, &hidden));
        for (size_t i = 0; i < *n; i++) {
                if (!hidden[i]) {
                        entries[kept++] = entries[i];
                }
        }
        *n = kept;
        return SN_OK;
}

DB_STATEMENT(INSERT_REACTION, "messaging_service", NULL,
             "insert into message_reactions (message_id, user_id, emoji) values ($1, $2, $3) on conflict do nothing");
DB_STATEMENT(COUNT_REACTION, "messaging_service", NULL,
             "insert into message_reaction_counts as r (message_id, emoji, count) values ($1, $2, 1)"
             " on conflict (message_id, emoji) do update set count = r.count + 1");
/* A reaction is an entry of the log, and newer than its message. */
DB_STATEMENT(COUNT_REACTINGS, "messaging_service", NULL,
             "select (select count(*) from message_reaction_counts where message_id = $1) as emojis,"
             " (select count(*) from (select from messages where target_id = $1 and sender_id = $2 and kind = 6"
             " and id > $1 limit $3) r) as reactings");

static sn_status check_bounds(struct db_tx *tx, const char *message_id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_REACTINGS,
                    DB_BINDS(bind_uuid(message_id), bind_uuid(db_call(tx)->actor), bind_i64(REACTINGS_MAX)), &rows));
        if (db_i64(rows, 0, "emojis") > REACTIONS_MAX) {
                return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "emoji",
                                "a message has at most %d different reactions; choose one of those", REACTIONS_MAX);
        }
        return db_i64(rows, 0, "reactings") < REACTINGS_MAX
                   ? SN_OK
                   : rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "emoji",
                              "you have already reacted to this message %d times, which is the limit", REACTINGS_MAX);
}

sn_status chat_store_react(struct db_tx *tx, const char *message_id, const char *emoji, bool *changed)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &INSERT_REACTION,
                    DB_BINDS(bind_uuid(message_id), bind_uuid(db_call(tx)->actor), bind_text(emoji)), &affected));
        *changed = affected > 0;
        if (!*changed) {
                return SN_OK;
        }
        TRY(db_exec_later(tx, &COUNT_REACTION, DB_BINDS(bind_uuid(message_id), bind_text(emoji))));
        return check_bounds(tx, message_id);
}

DB_STATEMENT(DELETE_REACTION, "messaging_service", NULL,
             "delete from message_reactions where message_id = $1 and user_id = $2 and emoji = $3");
DB_STATEMENT(UNCOUNT_REACTION, "messaging_service", NULL,
             "with less as (update message_reaction_counts set count = count - 1 where message_id = $1 and emoji = $2"
             " and count > 1 returning 1) delete from message_reaction_counts where message_id = $1 and emoji = $2"
             " and count = 1 and not exists (select from less)");

sn_status chat_store_unreact(struct db_tx *tx, const char *message_id, const char *user_id, const char *emoji,
                             bool *changed)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &DELETE_REACTION, DB_BINDS(bind_uuid(message_id), bind_uuid(user_id), bind_text(emoji)),
                    &affected));
        *changed = affected > 0;
        return *changed ? db_exec(tx, &UNCOUNT_REACTION, DB_BINDS(bind_uuid(message_id), bind_text(emoji)), NULL)
                        : SN_OK;
}

DB_STATEMENT(SELECT_REACTIONS, "messaging_service", &messaging_rows__reaction__message,
             "select a.place - 1 as place, c.emoji, c.count, exists (select from message_reactions r where"
             " r.message_id = a.id and r.user_id = a.viewer and r.emoji = c.emoji) as mine"
             " from unnest($1::uuid[], $2::uuid[]) with ordinality a (id, viewer, place)"
             " join message_reaction_counts c on c.message_id = a.id order by a.place, c.count desc, c.created_at");

sn_status chat_store_reactions(struct db_tx *tx, char *const *ids, char *const *viewers, size_t n, size_t *n_reactions,
                               MessagingRows__Reaction ***reactions)
{
        return db_list(tx, &SELECT_REACTIONS, DB_BINDS(bind_uuids(ids, n), bind_uuids(viewers, n)), n_reactions,
                       reactions);
}

DB_STATEMENT(INSERT_PIN, "messaging_service", NULL,
             "insert into chat_pins (chat_id, message_id, seq) select $1, $2, $3 where"
             " (select count(*) from chat_pins where chat_id = $1) < $4 on conflict do nothing");
DB_STATEMENT(SELECT_PIN, "messaging_service", NULL,
             "select message_id from chat_pins where chat_id = $1 and message_id = $2");

sn_status chat_store_pin(struct db_tx *tx, const chat_entry *m, bool *changed)
{
        struct db_rows *rows = NULL;
        int64_t affected = 0;

        TRY(db_exec(tx, &INSERT_PIN,
                    DB_BINDS(bind_uuid(m->chat_id), bind_uuid(m->id), bind_i64(m->seq), bind_i64(PINS_MAX)),
                    &affected));
        *changed = affected > 0;
        if (*changed) {
                return SN_OK;
        }
        TRY(db_rows(tx, &SELECT_PIN, DB_BINDS(bind_uuid(m->chat_id), bind_uuid(m->id)), &rows));
        return db_rows_count(rows) > 0 ? SN_OK
                                       : rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "message_id",
                                                  "a chat has at most %d pinned messages", PINS_MAX);
}

DB_STATEMENT(DELETE_PIN, "messaging_service", NULL, "delete from chat_pins where chat_id = $1 and message_id = $2");

sn_status chat_store_unpin(struct db_tx *tx, const chat_entry *m, bool *changed)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &DELETE_PIN, DB_BINDS(bind_uuid(m->chat_id), bind_uuid(m->id)), &affected));
        *changed = affected > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_PINS, "messaging_service", NULL,
             "select message_id from chat_pins where chat_id = $1 order by seq");

sn_status chat_store_pins(struct db_tx *tx, const char *chat_id, size_t *n, char ***ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_PINS, DB_BINDS(bind_uuid(chat_id)), &rows));
        *n = db_rows_count(rows);
        *ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*ids)[i] = (char *)db_text(rows, i, "message_id");
        }
        return SN_OK;
}
