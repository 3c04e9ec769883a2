/* What the tests of bus/ share: two services on real servers, of which one emits and the other consumes. */
#ifndef BUS_TEST_SUPPORT_H
#define BUS_TEST_SUPPORT_H

#include "bus/bus.h"
#include "cache/redis.h"
#include "db/test_support.h"

#define MEMBER "018f0000-0000-7000-8000-00000000000a"

extern struct test_database note, timeline;
extern struct redis *redis;
/* The source's log, by the internal call that consumers declare. */
extern const struct rpc_method read_outbox;

/* Fixtures: empty databases (that of timeline with a table `seen` of effects: id, position, type, consumer), an empty
 * Redis, a relay, and the consumers that *state lists (NULL: none). */
int bus_test_setup(void **state);
int bus_test_teardown(void **state);
#define BUS_TEST(name, consumers)                                                                                      \
        cmocka_unit_test_prestate_setup_teardown(name, bus_test_setup, bus_test_teardown, (void *)(consumers))

/* timeline's consumers, in one runner at a time. */
void start_consumers(const struct bus_consumer *const *consumers);
void stop_consumers(void);
/* Simulates a restart. change: SQL that is run on note's database meanwhile, or NULL. */
void restart_relay(const char *change);
/* Frees the one before. NULL: there is none. */
void replace_relay(struct bus_relay *relay);
/* Simulates a restart of both services while Redis is unreachable. */
void restart_without_redis(const struct bus_consumer *const *consumers);

/* The effect of an event, in a transaction of bus_begin. */
SN_CHECKED sn_status see_event(struct db_tx *tx, const struct bus_batch *batch, size_t i);
/* A handler that does only that, exactly once. */
SN_CHECKED sn_status see(struct rpc_call *c, struct bus_batch *batch);

/* Emits events in one transaction. */
void emit(const char *type, int times);
void emit_of(const char *type, const char *aggregate_id);
void wait_seen(int n);
/* Until so many entries are in the stream in Redis: readers in the relay's process may see events before. */
void wait_streamed(long long n);
/* Each event was seen once, and in order. */
void assert_seen_in_order(int n);
void redis_do(int argc, const char *const *argv);
void flush_redis(void);

#endif
