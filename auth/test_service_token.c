/* What a service token proves, and when it is rejected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "auth/keys.h"
#include "auth/service_token.h"
#include "base/clock.h"

static struct rpc_call *call;
static _Atomic int64_t wall_s = 1790000000;

static int64_t fixed_wall_us(void)
{
        return atomic_load(&wall_s) * 1000000;
}

static void is_refused(struct str token, const char *audience, const char *code)
{
        const char *caller = "somebody";
        assert_int_equal(service_token_verify(call, token, audience, &caller), SN_UNAUTHENTICATED);
        assert_string_equal(call->problem.code, code);
        assert_string_equal(caller, "");
}

static void is_taken(const char *token, const char *audience, const char *expected)
{
        const char *caller;
        assert_int_equal(service_token_verify(call, str_of(token), audience, &caller), SN_OK);
        assert_string_equal(caller, expected);
}

static void it_proves_the_caller_to_its_audience(void **state)
{
        const char *token = service_token_for(call->arena, "note", "timeline");
        assert_int_equal(strncmp(token, "note.timeline.1790000060.", 25), 0);
        is_taken(token, "timeline", "note");
        is_taken(token, "timeline", "note"); /* cached */
        is_refused(str_of(token), "user", "service_token_audience");
        is_taken(service_token_for(call->arena, "gateway", "timeline"), "timeline", "gateway");
        is_taken(token, "timeline", "note");
}

static void it_is_cached_and_renewed_after_half_its_life(void **state)
{
        const char *first = service_token_for(call->arena, "a", "b");
        wall_s += 29;
        assert_string_equal(service_token_for(call->arena, "a", "b"), first);
        wall_s += 1;
        const char *second = service_token_for(call->arena, "a", "b");
        assert_string_not_equal(second, first);
        is_taken(first, "b", "a"); /* calls in flight keep theirs */
        is_taken(second, "b", "a");
}

static void it_expires_even_if_cached(void **state)
{
        const char *token = service_token_for(call->arena, "c", "d");
        is_taken(token, "d", "c");
        wall_s += 59;
        is_taken(token, "d", "c");
        wall_s += 1;
        is_refused(str_of(token), "d", "service_token_expired");
}

static void tokens_have_the_usual_life_after_the_clock_is_set_back(void **state)
{
        service_token_for(call->arena, "e", "f");
        wall_s -= 3600;
        const char *token = service_token_for(call->arena, "e", "f");
        char expected[64];
        snprintf(expected, sizeof(expected), "e.f.%lld.", (long long)wall_s + 60);
        assert_int_equal(strncmp(token, expected, strlen(expected)), 0);
}

static void every_altered_byte_is_rejected(void **state)
{
        char *token = arena_strdup(call->arena, service_token_for(call->arena, "note", "user"));
        struct str view = str_of(token);
        is_taken(token, "user", "note");
        for (size_t i = 0; i < view.len; i++) {
                for (int bit = 0; bit < 8; bit++) {
                        const char *caller;
                        token[i] = (char)(token[i] ^ (1 << bit));
                        assert_int_equal(service_token_verify(call, view, "user", &caller), SN_UNAUTHENTICATED);
                        token[i] = (char)(token[i] ^ (1 << bit));
                }
        }
        is_taken(token, "user", "note");
}

static void malformed_tokens_are_rejected(void **state)
{
        static const char *const texts[] = {
            "",
            ".",
            "..",
            "...",
            "....",
            "note",
            "note.user.1790000060",
            "note.user.1790000060.",
            ".user.1790000060.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "note..1790000060.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "note.user..AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "note.user.99999999999999999999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "note.user.-1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "note.user.1790000060.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                is_refused(str_of(texts[i]), "user", "service_token_invalid");
        }
        char long_text[5000];
        memset(long_text, 'a', sizeof(long_text));
        is_refused((struct str){long_text, sizeof(long_text)}, "user", "service_token_invalid");
        const char *token = service_token_for(call->arena, "note", "user");
        char with_nul[300];
        size_t len = strlen(token);
        memcpy(with_nul, token, len + 1);
        is_refused((struct str){with_nul, len + 1}, "user", "service_token_invalid");
}

static void another_key_file_is_rejected(void **state)
{
        uint8_t one[32] = {1}, two[32] = {2};
        const char *token = service_token_for(call->arena, "note", "user");
        is_taken(token, "user", "note");
        keys_set_master(two);
        is_refused(str_of(token), "user", "service_token_invalid");
        is_taken(service_token_for(call->arena, "note", "user"), "user", "note");
        keys_set_master(one);
}

static void *work(void *context)
{
        struct rpc_call *own = rpc_call_new_background(NULL, 60000);
        char name[24];
        for (int i = 0; i < 2000; i++) {
                const char *caller;
                struct arena_mark mark = arena_mark(own->arena);
                snprintf(name, sizeof(name), "service%d", i % 300); /* more pairs than are cached */
                const char *token = service_token_for(own->arena, name, "note");
                if (service_token_verify(own, str_of(token), "note", &caller) != SN_OK || strcmp(caller, name) != 0) {
                        atomic_fetch_add((_Atomic int *)context, 1);
                }
                if (i % 500 == 0) {
                        wall_s += 1;
                }
                arena_reset(own->arena, mark);
        }
        rpc_call_free(own);
        return NULL;
}

static void threads_do_not_mix_up_pairs(void **state)
{
        pthread_t threads[4];
        _Atomic int failures = 0;
        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, work, &failures), 0);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
        }
        assert_int_equal(failures, 0);
}

static int with_call(void **state)
{
        static const struct clock_source source = {.wall_us = fixed_wall_us};
        uint8_t master[32] = {1};
        keys_set_master(master);
        clock_set_source(&source);
        call = rpc_call_new_background(NULL, 60000);
        return 0;
}

static int without_call(void **state)
{
        rpc_call_free(call);
        clock_set_source(NULL);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(it_proves_the_caller_to_its_audience),
            cmocka_unit_test(it_is_cached_and_renewed_after_half_its_life),
            cmocka_unit_test(it_expires_even_if_cached),
            cmocka_unit_test(tokens_have_the_usual_life_after_the_clock_is_set_back),
            cmocka_unit_test(every_altered_byte_is_rejected),
            cmocka_unit_test(malformed_tokens_are_rejected),
            cmocka_unit_test(another_key_file_is_rejected),
            cmocka_unit_test(threads_do_not_mix_up_pairs),
        };
        return cmocka_run_group_tests(tests, with_call, without_call);
}
