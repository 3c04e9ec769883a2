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
#include "bus/bus.h"
#include "cache/redis.h"
#include "db/check.h"
#include "db/test_support.h"
#include "rpc/rpc.h"

#define MEMBER "018f0000-0000-7000-8000-00000000000a"

/* --- two services: note emits, timeline consumes
 * ------------------------------------------------------------------------------ */

static struct test_database note, timeline;
static struct redis *redis;
static struct bus_runner *runner;
static atomic_int poisoned, unavailable;

static sn_status invoke_read_outbox(const void *handlers, struct rpc_call *c, const ProtobufCMessage *in,
                                    ProtobufCMessage *out)
{
        (void)handlers;
        return bus_read_outbox(c, (const Sonet__Events__ReadOutboxRequest *)in,
                               (Sonet__Events__ReadOutboxResponse *)out);
}

static const struct rpc_service note_contract;
static const struct rpc_method read_outbox = {
    .service = &note_contract,
    .name = "ReadOutbox",
    .full_name = "/test.NoteService/ReadOutbox",
    .in = &sonet__events__read_outbox_request__descriptor,
    .out = &sonet__events__read_outbox_response__descriptor,
    .access = RPC_INTERNAL,
    .deadline_ms = 5000,
    .invoke = invoke_read_outbox,
};
static const struct rpc_service note_contract = {
    .name = "note", .package = "test", .methods = &read_outbox, .n_methods = 1};

static const struct rpc_service timeline_contract = {
    .name = "timeline", .package = "test", .reads = (const char *const[]){"note", NULL}};

DB_STATEMENT(TEST_SEE, "test_timeline", NULL, "insert into seen (position, type) values ($1, $2)");

static atomic_int largest_batch;

static sn_status see(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

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
        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];

                TRY(db_exec(tx, &TEST_SEE, DB_BINDS(bind_i64(event->position), bind_text(event->type)), NULL));
        }
        return bus_commit(c, batch, &tx);
}

static atomic_int idempotent_calls;

static sn_status count_events(struct rpc_call *c, struct bus_batch *batch)
{
        atomic_fetch_add(&idempotent_calls, (int)batch->n);
        return SN_OK;
}

static atomic_int taken_over;

static void note_take_over(struct service *service)
{
        atomic_fetch_add(&taken_over, 1);
}

static const struct bus_consumer seer = {.source = "note",
                                         .read_outbox = &read_outbox,
                                         .types = (const char *const[]){"created", "poison", NULL},
                                         .handle = see,
                                         .take_over = note_take_over};
static const struct bus_consumer counter = {.source = "note",
                                            .read_outbox = &read_outbox,
                                            .types = (const char *const[]){"counted", NULL},
                                            .handle = count_events};
static const struct bus_consumer *const consumers[] = {&seer, &counter};

static void start_runner(void)
{
        runner = bus_runner_new(&timeline.service, consumers, 2);
}

static void stop_runner(void)
{
        bus_runner_free(runner);
        runner = NULL;
}

/* `not null` is checked at once; the identity shows the order of effects. */
static const struct db_migration timeline_migrations[] = {
    {1, "0001_seen",
     "create table seen (id bigint generated always as identity, position bigint not null, type text not null);"}};

static struct redis *open_redis(const char *url)
{
        struct redis *r = redis_new(url, 4);

        assert_non_null(r);
        note.service.redis = timeline.service.redis = r;
        return r;
}

static void redis_do(int argc, const char *const *argv)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        struct redisReply *reply;

        assert_int_equal(redis_command(c, redis, argc, argv, NULL, &reply), SN_OK);
}

static void flush_redis(void)
{
        const char *argv[] = {"FLUSHALL"};

        redis_do(1, argv);
}

static int setup(void **state)
{
        (void)state;
        test_database_new(&note, NULL, 0, 4);
        test_database_new(&timeline, timeline_migrations, 1, 4);
        note.service.name = "note";
        note.service.contract = &note_contract;
        timeline.service.name = "timeline";
        timeline.service.contract = &timeline_contract;
        contract_register(&timeline_contract);
        redis = open_redis(getenv("SONET_TEST_REDIS_URL"));
        flush_redis();
        note.service.relay = bus_relay_new(&note.service);
        timeline.service.contract = &timeline_contract;
        rpc_register_local(&note.service);
        rpc_register_local(&timeline.service);
        start_runner();
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        stop_runner();
        bus_relay_free(note.service.relay);
        redis_free(redis);
        test_database_free(&note);
        test_database_free(&timeline);
        return 0;
}

