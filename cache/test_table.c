/* The table behind caches: version tokens, the limit, references. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "base/stamps.h"
#include "cache/table.h"

struct value {
        struct cache_object object;
        int64_t number;
};

static atomic_int n_alive;

static void value_free(struct cache_object *object)
{
        atomic_fetch_sub(&n_alive, 1);
        free(object);
}

static struct value *value_new(int64_t number, size_t bytes)
{
        struct value *v = malloc(sizeof(*v));
        if (v == NULL) {
                abort();
        }
        *v = (struct value){.object = {.references = 1, .bytes = bytes, .free = value_free}, .number = number};
        atomic_fetch_add(&n_alive, 1);
        return v;
}

static struct cache_table *table;

static int start(void **state)
{
        table = cache_table_new("test", 1 << 20, false);
        n_alive = 0;
        return table == NULL;
}

static int finish(void **state)
{
        cache_table_free(table);
        return n_alive != 0; /* every object was freed, once */
}

#define NOT_THERE (-1)

/* The number in the object, which is released at once. */
static int64_t get_bytes(const void *key, size_t len, uint64_t *token)
{
        union cache_value value = {0};
        int64_t number = NOT_THERE;

        if (cache_table_get(table, key, len, &value, token)) {
                number = ((struct value *)value.object)->number;
                cache_unref(value.object);
        }
        return number;
}

static int64_t get(const char *key, uint64_t *token)
{
        return get_bytes(key, strlen(key), token);
}

static void put_bytes(const void *key, size_t len, uint64_t token, int64_t number, size_t bytes)
{
        struct value *v = value_new(number, bytes);

        cache_table_put(table, key, len, token, (union cache_value){.object = v});
        cache_unref(v);
}

static void put(const char *key, uint64_t token, int64_t number, size_t bytes)
{
        put_bytes(key, strlen(key), token, number, bytes);
}

static void an_object_is_found_until_it_is_dropped(void **state)
{
        uint64_t token = 0;

        assert_int_equal(get("a", &token), NOT_THERE);
        assert_true(token != 0);
        put("a", token, 1, 100);
        assert_int_equal(get("a", &token), 1);
        cache_table_drop(table, "a", 1);
        assert_int_equal(get("a", &token), NOT_THERE);
}

static void a_token_from_before_a_drop_stores_nothing(void **state)
{
        uint64_t token = 0;

        assert_int_equal(get("a", &token), NOT_THERE);
        cache_table_drop(table, "a", 1); /* a writer committed while the reader loaded the old row */
        put("a", token, 1, 100);
        assert_int_equal(get("a", &token), NOT_THERE);
        put("a", token, 2, 100);
        assert_int_equal(get("a", &token), 2);
        put("a", 0, 3, 100); /* no token */
        assert_int_equal(get("a", &token), 2);
}

static void a_reader_keeps_its_object_after_the_drop(void **state)
{
        union cache_value value = {0};
        uint64_t token = 0;

        assert_int_equal(get("a", &token), NOT_THERE);
        put("a", token, 7, 100);
        assert_true(cache_table_get(table, "a", 1, &value, &token));
        cache_table_drop(table, "a", 1);
        assert_int_equal(((struct value *)value.object)->number, 7);
        assert_int_equal(n_alive, 1);
        cache_unref(value.object);
        assert_int_equal(n_alive, 0);
        cache_unref(NULL);
}

/* Who read before the replacement cannot store, nor replace it again. */
static void a_replacement_needs_a_valid_token_and_changes_it(void **state)
{
        struct value *second = value_new(2, 100), *third = value_new(3, 100);
        uint64_t before, after;

        (void)get("key", &before);
        put("key", before, 1, 100);
        assert_true(cache_table_replace(table, "key", 3, before, (union cache_value){.object = second}));
        assert_int_equal(get("key", &after), 2);
        assert_int_not_equal(after, before);
        assert_false(cache_table_replace(table, "key", 3, before, (union cache_value){.object = third}));
        put("key", before, 4, 100);
        assert_int_equal(get("key", &after), 2);
        cache_unref(second);
        cache_unref(third);
}

