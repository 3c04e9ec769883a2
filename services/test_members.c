/* Members through the public methods: sessions, names, counts, and cleanup; once with plain calls, once with every call
 * encoded and decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>
#include "rpc/rpc.h"
#include "services/test_people.h"

static void logging_in_refreshing_and_logging_out(void **state)
{
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        User__RefreshRequest refresh = USER__REFRESH_REQUEST__INIT;
        User__User *me = ASK(anna, USER(GET_ME));
        User__Login *first = NULL, *second = NULL;

        in.login = me->username;
        in.password = (char *)"wrong horse";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, NULL), SN_UNAUTHENTICATED);
        assert_string_equal(test_problem_code(), "credentials_wrong");
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, (void **)&first), SN_OK);
        assert_string_equal(first->user->id, anna);
        refresh.refresh_token = first->refresh_token;
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, (void **)&second), SN_OK);
        assert_string_equal(second->session_id, first->session_id);
        assert_string_not_equal(second->refresh_token, first->refresh_token);
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, NULL),
                         SN_UNAUTHENTICATED); /* an old one: the session ends */
        assert_string_equal(test_problem_code(), "refresh_token_reused");
        refresh.refresh_token = second->refresh_token;
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, NULL), SN_UNAUTHENTICATED);
        assert_string_equal(test_problem_code(), "session_ended");
}

static void a_session_that_is_too_old_ends_even_if_in_use(void **state)
{
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        User__RefreshRequest refresh = USER__REFRESH_REQUEST__INIT;
        User__User *me = ASK(anna, USER(GET_ME));
        User__Login *first = NULL, *second = NULL;
        char sql[200];

        in.login = me->username;
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, (void **)&first), SN_OK);
        (void)snprintf(sql, sizeof(sql),
                       "update user_sessions set created_at = now() - interval '364 days 23 hours' where id = '%s'",
                       first->session_id);
        (void)test_admin("user_service", sql);
        refresh.refresh_token = first->refresh_token;
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, (void **)&second), SN_OK);
        (void)snprintf(sql, sizeof(sql),
                       "update user_sessions set created_at = now() - interval '365 days' where id = '%s'",
                       first->session_id);
        (void)test_admin("user_service", sql);
        refresh.refresh_token = second->refresh_token;
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, NULL), SN_UNAUTHENTICATED);
        assert_string_equal(test_problem_code(), "session_ended");
        (void)snprintf(sql, sizeof(sql), "select ended_at is not null from user_sessions where id = '%s'",
                       first->session_id);
        assert_string_equal(test_admin("user_service", sql), "t");
}

/* As an earlier release may have left it. */
static void a_weak_hash_is_replaced_when_its_member_logs_in(void **state)
{
        const char *id = test_member("weakling");
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        char weak[crypto_pwhash_STRBYTES], sql[400];

        assert_int_equal(
            crypto_pwhash_str_alg(weak, "correct horse battery", 21, 1, 8 << 20, crypto_pwhash_ALG_ARGON2ID13), 0);
        (void)snprintf(sql, sizeof(sql), "update users set password_hash = '%s' where id = '%s'", weak, id);
        (void)test_admin("user_service", sql);
        in.login = (char *)"weakling";
        in.password = (char *)"wrong horse";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, NULL), SN_UNAUTHENTICATED);
        (void)snprintf(sql, sizeof(sql),
                       "select password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%%' from users where id = '%s'", id);
        assert_string_equal(test_admin("user_service", sql), "f");
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, NULL), SN_OK);
        assert_string_equal(test_admin("user_service", sql), "t");
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, NULL), SN_OK);
}

static void a_lost_response_is_repeated_for_thirty_seconds(void **state)
{
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        User__RefreshRequest refresh = USER__REFRESH_REQUEST__INIT;
        User__User *me = ASK(anna, USER(GET_ME));
        User__Login *login = NULL, *first = NULL, *again = NULL;
        char sql[200];

        in.login = me->username;
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, (void **)&login), SN_OK);
        refresh.refresh_token = login->refresh_token;
        refresh.client_key = login->client_key;
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, (void **)&first), SN_OK);
        (void)snprintf(sql, sizeof(sql),
                       "update user_sessions set rotated_at = now() - interval '25 s' where id = '%s'",
                       login->session_id);
        (void)test_admin("user_service", sql);
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, (void **)&again), SN_OK);
        assert_string_equal(again->refresh_token, first->refresh_token);
        assert_string_equal(again->access_token, first->access_token);
        (void)snprintf(sql, sizeof(sql),
                       "update user_sessions set rotated_at = now() - interval '31 s' where id = '%s'",
                       login->session_id);
        (void)test_admin("user_service", sql);
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, NULL), SN_UNAUTHENTICATED);
        assert_string_equal(test_problem_code(), "refresh_token_reused");
}

