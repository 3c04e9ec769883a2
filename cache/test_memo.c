/* The in-memory cache. */
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
#include "cache/memo.h"

struct value {
        struct memo_object object;
        int64_t number;
};

static atomic_int n_alive;

static void value_free(struct memo_object *object)
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

static struct memo *memo;
static struct arena *arena;

static int start(void **state)
{
        memo = memo_new("test", 1 << 20);
        arena = arena_new(1 << 24);
        n_alive = 0;
        return memo == NULL || arena == NULL;
}

static int finish(void **state)
{
        arena_free(arena);
        memo_free(memo);
        return n_alive != 0; /* every object was freed, once */
}

static struct value *get(const char *key, uint64_t *ticket)
{
        return memo_get(memo, arena, key, strlen(key), ticket);
}

static void put(const char *key, uint64_t ticket, int64_t number, size_t bytes)
{
        struct value *v = value_new(number, bytes);
        memo_put(memo, key, strlen(key), ticket, v);
        memo_unref(v);
}

static void what_was_put_is_found_until_it_is_dropped(void **state)
{
        uint64_t ticket = 0;
        assert_null(get("a", &ticket));
        assert_true(ticket != 0);
        put("a", ticket, 1, 100);
        assert_int_equal(get("a", &ticket)->number, 1);
        memo_drop(memo, "a", 1);
        assert_null(get("a", &ticket));
}

static void a_ticket_from_before_a_drop_stores_nothing(void **state)
{
        uint64_t ticket;
        get("a", &ticket);
        memo_drop(memo, "a", 1); /* a writer committed while the reader loaded the old row */
        put("a", ticket, 1, 100);
        assert_null(get("a", &ticket));
        memo_clear(memo);
        put("a", ticket, 1, 100);
        assert_null(get("a", &ticket));
        put("a", ticket, 2, 100);
        assert_int_equal(get("a", &ticket)->number, 2);
        put("a", 0, 3, 100);
        assert_int_equal(get("a", &ticket)->number, 2);
}

static void a_reader_keeps_its_object_after_the_drop(void **state)
{
        uint64_t ticket;
        get("a", &ticket);
        put("a", ticket, 7, 100);
        struct value *v = get("a", &ticket);
        memo_drop(memo, "a", 1);
        assert_int_equal(v->number, 7);
        assert_int_equal(n_alive, 1);
}

static void an_arena_keeps_and_returns_a_reference(void **state)
{
        struct arena *own = arena_new(1 << 16);
        struct value *v = value_new(1, 10);
        memo_keep(own, v);
        memo_keep(own, NULL);
        assert_int_equal(n_alive, 1);
        arena_free(own);
        assert_int_equal(n_alive, 0);
        memo_unref(NULL);
}

static int64_t cached_bytes(void)
{
        return metric_value(metric_gauge("sonet_cache_bytes", "", "cache=\"test\""));
}

static void the_bound_holds_and_what_is_read_stays(void **state)
{
        char key[32];
        uint64_t ticket;
        get("often", &ticket);
        put("often", ticket, 42, 1000);
        for (int i = 0; i < 20000; i++) {
                snprintf(key, sizeof(key), "key-%d", i);
                get(key, &ticket);
                put(key, ticket, i, 1000);
                assert_non_null(get("often", &ticket));
        }
        assert_true(cached_bytes() <= 1 << 20);
        assert_true(cached_bytes() > 1 << 19);
        int found = 0;
        for (int i = 0; i < 20000; i++) {
                snprintf(key, sizeof(key), "key-%d", i);
                struct value *v = get(key, &ticket);
                found += v != NULL;
                assert_true(v == NULL || v->number == i);
        }
        assert_in_range(found, 500, 1050);
        memo_clear(memo);
        assert_int_equal(cached_bytes(), 0);
}