static void an_extended_object_stays_under_another_token_unless_it_was_replaced(void **state)
{
        uint64_t before = 0, after = 0;
        union cache_value value = {0};

        (void)get("key", &before);
        put("key", before, 1, 100);
        assert_true(cache_table_get(table, "key", 3, &value, &before));
        cache_table_extended(table, "key", 3, value.object);
        assert_int_equal(get("key", &after), 1);
        assert_int_not_equal(after, before);
        put("key", before, 2, 100); /* read before it was extended */
        assert_int_equal(get("key", &after), 1);
        cache_table_drop(table, "key", 3);
        (void)get("key", &before);
        put("key", before, 3, 100);
        cache_table_extended(table, "key", 3, value.object); /* which is not there any more */
        assert_int_equal(get("key", &after), NOT_THERE);
        cache_unref(value.object);
}

static void the_absence_of_a_row_is_cached_like_a_row(void **state)
{
        union cache_value value = {.number = 1};
        uint64_t token = 0;

        assert_int_equal(get("a", &token), NOT_THERE);
        cache_table_put(table, "a", 1, token, (union cache_value){.object = NULL});
        assert_true(cache_table_get(table, "a", 1, &value, &token));
        assert_null(value.object);
        cache_table_drop(table, "a", 1);
        assert_false(cache_table_get(table, "a", 1, &value, &token));
}

static int64_t cached_bytes(void)
{
        return metric_value(metric_gauge("sonet_cache_bytes", "", "cache=\"test\""));
}

static void the_limit_holds_and_recently_read_objects_stay(void **state)
{
        char key[32];
        uint64_t token = 0;
        int found = 0;

        (void)get("often", &token);
        put("often", token, 42, 1000);
        for (int i = 0; i < 20000; i++) {
                snprintf(key, sizeof(key), "key-%d", i);
                (void)get(key, &token);
                put(key, token, i, 1000);
                assert_int_equal(get("often", &token), 42);
        }
        assert_in_range(cached_bytes(), 1 << 19, 1 << 20);
        for (int i = 0; i < 20000; i++) {
                snprintf(key, sizeof(key), "key-%d", i);
                int64_t number = get(key, &token);

                found += number != NOT_THERE;
                assert_true(number == NOT_THERE || number == i);
        }
        assert_in_range(found, 500, 1050);
        cache_table_free(table);
        table = NULL;
        assert_int_equal(cached_bytes(), 0);
}

static void numbers_are_cached_like_objects(void **state)
{
        struct cache_table *numbers = cache_table_new("test", 1 << 20, true);
        union cache_value value = {0};
        uint64_t token = 0;

        assert_false(cache_table_get(numbers, "a", 1, &value, &token));
        cache_table_put(numbers, "a", 1, token, (union cache_value){.number = UINT64_MAX});
        cache_table_put(numbers, "b", 1, token, (union cache_value){.number = 0});
        assert_true(cache_table_get(numbers, "a", 1, &value, &token));
        assert_true(value.number == UINT64_MAX);
        cache_table_drop(numbers, "a", 1);
        cache_table_put(numbers, "a", 1, token, (union cache_value){.number = 7}); /* loaded before the drop */
        assert_false(cache_table_get(numbers, "a", 1, &value, &token));
        cache_table_put(numbers, "a", 1, token, (union cache_value){.number = 8});
        cache_table_put(numbers, "a", 1, token, (union cache_value){.number = 9});
        assert_true(cache_table_get(numbers, "a", 1, &value, &token));
        assert_int_equal(value.number, 9);
        for (uint64_t i = 0; i < 100000; i++) { /* far beyond the limit */
                assert_false(cache_table_get(numbers, &i, sizeof(i), &value, &token));
                cache_table_put(numbers, &i, sizeof(i), token, (union cache_value){.number = i});
        }
        assert_true(cache_table_get(numbers, &(uint64_t){99999}, sizeof(uint64_t), &value, &token));
        assert_int_equal(value.number, 99999);
        assert_in_range(cached_bytes(), 1 << 19, 1 << 20);
        cache_table_free(numbers);
        assert_int_equal(cached_bytes(), 0);
}

