/* Reading through a cache: batches, missing rows, invalidation by transactions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "cache/message.h"
#include "db/test_support.h"
#include "sonet/problem.pb-c.h"

#define ID_A "018f0000-0000-7000-8000-00000000000a"
#define ID_B "018f0000-0000-7000-8000-00000000000b"
#define ID_C "018f0000-0000-7000-8000-00000000000c"

static struct test_database database;
static bool there;               /* the row of ID_A */
static bool written_during_fill; /* …is written after the callback has looked for it and before it returns */
static bool fill_fails;
static int fills;
static size_t filled; /* keys in the last call of the callback */

static sn_status fill_messages(struct rpc_call *c, struct cache_item *const *missing, size_t n);
static sn_status fill_numbers(struct rpc_call *c, struct cache_item *const *missing, size_t n);

static struct cache messages = {.name = "test_messages", .fill = fill_messages};
static struct cache numbers = {.name = "test_numbers", .numbers = true, .unknown = 77, .fill = fill_numbers};

static void change(bool now_there)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        cache_changed(&messages, tx, (struct cache_key){.id = ID_A});
        cache_changed(&numbers, tx, (struct cache_key){.id = ID_A, .other = ID_B});
        there = now_there;
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
}

static sn_status fill_messages(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        Sonet__Problem row = SONET__PROBLEM__INIT;

        fills++;
        filled = n;
        row.code = ID_A;
        if (there && cache_find(missing, n, (struct cache_key){.id = ID_A}) != NULL) {
                TRY(cache_fill_message(c, missing, n, ID_A, &row.base));
        }
        if (written_during_fill) {
                written_during_fill = false;
                change(true);
        }
        return fill_fails ? rpc_fail(c, SN_UNAVAILABLE, NULL, "the database is not reachable") : SN_OK;
}

/* 100 + the kind, only for (A, B). */
static sn_status fill_numbers(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        char **ids = cache_ids(c->arena, missing, n), **others = cache_others(c->arena, missing, n);

        fills++;
        filled = n;
        for (size_t i = 0; i < n; i++) {
                if (uuid_equal(ids[i], ID_A) && uuid_equal(others[i], ID_B)) {
                        missing[i]->value.number = 100u + missing[i]->key.kind;
                }
        }
        return SN_OK;
}

/* How many of these were found, and how often the callback was called. */
static void assert_found(char *const *ids, size_t n, size_t expected, int expected_fills)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        Sonet__Problem *out[4];
        size_t found = 0;

        fills = 0;
        assert_int_equal(cache_get_messages(c, &messages, READ_FROM_ANYWHERE, ids, n, out), SN_OK);
        for (size_t i = 0; i < n; i++) {
                assert_true(out[i] == NULL || uuid_equal(out[i]->code, ids[i]));
                found += out[i] != NULL;
        }
        assert_int_equal(found, expected);
        assert_int_equal(fills, expected_fills);
}

#define ASSERT_FOUND(id, expected, expected_fills) assert_found((char *[]){id}, 1, expected, expected_fills)

static int setup(void **state)
{
        there = written_during_fill = fill_fails = false;
        return cache_start(&messages, 1 << 20) == SN_OK && cache_start(&numbers, 1 << 20) == SN_OK ? 0 : -1;
}

static int teardown(void **state)
{
        cache_stop(&messages);
        cache_stop(&numbers);
        return 0;
}

static void what_is_not_there_costs_no_more_than_what_is(void **state)
{
        ASSERT_FOUND(ID_B, 0, 1);
        ASSERT_FOUND(ID_B, 0, 0);
        there = true;
        ASSERT_FOUND(ID_A, 1, 1);
        ASSERT_FOUND(ID_A, 1, 0);
        assert_found((char *[]){ID_A, ID_B, ID_A, ID_B}, 4, 2, 0);
}

static void a_batch_is_filled_at_once_and_each_key_is_asked_for_once(void **state)
{
        there = true;
        assert_found((char *[]){ID_B, ID_A, ID_C, ID_A}, 4, 2, 1);
        assert_int_equal(filled, 3);
        assert_found((char *[]){ID_B, ID_A, ID_C, ID_A}, 4, 2, 0);
}