static void numbers_are_kept_like_objects(void **state)
{
        uint64_t number = 0, ticket = 0;

        assert_false(memo_get_number(memo, "a", 1, &number, &ticket));
        memo_put_number(memo, "a", 1, ticket, UINT64_MAX);
        memo_put_number(memo, "b", 1, ticket, 0);
        assert_true(memo_get_number(memo, "a", 1, &number, &ticket));
        assert_true(number == UINT64_MAX);
        memo_drop(memo, "a", 1);
        assert_false(memo_get_number(memo, "a", 1, &number, &(uint64_t){0}));
        memo_put_number(memo, "a", 1, ticket, 7); /* loaded before the drop */
        assert_false(memo_get_number(memo, "a", 1, &number, &ticket));
        memo_put_number(memo, "a", 1, ticket, 8);
        memo_put_number(memo, "a", 1, ticket, 9);
        assert_true(memo_get_number(memo, "a", 1, &number, &ticket));
        assert_int_equal(number, 9);
        for (uint64_t i = 0; i < 100000; i++) { /* far beyond the bound */
                assert_false(memo_get_number(memo, &i, sizeof(i), &number, &ticket));
                memo_put_number(memo, &i, sizeof(i), ticket, i);
        }
        uint64_t last = 99999;
        assert_true(memo_get_number(memo, &last, sizeof(last), &number, &ticket));
        assert_int_equal(number, last);
        assert_true(cached_bytes() > 0 && cached_bytes() <= 1 << 20);
        memo_clear(memo);
        assert_int_equal(cached_bytes(), 0);
}

static void what_exceeds_the_bound_is_not_kept(void **state)
{
        uint64_t ticket;
        get("a", &ticket);
        put("a", ticket, 1, 1 << 20);
        assert_null(get("a", &ticket));
}

static void keys_are_bytes_of_any_length(void **state)
{
        uint64_t ticket;
        char key[64] = {0};
        for (size_t len = 0; len <= sizeof(key); len++) {
                assert_null(memo_get(memo, arena, key, len, &ticket));
                struct value *v = value_new((int64_t)len, 10);
                memo_put(memo, key, len, ticket, v);
                memo_unref(v);
        }
        for (size_t len = 0; len <= sizeof(key); len++) {
                struct value *v = memo_get(memo, arena, key, len, &ticket);
                assert_int_equal(v->number, len);
        }
}

enum { KEYS = 32, ROUNDS = 30000 };
static _Atomic int64_t rows[KEYS]; /* the database */

/* Readers load and put as services do. */
static void *read_rows(void *arg)
{
        static atomic_int n_readers;
        unsigned seed = (unsigned)atomic_fetch_add(&n_readers, 1);
        for (int i = 0; i < ROUNDS; i++) {
                struct arena *own = arena_new(1 << 16);
                uint32_t key = (uint32_t)rand_r(&seed) % KEYS;
                uint64_t ticket;
                struct value *v = memo_get(memo, own, &key, sizeof(key), &ticket);
                if (v == NULL) {
                        v = value_new(rows[key], 2000);
                        memo_put(memo, &key, sizeof(key), ticket, v);
                        memo_keep(own, v);
                }
                arena_free(own);
        }
        return NULL;
}

/* Commit, drop, answer: after the drop nobody may get what was before, which the writer itself checks. */
static void *write_rows(void *arg)
{
        uint32_t first = (uint32_t)(intptr_t)arg; /* each writer has its own rows */
        intptr_t stale = 0;
        for (int i = 0; i < ROUNDS / 4; i++) {
                uint32_t key = first + (uint32_t)i % (KEYS / 2);
                int64_t now = atomic_fetch_add(&rows[key], 1) + 1;
                memo_drop(memo, &key, sizeof(key));
                struct arena *own = arena_new(1 << 16);
                uint64_t ticket;
                struct value *v = memo_get(memo, own, &key, sizeof(key), &ticket);
                stale += v != NULL && v->number != now;
                arena_free(own);
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

int main(void)
{
#define MEMO_TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
        const struct CMUnitTest tests[] = {
            MEMO_TEST(what_was_put_is_found_until_it_is_dropped), MEMO_TEST(a_ticket_from_before_a_drop_stores_nothing),
            MEMO_TEST(a_reader_keeps_its_object_after_the_drop),  MEMO_TEST(an_arena_keeps_and_returns_a_reference),
            MEMO_TEST(the_bound_holds_and_what_is_read_stays),    MEMO_TEST(numbers_are_kept_like_objects),
            MEMO_TEST(what_exceeds_the_bound_is_not_kept),        MEMO_TEST(keys_are_bytes_of_any_length),
            MEMO_TEST(no_thread_sees_a_stale_row_after_a_drop),
        };
        memo_free(NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
