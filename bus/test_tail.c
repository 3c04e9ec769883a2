/* What is passed on within a process: from emitters to the relay, and from the relay to readers of its log. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/testdata/thread_blocked.h"
#include "bus/handed.h"
#include "bus/tail.h"
#include "bus/head_lock.h"
#include "rpc/rpc.h"

#define LOG     "018f0000-0000-7000-8000-00000000000a"
#define ANOTHER "018f0000-0000-7000-8000-00000000000b"

static struct service service = {.name = "note"};
static struct rpc_call *c;
static struct stream_link link_of_reader;

static int setup(void **state)
{
        c = rpc_call_new_background(&service, 60000);
        bus_link_init(&link_of_reader, NULL);
        bus_tail_begin("note", LOG, 100);
        return 0;
}

static int teardown(void **state)
{
        bus_tail_end("note");
        bus_link_destroy(&link_of_reader);
        rpc_call_free(c);
        return 0;
}

/* Events at positions first, first + 1, … */
static struct relay_batch events_from(int64_t first, size_t n, const char *log_id)
{
        struct relay_batch batch = {.events = ARENA_ARRAY(c->arena, bus_event *, n), .n = n, .log_id = log_id};

        for (size_t i = 0; i < n; i++) {
                batch.events[i] = ARENA_NEW(c->arena, bus_event);
                sonet__events__event__init(batch.events[i]);
                batch.events[i]->position = first + (int64_t)i;
                batch.events[i]->source = (char *)"note";
                batch.events[i]->type = (char *)"created";
        }
        return batch;
}

static void append(int64_t first, size_t n)
{
        struct relay_batch batch = events_from(first, n, LOG);

        bus_tail_append("note", &batch);
}

static bool wait_behind(int64_t position, int wait_ms, struct stream_entries *out)
{
        *out = (struct stream_entries){0};
        return bus_tail_wait(c, &link_of_reader, "note", position, wait_ms, out);
}

static void assert_read(int64_t after, int64_t first, size_t n)
{
        struct stream_entries entries;

        assert_true(wait_behind(after, 0, &entries));
        assert_int_equal(entries.n, n);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(entries.items[i].position, first + (int64_t)i);
                assert_true(str_equal_c(entries.items[i].log_id, LOG));
                assert_non_null(bus_stream_event(c, "note", &entries.items[i]));
        }
}

static void readers_get_what_follows_their_position(void **state)
{
        assert_read(100, 0, 0);
        append(101, 3);
        append(104, 2);
        assert_read(100, 101, 5);
        assert_read(103, 104, 2);
        assert_read(105, 0, 0);
}

static void readers_before_or_past_the_tail_ask_elsewhere(void **state)
{
        struct stream_entries entries;

        append(101, 3);
        assert_false(wait_behind(99, 60000, &entries));
        assert_false(wait_behind(104, 60000, &entries));
        bus_tail_begin("note", LOG, 103); /* where the tail ends: nothing changes */
        assert_read(100, 101, 3);
        bus_tail_begin("note", LOG, 101); /* the relay has got this far */
        assert_read(100, 101, 3);
        bus_tail_begin("note", LOG, 110); /* other processes have appended meanwhile */
        assert_false(wait_behind(103, 60000, &entries));
        assert_read(110, 0, 0);
        bus_tail_begin("note", ANOTHER, 110);
        assert_false(wait_behind(109, 60000, &entries));
        bus_tail_hide(true);
        assert_false(wait_behind(110, 60000, &entries));
        bus_tail_hide(false);
        bus_tail_end("note");
        assert_false(wait_behind(110, 60000, &entries));
        append(111, 1); /* to a log that this process no longer streams */
        assert_false(wait_behind(110, 60000, &entries));
}

/* Emitters append what they have committed, and the relay all of it once more, in order. */
static void only_what_continues_the_log_is_appended(void **state)
{
        struct relay_batch of_another = events_from(101, 1, ANOTHER);

        append(103, 1); /* 101 and 102 are not there yet */
        bus_tail_append("note", &of_another);
        assert_read(100, 0, 0);
        append(101, 2);
        append(101, 3);
        append(102, 1);
        assert_read(100, 101, 3);
}