/* With more log-ins than can be served, all of this work would be in vain. */
static void a_log_in_that_could_not_finish_in_time_is_not_started(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 900);
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        User__User *me = ASK(anna, USER(GET_ME));
        User__Login out = USER__LOGIN__INIT;
        const char *tries = "select count(*) from user_login_history";
        char *before = arena_strdup(c->arena, test_admin("user_service", tries));

        in.login = me->username;
        in.password = (char *)"wrong horse";
        assert_int_equal(rpc_request(c, &USER(LOG_IN), &in.base, &out.base), SN_DEADLINE_EXCEEDED);
        assert_string_equal(test_admin("user_service", tries), before);
}

static void a_member_has_at_most_a_hundred_sessions(void **state)
{
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        User__User *me = ASK(bert, USER(GET_ME));
        char sql[600];

        (void)snprintf(
            sql, sizeof(sql),
            "insert into user_sessions (id, user_id, refresh_salt, user_agent)"
            " select overlay('018f0000-0000-7000-8009-000000000000' placing lpad(to_hex(n), 8, '0') from 29)::uuid,"
            " '%s', '', '' from generate_series(1, 150) n",
            bert);
        (void)test_admin("user_service", sql);
        in.login = me->username;
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, NULL), SN_OK);
        (void)snprintf(sql, sizeof(sql), "select count(*) from user_sessions where user_id = '%s' and ended_at is null",
                       bert);
        assert_string_equal(test_admin("user_service", sql), "100");
        (void)snprintf(sql, sizeof(sql), "delete from user_sessions where user_id = '%s' and refresh_salt = ''", bert);
        (void)test_admin("user_service", sql);
}

static void sessions_are_private(void **state)
{
        User__SessionList *sessions = ASK(anna, USER(LIST_SESSIONS));

        assert_int_equal(sessions->n_items, 1);
        const char *id = sessions->items[0]->id;
        assert_int_equal(STATUS(bert, USER(END_SESSION), .id = id), SN_NOT_FOUND);
        assert_int_equal(STATUS(anna, USER(END_SESSION), .id = id), SN_OK);
        assert_int_equal(STATUS(anna, USER(END_SESSION), .id = id), SN_NOT_FOUND);
        sessions = ASK(anna, USER(LIST_SESSIONS));
        assert_int_equal(sessions->n_items, 0);
}

static void a_name_is_unique_in_any_spelling(void **state)
{
        User__RegisterRequest in = USER__REGISTER_REQUEST__INIT;
        User__User *me = ASK(anna, USER(GET_ME));

        in.username = strdup(me->username);
        in.username[0] = 'a';
        in.email = (char *)"somebody@example.org";
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(REGISTER), &in.base, NULL), SN_ALREADY_EXISTS);
        assert_string_equal(test_problem_code(), "username_taken");
        free(in.username);
        in.username = (char *)"somebody_else";
        in.email = me->email;
        assert_int_equal(test_send("", &USER(REGISTER), &in.base, NULL), SN_OK); /* no member has verified it */
}

static void a_changed_name_appears_on_old_notes_at_once(void **state)
{
        User__UpdateMeRequest in = USER__UPDATE_ME_REQUEST__INIT;
        const char *id = people_post(anna, "hello", PUBLIC);
        Note__Note *note = ASK(bert, NOTE(GET_NOTE), .id = id);
        User__User *me = NULL, *seen;

        assert_string_not_equal(note->author->display_name, "Dr. Anna");
        in.display_name_presence_case = USER__UPDATE_ME_REQUEST__DISPLAY_NAME_PRESENCE_DISPLAY_NAME;
        in.display_name = (char *)"Dr. Anna";
        assert_int_equal(test_send(anna, &USER(UPDATE_ME), &in.base, (void **)&me), SN_OK);
        note = ASK(bert, NOTE(GET_NOTE), .id = id);
        assert_string_equal(note->author->display_name, "Dr. Anna");
        seen = ASK(bert, USER(GET_USER), .id = me->username);
        assert_string_equal(seen->display_name, "Dr. Anna");
        assert_string_equal(seen->email, ""); /* only in the owner's profile */
}