static void only_what_is_missing_is_filled(void **state)
{
        there = true;
        ASSERT_FOUND(ID_A, 1, 1);
        assert_found((char *[]){ID_A, ID_B, ID_C}, 3, 1, 1);
        assert_int_equal(filled, 2);
}

static void what_was_missing_is_found_once_it_is_written(void **state)
{
        ASSERT_FOUND(ID_A, 0, 1);
        change(true);
        ASSERT_FOUND(ID_A, 1, 1);
        change(false);
        ASSERT_FOUND(ID_A, 0, 1);
        ASSERT_FOUND(ID_A, 0, 0);
}

static void a_row_that_is_written_while_it_is_read_is_not_stored_as_it_was_before(void **state)
{
        written_during_fill = true;
        ASSERT_FOUND(ID_A, 0, 1);
        ASSERT_FOUND(ID_A, 1, 1);
        ASSERT_FOUND(ID_A, 1, 0);
}

struct copy {
        struct cache_object object;
};

static void free_copy(struct cache_object *object)
{
        free(object);
}

static struct copy *copy_new(void)
{
        struct copy *copy = calloc(1, sizeof(*copy));

        assert_non_null(copy);
        copy->object = (struct cache_object){.references = 1, .bytes = sizeof(*copy), .free = free_copy};
        return copy;
}

static sn_status fill_copies(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        fills++;
        for (size_t i = 0; i < n; i++) {
                missing[i]->value.object = copy_new();
        }
        return SN_OK;
}

static struct cache copies = {.name = "test_copies", .fill = fill_copies};

static struct cache_object *copy_again(const void *object, const void *context)
{
        return context != NULL ? &copy_new()->object : NULL;
}

/* The copy that a reader gets now; valid as long as the test, which keeps the cache. */
static const void *copy_of_a(int expected_fills)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        struct cache_item item = {.key = {.id = ID_A}};

        fills = 0;
        assert_int_equal(cache_get(c, &copies, READ_FROM_ANYWHERE, &item, 1), SN_OK);
        assert_int_equal(fills, expected_fills);
        return item.value.object;
}

static void update_a(const void *context, bool commit)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        cache_updated(&copies, tx, (struct cache_key){.id = ID_A}, copy_again, context);
        if (commit) {
                assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        }
}

static void an_update_replaces_the_object_after_the_commit_or_drops_it(void **state)
{

        assert_int_equal(cache_start(&copies, 1 << 20), SN_OK);
        update_a("x", true); /* nothing is cached */
        const void *first = copy_of_a(1);
        update_a("x", false);
        assert_ptr_equal(copy_of_a(0), first);
        update_a("x", true);
        const void *second = copy_of_a(0);
        assert_ptr_not_equal(second, first);
        update_a(NULL, true);
        (void)copy_of_a(1);
        cache_stop(&copies);
}

static struct cache_object *make_copy(const void *context)
{
        return context != NULL ? &copy_new()->object : NULL;
}

/* meanwhile: between the statement that adds the row and the COMMIT. */
static void add_a(const void *context, void (*meanwhile)(void), bool commit)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        cache_added(&copies, tx, (struct cache_key){.id = ID_A}, make_copy, context);
        if (meanwhile != NULL) {
                meanwhile();
        }
        if (commit) {
                assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        }
}

static void change_a(void)
{
        cache_drop(&copies, (struct cache_key){.id = ID_A});
}

static const void *read_before;

static void read_a(void)
{
        read_before = copy_of_a(1);
}

static void an_added_object_is_cached_after_the_commit_unless_it_was_changed(void **state)
{
        assert_int_equal(cache_start(&copies, 1 << 20), SN_OK);
        add_a("x", NULL, false); /* rolled back */
        (void)copy_of_a(1);
        change_a();
        add_a("x", NULL, true);
        (void)copy_of_a(0);
        change_a();
        add_a("x", change_a, true);
        (void)copy_of_a(1);
        change_a();
        add_a("x", read_a, true); /* what was read before the COMMIT gives way */
        assert_ptr_not_equal(copy_of_a(0), read_before);
        change_a();
        add_a(NULL, NULL, true);
        (void)copy_of_a(1);
        cache_stop(&copies);
}