static void only_the_newest_events_are_kept(void **state)
{
        struct stream_entries entries;

        for (int64_t first = 101; first < 101 + 2 * BUS_TAIL_MAX; first += 100) {
                append(first, 100);
        }
        int64_t last = 100 + (2 * BUS_TAIL_MAX + 99) / 100 * 100;

        assert_false(wait_behind(last - BUS_TAIL_MAX - 1, 60000, &entries));
        assert_read(last - BUS_TAIL_MAX, last - BUS_TAIL_MAX + 1,
                    BUS_TAIL_MAX < BUS_STREAM_READ_MAX ? BUS_TAIL_MAX : BUS_STREAM_READ_MAX);
        assert_read(last - 7, last - 6, 7);
        bus_tail_trim("note"); /* none is old enough */
        assert_read(last - 7, last - 6, 7);
}

/* A reader that waits until an entry comes, or the tail cannot tell. */
struct reader {
        pthread_t thread;
        atomic_int tid;
        int64_t position;
        bool there;
        size_t n;
};

static void *read_tail(void *context)
{
        struct reader *reader = context;
        CLEANUP(rpc_call_free_p) struct rpc_call *own = rpc_call_new_background(&service, 60000);
        struct stream_entries entries = {0};

        atomic_store(&reader->tid, gettid());
        reader->there = bus_tail_wait(own, &link_of_reader, "note", reader->position, 60000, &entries);
        reader->n = entries.n;
        return NULL;
}

static struct reader *begin_reading(struct reader *reader, int64_t position)
{
        reader->position = position;
        atomic_store(&reader->tid, 0);
        assert_int_equal(pthread_create(&reader->thread, NULL, read_tail, reader), 0);
        thread_await_blocked(&reader->tid);
        return reader;
}

static void waiting_ends_with_news_with_the_tail_and_with_the_reader(void **state)
{
        struct reader reader;

        begin_reading(&reader, 100);
        append(101, 2);
        (void)pthread_join(reader.thread, NULL);
        assert_true(reader.there && reader.n > 0);

        begin_reading(&reader, 102);
        bus_tail_end("note");
        (void)pthread_join(reader.thread, NULL);
        assert_false(reader.there);

        bus_tail_begin("note", LOG, 102);
        begin_reading(&reader, 102);
        bus_link_end(&link_of_reader);
        (void)pthread_join(reader.thread, NULL);
        assert_true(reader.there && reader.n == 0);
}

static int64_t take_handed(struct bus_handed *handed, int64_t after, size_t most, int64_t *last)
{
        struct relay_batch batch = {.log_id = LOG};
        bool gap = bus_handed_take(handed, c, after, most, &batch);

        assert_true(!gap || handed->n > 0);
        *last = batch.n > 0 ? batch.events[batch.n - 1]->position : 0;
        for (size_t i = 0; i < batch.n; i++) {
                assert_int_equal(batch.events[i]->position, after + 1 + (int64_t)i);
        }
        return (int64_t)batch.n;
}

static void hand(struct bus_handed *handed, int64_t first, size_t n, const char *log_id)
{
        struct relay_batch batch = events_from(first, n, log_id);

        assert_true(bus_handed_put(handed, &batch));
}

static void what_is_handed_over_in_any_order_is_taken_in_that_of_the_log(void **state)
{
        struct bus_handed handed = {0};
        int64_t last;

        bus_handed_init(&handed);
        hand(&handed, 104, 2, LOG);
        assert_int_equal(take_handed(&handed, 100, 500, &last), 0); /* 101 to 103 are being committed */
        hand(&handed, 101, 1, LOG);
        assert_int_equal(take_handed(&handed, 100, 500, &last), 1);
        hand(&handed, 102, 2, LOG);
        assert_int_equal(take_handed(&handed, 101, 3, &last), 3);
        assert_int_equal(last, 104);
        assert_int_equal(take_handed(&handed, 104, 500, &last), 1);
        hand(&handed, 106, 2, ANOTHER);
        assert_int_equal(take_handed(&handed, 105, 500, &last), 0);
        hand(&handed, 106, 2, LOG);
        assert_int_equal(take_handed(&handed, 107, 500, &last),
                         0); /* the relay has read them from the database meanwhile */
        assert_int_equal(handed.n, 0);
        bus_handed_destroy(&handed);
}

static void too_many_that_wait_are_left_to_the_database(void **state)
{
        struct bus_handed handed = {0};
        struct relay_batch more = events_from(2000, 2, LOG);

        bus_handed_init(&handed);
        hand(&handed, 1, BUS_HANDED_MAX - 1, LOG);
        assert_false(bus_handed_put(&handed, &more));
        assert_int_equal(handed.n, 0);
        hand(&handed, 1, 1, LOG);
        bus_handed_destroy(&handed);
}

