/* Owns the migrations of one database: which have run, whether they match the binary's, and running the others. */
#include "db/migrate.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "db/connection.h"
#include "db/migrate_internal.h"

#define READ_US 15000000

/* The marker in migrations that serve other programs than the previous release. */
#define SERVES "Serves programs from"

struct set {
        const char *name;
        const struct db_migration *migrations;
        size_t n;
};

static void hash_hex(const char *sql, char hex[crypto_hash_sha256_BYTES * 2 + 1])
{
        uint8_t hash[crypto_hash_sha256_BYTES];

        crypto_hash_sha256(hash, (const uint8_t *)sql, strlen(sql));
        sodium_bin2hex(hex, crypto_hash_sha256_BYTES * 2 + 1, hash, sizeof(hash));
}

static const char *find_name(const struct set *set, int number)
{
        for (size_t i = 0; i < set->n; i++) {
                if (set->migrations[i].number == number) {
                        return set->migrations[i].name;
                }
        }
        return NULL;
}

static const char *find_sql(const struct set *set, int number)
{
        for (size_t i = 0; i < set->n; i++) {
                if (set->migrations[i].number == number) {
                        return set->migrations[i].sql;
                }
        }
        return NULL;
}

static int newest_number(const struct set *set)
{
        return set->n > 0 ? set->migrations[set->n - 1].number : 0;
}

static int applied_number(const PGresult *applied, int row)
{
        return (int)strtol(PQgetvalue(applied, row, 0), NULL, 10);
}

/* The oldest migration that a program must have to work with the schema after this one: declared in its first lines,
 * otherwise the one before it. */
static int serves_from(const struct db_migration *m)
{
        const char *said = strstr(m->sql, "-- " SERVES ":");

        return said != NULL ? (int)strtol(said + strlen("-- " SERVES ":"), NULL, 10) : m->number - 1;
}

/* Migrations of a newer release, which only expand the schema, so that the previous release still works. */
static sn_status check_newer(const struct set *set, const PGresult *applied, int row, struct buf *error)
{
        int from = (int)strtol(PQgetvalue(applied, row, 3), NULL, 10);

        if (from <= newest_number(set)) {
                return SN_OK;
        }
        buf_printf(error,
                   "the database is too new for this program: migration %s of %s, run by a newer release, supports"
                   " programs from migration %04d on, and this one has them up to %04d; run a newer release, or restore"
                   " the backup from before the upgrade",
                   PQgetvalue(applied, row, 1), set->name, from, newest_number(set));
        return SN_OUT_OF_RANGE;
}

