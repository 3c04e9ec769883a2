/* A log restored from a backup: events read under its old ID are valid up to where the new ID begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include "bus/stream_write.h"
#include "bus/test_support.h"

static const struct bus_consumer seer = {.name = "see",
                                         .source = "note",
                                         .read_outbox = &read_outbox,
                                         .types = (const char *const[]){"created", "restored", NULL},
                                         .handle = see};
static const struct bus_consumer *const consumers[] = {&seer, NULL};

static void wait_position(int position)
{
        char sql[120];

        (void)snprintf(sql, sizeof(sql), "select position = %d from consumer_positions where consumer = 'see'",
                       position);
        test_wait_for(timeline.name, sql);
}

static void a_truncated_log_is_followed_again(void **state)
{
        char renamed[160];

        emit("created", 5);
        wait_seen(5);
        stop_consumers();
        (void)snprintf(renamed, sizeof(renamed), "select log_id <> '%s' from outbox_head",
                       test_admin(note.name, "select log_id from outbox_head"));
        /* It finds the stream ahead of the log; until then readers still see events in the stream that the log lacks.
         */
        restart_relay("delete from outbox where position > 3; update outbox_head set position = 3");
        test_wait_for(note.name, renamed);
        start_consumers(consumers);
        wait_position(3);
        emit("created", 1);
        wait_seen(6);
        assert_string_equal(test_admin(timeline.name, "select position from seen order by id desc limit 1"), "4");
}

/* The log has passed the consumer's position before it checks: only the ID reveals that. */
static void a_restored_log_past_the_consumers_position_skips_nothing(void **state)
{
        emit("created", 10);
        wait_seen(10);
        stop_consumers();
        bus_relay_free(note.service.relay);
        flush_redis();
        (void)test_admin(note.name, "delete from outbox where position > 5;"
                                    " update outbox_head set position = 5, origin = 'the server of the backup'");
        note.service.relay = bus_relay_new(&note.service);
        emit("restored", 20);
        test_wait_for(note.name, "select position = 25 from outbox_head");
        start_consumers(consumers);
        wait_seen(30);
        assert_string_equal(test_admin(timeline.name,
                                       "select count(*) = 20 and min(position) = 6 and max(position) = 25"
                                       " from seen where type = 'restored'"),
                            "t");
        wait_position(25);
}

/* For example a standby that took over: the log has another ID, and all of its events. */
static void a_complete_renamed_log_is_not_read_twice(void **state)
{
        emit("created", 10);
        wait_seen(10);
        (void)test_admin(note.name, "update outbox_head set origin = 'another server'");
        emit("created", 10);
        assert_seen_in_order(20);
        assert_string_equal(test_admin(note.name, "select log_start from outbox_head"), "10");
        assert_string_equal(test_admin(timeline.name, "select count(*) from consumer_positions"), "1");
}

static void a_log_keeps_its_id_on_the_same_server(void **state)
{
        char name[64];

        emit("created", 1);
        wait_seen(1);
        (void)snprintf(name, sizeof(name), "%s", test_admin(note.name, "select log_id from outbox_head"));
        restart_relay(NULL);
        emit("created", 1);
        assert_seen_in_order(2);
        assert_string_equal(test_admin(note.name, "select log_id from outbox_head"), name);
        assert_string_equal(test_admin(timeline.name, "select log_id from consumer_positions"), name);
}

static size_t entries_of_stream(struct rpc_call *c, size_t *fields_of_last)
{
        const char *range[] = {"XRANGE", "ev:note", "-", "+"};
        struct redisReply *reply;

        assert_int_equal(redis_command(c, redis, 4, range, NULL, &reply), SN_OK);
        *fields_of_last = reply->elements > 0 ? reply->element[reply->elements - 1]->element[1]->elements : 0;
        return reply->elements;
}

/* So that IDs in an event are in Redis no longer than readers need them there. */
static void old_stream_entries_are_removed_and_readers_miss_nothing(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 60000);
        int64_t newest = 0;
        size_t fields = 0;

        emit("created", 5);
        wait_streamed(5);
        assert_int_equal(bus_stream_trim(c, &newest), SN_OK);
        assert_int_equal(newest, 5);
        emit("created", 1);
        wait_streamed(6);
        assert_int_equal(entries_of_stream(c, &fields), 6);
        assert_int_equal(bus_stream_trim(c, &newest), SN_OK);
        assert_int_equal(entries_of_stream(c, &fields), 1);
        assert_int_equal(fields, 4);
        for (int i = 0; i < 2; i++) { /* nothing has arrived: the last entry stays without its event */
                assert_int_equal(bus_stream_trim(c, &newest), SN_OK);
                assert_int_equal(entries_of_stream(c, &fields), 1);
                assert_int_equal(fields, 2);
        }
        stop_consumers();
        (void)test_admin(timeline.name, "delete from seen; delete from consumer_positions");
        start_consumers(consumers); /* which has to read events that are no longer in the stream */
        emit("created", 2);
        assert_seen_in_order(8);
        restart_relay(NULL);
        emit("created", 1);
        assert_seen_in_order(9);
        assert_string_equal(test_admin(note.name, "select log_start from outbox_head"), "0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            BUS_TEST(a_truncated_log_is_followed_again, consumers),
            BUS_TEST(a_restored_log_past_the_consumers_position_skips_nothing, consumers),
            BUS_TEST(a_complete_renamed_log_is_not_read_twice, consumers),
            BUS_TEST(a_log_keeps_its_id_on_the_same_server, consumers),
            BUS_TEST(old_stream_entries_are_removed_and_readers_miss_nothing, consumers),
        };

        return cmocka_run_group_tests_name("logs from backups", tests, NULL, NULL);
}