static void *take_lock(void *lock)
{
        return bus_head_lock_take(lock) ? lock : NULL;
}

static bool another_thread_takes(struct bus_head_lock *lock)
{
        pthread_t thread;
        void *taken = NULL;

        assert_int_equal(pthread_create(&thread, NULL, take_lock, lock), 0);
        (void)pthread_join(thread, &taken);
        return taken != NULL;
}

static void one_emitter_at_a_time_has_the_lock(void **state)
{
        struct bus_head_lock lock;

        bus_head_lock_init(&lock);
        assert_true(bus_head_lock_take(&lock));
        assert_false(another_thread_takes(&lock));
        bus_head_lock_release(&lock);
        assert_true(another_thread_takes(&lock));
        bus_head_lock_release(&lock);
        bus_head_lock_destroy(&lock);
}

static void nobody_waits_while_the_lock_is_held_for_long(void **state)
{
        struct bus_head_lock lock;

        bus_head_lock_init(&lock);
        lock.held_us = 10 * BUS_HEAD_LOCK_HELD_US;
        assert_true(bus_head_lock_take(&lock));
        assert_false(bus_head_lock_take(&lock));
        for (int i = 0; lock.held_us > BUS_HEAD_LOCK_HELD_US; i++) { /* until some were short */
                assert_true(i < 1000);
                bus_head_lock_release(&lock);
                assert_true(bus_head_lock_take(&lock));
        }
        bus_head_lock_release(&lock);
        bus_head_lock_destroy(&lock);
}

static void a_lock_that_is_held_is_worth_waiting_for_unless_it_is_held_for_long(void **state)
{
        struct bus_head_lock lock;
        bool worth_waiting = true;

        bus_head_lock_init(&lock);
        assert_true(bus_head_lock_try(&lock, &worth_waiting));
        assert_false(worth_waiting);
        assert_false(bus_head_lock_try(&lock, &worth_waiting));
        assert_true(worth_waiting);
        lock.held_us = 10 * BUS_HEAD_LOCK_HELD_US;
        assert_false(bus_head_lock_try(&lock, &worth_waiting));
        assert_false(worth_waiting);
        bus_head_lock_release(&lock);
        assert_true(bus_head_lock_try(&lock, &worth_waiting));
        bus_head_lock_release(&lock);
        bus_head_lock_destroy(&lock);
}

#define EMITTERS 8

struct emitting {
        struct bus_head_lock lock;
        atomic_int inside, taken;
};

static void *emit_with_lock(void *context)
{
        struct emitting *emitting = context;

        for (int i = 0; i < 200; i++) {
                if (bus_head_lock_take(&emitting->lock)) {
                        assert_int_equal(atomic_fetch_add(&emitting->inside, 1), 0);
                        atomic_fetch_add(&emitting->taken, 1);
                        atomic_fetch_sub(&emitting->inside, 1);
                        bus_head_lock_release(&emitting->lock);
                }
        }
        return NULL;
}

static void emitters_with_the_lock_do_not_overlap(void **state)
{
        struct emitting emitting = {0};
        pthread_t threads[EMITTERS];

        bus_head_lock_init(&emitting.lock);
        for (size_t i = 0; i < EMITTERS; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, emit_with_lock, &emitting), 0);
        }
        for (size_t i = 0; i < EMITTERS; i++) {
                (void)pthread_join(threads[i], NULL);
        }
        assert_true(atomic_load(&emitting.taken) > 0);
        assert_false(emitting.lock.taken);
        bus_head_lock_destroy(&emitting.lock);
}

#define TAIL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TAIL_TEST(readers_get_what_follows_their_position),
            TAIL_TEST(readers_before_or_past_the_tail_ask_elsewhere),
            TAIL_TEST(only_what_continues_the_log_is_appended),
            TAIL_TEST(only_the_newest_events_are_kept),
            TAIL_TEST(waiting_ends_with_news_with_the_tail_and_with_the_reader),
            TAIL_TEST(what_is_handed_over_in_any_order_is_taken_in_that_of_the_log),
            TAIL_TEST(too_many_that_wait_are_left_to_the_database),
            cmocka_unit_test(one_emitter_at_a_time_has_the_lock),
            cmocka_unit_test(a_lock_that_is_held_is_worth_waiting_for_unless_it_is_held_for_long),
            cmocka_unit_test(nobody_waits_while_the_lock_is_held_for_long),
            cmocka_unit_test(emitters_with_the_lock_do_not_overlap),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
