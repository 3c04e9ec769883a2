/* Independent consumers: each at its own pace, in lanes by aggregate, portion by portion, and dead letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "bus/test_support.h"

#define TYPES(...)                                                                                                     \
        .types = (const char *const[])                                                                                 \
        {                                                                                                              \
                __VA_ARGS__, NULL                                                                                      \
        }
#define OF_NOTE .source = "note", .read_outbox = &read_outbox

static atomic_int calls, portions, checkpoints;
static atomic_bool gate_open, refused;

static int setup(void **state)
{
        atomic_store(&calls, 0);
        atomic_store(&portions, 0);
        atomic_store(&checkpoints, 0);
        atomic_store(&gate_open, false);
        atomic_store(&refused, false);
        return bus_test_setup(state);
}

static int teardown(void **state)
{
        atomic_store(&gate_open, true);
        return bus_test_teardown(state);
}

static void wait_for(atomic_int *number, int n)
{
        for (int64_t until_us = clock_monotonic_us() + 20000000; atomic_load(number) < n;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(2);
        }
}

static const char *count_seen(const char *where)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql), "select count(*) from seen where %s", where);
        return test_admin(timeline.name, sql);
}

static void wait_count(const char *where, int n)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql), "select count(*) = %d from seen where %s", n, where);
        test_wait_for(timeline.name, sql);
}

/* ---- Each at its own pace ---- */

static sn_status wait_at_gate(struct rpc_call *c, struct bus_batch *batch)
{
        atomic_fetch_add(&calls, 1);
        while (!atomic_load(&gate_open)) {
                clock_sleep_ms(2);
        }
        return see(c, batch);
}

static const struct bus_consumer quick = {.name = "quick", OF_NOTE, TYPES("created", "other"), .handle = see};
static const struct bus_consumer slow = {.name = "slow", OF_NOTE, TYPES("created"), .handle = wait_at_gate};

static void a_slow_consumer_holds_up_no_other_one_of_the_same_events(void **state)
{
        start_consumers((const struct bus_consumer *const[]){&slow, &quick, NULL});
        emit("created", 3);
        wait_for(&calls, 1);
        emit("other", 3);
        emit("created", 3);
        wait_count("consumer = 'quick'", 9);
        assert_string_equal(count_seen("consumer = 'slow'"), "0");
        atomic_store(&gate_open, true);
        wait_count("consumer = 'slow'", 6);
}

static void a_new_consumer_begins_with_the_oldest_event_beside_old_ones(void **state)
{
        start_consumers((const struct bus_consumer *const[]){&quick, NULL});
        emit("created", 4);
        wait_count("consumer = 'quick'", 4);
        stop_consumers();
        atomic_store(&gate_open, true);
        start_consumers((const struct bus_consumer *const[]){&quick, &slow, NULL});
        wait_count("consumer = 'slow'", 4);
        assert_string_equal(count_seen("consumer = 'quick'"), "4");
}

/* ---- Batching by pace ---- */

static sn_status see_and_count(struct rpc_call *c, struct bus_batch *batch)
{
        atomic_fetch_add(&calls, 1);
        return see(c, batch);
}

static const struct bus_consumer paced = {
    .name = "paced", OF_NOTE, TYPES("created"), .pace_ms = 3000, .handle = see_and_count};

static void what_comes_soon_after_a_batch_is_one_with_what_follows(void **state)
{
        start_consumers((const struct bus_consumer *const[]){&paced, NULL});
        emit("created", 1);
        wait_count("consumer = 'paced'", 1); /* the first one does not wait */
        for (int i = 0; i < 20; i++) {
                emit("created", 1);
                test_wait_for(note.name, "select count(*) = 0 from outbox where position is null");
        }
        wait_count("consumer = 'paced'", 21);
        assert_in_range(atomic_load(&calls), 2, 10);
        assert_string_equal(count_seen("true"), "21");
}

static void a_backlog_is_handled_without_a_rest(void **state)
{
        emit("created", 2500);
        start_consumers((const struct bus_consumer *const[]){&paced, NULL});
        wait_count("consumer = 'paced'", 2500); /* with a pause after each batch it would be too late */
}

/* ---- Lanes ---- */

static const char BLOCKED[] = "018f0000-0000-7000-8000-000000000001";

static sn_status see_but_one(struct rpc_call *c, struct bus_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                if (strcmp(batch->events[i]->aggregate_id, BLOCKED) == 0) {
                        atomic_fetch_add(&calls, 1);
                        while (!atomic_load(&gate_open)) {
                                clock_sleep_ms(2);
                        }
                }
        }
        return see(c, batch);
}

