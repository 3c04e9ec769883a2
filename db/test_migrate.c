/* Provisioning and migrations. */
#include <pthread.h>
#include <unistd.h>
#include "db/test_items.h"

static const struct db_migration one[] = {{1, "0001_a", "create table a (id int);"}};
static const struct db_migration two[] = {{1, "0001_a", "create table a (id int);"},
                                          {2, "0002_b", "create table b (id int); insert into b values (1);"}};
static const struct db_migration altered[] = {{1, "0001_a", "create table a (id bigint);"}};
static const struct db_migration broken[] = {{1, "0001_a", "create table a (id int);"},
                                             {2, "0002_b", "create table b (id int); select nonsense;"}};
static const struct db_migration late[] = {{1, "0001_a", "create table a (id int);"},
                                           {3, "0003_c", "create table c (id int);"}};
static const struct db_migration squeezed[] = {{1, "0001_a", "create table a (id int);"},
                                               {2, "0002_b", "create table b (id int);"},
                                               {3, "0003_c", "create table c (id int);"}};

static char database[64], url[300], message[1024];

static int fresh_name(void **state)
{
        static int count;

        (void)state;
        (void)snprintf(database, sizeof(database), "migrate_%d_%d", (int)getpid(), ++count);
        test_url(url, database, database);
        return 0;
}

static sn_status provision_as(const char *admin_url, const struct db_migration *migrations, size_t n)
{
        struct buf error;

        buf_init(&error, sizeof(message));
        sn_status status = db_provision(admin_url, &(struct db_schema){database, migrations, n}, "pass'word", &error);

        (void)snprintf(message, sizeof(message), "%s", error.data != NULL ? error.data : "");
        buf_free(&error);
        return status;
}

static sn_status provision(const struct db_migration *migrations, size_t n)
{
        return provision_as(test_admin_url(), migrations, n);
}

static sn_status check(const struct db_migration *migrations, size_t n)
{
        struct buf error;

        buf_init(&error, sizeof(message));
        sn_status status = db_check_schema(url, &(struct db_schema){database, migrations, n}, &error);

        (void)snprintf(message, sizeof(message), "%s", error.data != NULL ? error.data : "");
        buf_free(&error);
        return status;
}

static void migrating_again_changes_nothing(void **state)
{
        static const char all[] = "select string_agg(m::text, ' ' order by m::text) from schema_migrations m";
        char before[1024];

        (void)state;
        assert_int_equal(provision(one, 1), SN_OK);
        assert_int_equal(check(one, 1), SN_OK);
        (void)snprintf(before, sizeof(before), "%s", test_admin(database, all));
        assert_int_equal(provision(one, 1), SN_OK);
        assert_string_equal(test_admin(database, all), before);
}

static void a_missing_migration_is_reported_and_then_run(void **state)
{
        (void)state;
        assert_int_equal(provision(one, 1), SN_OK);
        assert_int_equal(check(two, 2), SN_FAILED_PRECONDITION);
        assert_non_null(strstr(message, "0002_b"));
        assert_int_equal(provision(two, 2), SN_OK);
        assert_int_equal(check(two, 2), SN_OK);
        assert_int_equal(check(one, 1), SN_OK); /* the older binary continues */
}

static const struct db_migration three[] = {{1, "0001_a", "create table a (id int);"},
                                            {2, "0002_b", "create table b (id int); insert into b values (1);"},
                                            {3, "0003_c", "create table c (id int);"}};
static const struct db_migration same_release[] = {
    {1, "0001_a", "create table a (id int);"},
    {2, "0002_b", "create table b (id int); insert into b values (1);"},
    {3, "0003_c", "-- Serves programs from: 0001\ncreate table c (id int);"}};
static const struct db_migration contracted[] = {
    {1, "0001_a", "create table a (id int);"},
    {2, "0002_b", "-- Drops what the release before needs.\n-- Serves programs from: 0002\ndrop table a;"}};

static void a_database_newer_by_more_than_one_release_is_refused(void **state)
{
        (void)state;
        assert_int_equal(provision(three, 3), SN_OK);
        assert_int_equal(check(two, 2), SN_OK);
        assert_int_equal(check(one, 1), SN_OUT_OF_RANGE);
        assert_non_null(strstr(message, "too new for this program: migration 0003_c"));
        assert_non_null(strstr(message, "from migration 0002 on, and this one has them up to 0001"));
        assert_non_null(strstr(message, "run a newer release, or restore"));
        assert_int_equal(provision(one, 1), SN_OUT_OF_RANGE); /* and does not migrate, either */
}

static void a_migration_declares_which_programs_it_still_serves(void **state)
{
        (void)state;
        assert_int_equal(provision(same_release, 3), SN_OK);
        assert_int_equal(check(one, 1), SN_OK);
        (void)fresh_name(state);
        assert_int_equal(provision(contracted, 2), SN_OK);
        assert_int_equal(check(one, 1), SN_OUT_OF_RANGE);
}

/* The table as created by the first release. */
static void migrations_without_a_declaration_serve_the_previous_release(void **state)
{
        (void)state;
        assert_int_equal(provision(three, 3), SN_OK);
        (void)test_admin(database, "alter table schema_migrations drop column serves_from");
        assert_int_equal(check(two, 2), SN_OK);
        assert_int_equal(check(one, 1), SN_OUT_OF_RANGE);
        assert_int_equal(provision(three, 3), SN_OK);
}

