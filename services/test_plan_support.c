/* Owns how tests prepare and explain statements as production does. */
#include "services/test_plan_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/str.h"
#include "services/test_support.h"

void plan_fill(const char *database, const char *sql)
{
        PGconn *pg = test_admin_connect(database);

        PQclear(plan_must(pg, PQexec(pg, sql), database));
        PQfinish(pg);
}

void plan_add_ids(const char *database)
{
        plan_fill(database, "create function id(n bigint) returns uuid immutable language sql"
                            " as $$ select lpad(to_hex(n), 32, '0')::uuid $$;"
                            " create function ids(first int, last int, step int) returns uuid[] immutable language sql"
                            " as $$ select array_agg(id(n)) from generate_series(first, last, step) n $$");
}

void plan_multiply(const char *database, int times)
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql),
                       "update pg_class set reltuples = reltuples * %d where relnamespace in (select oid from"
                       " pg_namespace where nspname !~ '^(pg_|information_schema)')",
                       times);
        plan_fill(database, sql);
}

long plan_estimate(const char *database, const char *table)
{
        PGconn *pg = plan_connect(database);
        char sql[100];

        (void)snprintf(sql, sizeof(sql), "explain select from %s", table);
        PGresult *result = plan_must(pg, PQexec(pg, sql), "explain");
        const char *estimate = strstr(PQgetvalue(result, 0, 0), "rows=");

        assert_non_null(estimate);
        long rows = strtol(estimate + strlen("rows="), NULL, 10);

        PQclear(result);
        PQfinish(pg);
        return rows;
}

PGresult *plan_must(PGconn *pg, PGresult *result, const char *what)
{
        ExecStatusType status = PQresultStatus(result);

        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
                fail_msg("%s: %s", what, PQerrorMessage(pg));
        }
        return result;
}

/* A role's settings apply only at log-in, so they are read and set. */
PGconn *plan_connect(const char *database)
{
        PGconn *pg = test_admin_connect(database);
        PGresult *result = plan_must(pg,
                                     PQexec(pg, "select set_config(split_part(s, '=', 1), split_part(s, '=', 2), false)"
                                                " from pg_roles, unnest(rolconfig) s where rolname = current_database()"
                                                " and s like 'plan_cache_mode=%'"),
                                     "take over the role's settings");

        assert_int_equal(PQntuples(result), 1);
        assert_string_equal(PQgetvalue(result, 0, 0), "force_generic_plan");
        PQclear(result);
        return pg;
}

const struct db_statement *plan_find(const char *database, const char *name)
{
        size_t n;
        const struct db_statement *const *all = db_statements(&n);

        for (size_t i = 0; i < n; i++) {
                if (all[i] != NULL && strcmp(all[i]->name, name) == 0 &&
                    (strcmp(all[i]->database, database) == 0 || strcmp(all[i]->database, "*") == 0)) {
                        return all[i];
                }
        }
        fail_msg("%s has no statement %s", database, name);
        return NULL;
}

int plan_prepare(PGconn *pg, const struct db_statement *s)
{
        PQclear(plan_must(pg, PQprepare(pg, s->name, s->sql, 0, NULL), s->name));
        PGresult *described = plan_must(pg, PQdescribePrepared(pg, s->name), s->name);
        int n = PQnparams(described);
        PQclear(described);
        return n;
}

/* Parses "Buffers: shared hit=12 read=3" of the outermost node, which has the sum. */
static long sum_of_buffers(PGresult *result)
{
        for (int i = 0; i < PQntuples(result); i++) {
                const char *found = strstr(PQgetvalue(result, i, 0), "Buffers: shared");

                if (found != NULL) {
                        const char *hits = strstr(found, "hit="), *reads = strstr(found, "read=");

                        return (hits != NULL ? strtol(hits + 4, NULL, 10) : 0) +
                               (reads != NULL ? strtol(reads + 5, NULL, 10) : 0);
                }
        }
        return 0;
}

long plan_count_buffers(PGconn *pg, const struct db_statement *s, const char *values)
{
        struct buf sql;
        long buffers;

        buf_init(&sql, 1 << 16);
        buf_printf(&sql, "explain (analyze, buffers, costs off, timing off) execute \"%s\" (%s)", s->name, values);
        PGresult *result = plan_must(pg, PQexec(pg, sql.data), s->name);
        buffers = sum_of_buffers(result);
        PQclear(result);
        buf_free(&sql);
        return buffers;
}

/* A generic plan does not depend on the values. */
static void explain(PGconn *pg, const struct db_statement *s, struct buf *plan)
{
        int n = plan_prepare(pg, s);
        struct buf sql;

        buf_init(&sql, 4096);
        buf_printf(&sql, "explain (costs off) execute \"%s\"", s->name);
        for (int i = 0; i < n; i++) {
                buf_append_c(&sql, i == 0 ? "(null" : ", null");
        }
        buf_append_c(&sql, n > 0 ? ")" : "");
        PGresult *result = plan_must(pg, PQexec(pg, sql.data), s->name);
        for (int i = 0; i < PQntuples(result); i++) {
                buf_printf(plan, "%s\n", PQgetvalue(result, i, 0));
        }
        PQclear(result);
        buf_free(&sql);
}

static void check_indexes(const struct plan_expectation *e, const struct buf *plan)
{
        struct str rest = str_of(e->index), index;

        while (str_next(&rest, ' ', &index)) {
                char name[80];

                (void)snprintf(name, sizeof(name), "%.*s", (int)index.len, index.ptr);
                if (strstr(plan->data, name) == NULL) {
                        fail_msg("%s does not use %s:\n%s", e->statement, name, plan->data);
                }
        }
}

/* outbox_head has one row, search_rebuild two, search_steps and unpublished_counts a few, all of which are needed. */
static bool reads_whole_table(const char *plan)
{
        static const char scan[] = "Seq Scan on ", one_row[] = "outbox_head", few_rows[] = "search_steps",
                          two_rows[] = "search_rebuild", waiting[] = "unpublished_counts";

        for (const char *at = plan; (at = strstr(at, scan)) != NULL;) {
                at += strlen(scan);
                if (strncmp(at, one_row, strlen(one_row)) != 0 && strncmp(at, few_rows, strlen(few_rows)) != 0 &&
                    strncmp(at, two_rows, strlen(two_rows)) != 0 && strncmp(at, waiting, strlen(waiting)) != 0) {
                        return true;
                }
        }
        return false;
}

void plan_check(const char *database, const struct plan_expectation *expectations, size_t n)
{
        PGconn *pg = plan_connect(database);

        for (size_t i = 0; i < n; i++) {
                struct buf plan;

                buf_init(&plan, 65536);
                explain(pg, plan_find(database, expectations[i].statement), &plan);
                if (reads_whole_table(plan.data)) {
                        fail_msg("%s reads a whole table:\n%s", expectations[i].statement, plan.data);
                }
                check_indexes(&expectations[i], &plan);
                buf_free(&plan);
        }
        PQfinish(pg);
}