static const struct bus_consumer in_lanes = {
    .name = "lanes", OF_NOTE, TYPES("created"), .by_aggregate = true, .handle = see_but_one};

/* One event for each of forty aggregates. */
static void emit_round(void)
{
        for (int i = 0; i < 40; i++) {
                char id[UUID_SIZE];

                (void)snprintf(id, sizeof(id), "018f0000-0000-7000-8000-0000000001%02d", i);
                emit_of("created", id);
        }
}

static void lanes_keep_the_order_of_each_aggregate_and_wait_for_no_other_lane(void **state)
{
        start_consumers((const struct bus_consumer *const[]){&in_lanes, NULL});
        emit_of("created", BLOCKED);
        wait_for(&calls, 1);
        for (int round = 0; round < 4; round++) {
                emit_round();
        }
        /* at least one of four lanes is blocked, and not all: events of the others arrive */
        test_wait_for(timeline.name, "select count(distinct aggregate_id) >= 20 from seen");
        assert_string_equal(count_seen("aggregate_id = '018f0000-0000-7000-8000-000000000001'"), "0");
        atomic_store(&gate_open, true);
        wait_count("true", 161);
        assert_string_equal(count_seen("true"), "161");
        assert_string_equal(test_admin(timeline.name, "select count(*) from (select position, lag(position) over"
                                                      " (partition by aggregate_id order by id) as before from seen) s"
                                                      " where before >= position"),
                            "0");
        test_wait_for(timeline.name,
                      "select count(*) = 4 and min(position) = 161 from consumer_positions where consumer = 'lanes'");
}

/* ---- Many processes ---- */

static sn_status count_once(struct rpc_call *c, struct bus_batch *batch)
{
        atomic_fetch_add(&calls, (int)batch->n);
        return SN_OK;
}

static const struct bus_consumer counted = {
    .name = "counted", OF_NOTE, TYPES("created"), .by_aggregate = true, .handle = count_once};

/* The effect is not fenced: it would count twice if both ran the same lane. */
static void of_two_processes_each_lane_is_run_by_one(void **state)
{
        const struct bus_consumer *const consumers[] = {&counted, NULL};
        struct service elsewhere = timeline.service;

        elsewhere.leases = bus_leases_new(&elsewhere);
        start_consumers(consumers);
        struct bus_runner *second = bus_runner_new(&elsewhere, consumers);
        emit_round();
        wait_for(&calls, 40);
        stop_consumers();
        emit_round();
        wait_for(&calls, 80);
        bus_runner_free(second);
        bus_leases_free(elsewhere.leases);
        assert_int_equal(atomic_load(&calls), 80);
}

/* ---- Portions ---- */

#define PORTIONS 200

static sn_status handle_portion(struct rpc_call *c, struct bus_batch *batch)
{
        long done = strtol(batch->cursor, NULL, 10) + 1;

        clock_sleep_ms(2);
        atomic_fetch_add(&portions, 1);
        batch->n_done = 0;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%ld", done);
        if (done == PORTIONS) {
                batch->n_done = 1;
                batch->cursor[0] = '\0';
        }
        return SN_OK;
}

static const struct bus_consumer portioned = {.name = "portioned", OF_NOTE, TYPES("large"), .handle = handle_portion};

static void a_stop_within_an_event_is_prompt_and_throws_nothing_away(void **state)
{
        const struct bus_consumer *const consumers[] = {&portioned, NULL};
        int64_t asked_us;

        emit("large", 3);
        for (int stops = 1; stops <= 4; stops++) {
                start_consumers(consumers);
                wait_for(&portions, stops * 30);
                asked_us = clock_monotonic_us();
                stop_consumers();
                assert_true(clock_monotonic_us() - asked_us < 1000000);
        }
        start_consumers(consumers);
        test_wait_for(timeline.name, "select position = 3 and cursor = '' from consumer_positions");
        assert_int_equal(atomic_load(&portions), 3 * PORTIONS);
}

/* Exactly once, three events at a time. */
static sn_status see_three(struct rpc_call *c, struct bus_batch *batch)
{
        atomic_fetch_add(&calls, 1);
        bus_shorten(batch, batch->n < 3 ? batch->n : 3);
        return see(c, batch);
}

static const struct bus_consumer by_threes = {.name = "threes", OF_NOTE, TYPES("created"), .handle = see_three};