static sn_status emit_in(struct rpc_call *c, const char *type, int times)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        for (int i = 0; i < times; i++) {
                TRY(outbox_put(tx, &(struct outbox_event){.type = type, .aggregate_id = MEMBER}));
        }
        return db_commit(c, NULL, &tx);
}

static void emit(const char *type, int times)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        sn_status status;

        do { /* as the dispatcher does */
                c->retry = false;
                status = emit_in(c, type, times);
        } while (status == SN_ABORTED && c->retry);
        assert_int_equal(status, SN_OK);
}

static void wait_seen(int n)
{
        char sql[80];

        (void)snprintf(sql, sizeof(sql), "select count(*) >= %d from seen", n);
        test_wait_for(timeline.name, sql);
}

/* Each once, each after the one before it. */
static void assert_seen_in_order(int n)
{
        char sql[200];

        wait_seen(n);
        (void)snprintf(sql, sizeof(sql), "select count(*) = %d and count(distinct position) = %d from seen", n, n);
        assert_string_equal(test_admin(timeline.name, sql), "t");
        assert_string_equal(
            test_admin(timeline.name,
                       "select count(*) from (select position, lag(position) over (order by id) as before"
                       " from seen) s where before >= position"),
            "0");
}

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

static void a_batch_larger_than_one_of_the_relay_arrives(void **state)
{
        (void)state;
        emit("created", 1200);
        assert_seen_in_order(1200);
}

static void what_has_gathered_is_handled_in_batches(void **state)
{
        (void)state;
        stop_runner();
        atomic_store(&largest_batch, 0);
        emit("created", 130);
        emit("ignored", 3);
        emit("created", 2);
        start_runner();
        assert_seen_in_order(132);
        assert_int_equal(atomic_load(&largest_batch), BUS_BATCH_MAX);
}

static void who_takes_over_is_told_before_the_first_event(void **state)
{
        int before;

        (void)state;
        emit("created", 1);
        wait_seen(1);
        before = atomic_load(&taken_over);
        stop_runner();
        start_runner();
        emit("created", 1);
        wait_seen(2);
        assert_int_equal(atomic_load(&taken_over), before + 1);
}

static void types_that_nobody_handles_are_passed_over_and_their_position_kept(void **state)
{
        (void)state;
        emit("ignored", 3);
        emit("created", 1);
        assert_seen_in_order(1);
        emit("ignored", 2);
        test_wait_for(timeline.name, "select position = 6 from consumer_positions where source = 'note'");
}

static void what_commits_late_is_not_lost(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        CLEANUP(db_rollback_p) struct db_tx *late = NULL;

        (void)state;
        assert_int_equal(db_begin(c, &late), SN_OK);
        assert_int_equal(outbox_put(late, &(struct outbox_event){.type = "created", .aggregate_id = MEMBER}), SN_OK);
        emit("created", 5); /* higher ids, committed first */
        wait_seen(5);
        assert_int_equal(db_commit(c, NULL, &late), SN_OK);
        assert_seen_in_order(6);
        assert_string_equal(test_admin(note.name, "select position from outbox order by id limit 1"), "6");
}

static void delivered_twice_gives_the_same_result(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&timeline.service, 10000);
        bus_event known = SONET__EVENTS__EVENT__INIT, next;
        bus_event *events[] = {&known, &next};

        (void)state;
        emit("created", 2);
        wait_seen(2);
        stop_runner();
        known.source = (char *)"note";
        known.type = (char *)"created";
        known.position = 2;
        assert_int_equal(see(c, &(struct bus_batch){events, 1}), SN_REPLAYED);
        assert_seen_in_order(2);
        next = known;
        next.position = 3;
        assert_int_equal(see(c, &(struct bus_batch){events, 2}), SN_OK); /* only the one that is not known */
        assert_seen_in_order(3);
}

static void a_runner_goes_on_where_the_last_one_stopped(void **state)
{
        (void)state;
        emit("created", 3);
        wait_seen(3);
        stop_runner();
        emit("created", 4);
        start_runner();
        assert_seen_in_order(7);
}

static void two_runners_do_not_double_anything(void **state)
{
        struct bus_runner *second;

        (void)state;
        second = bus_runner_new(&timeline.service, consumers, 2);
        for (int i = 0; i < 20; i++) {
                emit("created", 2);
        }
        stop_runner();
        emit("created", 10);
        assert_seen_in_order(50);
        bus_runner_free(second);
}

