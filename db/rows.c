/* Owns the public ways to run a statement: for its effect, into messages, or as raw rows. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/str.h"
#include "db/columns.h"
#include "db/tx.h"

struct db_rows {
        PGresult *result;
        const struct db_statement *statement;
        struct arena *arena;
};

sn_status db_exec(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                  int64_t *affected)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        TRY(db_run(tx, s, binds, n, &result));
        if (affected != NULL) {
                *affected = 0;
                (void)str_to_i64(str_of(PQcmdTuples(result)), affected);
        }
        return SN_OK;
}

static sn_status fail_row(struct rpc_call *c)
{
        return rpc_fail(c, SN_INTERNAL, NULL, "something went wrong on our side");
}

static sn_status find_columns(struct rpc_call *c, const struct db_statement *s, const PGresult *result,
                              struct db_columns *columns)
{
        if (s->row == NULL) {
                log_event(LOG_LEVEL_ERROR, "a statement without a row message returned rows",
                          LOG_STR("sonet.statement", s->name));
                return fail_row(c);
        }
        return db_columns_find(columns, s, result, NULL) ? SN_OK : fail_row(c);
}

static sn_status fill_list(struct rpc_call *c, const struct db_statement *s, const PGresult *result, size_t *n_items,
                           void *items)
{
        struct db_columns columns;
        size_t rows = (size_t)PQntuples(result);
        ProtobufCMessage **list = ARENA_ARRAY(c->arena, ProtobufCMessage *, rows);

        TRY(find_columns(c, s, result, &columns));
        for (size_t i = 0; i < rows; i++) {
                list[i] = contract_new_message(s->row, c->arena);
                if (!db_columns_fill(&columns, result, (int)i, list[i], c->arena)) {
                        return fail_row(c);
                }
        }
        *n_items = rows;
        memcpy(items, &list, sizeof(list)); /* items is a Type **, whatever the type */
        return SN_OK;
}

sn_status db_list(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                  size_t *n_items, void *items)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        TRY(db_run(tx, s, binds, n, &result));
        return fill_list(tx->c, s, result, n_items, items);
}

sn_status db_rows_list(struct rpc_call *c, const struct db_rows *rows, size_t *n_items, void *items)
{
        *n_items = 0;
        return rows->result != NULL ? fill_list(c, rows->statement, rows->result, n_items, items) : SN_OK;
}

sn_status db_one(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                 ProtobufCMessage *out, bool *found)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        struct db_columns columns;

        if (s->row == NULL || out->descriptor != s->row->descriptor) {
                log_event(LOG_LEVEL_ERROR, "a row was requested as the wrong message type",
                          LOG_STR("sonet.statement", s->name));
                return fail_row(tx->c);
        }
        TRY(db_run(tx, s, binds, n, &result));
        TRY(find_columns(tx->c, s, result, &columns));
        bool any = PQntuples(result) > 0;

        if (any && !db_columns_fill(&columns, result, 0, out, db_arena(tx))) {
                return fail_row(tx->c);
        }
        if (found != NULL) {
                *found = any;
        } else if (!any) {
                return rpc_fail(tx->c, SN_NOT_FOUND, NULL, "this does not exist, or you may not see it");
        }
        return SN_OK;
}

static void clear_rows(void *context)
{
        struct db_rows *rows = context;

        PQclear(rows->result);
}

static struct db_rows *new_rows(struct db_tx *tx, const struct db_statement *s)
{
        struct db_rows *rows = ARENA_NEW(db_arena(tx), struct db_rows);

        *rows = (struct db_rows){.statement = s, .arena = db_arena(tx)};
        arena_defer(db_arena(tx), clear_rows, rows);
        return rows;
}

void db_rows_set(struct db_rows *rows, PGresult *result)
{
        PQclear(rows->result); /* of the first attempt */
        rows->result = result;
}

sn_status db_rows(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                  struct db_rows **rows)
{
        PGresult *result;

        TRY(db_run(tx, s, binds, n, &result));
        *rows = new_rows(tx, s);
        db_rows_set(*rows, result);
        return SN_OK;
}

sn_status db_rows_later(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds, size_t n,
                        struct db_rows **rows)
{
        *rows = new_rows(tx, s);
        return db_run_later(tx, s, binds, n, *rows);
}

size_t db_rows_count(const struct db_rows *rows)
{
        return (size_t)PQntuples(rows->result);
}

/* A missing column or row is a bug in the caller, which its first test should reveal. */
static int find_column(const struct db_rows *rows, size_t row, const char *column)
{
        int n = PQnfields(rows->result);

        for (int i = 0; i < n && row < db_rows_count(rows); i++) {
                if (strcmp(PQfname(rows->result, i), column) == 0) {
                        return i;
                }
        }
        log_event(LOG_LEVEL_ERROR, "no such row or column", LOG_STR("sonet.statement", rows->statement->name),
                  LOG_STR("sonet.column", column), LOG_INT("sonet.row", (int64_t)row));
        abort();
}

static struct db_value value_at(const struct db_rows *rows, size_t row, int column)
{
        return (struct db_value){.bytes = (const uint8_t *)PQgetvalue(rows->result, (int)row, column),
                                 .len = PQgetlength(rows->result, (int)row, column)};
}

bool db_is_null(const struct db_rows *rows, size_t row, const char *column)
{
        return PQgetisnull(rows->result, (int)row, find_column(rows, row, column)) != 0;
}

int64_t db_i64(const struct db_rows *rows, size_t row, const char *column)
{
        int i = find_column(rows, row, column);
        struct db_value v = value_at(rows, row, i);

        if (db_kind_of(PQftype(rows->result, i)) != DB_KIND_TIME || v.len != 8) {
                return db_value_int(v);
        }
        int64_t us = db_value_time_us(v);

        return us / 1000 - (us % 1000 < 0);
}

const char *db_text(const struct db_rows *rows, size_t row, const char *column)
{
        int i = find_column(rows, row, column);
        struct db_value v = value_at(rows, row, i);

        if (PQgetisnull(rows->result, (int)row, i)) {
                return "";
        }
        switch (db_kind_of(PQftype(rows->result, i))) {
        case DB_KIND_UUID:
                return db_value_uuid(v, rows->arena);
        case DB_KIND_JSONB:
                return (const char *)v.bytes + (v.len > 0); /* a version precedes the text */
        case DB_KIND_INT:
                return arena_printf(rows->arena, "%" PRId64, db_value_int(v));
        default:
                return (const char *)v.bytes;
        }
}

const uint8_t *db_bytes(const struct db_rows *rows, size_t row, const char *column, size_t *len)
{
        struct db_value v = value_at(rows, row, find_column(rows, row, column));

        *len = (size_t)v.len;
        return v.bytes;
}
