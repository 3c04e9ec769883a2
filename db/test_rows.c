/* Values in both directions, and rows into messages. */
#include "db/check.h"
#include "db/test_items.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "sonet/events.rpc.h"

static struct test_database t;

static int setup(void **state)
{
        (void)state;
        test_database_new(&t, ITEMS_MIGRATIONS, 1, 4);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        test_database_free(&t);
        return 0;
}

DB_STATEMENT(TEST_INSERT_ITEM, "test_items", NULL,
             "insert into items (id, name, n, small, medium, flag, at, raw, tags, ids, numbers, nick)"
             " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
DB_STATEMENT(TEST_SELECT_ITEM, "test_items", NULL, "select * from items where id = $1");

static void insert_full(struct rpc_call *c)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *tags[] = {"", "grüße", NULL};
        char *ids[] = {ID_A, ID_B};
        int64_t numbers[] = {INT64_MIN, 0, INT64_MAX}, affected = 0;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(
            db_exec(tx, &TEST_INSERT_ITEM,
                    DB_BINDS(bind_uuid(ID_A), bind_text("it's a \"name\""), bind_i64(INT64_MIN), bind_i64(-5),
                             bind_i64(70000), bind_bool(true), bind_time_ms(-1), bind_bytes("\0\xff", 2),
                             bind_texts(tags, 3), bind_uuids(ids, 2), bind_i64s(numbers, 3), bind_text("Nick")),
                    &affected),
            SN_OK);
        assert_int_equal(affected, 1);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        assert_null(tx);
}

static void values_of_every_type_are_returned_unchanged(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;
        size_t len;

        (void)state;
        insert_full(c);
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_rows(tx, &TEST_SELECT_ITEM, DB_BINDS(bind_uuid(ID_A)), &rows), SN_OK);
        assert_int_equal(db_rows_count(rows), 1);
        assert_string_equal(db_text(rows, 0, "id"), ID_A);
        assert_string_equal(db_text(rows, 0, "name"), "it's a \"name\"");
        assert_true(db_i64(rows, 0, "n") == INT64_MIN);
        assert_int_equal(db_i64(rows, 0, "small"), -5);
        assert_int_equal(db_i64(rows, 0, "medium"), 70000);
        assert_int_equal(db_i64(rows, 0, "flag"), 1);
        assert_int_equal(db_i64(rows, 0, "at"), -1);
        assert_memory_equal(db_bytes(rows, 0, "raw", &len), "\0\xff", 2);
        assert_int_equal(len, 2);
        assert_string_equal(db_text(rows, 0, "nick"), "Nick");
        assert_false(db_is_null(rows, 0, "tags"));
        assert_true(db_is_null(rows, 0, "note"));
}

static void null_is_returned_as_null(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;

        (void)state;
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(
            db_exec(tx, &TEST_INSERT_ITEM,
                    DB_BINDS(bind_uuid(ID_B), bind_text(NULL), bind_null(), bind_null(), bind_null(), bind_null(),
                             bind_null(), bind_null(), bind_null(), bind_null(), bind_null(), bind_null()),
                    NULL),
            SN_OK);
        assert_int_equal(db_rows(tx, &TEST_SELECT_ITEM, DB_BINDS(bind_uuid(ID_B)), &rows), SN_OK);
        assert_true(db_is_null(rows, 0, "name"));
        assert_true(db_is_null(rows, 0, "raw"));
        assert_string_equal(db_text(rows, 0, "name"), "");
        assert_int_equal(db_i64(rows, 0, "n"), 0);
        /* the same statement with typed parameters, on the same connection */
        assert_int_equal(db_rows(tx, &TEST_SELECT_ITEM, DB_BINDS(bind_uuid("")), &rows), SN_OK);
        assert_int_equal(db_rows_count(rows), 0);
}

DB_STATEMENT(TEST_UNNEST, "test_items", NULL,
             "select count(*) as n, count(x) as filled, coalesce(string_agg(x, '|'), '') as joined"
             " from unnest($1::text[]) as x");

static void arrays_may_be_empty_and_contain_nulls(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;
        char *texts[] = {"a", NULL, "ü"};

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_rows(tx, &TEST_UNNEST, DB_BINDS(bind_texts(NULL, 0)), &rows), SN_OK);
        assert_int_equal(db_i64(rows, 0, "n"), 0);
        assert_int_equal(db_rows(tx, &TEST_UNNEST, DB_BINDS(bind_texts(texts, 3)), &rows), SN_OK);
        assert_int_equal(db_i64(rows, 0, "n"), 3);
        assert_int_equal(db_i64(rows, 0, "filled"), 2);
        assert_string_equal(db_text(rows, 0, "joined"), "a|ü");
}

static void a_malformed_id_is_rejected_before_it_is_sent(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_rows(tx, &TEST_SELECT_ITEM, DB_BINDS(bind_uuid("'; drop table items")), &rows),
                         SN_INVALID_ARGUMENT);
}

DB_STATEMENT(
    TEST_EVENT_ROW, "test_items", &sonet__events__event__message,
    "select id, name as type, n as position, small as schema_version, at as occurred_at from items where id = $1");