static void a_fill_that_fails_stores_nothing(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        Sonet__Problem *out[1];

        there = fill_fails = true;
        assert_int_equal(cache_get_messages(c, &messages, READ_FROM_ANYWHERE, (char *[]){ID_A}, 1, out),
                         SN_UNAVAILABLE);
        there = fill_fails = false;
        ASSERT_FOUND(ID_A, 0, 1);
}

static void what_is_no_uuid_is_not_asked_for(void **state)
{
        ASSERT_FOUND("nonsense", 0, 0);
        ASSERT_FOUND("", 0, 0);
}

static void assert_numbers(struct rpc_call *c, const uint64_t expected[4], int expected_fills)
{
        struct cache_item items[] = {
            {.key = {.id = ID_A, .other = ID_B}, .value = {.number = 9}},
            {.key = {.id = ID_A, .other = ID_B, .kind = 1}},
            {.key = {.id = ID_B, .other = ID_A}},
            {.key = {.id = "", .other = ID_A}, .value = {.number = 9}},
        };

        fills = 0;
        assert_int_equal(cache_get(c, &numbers, READ_FROM_ANYWHERE, items, 4), SN_OK);
        for (size_t i = 0; i < 4; i++) {
                assert_int_equal(items[i].value.number, expected[i]);
        }
        assert_int_equal(fills, expected_fills);
}

static void pairs_have_a_direction_and_kinds(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);

        assert_numbers(c, (uint64_t[]){100, 101, 0, 0}, 1);
        assert_int_equal(filled, 3);
        assert_numbers(c, (uint64_t[]){100, 101, 0, 0}, 0);
        change(true);
        assert_numbers(c, (uint64_t[]){100, 101, 0, 0}, 1);
        assert_int_equal(filled, 1); /* each kind is a separate key */
}

static Sonet__Problem *get_from(struct rpc_call *c, enum read_from from, const char *id)
{
        Sonet__Problem *out[1];

        fills = 0;
        assert_int_equal(cache_get_messages(c, &messages, from, (char *[]){(char *)id}, 1, out), SN_OK);
        return out[0];
}

static void memory_alone_or_the_database_alone_may_be_read(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 10000);
        struct cache_item item = {.key = {.id = ID_A, .other = ID_B}};

        there = true;
        assert_null(get_from(c, READ_FROM_MEMORY, ID_A));
        assert_int_equal(fills, 0);
        assert_non_null(get_from(c, READ_FROM_DATABASE, ID_A));
        assert_non_null(get_from(c, READ_FROM_MEMORY, ID_A));
        assert_int_equal(fills, 0);
        assert_non_null(get_from(c, READ_FROM_DATABASE, ID_A));
        assert_int_equal(fills, 1);
        assert_int_equal(cache_get(c, &numbers, READ_FROM_MEMORY, &item, 1), SN_OK);
        assert_int_equal(item.value.number, 77);
        assert_int_equal(cache_get(c, &numbers, READ_FROM_ANYWHERE, &item, 1), SN_OK);
        assert_int_equal(item.value.number, 100);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(what_is_not_there_costs_no_more_than_what_is),
            TEST(a_batch_is_filled_at_once_and_each_key_is_asked_for_once),
            TEST(only_what_is_missing_is_filled),
            TEST(what_was_missing_is_found_once_it_is_written),
            TEST(a_row_that_is_written_while_it_is_read_is_not_stored_as_it_was_before),
            TEST(an_update_replaces_the_object_after_the_commit_or_drops_it),
            TEST(an_added_object_is_cached_after_the_commit_unless_it_was_changed),
            TEST(a_fill_that_fails_stores_nothing),
            TEST(what_is_no_uuid_is_not_asked_for),
            TEST(memory_alone_or_the_database_alone_may_be_read),
            TEST(pairs_have_a_direction_and_kinds),
        };

        test_database_new(&database, NULL, 0, 4);
        int failed = cmocka_run_group_tests_name("cache", tests, NULL, NULL);

        test_database_free(&database);
        return failed;
}
