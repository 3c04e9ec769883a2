/* Owns the two services of the tests of bus/. */
#include "bus/test_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include "base/clock.h"
#include "base/log.h"
#include "bus/tail.h"
#include "rpc/rpc.h"

struct test_database note, timeline;
struct redis *redis;

static struct bus_runner *runner;
static pthread_mutex_t relay_lock = PTHREAD_MUTEX_INITIALIZER; /* tests replace the relay while its log is read */

static sn_status invoke_read_outbox(const void *handlers, struct rpc_call *c, const ProtobufCMessage *in,
                                    ProtobufCMessage *out)
{
        (void)handlers;
        (void)pthread_mutex_lock(&relay_lock);
        sn_status status =
            bus_read_outbox(c, (const Sonet__Events__ReadOutboxRequest *)in, (Sonet__Events__ReadOutboxResponse *)out);

        (void)pthread_mutex_unlock(&relay_lock);
        return status;
}

static const struct rpc_service note_contract;
const struct rpc_method read_outbox = {
    .service = &note_contract,
    .name = "ReadOutbox",
    .full_name = "/test.NoteService/ReadOutbox",
    .in = &sonet__events__read_outbox_request__message,
    .out = &sonet__events__read_outbox_response__message,
    .access = RPC_INTERNAL,
    .deadline_ms = 5000,
    .invoke = invoke_read_outbox,
};
static const struct rpc_service note_contract = {
    .name = "note", .package = "test", .methods = &read_outbox, .n_methods = 1};
static const struct rpc_service timeline_contract = {
    .name = "timeline", .package = "test", .reads = (const char *const[]){"note", NULL}};

/* `not null` is checked immediately; the identity column shows the order of effects. */
static const struct db_migration timeline_migrations[] = {
    {1, "0001_seen",
     "create table seen (id bigint generated always as identity, position bigint not null, type text not null,"
     " consumer text not null, aggregate_id uuid not null);"}};

static void use_redis(const char *url)
{
        redis_free(redis);
        redis = redis_new(url, 8);
        assert_non_null(redis);
        note.service.redis = timeline.service.redis = redis;
}

void restart_relay(const char *change)
{
        (void)pthread_mutex_lock(&relay_lock);
        bus_relay_free(note.service.relay);
        if (change != NULL) {
                (void)test_admin(note.name, change);
        }
        note.service.relay = bus_relay_new(&note.service);
        (void)pthread_mutex_unlock(&relay_lock);
}

void replace_relay(struct bus_relay *relay)
{
        (void)pthread_mutex_lock(&relay_lock);
        bus_relay_free(note.service.relay);
        note.service.relay = relay;
        (void)pthread_mutex_unlock(&relay_lock);
}

void restart_without_redis(const struct bus_consumer *const *consumers)
{
        stop_consumers();
        bus_relay_free(note.service.relay);
        use_redis("redis://127.0.0.1:1");
        note.service.relay = bus_relay_new(&note.service);
        start_consumers(consumers);
}

void start_consumers(const struct bus_consumer *const *consumers)
{
        runner = bus_runner_new(&timeline.service, consumers);
}

void stop_consumers(void)
{
        bus_runner_free(runner);
        runner = NULL;
}

int bus_test_setup(void **state)
{
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        bus_tail_hide(getenv("SONET_TEST_FAR") != NULL);
        test_database_new(&note, NULL, 0, 4);
        test_database_new(&timeline, timeline_migrations, 1, 8);
        note.service.name = "note";
        note.service.contract = &note_contract;
        timeline.service.name = "timeline";
        timeline.service.contract = &timeline_contract;
        redis = NULL;
        use_redis(getenv("SONET_TEST_REDIS_URL"));
        flush_redis();
        note.service.leases = bus_leases_new(&note.service);
        timeline.service.leases = bus_leases_new(&timeline.service);
        note.service.relay = bus_relay_new(&note.service);
        rpc_register_local(&note.service);
        rpc_register_local(&timeline.service);
        if (*state != NULL) {
                start_consumers(*state);
        }
        return 0;
}

int bus_test_teardown(void **state)
{
        (void)state;
        stop_consumers();
        bus_relay_free(note.service.relay);
        bus_leases_free(note.service.leases);
        bus_leases_free(timeline.service.leases);
        redis_free(redis);
        test_database_free(&note);
        test_database_free(&timeline);
        return 0;
}

DB_STATEMENT(TEST_SEE, "test_timeline", NULL,
             "insert into seen (position, type, consumer, aggregate_id) values ($1, $2, $3, $4)");

sn_status see_event(struct db_tx *tx, const struct bus_batch *batch, size_t i)
{
        const bus_event *event = batch->events[i];

        return db_exec(tx, &TEST_SEE,
                       DB_BINDS(bind_i64(event->position), bind_text(event->type), bind_text(batch->consumer->name),
                                bind_uuid(event->aggregate_id)),
                       NULL);
}

sn_status see(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                TRY(see_event(tx, batch, i));
        }
        return bus_commit(c, batch, &tx);
}

static sn_status emit_in(struct rpc_call *c, const char *type, const char *aggregate_id, int times)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        for (int i = 0; i < times; i++) {
                TRY(outbox_put(tx, &(struct outbox_event){.type = type, .aggregate_id = aggregate_id}));
        }
        return db_commit(c, NULL, &tx);
}

static void emit_some(const char *type, const char *aggregate_id, int times)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        sn_status status;

        do { /* like the dispatcher */
                c->retry = false;
                status = emit_in(c, type, aggregate_id, times);
        } while (status == SN_ABORTED && c->retry);
        assert_int_equal(status, SN_OK);
}

void emit(const char *type, int times)
{
        emit_some(type, MEMBER, times);
}

void emit_of(const char *type, const char *aggregate_id)
{
        emit_some(type, aggregate_id, 1);
}

void wait_seen(int n)
{
        char sql[80];

        (void)snprintf(sql, sizeof(sql), "select count(*) >= %d from seen", n);
        test_wait_for(timeline.name, sql);
}

void assert_seen_in_order(int n)
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

static long long streamed(void)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        const char *length[] = {"XLEN", "ev:note"};
        struct redisReply *reply = NULL;

        assert_int_equal(redis_command(c, redis, 2, length, NULL, &reply), SN_OK);
        return reply->integer;
}

void wait_streamed(long long n)
{
        int64_t deadline_us = clock_monotonic_us() + 20000000;

        while (streamed() < n && clock_monotonic_us() < deadline_us) {
                clock_sleep_ms(10);
        }
        assert_int_equal(streamed(), n);
}

void redis_do(int argc, const char *const *argv)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&note.service, 10000);
        struct redisReply *reply;

        assert_int_equal(redis_command(c, redis, argc, argv, NULL, &reply), SN_OK);
}

void flush_redis(void)
{
        const char *argv[] = {"FLUSHALL"};

        redis_do(1, argv);
}
