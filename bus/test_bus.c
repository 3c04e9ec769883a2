/* Events from one service's transactions to another's effects, on real servers: in order, never lost, exactly once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include "base/clock.h"
#include "bus/test_support.h"
#include "db/check.h"

static atomic_int poisoned, unavailable, largest_batch, idempotent_calls;

static sn_status see_or_fail(struct rpc_call *c, struct bus_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                if (strcmp(batch->events[i]->type, "poison") == 0 && atomic_load(&poisoned)) {
                        return rpc_fail(c, SN_INTERNAL, NULL, "cannot be handled");
                }
        }
        if (atomic_load(&unavailable) > 0 && atomic_fetch_sub(&unavailable, 1) > 0) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "away");
        }
        if ((int)batch->n > atomic_load(&largest_batch)) {
                atomic_store(&largest_batch, (int)batch->n);
        }
        return see(c, batch);
}

static sn_status count_events(struct rpc_call *c, struct bus_batch *batch)
{
        atomic_fetch_add(&idempotent_calls, (int)batch->n);
        return SN_OK;
}

static const struct bus_consumer seer = {.name = "see",
                                         .source = "note",
                                         .read_outbox = &read_outbox,
                                         .types = (const char *const[]){"created", "poison", NULL},
                                         .handle = see_or_fail};
static const struct bus_consumer counter = {.name = "count",
                                            .source = "note",
                                            .read_outbox = &read_outbox,
                                            .types = (const char *const[]){"counted", NULL},
                                            .handle = count_events};
static const struct bus_consumer *const consumers[] = {&seer, &counter, NULL};
static const struct bus_consumer many_seer = {.name = "see",
                                              .source = "note",
                                              .read_outbox = &read_outbox,
                                              .types = (const char *const[]){"created", NULL},
                                              .handle = see_or_fail,
                                              .batch_max = 200};
static const struct bus_consumer *const takers_of_many[] = {&many_seer, NULL};

/* --- the tests
 * ---------------------------------------------------------------------------------------------------------------- */

static void events_arrive_once_and_in_order(void **state)
{
        (void)state;
        for (int i = 0; i < 30; i++) {
                emit("created", 1);
        }
        assert_seen_in_order(30);
        assert_string_equal(test_admin(note.name, "select count(*) = max(position) and min(position) = 1 from outbox"),
                            "t");
}

static void a_batch_larger_than_the_relays_arrives(void **state)
{
        (void)state;
        emit("created", 1200);
        assert_seen_in_order(1200);
}

static void a_backlog_is_handled_in_batches(void **state)
{
        (void)state;
        stop_consumers();
        atomic_store(&largest_batch, 0);
        emit("created", 130);
        emit("ignored", 3);
        emit("created", 2);
        start_consumers(consumers);
        assert_seen_in_order(132);
        assert_int_equal(atomic_load(&largest_batch), BUS_BATCH_MAX);
}

static void a_consumer_may_take_more_events_at_once(void **state)
{
        (void)state;
        stop_consumers();
        atomic_store(&largest_batch, 0);
        emit("created", 450);
        start_consumers(takers_of_many);
        assert_seen_in_order(450);
        assert_int_equal(atomic_load(&largest_batch), 200);
}

static void unhandled_types_are_skipped_and_their_position_is_stored(void **state)
{
        (void)state;
        emit("ignored", 3);
        emit("created", 1);
        assert_seen_in_order(1);
        emit("ignored", 2);
        test_wait_for(timeline.name, "select position = 6 from consumer_positions where consumer = 'see'");
}

static void events_that_commit_late_are_not_lost(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        CLEANUP(db_end) struct db_tx *late = NULL;

        (void)state;
        assert_int_equal(db_begin(c, &late), SN_OK);
        assert_int_equal(outbox_put(late, &(struct outbox_event){.type = "created", .aggregate_id = MEMBER}), SN_OK);
        assert_int_equal(db_lock_one(late, "test", MEMBER), SN_OK); /* this sends the event */
        emit("created", 5);                                         /* higher IDs, committed first */
        wait_seen(5);
        assert_int_equal(db_commit(c, NULL, &late), SN_OK);
        assert_seen_in_order(6);
        assert_string_equal(test_admin(note.name, "select position from outbox order by id limit 1"), "6");
}