/* An applied migration must match ours. */
static sn_status check_applied_one(const struct set *set, const PGresult *applied, int row, struct buf *error)
{
        int number = applied_number(applied, row);
        const char *name = PQgetvalue(applied, row, 1);
        const char *sql = find_sql(set, number);
        char hex[crypto_hash_sha256_BYTES * 2 + 1];

        if (number > newest_number(set)) {
                return check_newer(set, applied, row, error);
        }
        if (sql == NULL) {
                buf_printf(error, "migration %s of %s has run in the database but is missing from this program", name,
                           set->name);
                return SN_FAILED_PRECONDITION;
        }
        hash_hex(sql, hex);
        if (strcmp(hex, PQgetvalue(applied, row, 2)) != 0 || strcmp(name, find_name(set, number)) != 0) {
                buf_printf(error, "migration %s of %s was altered after it ran (as %s); add a new one instead",
                           find_name(set, number), set->name, name);
                return SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

static sn_status check_applied(const struct set *set, const PGresult *applied, struct buf *error)
{
        for (int row = 0; row < PQntuples(applied); row++) {
                TRY(check_applied_one(set, applied, row, error));
        }
        return SN_OK;
}

static bool has_run(const PGresult *applied, int number)
{
        for (int row = 0; row < PQntuples(applied); row++) {
                if (applied_number(applied, row) == number) {
                        return true;
                }
        }
        return false;
}

static sn_status read_applied(PGconn *pg, const struct set *set, int64_t deadline_us, struct buf *error,
                              PGresult **applied)
{
        enum db_outcome outcome = DB_LOST;

        if (PQsendQueryParams(pg,
                              /* an older release made the table without the last column */
                              "select number, name, sha256, coalesce((to_jsonb(m) ->> 'serves_from')::integer,"
                              " number - 1) from public.schema_migrations m where set_name = $1 order by number",
                              1, NULL, &set->name, NULL, NULL, 0)) {
                outcome = db_pg_wait(pg, deadline_us, applied);
        }
        if (outcome == DB_DONE) {
                return SN_OK;
        }
        const char *message = PQresultErrorField(*applied, PG_DIAG_MESSAGE_PRIMARY);

        buf_printf(error, "cannot list the migrations that have run: %s", message != NULL ? message : "no answer");
        return outcome == DB_ERROR ? SN_FAILED_PRECONDITION : SN_UNAVAILABLE;
}

static sn_status run_statements(PGconn *pg, const struct set *set, const struct db_migration *m, struct buf *error)
{
        char what[160], number[16], from[16], hex[crypto_hash_sha256_BYTES * 2 + 1];

        (void)snprintf(what, sizeof(what), "run migration %.100s", m->name);
        (void)snprintf(number, sizeof(number), "%d", m->number);
        (void)snprintf(from, sizeof(from), "%d", serves_from(m));
        hash_hex(m->sql, hex);
        TRY(migrate_query(pg, "begin", what, error, NULL));
        TRY(migrate_query(pg, m->sql, what, error, NULL));
        TRY(migrate_format(pg, what, error, NULL,
                           "insert into public.schema_migrations (set_name, number, name, sha256, serves_from)"
                           " values (%L, %L, %L, %L, %L)",
                           set->name, number, m->name, hex, from));
        return migrate_query(pg, "commit", what, error, NULL);
}

static sn_status run_set(PGconn *pg, const struct set *set, struct buf *error)
{
        CLEANUP(db_pg_clear_p) PGresult *applied = NULL;

        TRY(read_applied(pg, set, clock_monotonic_us() + READ_US, error, &applied));
        TRY(check_applied(set, applied, error));
        int last = PQntuples(applied) > 0 ? applied_number(applied, PQntuples(applied) - 1) : 0;

        for (size_t i = 0; i < set->n; i++) {
                const struct db_migration *m = &set->migrations[i];

                if (has_run(applied, m->number)) {
                        continue;
                }
                if (m->number < last) {
                        buf_printf(
                            error,
                            "migration %s of %s comes before number %d, which has already run; give it a higher number",
                            m->name, set->name, last);
                        return SN_FAILED_PRECONDITION;
                }
                TRY(run_statements(pg, set, m, error));
        }
        return SN_OK;
}

static struct set platform_set(void)
{
        return (struct set){"platform", db_platform_schema.migrations, db_platform_schema.n};
}

static struct set own_set(const struct db_schema *schema)
{
        return (struct set){schema->database, schema->migrations, schema->n};
}

/* Grants on tables older than the default privileges; and revokes writes on the table that only migrations write,
 * and those whose comment says `read-only` or `append-only`. */
static sn_status grant_tables(PGconn *pg, const char *app_role, struct buf *error)
{
        return migrate_format(pg, "grant the tables to the app role", error, NULL,
                              "begin;"
                              "grant select, insert, update, delete on all tables in schema public to %I;"
                              "grant usage, select on all sequences in schema public to %I;"
                              "revoke insert, update, delete on public.schema_migrations from %I;"
                              "do $$ declare t record; begin"
                              " for t in select oid::regclass as name, obj_description(oid, 'pg_class') as says"
                              "  from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop"
                              "  if t.says like 'read-only:%' then"
                              "   execute 'revoke insert, update, delete on ' || t.name || ' from ' || quote_ident(%L);"
                              "  elsif t.says like 'append-only:%' then"
                              "   execute 'revoke update, delete on ' || t.name || ' from ' || quote_ident(%L);"
                              "  end if; end loop; end $$;"
                              "commit",
                              app_role, app_role, app_role, app_role, app_role);
}

sn_status migrate_run(PGconn *pg, const struct db_schema *schema, const char *app_role, struct buf *error)
{
        struct set platform = platform_set(), own = own_set(schema);

        TRY(migrate_query(pg,
                          "create table if not exists public.schema_migrations ("
                          " set_name text not null, number integer not null, name text not null, sha256 text not null,"
                          " applied_at timestamptz not null default now(), primary key (set_name, number));"
                          "alter table public.schema_migrations add column if not exists serves_from integer",
                          "create schema_migrations", error, NULL));
        TRY(run_set(pg, &platform, error));
        TRY(run_set(pg, &own, error));
        return grant_tables(pg, app_role, error);
}

static sn_status check_set(PGconn *pg, const struct set *set, int64_t deadline_us, struct buf *error)
{
        CLEANUP(db_pg_clear_p) PGresult *applied = NULL;

        TRY(read_applied(pg, set, deadline_us, error, &applied));
        TRY(check_applied(set, applied, error));
        for (size_t i = 0; i < set->n; i++) {
                if (!has_run(applied, set->migrations[i].number)) {
                        buf_printf(error, "migration %s of %s has not run; run 'sonet migrate'",
                                   set->migrations[i].name, set->name);
                        return SN_FAILED_PRECONDITION;
                }
        }
        return SN_OK;
}

sn_status migrate_check(PGconn *pg, const struct db_schema *schema, int64_t deadline_us, struct buf *error)
{
        struct set platform = platform_set(), own = own_set(schema);

        TRY(check_set(pg, &platform, deadline_us, error));
        return check_set(pg, &own, deadline_us, error);
}

sn_status db_check_schema(const char *url, const struct db_schema *schema, struct buf *error)
{
        CLEANUP(migrate_finish_p) PGconn *pg = NULL;

        TRY(migrate_connect(url, NULL, &pg, error));
        return migrate_check(pg, schema, clock_monotonic_us() + READ_US, error);
}