static void an_object_over_the_limit_is_not_cached(void **state)
{
        uint64_t token = 0;

        (void)get("a", &token);
        put("a", token, 1, 1 << 20);
        assert_int_equal(get("a", &token), NOT_THERE);
}

static void keys_are_bytes_of_any_length(void **state)
{
        uint64_t token = 0;
        char key[CACHE_KEY_MAX] = {0};

        for (size_t len = 0; len <= sizeof(key); len++) {
                assert_int_equal(get_bytes(key, len, &token), NOT_THERE);
                put_bytes(key, len, token, (int64_t)len, 10);
        }
        for (size_t len = 0; len <= sizeof(key); len++) {
                assert_int_equal(get_bytes(key, len, &token), len);
        }
}

enum { KEYS = 32, ROUNDS = 30000 };
static _Atomic int64_t rows[KEYS]; /* the database */

/* Readers load and put like caches. */
static void *read_rows(void *arg)
{
        static atomic_int n_readers;
        unsigned seed = (unsigned)atomic_fetch_add(&n_readers, 1);

        for (int i = 0; i < ROUNDS; i++) {
                uint32_t key = (uint32_t)rand_r(&seed) % KEYS;
                uint64_t token = 0;

                if (get_bytes(&key, sizeof(key), &token) == NOT_THERE) {
                        put_bytes(&key, sizeof(key), token, rows[key], 2000);
                }
        }
        return NULL;
}

/* Commit, drop, respond: the old row is not found after the drop, as the writer itself checks. */
static void *write_rows(void *arg)
{
        uint32_t first = (uint32_t)(intptr_t)arg; /* each writer has its own rows */
        intptr_t stale = 0;

        for (int i = 0; i < ROUNDS / 4; i++) {
                uint32_t key = first + (uint32_t)i % (KEYS / 2);
                int64_t now = atomic_fetch_add(&rows[key], 1) + 1;
                uint64_t token = 0;

                cache_table_drop(table, &key, sizeof(key));
                int64_t found = get_bytes(&key, sizeof(key), &token);

                stale += found != NOT_THERE && found != now;
        }
        return (void *)stale;
}

static void no_thread_sees_a_stale_row_after_a_drop(void **state)
{
        pthread_t threads[4];
        assert_int_equal(pthread_create(&threads[0], NULL, write_rows, (void *)0), 0);
        assert_int_equal(pthread_create(&threads[1], NULL, write_rows, (void *)(KEYS / 2)), 0);
        assert_int_equal(pthread_create(&threads[2], NULL, read_rows, NULL), 0);
        assert_int_equal(pthread_create(&threads[3], NULL, read_rows, NULL), 0);
        for (int i = 0; i < 4; i++) {
                void *stale;
                pthread_join(threads[i], &stale);
                assert_null(stale);
        }
}

enum { BATCH = 50, MANY = 30000 };
static atomic_bool growing;

/* What it finds in a batch belongs to the keys, and may be read after it was evicted. */
static void *read_batches(void *arg)
{
        unsigned seed = (unsigned)(intptr_t)arg;
        intptr_t wrong = 0;

        while (atomic_load(&growing)) {
                struct cache_lookup lookups[BATCH];
                uint32_t keys[BATCH];

                for (int i = 0; i < BATCH; i++) {
                        keys[i] = (uint32_t)rand_r(&seed) % MANY;
                        memcpy(lookups[i].key, &keys[i], sizeof(keys[i]));
                        lookups[i].key_len = sizeof(keys[i]);
                }
                cache_table_get_all(table, lookups, BATCH);
                for (int i = 0; i < BATCH; i++) {
                        const struct value *v = lookups[i].found ? lookups[i].value.object : NULL;

                        wrong += (v != NULL && v->number != keys[i]) || lookups[i].token == 0;
                        cache_unref((void *)v);
                }
        }
        return (void *)wrong;
}