static void positions_of_idempotent_handlers_are_stored_in_time(void **state)
{
        (void)state;
        atomic_store(&idempotent_calls, 0);
        emit("counted", 10);
        test_wait_for(timeline.name, "select position = 10 from consumer_positions where source = 'note'");
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

static void an_emptied_redis_loses_and_doubles_nothing(void **state)
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

static void lost_database_connections_lose_and_double_nothing(void **state)
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

static void without_redis_events_arrive_all_the_same(void **state)
{
        (void)state;
        stop_runner();
        bus_relay_free(note.service.relay);
        redis_free(redis);
        redis = open_redis("redis://127.0.0.1:1");
        note.service.relay = bus_relay_new(&note.service);
        start_runner();
        emit("created", 5);
        wait_seen(5);
        emit("created", 5);
        assert_seen_in_order(10);
}

static void the_stream_of_another_log_is_never_taken_for_ours(void **state)
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
        stop_runner(); /* so that all of them come in one batch */
        atomic_store(&poisoned, 1);
        emit("created", 10);
        emit("poison", 1);
        emit("created", 10);
        start_runner();
        wait_seen(20); /* the stream goes on */
        assert_int_equal(bus_dead_letters_list(c, &letters, &n), SN_OK);
        assert_int_equal(n, 1);
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
        assert_string_equal(test_admin(timeline.name, "select position from consumer_positions"), "21");
}

static void failures_of_the_environment_keep_the_order(void **state)
{
        (void)state;
        atomic_store(&unavailable, 8); /* more than the tries before a dead letter */
        emit("created", 3);
        assert_seen_in_order(3);
        assert_string_equal(test_admin(timeline.name, "select count(*) from dead_letters"), "0");
}

static void events_left_by_a_crash_are_placed_by_the_next_relay(void **state)
{
        (void)state;
        bus_relay_free(note.service.relay);
        note.service.relay = NULL; /* nobody is woken */
        emit("created", 3);
        note.service.relay = bus_relay_new(&note.service);
        assert_seen_in_order(3);
}

static void a_reader_learns_what_the_log_still_has(void **state)
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

static void a_log_from_a_backup_is_followed_again(void **state)
{
        (void)state;
        emit("created", 5);
        wait_seen(5);
        bus_relay_free(note.service.relay);
        stop_runner();
        (void)test_admin(note.name, "delete from outbox where position > 3; update outbox_head set position = 3");
        note.service.relay = bus_relay_new(&note.service); /* finds the stream ahead of the log */
        start_runner();
        test_wait_for(timeline.name, "select position = 3 from consumer_positions");
        emit("created", 1);
        wait_seen(6);
        assert_string_equal(test_admin(timeline.name, "select position from seen order by id desc limit 1"), "4");
}

static void all_statements_fit_the_schema(void **state)
{
        struct buf error;

        (void)state;
        buf_init(&error, 8192);
        if (db_check_statements(timeline.url, "test_timeline", &error) != SN_OK) {
                fail_msg("%s", error.data);
        }
        buf_free(&error);
}

#define BUS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            BUS_TEST(events_arrive_once_and_in_order),
            BUS_TEST(a_batch_larger_than_one_of_the_relay_arrives),
            BUS_TEST(what_has_gathered_is_handled_in_batches),
            BUS_TEST(who_takes_over_is_told_before_the_first_event),
            BUS_TEST(types_that_nobody_handles_are_passed_over_and_their_position_kept),
            BUS_TEST(what_commits_late_is_not_lost),
            BUS_TEST(delivered_twice_gives_the_same_result),
            BUS_TEST(a_runner_goes_on_where_the_last_one_stopped),
            BUS_TEST(two_runners_do_not_double_anything),
            BUS_TEST(positions_of_idempotent_handlers_are_stored_in_time),
            BUS_TEST(an_emptied_redis_loses_and_doubles_nothing),
            BUS_TEST(lost_database_connections_lose_and_double_nothing),
            BUS_TEST(without_redis_events_arrive_all_the_same),
            BUS_TEST(the_stream_of_another_log_is_never_taken_for_ours),
            BUS_TEST(a_poison_event_becomes_a_dead_letter_and_can_be_replayed),
            BUS_TEST(failures_of_the_environment_keep_the_order),
            BUS_TEST(events_left_by_a_crash_are_placed_by_the_next_relay),
            BUS_TEST(a_reader_learns_what_the_log_still_has),
            BUS_TEST(a_log_from_a_backup_is_followed_again),
            BUS_TEST(all_statements_fit_the_schema),
        };

        return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