static void events_beyond_a_shortened_batch_are_delivered_again_and_each_once(void **state)
{
        emit("created", 40);
        start_consumers((const struct bus_consumer *const[]){&by_threes, NULL});
        wait_count("true", 40);
        test_wait_for(timeline.name, "select position = 40 from consumer_positions where consumer = 'threes'");
        assert_true(atomic_load(&calls) >= 14);
        assert_string_equal(count_seen("true"), "40");
}

static sn_status do_nothing(struct rpc_call *c, struct bus_batch *batch)
{
        batch->n_done = 0;
        return SN_OK;
}

static const struct bus_consumer idle = {.name = "idle", OF_NOTE, TYPES("created"), .handle = do_nothing};

static void a_handler_that_gets_nowhere_blocks_nothing_for_ever(void **state)
{
        start_consumers((const struct bus_consumer *const[]){&idle, NULL});
        emit("created", 1);
        test_wait_for(timeline.name, "select count(*) = 1 from dead_letters where consumer = 'idle' and attempts = 5");
        test_wait_for(timeline.name, "select position = 1 from consumer_positions");
}

/* ---- Timeouts and conflicts ---- */

static sn_status run_late(struct rpc_call *c, struct bus_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                if (strcmp(batch->events[i]->type, "late") == 0) {
                        return rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "took too long");
                }
                if (strcmp(batch->events[i]->type, "conflict") == 0) {
                        return rpc_fail(c, SN_ABORTED, NULL, "in conflict with itself");
                }
        }
        return see(c, batch);
}

static const struct bus_consumer late = {
    .name = "late", OF_NOTE, TYPES("created", "late", "conflict"), .handle = run_late};

static void an_event_that_is_always_slow_becomes_a_dead_letter_in_the_end(void **state)
{
        start_consumers((const struct bus_consumer *const[]){&late, &quick, NULL});
        emit("created", 5);
        emit("late", 1);
        emit("conflict", 1);
        emit("created", 5);
        wait_count("consumer = 'quick'", 10);
        wait_count("consumer = 'late'", 10);
        assert_string_equal(test_admin(timeline.name,
                                       "select string_agg(type || ' ' || attempts || ' ' || consumer, ', '"
                                       " order by position) from dead_letters"),
                            "late 10 late, conflict 10 late");
}

/* ---- Effects elsewhere ---- */

static sn_status keep_elsewhere(struct rpc_call *c, const struct bus_progress *progress, bool first)
{
        atomic_fetch_add(&checkpoints, first ? 1000 : 1);
        if (atomic_load(&refused)) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "not kept");
        }
        return SN_OK;
}

static const struct bus_consumer elsewhere = {
    .name = "elsewhere", OF_NOTE, TYPES("created"), .handle = count_once, .checkpoint = keep_elsewhere};

static void no_progress_is_stored_before_its_checkpoint(void **state)
{
        start_consumers((const struct bus_consumer *const[]){&elsewhere, NULL});
        wait_for(&checkpoints, 1003); /* one first, then one after the other */
        assert_true(atomic_load(&checkpoints) < 2000);
        atomic_store(&refused, true);
        emit("created", 1);
        wait_for(&calls, 1);
        int before = atomic_load(&checkpoints);

        wait_for(&checkpoints, before + 3);
        assert_string_equal(test_admin(timeline.name, "select coalesce(sum(position), 0) from consumer_positions"),
                            "0");
        atomic_store(&refused, false);
        test_wait_for(timeline.name, "select position = 1 from consumer_positions");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_slow_consumer_holds_up_no_other_one_of_the_same_events),
            TEST(a_new_consumer_begins_with_the_oldest_event_beside_old_ones),
            TEST(what_comes_soon_after_a_batch_is_one_with_what_follows),
            TEST(a_backlog_is_handled_without_a_rest),
            TEST(lanes_keep_the_order_of_each_aggregate_and_wait_for_no_other_lane),
            TEST(of_two_processes_each_lane_is_run_by_one),
            TEST(a_stop_within_an_event_is_prompt_and_throws_nothing_away),
            TEST(events_beyond_a_shortened_batch_are_delivered_again_and_each_once),
            TEST(a_handler_that_gets_nowhere_blocks_nothing_for_ever),
            TEST(an_event_that_is_always_slow_becomes_a_dead_letter_in_the_end),
            TEST(no_progress_is_stored_before_its_checkpoint),
        };

        return cmocka_run_group_tests_name("consumers", tests, NULL, NULL);
}
