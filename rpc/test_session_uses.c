/* Recording uses of sessions, with a real Redis: once each, in bounded space, and none lost while Redis is unreachable.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "cache/test_redis_server.h"
#include "rpc/session_uses.h"

static const char *session_id(int test, int number)
{
        static char id[UUID_SIZE];

        (void)snprintf(id, sizeof(id), "018f0000-0000-7000-8%03x-%012x", (unsigned)test,
                       (unsigned)number * 2654435761U);
        return id;
}

static void use(const char *session, int64_t at_ms, const char *address, const char *agent)
{
        struct rpc_call used = {CALL_OF_NOBODY, .now_ms = at_ms, .client_address = address, .user_agent = agent};

        used.session = session;
        session_uses_note(&used);
}

static struct session_use read_use(struct redis *r, const char *session)
{
        char *ids[] = {(char *)session};

        return session_uses_read(c, r, ids, 1)[0];
}

static int64_t redis_count(struct redis *r, const char *what)
{
        struct redisReply *reply;

        assert_int_equal(COMMAND(r, &reply, "INFO", "commandstats"), SN_OK);
        const char *at = strstr(reply->str, what);
        return at != NULL ? strtoll(at + strlen(what), NULL, 10) : 0;
}

static void the_last_use_is_known_and_written_once(void **state)
{
        struct redis *r = shared_redis();
        const char *id = session_id(1, 1);
        int64_t now_ms = c->now_ms, before = redis_count(r, "cmdstat_set:calls=");

        for (int i = 0; i < 5000; i++) {
                use(id, now_ms - 5000 + i, "192.0.2.1", "an app");
        }
        use(id, now_ms - 1, "192.0.2.2", "another app\n2");
        assert_int_equal(read_use(r, id).at_ms, 0);
        assert_int_equal(session_uses_write(c, r), SN_OK);
        assert_int_equal(session_uses_write(c, r), SN_OK);
        assert_int_equal(redis_count(r, "cmdstat_set:calls=") - before, 1);
        assert_true(read_use(r, id).at_ms >= now_ms - 1000);
        use(id, now_ms + 90000, "192.0.2.3", "");
        assert_int_equal(session_uses_write(c, r), SN_OK);
        assert_int_equal(read_use(r, id).at_ms, now_ms); /* a clock that is ahead */
        assert_string_equal(read_use(r, id).address, "192.0.2.3");
        assert_string_equal(read_use(r, id).user_agent, "");
        redis_free(r);
}

static void more_sessions_than_entries_are_written_in_turn(void **state)
{
        struct redis *r = shared_redis();
        int64_t before = redis_count(r, "cmdstat_set:calls=");

        for (int i = 0; i < 100000; i++) {
                use(session_id(2, i), c->now_ms, "192.0.2.1", "an app");
        }
        assert_int_equal(session_uses_write(c, r), SN_OK);
        int64_t written = redis_count(r, "cmdstat_set:calls=") - before;

        assert_true(written > 1000 && written <= 8192);
        for (int i = 0; i < 200 && read_use(r, session_id(2, 99999)).at_ms == 0; i++) {
                use(session_id(2, 99999), c->now_ms, "192.0.2.1", "an app");
                assert_int_equal(session_uses_write(c, r), SN_OK);
        }
        assert_int_equal(read_use(r, session_id(2, 99999)).at_ms, c->now_ms);
        redis_free(r);
}

static void uses_are_written_once_redis_is_reachable_again(void **state)
{
        const char *id = session_id(3, 1);

        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        assert_int_equal(session_uses_write(c, r), SN_OK);
        kill_server();
        use(id, c->now_ms, "192.0.2.1", "an app");
        assert_int_equal(session_uses_write(c, r), SN_UNAVAILABLE);
        assert_int_equal(read_use(r, id).at_ms, 0);
        assert_null(c->problem.detail == NULL ? NULL : strstr(c->problem.detail, id));
        start_server("0", "");
        pass_ms(10000); /* the breaker retries */
        assert_int_equal(session_uses_write(c, r), SN_OK);
        assert_int_equal(read_use(r, id).at_ms, c->now_ms);
        redis_free(r);
}

static void nothing_remains_of_an_ended_session(void **state)
{
        struct redis *r = shared_redis();
        const char *id = session_id(4, 1);

        use(id, c->now_ms, "192.0.2.1", "an app");
        assert_int_equal(session_uses_write(c, r), SN_OK);
        assert_int_equal(read_use(r, id).at_ms, c->now_ms);
        token_revoke_session(id, clock_wall_ms() / 1000 + TOKEN_LIFE_S);
        session_uses_end(id);
        assert_int_equal(session_uses_write(c, r), SN_OK);
        assert_int_equal(read_use(r, id).at_ms, 0);
        redis_free(r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            REDIS_TEST(the_last_use_is_known_and_written_once),
            REDIS_TEST(more_sessions_than_entries_are_written_in_turn),
            REDIS_TEST(uses_are_written_once_redis_is_reachable_again),
            REDIS_TEST(nothing_remains_of_an_ended_session),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