static void members_are_counted_by_events(void **state)
{
        const char *id = people_post(anna, "one", PUBLIC);

        (void)people_post(anna, "two", FOLLOWERS);
        (void)ASK(bert, NOTE(CREATE_COMMENT), .id = id, .text = "counts for nobody");
        people_follow(bert, anna);
        people_follow(cleo, anna);
        people_follow(cleo, anna);
        (void)ASK(cleo, FOLLOW(UNFOLLOW_USER), .id = anna);
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = id);
        test_network_settle();
        User__User *user = ASK("", USER(GET_USER), .id = anna);
        assert_int_equal(user->counts->notes, 1);
        assert_int_equal(user->counts->followers, 1);
        assert_int_equal(user->counts->following, 0);
        user = ASK("", USER(GET_USER), .id = bert);
        assert_int_equal(user->counts->notes, 0);
        assert_int_equal(user->counts->following, 1);
}

/* Two and a half portions, in every table that is cleaned up. */
static void cleanup_continues_until_nothing_is_due(void **state)
{
        char sql[600];

        (void)test_admin("note_service",
                         "insert into idempotency_keys (actor_id, method, key, body_hash, answer, created_at)"
                         " select gen_random_uuid(), 'm', 'k', '', '', now() - interval '25 hours'"
                         " from generate_series(1, 25000)");
        (void)test_admin("note_service",
                         "insert into outbox (position, event_id, type, aggregate_id, occurred_at) select -n,"
                         " gen_random_uuid(), 't', gen_random_uuid(), now() - interval '8 days'"
                         " from generate_series(1, 25000) n");
        assert_int_equal(test_network_run_job("note", "cleanup_old_data"), 3);
        assert_string_equal(test_admin("note_service", "select count(*) from idempotency_keys where method = 'm'"),
                            "0");
        assert_string_equal(test_admin("note_service", "select count(*) from outbox where type = 't'"), "0");

        (void)snprintf(sql, sizeof(sql),
                       "insert into user_sessions (id, user_id, refresh_salt, user_agent, last_used_at)"
                       " select gen_random_uuid(), '%s', '', 'idle', now() - interval '61 days'"
                       " from generate_series(1, 25000)",
                       anna);
        (void)test_admin("user_service", sql);
        (void)snprintf(sql, sizeof(sql),
                       "insert into user_sessions (id, user_id, refresh_salt, user_agent, ended_at)"
                       " select gen_random_uuid(), '%s', '', 'ended', now() - interval '31 days'"
                       " from generate_series(1, 25000)",
                       anna);
        (void)test_admin("user_service", sql);
        (void)snprintf(sql, sizeof(sql),
                       "insert into user_login_history (id, user_id, succeeded, address, user_agent, created_at)"
                       " select gen_random_uuid(), '%s', true, '', 'old', now() - interval '91 days'"
                       " from generate_series(1, 25000)",
                       anna);
        (void)test_admin("user_service", sql);
        assert_int_equal(test_network_run_job("user", "cleanup_old_user_data"), 3);
        assert_string_equal(
            test_admin("user_service", "select count(*) from user_login_history where user_agent = 'old'"), "0");
        assert_string_equal(test_admin("user_service", "select count(*) from user_sessions where user_agent = 'ended'"),
                            "0");
        assert_string_equal(test_admin("user_service", "select count(*) from user_sessions"
                                                       " where user_agent = 'idle' and ended_at is null"),
                            "0");
}

static void accesses_to_media_are_kept_for_thirty_days(void **state)
{
        (void)test_admin(
            "media_service",
            "insert into media_access_logs (id, media_id, owner_id, variant, is_granted, times, created_at)"
            " select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'small', true, 1,"
            " now() - interval '1 day' * case when n > 5 then 31 else 29 end from generate_series(1, 25005) n");
        assert_int_equal(test_network_run_job("media", "remove_accesses"), 3);
        assert_string_equal(test_admin("media_service", "select count(*) from media_access_logs"), "5");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            PEOPLE_TEST(logging_in_refreshing_and_logging_out),
            PEOPLE_TEST(a_session_that_is_too_old_ends_even_if_in_use),
            PEOPLE_TEST(a_weak_hash_is_replaced_when_its_member_logs_in),
            PEOPLE_TEST(a_lost_response_is_repeated_for_thirty_seconds),
            PEOPLE_TEST(a_log_in_that_could_not_finish_in_time_is_not_started),
            PEOPLE_TEST(a_member_has_at_most_a_hundred_sessions),
            PEOPLE_TEST(sessions_are_private),
            PEOPLE_TEST(a_name_is_unique_in_any_spelling),
            PEOPLE_TEST(a_changed_name_appears_on_old_notes_at_once),
            PEOPLE_TEST(members_are_counted_by_events),
            PEOPLE_TEST(cleanup_continues_until_nothing_is_due),
            PEOPLE_TEST(accesses_to_media_are_kept_for_thirty_days),
        };
        int failed = cmocka_run_group_tests_name("members", tests, test_start_plain, test_stop);

        return failed + cmocka_run_group_tests_name("members, encoded", tests, test_start_encoded, test_stop);
}
