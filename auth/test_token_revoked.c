/* The tokens of a session end with it, however many there are, also with concurrent checks. */
#include "auth/test_token_tools.h"

#include <pthread.h>

static void an_ended_session_is_rejected_at_once(void **state)
{
        struct token_claims ended = claims;
        char *token, *unseen;
        memcpy(ended.session, session_of(0xabcdef), UUID_SIZE);
        assert_int_equal(token_sign(call, &ended, &token), SN_OK);
        assert_int_equal(token_sign(call, &ended, &unseen), SN_OK);
        is_taken(token);
        assert_false(token_session_revoked(ended.session));
        token_revoke_session(ended.session, wall_s + TOKEN_LIFE_S);
        is_refused(token, "token_revoked"); /* although it is cached */
        is_refused(unseen, "token_revoked");
        is_taken(fresh_token()); /* other sessions continue */
}

static void a_raised_epoch_invalidates_earlier_tokens(void **state)
{
        struct token_claims of_member = claims;
        char *before, *after;
        memcpy(of_member.subject, session_of(0x7fff1234), UUID_SIZE);
        of_member.epoch = 4;
        assert_int_equal(token_sign(call, &of_member, &before), SN_OK);
        of_member.epoch = 5;
        assert_int_equal(token_sign(call, &of_member, &after), SN_OK);
        token_raise_epoch(of_member.subject, 5, wall_s + TOKEN_LIFE_S);
        token_raise_epoch(of_member.subject, 3, wall_s + TOKEN_LIFE_S); /* is never lowered */
        is_refused(before, "token_outdated");
        assert_int_equal(token_verify(call, str_of(after), &of_member), SN_OK);
        is_taken(fresh_token()); /* other members continue */
        assert_false(token_session_revoked(of_member.session));
}

static void a_revocation_lasts_until_its_time(void **state)
{
        const char *session = session_of(0x7777);
        token_revoke_session(session, wall_s + 100);
        token_revoke_session(session, wall_s + 10); /* is never shortened */
        wall_s += 100;
        assert_true(token_session_revoked(session));
        wall_s += 1;
        assert_false(token_session_revoked(session));
        wall_s = NOW_S;
}

static void no_revocation_is_lost_among_many(void **state)
{
        enum { SESSIONS = 20000 };
        struct arena_mark mark = arena_mark(call->arena);
        for (int i = 0; i < SESSIONS; i++) {
                token_revoke_session(session_of(i), wall_s + (i % 2 == 0 ? 50 : 500));
                arena_reset(call->arena, mark);
        }
        for (int round = 0; round < 2; round++) {
                for (int i = 0; i < SESSIONS; i++) {
                        assert_int_equal(token_session_revoked(session_of(i)), round == 0 || i % 2 == 1);
                        arena_reset(call->arena, mark);
                }
                wall_s += 60;
                for (int i = SESSIONS; round == 0 && i < 3 * SESSIONS;
                     i++) { /* tables are rebuilt without expired entries */
                        token_revoke_session(session_of(i), wall_s + 500);
                        arena_reset(call->arena, mark);
                }
        }
        assert_false(token_session_revoked("no uuid"));
        assert_false(token_session_revoked(session_of(3 * SESSIONS)));
        wall_s = NOW_S;
}

struct shared {
        const char *tokens[64];
        _Atomic int failures;
};

static void *verify_many(void *context)
{
        struct shared *shared = context;
        struct rpc_call *own = rpc_call_new_background(NULL, 60000);
        for (int i = 0; i < 4000; i++) {
                struct token_claims found;
                struct arena_mark mark = arena_mark(own->arena);
                bool good = token_verify(own, str_of(shared->tokens[i % 64]), &found) == SN_OK;
                if (good != (i % 4 != 3) || (good && found.epoch != i % 64)) {
                        atomic_fetch_add(&shared->failures, 1);
                }
                token_revoke_session(found.session, 0); /* long expired: changes nothing */
                arena_reset(own->arena, mark);
        }
        rpc_call_free(own);
        return NULL;
}

static void threads_verify_concurrently(void **state)
{
        static struct shared shared;
        pthread_t threads[4];
        for (int i = 0; i < 64; i++) {
                struct token_claims some = claims;
                char *token;
                some.epoch = i;
                memcpy(some.session, session_of(0xdddd0000 + i % 4), UUID_SIZE);
                assert_int_equal(token_sign(call, &some, &token), SN_OK);
                shared.tokens[i] = token;
        }
        token_revoke_session(session_of(0xdddd0003), wall_s + 900);
        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, verify_many, &shared), 0);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
        }
        assert_int_equal(shared.failures, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_raised_epoch_invalidates_earlier_tokens),
            cmocka_unit_test(an_ended_session_is_rejected_at_once),
            cmocka_unit_test(a_revocation_lasts_until_its_time),
            cmocka_unit_test(no_revocation_is_lost_among_many),
            cmocka_unit_test(threads_verify_concurrently),
        };
        return cmocka_run_group_tests(tests, with_keys, without_keys);
}
