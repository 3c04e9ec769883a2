/* Positions of events: assigned by those who emit them or by the relay, without gaps, in this process or another one.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include "base/clock.h"
#include "bus/test_support.h"

static const struct bus_consumer seer = {.name = "see",
                                         .source = "note",
                                         .read_outbox = &read_outbox,
                                         .types = (const char *const[]){"created", NULL},
                                         .handle = see};
static const struct bus_consumer *const consumers[] = {&seer, NULL};

DB_STATEMENT(TEST_XID, "test_note", NULL, "select pg_current_xact_id()::text as xid");
DB_STATEMENT(TEST_HOLD_HEAD, "test_note", NULL, "select position from outbox_head for update");

/* Whether the transaction that emitted the event gave it that position. */
static bool is_emitted_with_position(int position)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *rows;
        char sql[80];

        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(outbox_put(tx, &(struct outbox_event){.type = "created", .aggregate_id = MEMBER}), SN_OK);
        assert_int_equal(db_rows(tx, &TEST_XID, DB_NO_BINDS, &rows), SN_OK);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        wait_seen(position);
        (void)snprintf(sql, sizeof(sql), "select xmin from outbox where position = %d", position);
        return strcmp(test_admin(note.name, sql), db_text(rows, 0, "xid")) == 0;
}

/* Once the relay has its lease and keeps up. */
static void an_event_is_committed_with_its_position(void **state)
{
        int position = 1;

        (void)state;
        while (!is_emitted_with_position(position)) {
                position++;
                assert_true(position < 200);
                clock_sleep_ms(50);
        }
        assert_seen_in_order(position);
}

static void emitting_does_not_wait_for_another_assignment(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        (void)state;
        emit("created", 1);
        wait_seen(1);
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(db_exec(tx, &TEST_HOLD_HEAD, DB_NO_BINDS, NULL), SN_OK);
        emit("created", 2);
        assert_string_equal(test_admin(note.name, "select count(*) from outbox where position is null"), "2");
        db_end(&tx);
        assert_seen_in_order(3);
}

/* ---- Emitters in another process than the relay ---- */

/* Until the relay's process listens for what wakes it. */
static void wait_listening(void)
{
        const char *argv[] = {"PUBSUB", "CHANNELS", "*relay:note"};

        for (size_t found = 0, i = 0; found == 0; i++) {
                CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
                struct redisReply *reply = NULL;

                assert_true(i < 1000);
                assert_int_equal(redis_command(c, redis, 3, argv, NULL, &reply), SN_OK);
                found = reply->elements;
                clock_sleep_ms(10);
        }
}

static void emit_by(struct service *service)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, 10000);
        CLEANUP(db_end) struct db_tx *tx = NULL;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(outbox_put(tx, &(struct outbox_event){.type = "created", .aggregate_id = MEMBER}), SN_OK);
        assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
}

/* With a relay of its own, which does not get the lease. */
static void start_other_process(struct service *other)
{
        *other = note.service;
        other->leases = bus_leases_new(other);
        other->relay = bus_relay_new(other);
}

static void stop_other_process(struct service *other)
{
        bus_relay_free(other->relay);
        bus_leases_free(other->leases);
}

/* The relay would not look for its events for an hour. */
static void an_emitter_without_the_lease_wakes_the_relay(void **state)
{
        struct service other;

        (void)state;
        emit("created", 1);
        wait_seen(1); /* the first relay has the lease */
        wait_listening();
        start_other_process(&other);
        bus_relay_poll_rarely(true);
        emit("created", 1);
        wait_seen(2); /* from here on it waits */
        for (int n = 3; n <= 7; n++) {
                emit_by(&other);
                wait_seen(n);
        }
        bus_relay_poll_rarely(false);
        stop_other_process(&other);
        assert_seen_in_order(7);
}

/* Nobody can wake the relay, which finds them by itself. */
static void without_redis_the_relay_finds_what_others_emit(void **state)
{
        struct service other;

        (void)state;
        restart_without_redis(consumers);
        emit("created", 1);
        wait_seen(1);
        start_other_process(&other);
        for (int n = 2; n <= 4; n++) {
                emit_by(&other);
                wait_seen(n);
        }
        stop_other_process(&other);
        assert_seen_in_order(4);
}

static void *emit_many(void *unused)
{
        (void)unused;
        for (int i = 0; i < 150; i++) {
                emit("created", 1);
        }
        return NULL;
}

#define WRITERS 4

static void concurrent_emitters_leave_no_gap(void **state)
{
        pthread_t writers[WRITERS];

        (void)state;
        for (int i = 0; i < WRITERS; i++) {
                assert_int_equal(pthread_create(&writers[i], NULL, emit_many, NULL), 0);
        }
        for (int i = 0; i < WRITERS; i++) {
                (void)pthread_join(writers[i], NULL);
        }
        assert_seen_in_order(WRITERS * 150);
        assert_string_equal(test_admin(note.name, "select count(*) = max(position) and min(position) = 1 from outbox"),
                            "t");
        wait_streamed(WRITERS * 150);
}

/* As if events had been deleted before the relay read them. */
static void positions_without_events_are_passed_over(void **state)
{
        (void)state;
        emit("created", 1);
        wait_seen(1);
        test_admin(note.name, "update outbox_head set position = position + 3 returning position");
        emit("created", 1);
        wait_streamed(2);
        assert_string_equal(test_admin(note.name, "select max(position) from outbox"), "5");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            BUS_TEST(an_event_is_committed_with_its_position, consumers),
            BUS_TEST(emitting_does_not_wait_for_another_assignment, consumers),
            BUS_TEST(an_emitter_without_the_lease_wakes_the_relay, consumers),
            BUS_TEST(without_redis_the_relay_finds_what_others_emit, consumers),
            BUS_TEST(concurrent_emitters_leave_no_gap, consumers),
            BUS_TEST(positions_without_events_are_passed_over, consumers),
        };

        return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
