/* A feed gets all events, each once and in order, whatever happens to Redis and the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "bus/feed.h"
#include "bus/test_support.h"

static struct bus_feed *feed;
static _Atomic int64_t position; /* received up to here, in order */
static atomic_int n_begun, n_old, n_new;
static atomic_bool wrong;

static void take(void *context, struct rpc_call *c, bus_event **events, size_t n, bool old)
{
        for (size_t i = 0; i < n; i++) {
                if (events[i]->position != position + 1) {
                        atomic_store(&wrong, true);
                }
                atomic_store(&position, events[i]->position);
                atomic_fetch_add(old ? &n_old : &n_new, 1);
        }
}

static void begin(void *context, const char *log_id, int64_t at, int64_t old_until)
{
        atomic_store(&position, at);
        atomic_fetch_add(&n_begun, 1);
        if (strlen(log_id) + 1 != UUID_SIZE || at > old_until) {
                atomic_store(&wrong, true);
        }
}

static void start_feed(void)
{
        n_begun = n_old = n_new = 0;
        wrong = false;
        feed = bus_feed_new(&(struct bus_feed_options){.service = &timeline.service,
                                                       .source = "note",
                                                       .read_outbox = &read_outbox,
                                                       .backlog_s = 600,
                                                       .take = take,
                                                       .begin = begin});
}

static void stop_feed(void)
{
        bus_feed_free(feed);
        feed = NULL;
        assert_false(wrong);
}

static void wait_until(const char *what, atomic_int *counter, int n)
{
        for (int i = 0; atomic_load(counter) < n; i++) {
                if (i == 4000) {
                        fail_msg("%s: %d of %d", what, atomic_load(counter), n);
                }
                clock_sleep_ms(5);
        }
        assert_int_equal(*counter, n);
}

/* Assigned positions by the relay: visible to readers of the log. */
static void wait_assigned(int n)
{
        char sql[80];

        (void)snprintf(sql, sizeof(sql), "select position = %d from outbox_head", n);
        test_wait_for(note.name, sql);
}

static void it_starts_with_the_backlog_and_continues_with_new_events(void **state)
{
        emit("created", 1200); /* more than a page */
        wait_assigned(1200);
        start_feed();
        wait_until("backlog", &n_old, 1200);
        emit("created", 30);
        wait_until("news", &n_new, 30);
        assert_int_equal(n_begun, 1);
        stop_feed();
}

static void events_lost_by_redis_are_read_from_the_log(void **state)
{
        start_feed();
        wait_until("begin", &n_begun, 1);
        emit("created", 5);
        wait_until("by the stream", &n_new, 5);
        flush_redis();
        emit("created", 5);
        wait_until("behind a gap", &n_new, 10);
        stop_feed();
}

static void without_redis_it_reads_the_log(void **state)
{
        struct redis *kept = timeline.service.redis;

        timeline.service.redis = NULL;
        start_feed();
        wait_until("begin", &n_begun, 1);
        emit("created", 7);
        wait_until("by the log", &n_new, 7);
        stop_feed();
        timeline.service.redis = kept;
}

static void a_log_from_a_backup_is_restarted(void **state)
{
        start_feed();
        wait_until("begin", &n_begun, 1);
        emit("created", 5);
        wait_until("before", &n_new, 5);
        /* It finds the stream ahead of the log, and renames it. */
        restart_relay("delete from outbox where position > 3; update outbox_head set position = 3");
        wait_until("begun anew", &n_begun, 2);
        emit("created", 2);
        wait_until("after", &n_new, 7);
        stop_feed();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            BUS_TEST(it_starts_with_the_backlog_and_continues_with_new_events, NULL),
            BUS_TEST(events_lost_by_redis_are_read_from_the_log, NULL),
            BUS_TEST(without_redis_it_reads_the_log, NULL),
            BUS_TEST(a_log_from_a_backup_is_restarted, NULL),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
