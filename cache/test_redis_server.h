/* What the tests of Redis share: a clock that stands still, a call, and a server of the test's own. */
#ifndef CACHE_TEST_REDIS_SERVER_H
#define CACHE_TEST_REDIS_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include "cache/redis.h"
#include "cache/redis_pool.h"

/* Time moves only by this, so that nothing depends on how fast the machine is. */
void pass_ms(int64_t ms);

extern struct rpc_call *c;
extern char url[220]; /* of the test's own server */
extern pid_t server;  /* 0 when it does not run */

#define REDIS_TEST(name) cmocka_unit_test_setup_teardown(name, redis_test_start, redis_test_end)
int redis_test_start(void **state);
int redis_test_end(void **state); /* kills the server when it runs */

void start_server(const char *port, const char *password);
void kill_server(void);
void wait_until_it_answers(struct redis_address *address);

struct redis *shared_redis(void); /* the one of tests/with-servers */
sn_status ping(struct redis *r);
int64_t failures(void); /* as metrics have them */
int64_t breaker(void);

static const char add_lua[] __attribute__((unused)) = "return redis.call('INCRBY', KEYS[1], ARGV[1])";

#define COMMAND(r, reply, ...)                                                                                         \
        redis_command(c, (r), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                           \
                      (const char *[]){__VA_ARGS__}, NULL, (reply))
#define ADD(p, ...)                                                                                                    \
        redis_pipeline_add((p), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                         \
                           (const char *[]){__VA_ARGS__}, NULL)

#endif
