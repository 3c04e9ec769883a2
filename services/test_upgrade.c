/* An existing database, migrated one migration at a time and each in a session of its own, as by many upgrades, and
 * with rows in every table: it has the schema of a new database, whose migrations run in one session on no rows.
 *
 * A migration that fails here but not elsewhere relies on what an earlier one did to its session (a loaded extension, a
 * setting, a temporary table), or on empty tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "db/migrate_internal.h"
#include "services/test_support.h"

extern const char fill_tables[]; /* testdata/fill_tables.sql */

static void run_command(const char *command)
{
        if (system(command) != 0) {
                fail_msg("%s", command);
        }
}

static void make_path(char path[200], const char *database, const char *kind)
{
        (void)snprintf(path, 200, "%s/%s.%s.sql", getenv("SONET_TEST_DIR"), database, kind);
}

/* Newer releases of pg_dump add a random key. */
static void dump_schema(const char *database, const char *kind, const char *options)
{
        char path[200], url[300], command[700];

        make_path(path, database, kind);
        test_url(url, "sonet_admin", database);
        (void)snprintf(command, sizeof(command),
                       "pg_dump --schema-only %s '%s' | grep -v '^.\\(un\\)\\?restrict ' > %s", options, url, path);
        run_command(command);
}

static void assert_same_schema(const char *database)
{
        char new[200], upgraded[200], command[700];

        make_path(new, database, "new");
        make_path(upgraded, database, "upgraded");
        (void)snprintf(command, sizeof(command), "test -s %s && diff -u %s %s >&2", new, new, upgraded);
        run_command(command);
}

static void drop_database(const char *database)
{
        char sql[200];

        (void)snprintf(sql, sizeof(sql), "drop database %s with (force)", database);
        (void)test_admin("postgres", sql);
}

static void migrate_up_to(const struct db_schema *schema, size_t n)
{
        struct db_schema first = {.database = schema->database, .migrations = schema->migrations, .n = n};
        struct buf error;

        buf_init(&error, 4096);
        if (db_provision(test_admin_url(), &first, NULL, &error) != SN_OK) {
                fail_msg("%s: %s", schema->database, error.data);
        }
        buf_free(&error);
}

static void upgraded_databases_equal_new_ones(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct db_schema *schema = sonet_services[i]->schema;

                migrate_up_to(schema, schema->n);
                dump_schema(schema->database, "new", "");
                drop_database(schema->database);
                for (size_t n = 1; n <= schema->n; n++) {
                        migrate_up_to(schema, n);
                        assert_string_equal(test_admin_once(schema->database, fill_tables), "");
                }
                dump_schema(schema->database, "upgraded", "");
                assert_same_schema(schema->database);
        }
}

/* Its migrations run before a service's own: here on their own, as no role in particular. */
static void an_upgraded_platform_equals_a_new_one(void **state)
{
        const struct db_schema schema = {.database = "platform_only"};
        const char *comparable = "--no-owner --no-acl --exclude-table schema_migrations";

        migrate_up_to(&schema, 0);
        dump_schema(schema.database, "new", comparable);
        drop_database(schema.database);
        (void)test_admin("postgres", "create database platform_only template template0");
        for (size_t i = 0; i < db_platform_schema.n; i++) {
                (void)test_admin_once(schema.database, db_platform_schema.migrations[i].sql);
                assert_string_equal(test_admin_once(schema.database, fill_tables), "");
        }
        dump_schema(schema.database, "upgraded", comparable);
        assert_same_schema(schema.database);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(upgraded_databases_equal_new_ones),
            cmocka_unit_test(an_upgraded_platform_equals_a_new_one),
        };

        return cmocka_run_group_tests_name("upgrades", tests, NULL, NULL);
}