static void batches_are_read_while_the_table_grows_and_evicts(void **state)
{
        pthread_t threads[2];
        atomic_store(&growing, true);
        for (intptr_t i = 0; i < 2; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, read_batches, (void *)i), 0);
        }
        for (uint32_t key = 0; key < MANY; key++) {
                put_bytes(&key, sizeof(key), cache_table_token(table, &key, sizeof(key)), key, 100);
        }
        atomic_store(&growing, false);
        for (int i = 0; i < 2; i++) {
                void *wrong;
                pthread_join(threads[i], &wrong);
                assert_null(wrong);
        }
        assert_in_range(atomic_load(&n_alive), 1, MANY / 2);
}

static void clearing_drops_everything_and_invalidates_earlier_tokens(void **state)
{
        struct cache_table *t = cache_table_new("test_clear", 1 << 20, true);
        uint64_t tokens[100];
        union cache_value value;

        for (uint64_t key = 0; key < 100; key++) {
                tokens[key] = cache_table_token(t, &key, sizeof(key));
                if (key % 2 == 0) {
                        cache_table_put(t, &key, sizeof(key), tokens[key], (union cache_value){.number = key});
                }
        }
        cache_table_clear(t);
        for (uint64_t key = 0; key < 100; key++) {
                cache_table_put(t, &key, sizeof(key), tokens[key], (union cache_value){.number = key});
                assert_false(cache_table_get(t, &key, sizeof(key), &value, &tokens[key]));
                cache_table_put(t, &key, sizeof(key), tokens[key], (union cache_value){.number = key});
                assert_true(cache_table_get(t, &key, sizeof(key), &value, &tokens[key]));
                assert_int_equal(value.number, key);
        }
        cache_table_free(t);
}

/* What was looked up, whether or not it was found, is as it was. */
static bool is_unchanged(const void *stamps)
{
        return stamps_hold(stamps, 0);
}

static void look_up_recorded(char copy[256])
{
        uint64_t token;

        stamps_begin();
        (void)get("a", &token);
        const struct stamps *stamps = stamps_end();

        assert_non_null(stamps);
        assert_true(stamps_bytes(stamps) <= 256);
        memcpy(copy, stamps, stamps_bytes(stamps));
}

static void a_lookup_leaves_a_stamp_that_each_change_ends(void **state)
{
        (void)state;
        _Alignas(struct stamps) char missed[256], found[256], replaced[256], dropped[256];
        uint64_t token = cache_table_token(table, "a", 1);
        struct value *second = value_new(2, 100);

        look_up_recorded(missed);
        put("a", token, 1, 100);
        assert_true(is_unchanged(missed)); /* the row was loaded, and is still the same */
        look_up_recorded(found);
        assert_true(cache_table_replace(table, "a", 1, token, (union cache_value){.object = second}));
        cache_unref(second);
        assert_false(is_unchanged(missed));
        assert_false(is_unchanged(found));
        look_up_recorded(replaced);
        cache_table_drop(table, "a", 1);
        assert_false(is_unchanged(replaced));
        look_up_recorded(dropped);
        assert_true(is_unchanged(dropped));
        cache_table_clear(table);
        assert_false(is_unchanged(dropped));
}

int main(void)
{
#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
        const struct CMUnitTest tests[] = {
            TABLE_TEST(an_object_is_found_until_it_is_dropped),
            TABLE_TEST(a_token_from_before_a_drop_stores_nothing),
            TABLE_TEST(a_replacement_needs_a_valid_token_and_changes_it),
            TABLE_TEST(an_extended_object_stays_under_another_token_unless_it_was_replaced),
            TABLE_TEST(a_reader_keeps_its_object_after_the_drop),
            TABLE_TEST(the_absence_of_a_row_is_cached_like_a_row),
            TABLE_TEST(the_limit_holds_and_recently_read_objects_stay),
            TABLE_TEST(numbers_are_cached_like_objects),
            TABLE_TEST(an_object_over_the_limit_is_not_cached),
            TABLE_TEST(keys_are_bytes_of_any_length),
            TABLE_TEST(a_lookup_leaves_a_stamp_that_each_change_ends),
            cmocka_unit_test(clearing_drops_everything_and_invalidates_earlier_tokens),
            TABLE_TEST(no_thread_sees_a_stale_row_after_a_drop),
            TABLE_TEST(batches_are_read_while_the_table_grows_and_evicts),
        };

        return cmocka_run_group_tests_name("cache table", tests, NULL, NULL);
}
