/* Reads by id: what is there and what is not are remembered alike, and a change voids both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "cache/by_id.h"
#include "db/test_support.h"
#include "sonet/problem.pb-c.h"

#define ID_A "018f0000-0000-7000-8000-00000000000a"
#define ID_B "018f0000-0000-7000-8000-00000000000b"

static struct test_database database;
static struct by_id rows_by_id;
static bool there;            /* the row of ID_A */
static bool comes_while_read; /* …is written while it is being looked for, too late to be found */
static int loads;

static void change(bool now_there)
{
        struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        struct db_tx *tx = NULL;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        by_id_changed(&rows_by_id, tx, ID_A);
        there = now_there;
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        rpc_call_free(c);
}

static sn_status load(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, ProtobufCMessage ***rows)
{
        Sonet__Problem *row = ARENA_NEW(db_arena(tx), Sonet__Problem);
        bool asked = false;

        loads++;
        for (size_t i = 0; i < n; i++) {
                asked = asked || uuid_equal(ids[i], ID_A);
        }
        sonet__problem__init(row);
        row->code = ID_A;
        *rows = ARENA_ARRAY(db_arena(tx), ProtobufCMessage *, 1);
        (*rows)[0] = &row->base;
        *n_rows = asked && there;
        if (comes_while_read) {
                comes_while_read = false;
                change(true);
        }
        return SN_OK;
}

static const char *id_of(const ProtobufCMessage *row)
{
        return ((const Sonet__Problem *)row)->code;
}

static struct by_id rows_by_id = {.name = "test", .load = load, .id_of = id_of};

/* How many of these were found, and how often PostgreSQL was asked for them. */
static void assert_get(char *const *ids, size_t n, size_t expected, int expected_loads)
{
        struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        ProtobufCMessage *out[4];
        size_t found = 0;

        loads = 0;
        assert_int_equal(by_id_get(c, &rows_by_id, READ_FROM_ANYWHERE, ids, n, out), SN_OK);
        for (size_t i = 0; i < n; i++) {
                found += out[i] != NULL;
        }
        assert_int_equal(found, expected);
        assert_int_equal(loads, expected_loads);
        rpc_call_free(c);
}

#define ASSERT_GET(id, expected, expected_loads) assert_get((char *[]){id}, 1, expected, expected_loads)

static int setup(void **state)
{
        there = comes_while_read = false;
        return by_id_start(&rows_by_id, 1 << 20) == SN_OK ? 0 : -1;
}

static int teardown(void **state)
{
        by_id_stop(&rows_by_id);
        return 0;
}

static void what_is_not_there_costs_no_more_than_what_is(void **state)
{
        ASSERT_GET(ID_B, 0, 1);
        ASSERT_GET(ID_B, 0, 0);
        there = true;
        ASSERT_GET(ID_A, 1, 1);
        ASSERT_GET(ID_A, 1, 0);
        assert_get((char *[]){ID_A, ID_B, ID_A, ID_B}, 4, 2, 0);
}

static void a_batch_remembers_the_found_and_the_missing(void **state)
{
        there = true;
        assert_get((char *[]){ID_B, ID_A, ID_B}, 3, 1, 1);
        assert_get((char *[]){ID_B, ID_A, ID_B}, 3, 1, 0);
}

static void what_was_missing_is_found_once_it_is_written(void **state)
{
        ASSERT_GET(ID_A, 0, 1);
        change(true);
        ASSERT_GET(ID_A, 1, 1);
        change(false);
        ASSERT_GET(ID_A, 0, 1);
        ASSERT_GET(ID_A, 0, 0);
}

static void a_row_that_comes_while_it_is_looked_for_is_not_remembered_as_missing(void **state)
{
        comes_while_read = true;
        ASSERT_GET(ID_A, 0, 1);
        ASSERT_GET(ID_A, 1, 1);
}

static void what_is_no_id_is_nobodys(void **state)
{
        ASSERT_GET("nonsense", 0, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(what_is_not_there_costs_no_more_than_what_is),
            TEST(a_batch_remembers_the_found_and_the_missing),
            TEST(what_was_missing_is_found_once_it_is_written),
            TEST(a_row_that_comes_while_it_is_looked_for_is_not_remembered_as_missing),
            TEST(what_is_no_id_is_nobodys),
        };

        test_database_new(&database, NULL, 0, 4);
        int failed = cmocka_run_group_tests_name("by id", tests, NULL, NULL);

        test_database_free(&database);
        return failed;
}
