/* Ended sessions reach processes without user_service: all of them, whenever their events are committed and whatever
 * the clocks are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "auth/token.h"
#include "base/clock.h"
#include "cmd/serve/trust.h"
#include "services/test_support.h"
#include "services/user/session.h"

static struct service gateway = {.name = "gateway"};
static struct trust *trust;

static void start_trust(void)
{
        trust = trust_new(&gateway);
        for (int64_t until_us = clock_monotonic_us() + 20000000; !trust_ready(trust);) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
}

static void stop_trust(void)
{
        trust_free(trust);
        trust = NULL;
}

static int setup(void **state)
{
        test_network_start(getenv("SONET_TEST_REDIS_URL"), true);
        start_trust();
        return 0;
}

static int teardown(void **state)
{
        stop_trust();
        test_network_stop();
        return 0;
}

/* IDs of sessions: version 7, as their hash tables expect, and different in each test. */
static const char *session_id(int group, int number)
{
        static char id[UUID_SIZE];

        (void)snprintf(id, sizeof(id), "018f0000-0000-7000-8%03x-%012x", (unsigned)group,
                       (unsigned)number * 2654435761U);
        return id;
}

/* What user_service in another process writes in the transaction that ends sessions. */
#define END_SESSION                                                                                                    \
        "insert into outbox (event_id, type, aggregate_id, actor_id, occurred_at)"                                     \
        " values (gen_random_uuid(), 'session.ended', '%s', gen_random_uuid(), now() + interval '%d minutes')"

static void end_session(const char *id, int minutes)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql), END_SESSION, id, minutes);
        (void)test_admin("user_service", sql);
}

static void wait_revoked(const char *id)
{
        for (int64_t until_us = clock_monotonic_us() + 30000000; !token_session_revoked(id);) {
                if (clock_monotonic_us() > until_us) {
                        fail_msg("%s is not revoked", id);
                }
                clock_sleep_ms(5);
        }
}

static void an_ended_session_is_revoked_regardless_of_clocks(void **state)
{
        end_session(session_id(1, 1), 0);
        end_session(session_id(1, 2), -50);
        end_session(session_id(1, 3), 50);
        for (int i = 1; i <= 3; i++) {
                wait_revoked(session_id(1, i));
        }
        assert_false(token_session_revoked(session_id(1, 4)));
}

static void a_raised_epoch_invalidates_earlier_tokens(void **state)
{
        const char *member = test_member("raised");
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "insert into outbox (event_id, type, aggregate_id, version, occurred_at)"
                       " values (gen_random_uuid(), 'user.epoch_raised', '%s', 3, now())",
                       member);
        (void)test_admin("user_service", sql);
        for (int64_t until_us = clock_monotonic_us() + 30000000; !token_epoch_ended(member, 2);) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
        assert_false(token_epoch_ended(member, 3));
}

/* It ended before others whose end was committed and read first: by more than any overlap. */
static void an_end_that_commits_late_is_not_missed(void **state)
{
        PGconn *pg = test_admin_connect("user_service");
        char sql[300];

        (void)snprintf(sql, sizeof(sql), END_SESSION, session_id(2, 1), -1);
        PQclear(PQexec(pg, "begin"));
        PQclear(PQexec(pg, sql));
        end_session(session_id(2, 2), 0);
        wait_revoked(session_id(2, 2));
        PQclear(PQexec(pg, "commit"));
        PQfinish(pg);
        wait_revoked(session_id(2, 1));
}

#define MANY 85000

static void end_many(void)
{
        PGconn *pg = test_admin_connect("user_service");

        PQclear(PQexec(pg, "begin"));
        PQclear(PQexec(pg, "create temporary table ids (id uuid) on commit drop"));
        PQclear(PQexec(pg, "copy ids from stdin"));
        for (int i = 0; i < MANY; i++) {
                assert_int_equal(PQputCopyData(pg, session_id(3, i), UUID_SIZE - 1), 1);
                assert_int_equal(PQputCopyData(pg, "\n", 1), 1);
        }
        assert_int_equal(PQputCopyEnd(pg, NULL), 1);
        for (PGresult *result = PQgetResult(pg); result != NULL; result = PQgetResult(pg)) {
                assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
                PQclear(result);
        }
        PQclear(PQexec(pg, "insert into outbox (event_id, type, aggregate_id, occurred_at)"
                           " select gen_random_uuid(), 'session.ended', id, now() from ids"));
        PQclear(PQexec(pg, "commit"));
        PQfinish(pg);
}

static void many_sessions_ended_at_once_are_all_revoked(void **state)
{
        end_many();
        for (int i = 0; i < MANY; i++) {
                wait_revoked(session_id(3, i));
        }
}

/* The table of revoked sessions is per process: a session of another group shows what a new process reads. */
static void a_starting_process_reads_recent_events(void **state)
{
        stop_trust();
        end_session(session_id(4, 1), 0);
        end_session(session_id(4, 2), 0);
        test_wait_for("user_service", "select count(*) = 0 from outbox where position is null");
        (void)test_admin("user_service",
                         "update outbox set assigned_at = now() - interval '2 hours' where aggregate_id in"
                         " (select aggregate_id from outbox order by position desc offset 1)");
        start_trust();
        wait_revoked(session_id(4, 2));
        assert_false(token_session_revoked(session_id(4, 1)));
}

static void a_log_from_a_backup_is_read_from_its_start(void **state)
{
        end_session(session_id(5, 1), 0);
        wait_revoked(session_id(5, 1));
        (void)test_admin("user_service",
                         "begin; update outbox_head set position = position - 1, log_id = gen_random_uuid();"
                         " delete from outbox where position > (select position from outbox_head); commit");
        end_session(session_id(5, 2), 0);
        wait_revoked(session_id(5, 2));
}

/* user_service itself does not need events: it reads its own table, in pages, before it serves. */
static void the_process_of_user_service_loads_recently_ended_sessions(void **state)
{
        struct service user = {.name = "user"};
        char url[300], sql[600];

        (void)snprintf(
            sql, sizeof(sql),
            "insert into user_sessions (id, user_id, refresh_salt, user_agent, ended_at)"
            " select overlay('018f0000-0000-7000-8006-000000000000' placing lpad(to_hex(n), 8, '0') from 29)::uuid,"
            " '%s', '', '', now() from generate_series(1, 12000) n",
            test_member("leaver"));
        (void)test_admin("user_service", sql);
        test_service_url(url, service_definition_find("user"));
        user.db = db_new(&(struct db_options){.name = "user_service", .url = url, .max_connections = 1});
        assert_int_equal(session_load_ended(&user), SN_OK);
        db_free(user.db);
        for (int i = 1; i <= 12000; i++) {
                char id[UUID_SIZE];

                (void)snprintf(id, sizeof(id), "018f0000-0000-7000-8006-0000%08x", (unsigned)i);
                assert_true(token_session_revoked(id));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_raised_epoch_invalidates_earlier_tokens),
            cmocka_unit_test(an_ended_session_is_revoked_regardless_of_clocks),
            cmocka_unit_test(an_end_that_commits_late_is_not_missed),
            cmocka_unit_test(many_sessions_ended_at_once_are_all_revoked),
            cmocka_unit_test(a_starting_process_reads_recent_events),
            cmocka_unit_test(a_log_from_a_backup_is_read_from_its_start),
            cmocka_unit_test(the_process_of_user_service_loads_recently_ended_sessions),
        };

        return cmocka_run_group_tests_name("trust", tests, setup, teardown);
}