DB_STATEMENT(
    TEST_EVENT_ROWS, "test_items", &sonet__events__event__message,
    "select id, 'e' || i as type, i::int4 as position, timestamptz '2024-02-29 12:00:00.123456Z' as occurred_at,"
    " i::int8 as version from items, generate_series(1, 3) i where id = $1 order by i");

static void rows_are_stored_in_message_fields_by_column_name(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Sonet__Events__Event **events;
        size_t n;

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_list(tx, &TEST_EVENT_ROWS, DB_BINDS(bind_uuid(ID_A)), &n, &events), SN_OK);
        assert_int_equal(n, 3);
        assert_string_equal(events[2]->id, ID_A);
        assert_string_equal(events[2]->type, "e3");
        assert_int_equal(events[2]->position, 3);
        assert_int_equal(events[2]->version, 3);
        assert_int_equal(events[2]->occurred_at->seconds, 1709208000);
        assert_int_equal(events[2]->occurred_at->nanos, 123456000);
        assert_string_equal(events[2]->actor_id, "");
}

static void a_value_that_does_not_fit_its_field_is_an_error_not_a_wrong_number(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Sonet__Events__Event event = SONET__EVENTS__EVENT__INIT;

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_one(tx, &TEST_EVENT_ROW, DB_BINDS(bind_uuid(ID_A)), &event.base, NULL),
                         SN_INTERNAL); /* -5 into uint32 */
}

DB_STATEMENT(TEST_RESPONSE_ROW, "test_items", &sonet__events__read_outbox_response__message,
             "select 7::int8 as head where $1");

static void a_missing_row_is_not_found_or_reported(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;
        bool found = true;

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_one(tx, &TEST_RESPONSE_ROW, DB_BINDS(bind_bool(false)), &out.base, &found), SN_OK);
        assert_false(found);
        assert_int_equal(db_one(tx, &TEST_RESPONSE_ROW, DB_BINDS(bind_bool(false)), &out.base, NULL), SN_NOT_FOUND);
        assert_int_equal(db_one(tx, &TEST_RESPONSE_ROW, DB_BINDS(bind_bool(true)), &out.base, NULL), SN_OK);
        assert_int_equal(out.head, 7);
}

DB_STATEMENT(TEST_BAD_COLUMN, "test_bad", &sonet__events__event__message, "select 1::int8 as nonsense");
DB_STATEMENT(TEST_BAD_TYPE, "test_bad", &sonet__events__event__message, "select 'x'::text as position");
DB_STATEMENT(TEST_BAD_SQL, "test_bad", NULL, "select no_such_column from outbox");
#define FOUR "1::int8 as position, 2::int8 as version, 3::int8 as position, 4::int8 as position, "
DB_STATEMENT(TEST_TOO_WIDE, "test_bad", &sonet__events__event__message,
             "select " FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR
             "65::int8 as position");
DB_STATEMENT(TEST_DEEP, "test_deep", &sonet__events__event__message,
             "select 5::int8 as \"occurred_at.seconds\", 'a'::citext as type");

static void dotted_aliases_are_stored_in_nested_messages(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&t.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Sonet__Events__Event event = SONET__EVENTS__EVENT__INIT;

        (void)state;
        assert_int_equal(db_read(c, &tx), SN_OK);
        assert_int_equal(db_one(tx, &TEST_DEEP, DB_NO_BINDS, &event.base, NULL), SN_OK);
        assert_int_equal(event.occurred_at->seconds, 5);
        assert_string_equal(event.type, "a");
}

static void the_statement_check_finds_mismatches(void **state)
{
        struct buf error;

        (void)state;
        buf_init(&error, 8192);
        assert_int_equal(db_check_statements(t.url, "test_items", &error), SN_OK);
        assert_int_equal(db_check_statements(t.url, "test_bad", &error), SN_FAILED_PRECONDITION);
        assert_non_null(strstr(error.data, "TEST_BAD_COLUMN"));
        assert_non_null(strstr(error.data, "TEST_BAD_TYPE"));
        assert_non_null(strstr(error.data, "TEST_BAD_SQL"));
        assert_non_null(strstr(error.data, "TEST_TOO_WIDE"));
        assert_null(strstr(error.data, "IDEMPOTENCY"));
        buf_free(&error);
}

int run_rows_tests(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(values_of_every_type_are_returned_unchanged),
            cmocka_unit_test(null_is_returned_as_null),
            cmocka_unit_test(arrays_may_be_empty_and_contain_nulls),
            cmocka_unit_test(a_malformed_id_is_rejected_before_it_is_sent),
            cmocka_unit_test(rows_are_stored_in_message_fields_by_column_name),
            cmocka_unit_test(a_value_that_does_not_fit_its_field_is_an_error_not_a_wrong_number),
            cmocka_unit_test(a_missing_row_is_not_found_or_reported),
            cmocka_unit_test(dotted_aliases_are_stored_in_nested_messages),
            cmocka_unit_test(the_statement_check_finds_mismatches),
        };

        return cmocka_run_group_tests_name("db: rows", tests, setup, teardown);
}