static void delivering_twice_has_the_same_result(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&timeline.service, 10000);
        bus_event known = SONET__EVENTS__EVENT__INIT, next;
        bus_event *events[] = {&known, &next};

        (void)state;
        emit("created", 2);
        wait_seen(2);
        stop_consumers();
        known.source = (char *)"note";
        known.type = (char *)"created";
        known.aggregate_id = (char *)MEMBER;
        known.position = 2;
        assert_int_equal(see(c, &(struct bus_batch){.events = events, .n = 1, .consumer = &seer}), SN_REPLAYED);
        assert_seen_in_order(2);
        next = known;
        next.position = 3;
        assert_int_equal(see(c, &(struct bus_batch){.events = events, .n = 2, .consumer = &seer}),
                         SN_OK); /* only the unknown one */
        assert_seen_in_order(3);
}

static void a_runner_continues_where_the_last_one_stopped(void **state)
{
        (void)state;
        emit("created", 3);
        wait_seen(3);
        stop_consumers();
        emit("created", 4);
        start_consumers(consumers);
        assert_seen_in_order(7);
}

static void two_runners_handle_nothing_twice(void **state)
{
        struct service elsewhere = timeline.service;

        (void)state;
        elsewhere.leases = bus_leases_new(&elsewhere);
        struct bus_runner *second = bus_runner_new(&elsewhere, consumers);
        for (int i = 0; i < 20; i++) {
                emit("created", 2);
        }
        stop_consumers();
        emit("created", 10);
        assert_seen_in_order(50);
        bus_runner_free(second);
        bus_leases_free(elsewhere.leases);
}

static void positions_of_idempotent_handlers_are_stored_in_time(void **state)
{
        (void)state;
        atomic_store(&idempotent_calls, 0);
        emit("counted", 10);
        test_wait_for(timeline.name, "select position = 10 from consumer_positions where consumer = 'count'");
        assert_int_equal(atomic_load(&idempotent_calls), 10);
}

static void *emit_many(void *unused)
{
        (void)unused;
        for (int i = 0; i < 150; i++) {
                emit("created", 1);
        }
        return NULL;
}

static void emptying_redis_loses_and_duplicates_nothing(void **state)
{
        pthread_t thread;

        (void)state;
        (void)pthread_create(&thread, NULL, emit_many, NULL);
        for (int i = 1; i <= 10; i++) {
                wait_seen(i * 12);
                flush_redis();
        }
        (void)pthread_join(thread, NULL);
        assert_seen_in_order(150);
}

static void lost_database_connections_lose_and_duplicate_nothing(void **state)
{
        pthread_t thread;
        char sql[300];

        (void)state;
        (void)snprintf(sql, sizeof(sql),
                       "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname in ('%s', '%s')",
                       note.name, timeline.name);
        (void)pthread_create(&thread, NULL, emit_many, NULL);
        for (int i = 1; i <= 4; i++) {
                wait_seen(i * 25);
                (void)test_admin("postgres", sql);
        }
        (void)pthread_join(thread, NULL);
        assert_seen_in_order(150);
}

static void events_arrive_without_redis(void **state)
{
        (void)state;
        restart_without_redis(consumers);
        emit("created", 5);
        wait_seen(5);
        emit("created", 5);
        assert_seen_in_order(10);
}

static void the_stream_of_another_log_is_never_used(void **state)
{
        const char *next[] = {"XADD", "ev:note", "3-0", "l", "another", "e", "junk"};
        const char *far_ahead[] = {"XADD", "ev:note", "900000-0", "l", "another", "e", "junk"};

        (void)state;
        emit("created", 2);
        wait_seen(2);
        redis_do(7, next);
        redis_do(7, far_ahead);
        emit("created", 3);
        emit("created", 3);
        assert_seen_in_order(8);
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        const char *range[] = {"XRANGE", "ev:note", "900000-0", "+"};
        struct redisReply *reply;

        assert_int_equal(redis_command(c, redis, 4, range, NULL, &reply), SN_OK);
        assert_int_equal(reply->elements, 0);
}

