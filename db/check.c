/* Owns checking all statements against a live schema. */
#include "db/check.h"

#include <string.h>
#include "base/clock.h"
#include "db/connection.h"
#include "db/columns.h"

#define CHECK_US 30000000

static bool belongs_to(const struct db_statement *s, const char *database)
{
        return s != NULL && (strcmp(s->database, database) == 0 || strcmp(s->database, "*") == 0);
}

static bool name_is_taken(const char *database, const struct db_statement *const *all, size_t before)
{
        for (size_t i = 0; i < before; i++) {
                if (belongs_to(all[i], database) && strcmp(all[i]->name, all[before]->name) == 0) {
                        return true;
                }
        }
        return false;
}

static bool check_columns(const struct db_statement *s, const PGresult *described, struct buf *error)
{
        struct db_columns columns;

        return s->row == NULL || db_columns_find(&columns, s, described, error);
}

static bool check_one(PGconn *pg, const struct db_statement *s, struct buf *error)
{
        CLEANUP(db_pg_clear_p) PGresult *prepared = NULL;
        CLEANUP(db_pg_clear_p) PGresult *described = NULL;
        int64_t deadline_us = clock_monotonic_us() + CHECK_US;

        if (!PQsendPrepare(pg, s->name, s->sql, 0, NULL) || db_pg_wait(pg, deadline_us, &prepared) != DB_DONE) {
                const char *message = prepared != NULL ? PQresultErrorField(prepared, PG_DIAG_MESSAGE_PRIMARY) : NULL;

                buf_printf(error, "statement %s: %s %s", s->name, db_pg_sqlstate(prepared),
                           message != NULL ? message : "no answer");
                return false;
        }
        if (!PQsendDescribePrepared(pg, s->name) || db_pg_wait(pg, deadline_us, &described) != DB_DONE) {
                buf_printf(error, "statement %s: cannot describe it", s->name);
                return false;
        }
        return check_columns(s, described, error);
}

static void close_connection_p(PGconn **pg)
{
        PQfinish(*pg);
}

sn_status db_check_statements(const char *url, const char *database, struct buf *error)
{
        CLEANUP(close_connection_p) PGconn *pg = NULL;
        char reason[256];
        size_t n;
        const struct db_statement *const *all = db_statements(&n);
        sn_status status = SN_OK;

        if (db_pg_connect(url, clock_monotonic_us() + CHECK_US, &pg, reason, sizeof(reason)) != DB_DONE) {
                buf_append_c(error, reason);
                return SN_UNAVAILABLE;
        }
        for (size_t i = 0; i < n; i++) {
                if (!belongs_to(all[i], database)) {
                        continue;
                }
                bool taken = name_is_taken(database, all, i);

                if (taken) {
                        buf_printf(error, "statement %s: duplicate name", all[i]->name);
                }
                if (taken || !check_one(pg, all[i], error)) {
                        buf_append_char(error, '\n');
                        status = SN_FAILED_PRECONDITION;
                }
        }
        return status;
}
