/* Owns the SQL on the audit log. */
#include "services/user/audit.h"

#include "base/str.h"

DB_STATEMENT(
    INSERT_AUDIT, "user_service", NULL,
    "insert into audit_log (id, occurred_at, action, actor_id, subject_id, session_id, address, client, before,"
    " after) values ($1, clock_timestamp(), $2, $3, $4, $5, $6, $7, jsonb_object($8::text[]),"
    " jsonb_object($9::text[]))");

static struct db_bind bind_values(const char *const *values)
{
        size_t n = 0;

        if (values == NULL) {
                return bind_null();
        }
        while (values[n] != NULL) {
                n++;
        }
        return bind_texts((char *const *)values, n);
}

sn_status audit(struct db_tx *tx, const struct audit_entry *entry)
{
        const struct rpc_call *c = db_call(tx);
        const char *subject = entry->subject_id != NULL ? entry->subject_id : c->actor;

        return db_exec(tx, &INSERT_AUDIT,
                       DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_text(entry->action), bind_uuid(c->actor),
                                bind_uuid(subject), bind_uuid(c->session),
                                bind_text(c->client_address != NULL ? c->client_address : ""),
                                bind_text(c->user_agent != NULL ? c->user_agent : ""), bind_values(entry->before),
                                bind_values(entry->after)),
                       NULL);
}

#define ENTRY                                                                                                          \
        "a.id is not null as present, a.action, audit_micros(a.occurred_at) as at_us, a.actor_id::text,"               \
        " a.subject_id::text, a.session_id::text, a.address, a.client, a.before::text, a.after::text, a.salt::text"
#define LINK                                                                                                           \
        "l.position, coalesce(l.entry_id, a.id) as id, l.action as link_action,"                                       \
        " audit_micros(l.occurred_at) as link_at_us, l.content_hash, l.hash"
#define ERASED                                                                                                         \
        "a.id is null and exists (select from audit_log e join audit_chain el on el.entry_id = e.id"                   \
        " where e.action = 'audit.erased' and el.position > l.position"                                                \
        " and e.after @> jsonb_build_object('entries', jsonb_build_array(l.entry_id::text))) as erased"

static const char *text_or_null(const struct db_rows *rows, size_t row, const char *column)
{
        return db_is_null(rows, row, column) ? NULL : db_text(rows, row, column);
}

static const uint8_t *hash_or_null(const struct db_rows *rows, size_t row, const char *column)
{
        size_t len = 0;
        const uint8_t *hash = db_is_null(rows, row, column) ? NULL : db_bytes(rows, row, column, &len);

        return len == AUDIT_HASH_BYTES ? hash : NULL;
}

static void read_row(const struct db_rows *rows, size_t i, struct audit_row *out)
{
        *out = (struct audit_row){
            .position = db_is_null(rows, i, "position") ? 0 : db_i64(rows, i, "position"),
            .present = db_i64(rows, i, "present") != 0,
            .erased = db_i64(rows, i, "erased") != 0,
            .id = db_text(rows, i, "id"),
            .action = text_or_null(rows, i, "action"),
            .at_us = text_or_null(rows, i, "at_us"),
            .actor_id = text_or_null(rows, i, "actor_id"),
            .subject_id = text_or_null(rows, i, "subject_id"),
            .session_id = text_or_null(rows, i, "session_id"),
            .address = text_or_null(rows, i, "address"),
            .client = text_or_null(rows, i, "client"),
            .before = text_or_null(rows, i, "before"),
            .after = text_or_null(rows, i, "after"),
            .salt = text_or_null(rows, i, "salt"),
            .link_action = text_or_null(rows, i, "link_action"),
            .link_at_us = text_or_null(rows, i, "link_at_us"),
            .content_hash = hash_or_null(rows, i, "content_hash"),
            .hash = hash_or_null(rows, i, "hash"),
        };
}

static void read_rows(struct db_tx *tx, const struct db_rows *rows, size_t *n, struct audit_row **out)
{
        *n = db_rows_count(rows);
        *out = ARENA_ARRAY(db_arena(tx), struct audit_row, *n);
        for (size_t i = 0; i < *n; i++) {
                read_row(rows, i, &(*out)[i]);
        }
}

DB_STATEMENT(SELECT_LINKS, "user_service", NULL,
             "select " LINK ", " ENTRY ", " ERASED " from audit_chain l left join audit_log a on a.id = l.entry_id"
             " where l.position > $1 order by l.position limit $2");

sn_status audit_read(struct rpc_call *c, int64_t after, size_t limit, size_t *n, struct audit_row **rows)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *found = NULL;

        TRY(db_read(c, &tx));
        TRY(db_rows(tx, &SELECT_LINKS, DB_BINDS(bind_i64(after), bind_i64((int64_t)limit)), &found));
        read_rows(tx, found, n, rows);
        return SN_OK;
}

DB_STATEMENT(SELECT_NEWEST, "user_service", NULL,
             "select " LINK ", " ENTRY ", false as erased from audit_chain l join audit_log a on a.id = l.entry_id"
             " order by l.position desc limit $1");

sn_status audit_read_newest(struct rpc_call *c, size_t limit, size_t *n, struct audit_row **rows)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *found = NULL;

        TRY(db_read(c, &tx));
        TRY(db_rows(tx, &SELECT_NEWEST, DB_BINDS(bind_i64((int64_t)limit)), &found));
        read_rows(tx, found, n, rows);
        return SN_OK;
}

DB_STATEMENT(
    COUNT_UNLINKED, "user_service", NULL,
    "select count(*) as n from audit_log a where not exists (select from audit_chain l where l.entry_id = a.id)");

sn_status audit_count_unlinked(struct rpc_call *c, int64_t *n)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows = NULL;

        TRY(db_read(c, &tx));
        TRY(db_rows(tx, &COUNT_UNLINKED, DB_NO_BINDS, &rows));
        *n = db_i64(rows, 0, "n");
        return SN_OK;
}