static void a_poison_event_becomes_a_dead_letter_and_can_be_replayed(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&timeline.service, 20000);
        struct bus_dead_letter *letters;
        size_t n;
        int64_t asked;

        (void)state;
        stop_consumers(); /* so that all of them are in one batch */
        atomic_store(&poisoned, 1);
        emit("created", 10);
        emit("poison", 1);
        emit("created", 10);
        start_consumers(consumers);
        wait_seen(20); /* the stream continues */
        assert_int_equal(bus_dead_letters_list(c, &letters, &n), SN_OK);
        assert_int_equal(n, 1);
        assert_string_equal(letters[0].consumer, "see");
        assert_string_equal(letters[0].source, "note");
        assert_string_equal(letters[0].type, "poison");
        assert_string_equal(letters[0].aggregate_id, MEMBER);
        assert_int_equal(letters[0].position, 11);
        assert_int_equal(letters[0].attempts, 5);
        assert_non_null(strstr(letters[0].error, "cannot be handled"));

        assert_int_equal(bus_dead_letters_replay(c, &letters[0].id, 1, &asked), SN_OK); /* too early */
        assert_int_equal(asked, 1);
        test_wait_for(timeline.name, "select attempts = 6 and not replay_requested from dead_letters");
        atomic_store(&poisoned, 0);
        assert_int_equal(bus_dead_letters_replay(c, NULL, 0, &asked), SN_OK);
        assert_int_equal(asked, 1);
        test_wait_for(timeline.name, "select count(*) = 0 from dead_letters");
        assert_string_equal(test_admin(timeline.name, "select count(*) from seen where type = 'poison'"), "1");
        assert_string_equal(test_admin(timeline.name, "select position from consumer_positions where consumer = 'see'"),
                            "21");
}

static void failures_of_the_environment_keep_the_order(void **state)
{
        (void)state;
        atomic_store(&unavailable, 8); /* more than the attempts before a dead letter */
        emit("created", 3);
        assert_seen_in_order(3);
        assert_string_equal(test_admin(timeline.name, "select count(*) from dead_letters"), "0");
}

static void events_left_by_a_crash_get_positions_from_the_next_relay(void **state)
{
        (void)state;
        replace_relay(NULL); /* no consumer is woken */
        emit("created", 3);
        replace_relay(bus_relay_new(&note.service));
        assert_seen_in_order(3);
}

static void a_reader_learns_the_range_of_the_log(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        Sonet__Events__ReadOutboxRequest in = SONET__EVENTS__READ_OUTBOX_REQUEST__INIT;
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;

        (void)state;
        emit("created", 10);
        wait_seen(10);
        (void)test_admin(note.name, "update outbox set occurred_at = now() - interval '8 days' where position <= 4");
        assert_string_equal(test_admin(note.name, "select outbox_deleted from cleanup_old_data()"), "4");
        in.after = 6;
        in.limit = 2;
        assert_int_equal(bus_read_outbox(c, &in, &out), SN_OK);
        assert_int_equal(out.n_events, 2);
        assert_int_equal(out.events[0]->position, 7);
        assert_string_equal(out.events[0]->source, "note");
        assert_string_equal(out.events[0]->aggregate_id, MEMBER);
        assert_true(out.events[0]->occurred_at->seconds > 1700000000);
        assert_int_equal(out.head, 10);
        assert_int_equal(out.oldest, 5);
}

static void all_statements_match_the_schema(void **state)
{
        struct buf error;

        (void)state;
        buf_init(&error, 8192);
        if (db_check_statements(timeline.url, "test_timeline", &error) != SN_OK) {
                fail_msg("%s", error.data);
        }
        buf_free(&error);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            BUS_TEST(events_arrive_once_and_in_order, consumers),
            BUS_TEST(a_batch_larger_than_the_relays_arrives, consumers),
            BUS_TEST(a_backlog_is_handled_in_batches, consumers),
            BUS_TEST(a_consumer_may_take_more_events_at_once, takers_of_many),
            BUS_TEST(unhandled_types_are_skipped_and_their_position_is_stored, consumers),
            BUS_TEST(events_that_commit_late_are_not_lost, consumers),
            BUS_TEST(delivering_twice_has_the_same_result, consumers),
            BUS_TEST(a_runner_continues_where_the_last_one_stopped, consumers),
            BUS_TEST(two_runners_handle_nothing_twice, consumers),
            BUS_TEST(positions_of_idempotent_handlers_are_stored_in_time, consumers),
            BUS_TEST(emptying_redis_loses_and_duplicates_nothing, consumers),
            BUS_TEST(lost_database_connections_lose_and_duplicate_nothing, consumers),
            BUS_TEST(events_arrive_without_redis, consumers),
            BUS_TEST(the_stream_of_another_log_is_never_used, consumers),
            BUS_TEST(a_poison_event_becomes_a_dead_letter_and_can_be_replayed, consumers),
            BUS_TEST(failures_of_the_environment_keep_the_order, consumers),
            BUS_TEST(events_left_by_a_crash_get_positions_from_the_next_relay, consumers),
            BUS_TEST(a_reader_learns_the_range_of_the_log, consumers),
            BUS_TEST(all_statements_match_the_schema, consumers),
        };

        return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