static void an_altered_migration_is_refused_by_name(void **state)
{
        (void)state;
        assert_int_equal(provision(one, 1), SN_OK);
        assert_int_equal(provision(altered, 1), SN_FAILED_PRECONDITION);
        assert_non_null(strstr(message, "0001_a"));
        assert_int_equal(check(altered, 1), SN_FAILED_PRECONDITION);
}

static void a_number_before_the_last_one_run_is_refused(void **state)
{
        (void)state;
        assert_int_equal(provision(late, 2), SN_OK);
        assert_int_equal(provision(squeezed, 3), SN_FAILED_PRECONDITION);
        assert_non_null(strstr(message, "0002_b"));
}

static void a_failed_migration_leaves_no_changes(void **state)
{
        (void)state;
        assert_int_equal(provision(broken, 2), SN_FAILED_PRECONDITION);
        assert_non_null(strstr(message, "0002_b"));
        assert_string_equal(test_admin(database, "select to_regclass('b') is null"), "t");
        assert_int_equal(provision(two, 2), SN_OK);
}

static void *provision_thread(void *status)
{
        struct buf error;

        buf_init(&error, 1024);
        *(sn_status *)status = db_provision(test_admin_url(), &(struct db_schema){database, two, 2}, "p", &error);
        buf_free(&error);
        return NULL;
}

static void concurrent_migrations_are_safe(void **state)
{
        pthread_t threads[4];
        sn_status statuses[4];

        (void)state;
        for (int i = 0; i < 4; i++) {
                (void)pthread_create(&threads[i], NULL, provision_thread, &statuses[i]);
        }
        for (int i = 0; i < 4; i++) {
                (void)pthread_join(threads[i], NULL);
                assert_int_equal(statuses[i], SN_OK);
        }
        assert_string_equal(test_admin(database, "select count(*) from b"), "1");
}

static bool allowed(const char *role, const char *where, const char *sql)
{
        char as[300];

        test_url(as, role, where);
        PGconn *pg = PQconnectdb(as);
        PGresult *result = PQexec(pg, sql);
        bool ok = PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK;

        PQclear(result);
        PQfinish(pg);
        return ok;
}

static void the_app_role_can_only_read_and_write_rows(void **state)
{
        char first[64];

        assert_int_equal(provision(two, 2), SN_OK);
        (void)snprintf(first, sizeof(first), "%s", database);
        (void)fresh_name(state);
        assert_int_equal(provision(two, 2), SN_OK);
        assert_true(allowed(database, database, "insert into b values (2)"));
        assert_true(allowed(database, database, "delete from b where id = 2"));
        assert_false(allowed(database, database, "create table mine (id int)"));
        assert_false(allowed(database, database, "create temporary table mine (id int)"));
        assert_false(allowed(database, database, "create schema mine"));
        assert_false(allowed(database, database, "drop table b"));
        assert_false(allowed(database, database, "truncate b"));
        assert_false(allowed(database, database, "delete from schema_migrations"));
        assert_true(allowed(database, database, "select count(*) from schema_migrations"));
        assert_false(allowed(database, first, "select 1"));
        char owner[80];

        (void)snprintf(owner, sizeof(owner), "%s_owner", database);
        assert_false(allowed(owner, database, "select 1"));
}

static void an_administrator_need_not_be_superuser(void **state)
{
        char admin[300];

        (void)state;
        (void)test_admin("postgres", "create role provisioner login createdb createrole");
        test_url(admin, "provisioner", "postgres");
        assert_int_equal(provision_as(admin, one, 1), SN_OK);
        assert_int_equal(provision_as(admin, two, 2), SN_OK);
        assert_int_equal(check(two, 2), SN_OK);
        assert_true(allowed(database, database, "insert into b values (2)"));
}

static void the_platform_gives_every_database_its_tables(void **state)
{
        (void)state;
        assert_int_equal(provision(NULL, 0), SN_OK);
        assert_true(
            allowed(database, database, "select * from outbox, idempotency_keys, consumer_positions, dead_letters"));
        assert_true(allowed(database, database, "select * from cleanup_old_data()"));
}

int run_migrate_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(migrating_again_changes_nothing, fresh_name),
            cmocka_unit_test_setup(a_missing_migration_is_reported_and_then_run, fresh_name),
            cmocka_unit_test_setup(a_database_newer_by_more_than_one_release_is_refused, fresh_name),
            cmocka_unit_test_setup(a_migration_declares_which_programs_it_still_serves, fresh_name),
            cmocka_unit_test_setup(migrations_without_a_declaration_serve_the_previous_release, fresh_name),
            cmocka_unit_test_setup(an_altered_migration_is_refused_by_name, fresh_name),
            cmocka_unit_test_setup(a_number_before_the_last_one_run_is_refused, fresh_name),
            cmocka_unit_test_setup(a_failed_migration_leaves_no_changes, fresh_name),
            cmocka_unit_test_setup(concurrent_migrations_are_safe, fresh_name),
            cmocka_unit_test_setup(the_app_role_can_only_read_and_write_rows, fresh_name),
            cmocka_unit_test_setup(an_administrator_need_not_be_superuser, fresh_name),
            cmocka_unit_test_setup(the_platform_gives_every_database_its_tables, fresh_name),
        };

        return cmocka_run_group_tests_name("db: migrations", tests, NULL, NULL);
}
