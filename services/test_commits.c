/* A committed change is reported as success, although no further calls are possible by then: here each COMMIT takes
 * until after the call's deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include "rpc/rpc.h"
#include "services/test_support.h"

#define DEADLINE_MS 2500 /* for everything before COMMIT */
#define COMMIT_S    "2.7"

/* A trigger that runs within COMMIT, once for each row that was written. */
static void make_commits_slow(const char *database, const char *table)
{
        char sql[600];

        (void)snprintf(sql, sizeof(sql),
                       "create or replace function slow_commit() returns trigger language plpgsql as"
                       " $$ begin perform pg_sleep(" COMMIT_S "); return null; end $$;"
                       " create constraint trigger slow_commit after insert or update or delete on %s"
                       " deferrable initially deferred for each row execute function slow_commit();"
                       " select 1",
                       table);
        (void)test_admin(database, sql);
}

static void make_commits_fast(const char *database)
{
        (void)test_admin(database, "drop function slow_commit() cascade; select 1");
}

/* ---- Changes, some at a time ---- */

struct change {
        const struct rpc_method *method;
        const char *actor;
        struct {
                const char *name, *value;
        } fields[4];
        sn_status status;
        pthread_t thread;
};

static ProtobufCMessage *request_of(const struct change *change, struct arena *arena)
{
        ProtobufCMessage *in = contract_new_message(change->method->in, arena);

        for (size_t i = 0; i < 4 && change->fields[i].name != NULL; i++) {
                const struct rpc_field *field = contract_field(change->method->in, str_of(change->fields[i].name));

                *(char **)((char *)in + field->offset) = arena_strdup(arena, change->fields[i].value);
        }
        return in;
}

static void *run_change(void *context)
{
        struct change *change = context;
        struct rpc_call *c = rpc_call_new_background(NULL, DEADLINE_MS);
        ProtobufCMessage *out = contract_new_message(change->method->out, c->arena);

        c->actor = change->actor;
        c->scope = "read write";
        change->status = rpc_request(c, change->method, request_of(change, c->arena), out);
        if (change->status == SN_OK && !rpc_call_expired(c)) {
                change->status = SN_UNKNOWN; /* COMMIT was fast: this shows nothing */
        }
        rpc_call_free(c);
        return NULL;
}

static void all_succeed(struct change *changes, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(pthread_create(&changes[i].thread, NULL, run_change, &changes[i]), 0);
        }
        for (size_t i = 0; i < n; i++) {
                pthread_join(changes[i].thread, NULL);
        }
        for (size_t i = 0; i < n; i++) {
                if (changes[i].status != SN_OK) {
                        fail_msg("%s: %s", changes[i].method->name, sn_status_name(changes[i].status));
                }
        }
}
#define CHANGE(who, what, ...)                                                                                         \
        {                                                                                                              \
                .method = (what), .actor = (who), .fields = { __VA_ARGS__ }                                            \
        }
#define ALL_SUCCEED(...)                                                                                               \
        all_succeed((struct change[]){__VA_ARGS__}, sizeof((struct change[]){__VA_ARGS__}) / sizeof(struct change))

static const char *post(const char *author)
{
        Note__Note *note = test_ask(author, &NOTE(CREATE_NOTE), &(struct test_args){.text = "something"});

        return note->id;
}

/* Separate members and notes for each change, so that none waits for another one's row. */
static void reactions_and_relations(void **state)
{
        const char *ann = test_member("ann"), *bob = test_member("bob"), *cid = test_member("cid");
        const char *liked = post(ann), *kept = post(ann), *passed_on = post(ann);

        make_commits_slow("note_service", "note_likes");
        make_commits_slow("note_service", "note_bookmarks");
        make_commits_slow("note_service", "note_renotes");
        make_commits_slow("follow_service", "user_relationships");
        make_commits_slow("follow_service", "user_blocks");
        make_commits_slow("follow_service", "user_mutes");
        ALL_SUCCEED(
            CHANGE(bob, &NOTE(LIKE_NOTE), {"id", liked}), CHANGE(bob, &NOTE(BOOKMARK_NOTE), {"id", kept}),
            CHANGE(bob, &NOTE(RENOTE_NOTE), {"id", passed_on}), CHANGE(ann, &FOLLOW(FOLLOW_USER), {"user_id", bob}),
            CHANGE(bob, &FOLLOW(BLOCK_USER), {"user_id", cid}), CHANGE(cid, &FOLLOW(MUTE_USER), {"user_id", ann}));
        ALL_SUCCEED(
            CHANGE(bob, &NOTE(UNLIKE_NOTE), {"id", liked}), CHANGE(bob, &NOTE(UNBOOKMARK_NOTE), {"id", kept}),
            CHANGE(bob, &NOTE(UNRENOTE_NOTE), {"id", passed_on}), CHANGE(ann, &FOLLOW(UNFOLLOW_USER), {"user_id", bob}),
            CHANGE(bob, &FOLLOW(UNBLOCK_USER), {"user_id", cid}), CHANGE(cid, &FOLLOW(UNMUTE_USER), {"user_id", ann}));
        make_commits_fast("note_service");
        make_commits_fast("follow_service");
}

static void sessions_and_texts(void **state)
{
        const char *dan = test_member("dan"), *note = post(dan);
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        User__Login *login = NULL;

        in.login = (char *)"dan";
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, (void **)&login), SN_OK);
        make_commits_slow("user_service", "user_sessions");
        make_commits_slow("note_service", "notes");
        ALL_SUCCEED(CHANGE("", &USER(LOG_IN), {"login", "dan"}, {"password", "correct horse battery"}),
                    CHANGE("", &USER(REFRESH), {"refresh_token", login->refresh_token}),
                    CHANGE("", &USER(REGISTER), {"username", "eve"}, {"email", "eve@example.org"},
                           {"password", "correct horse battery"}),
                    CHANGE(dan, &NOTE(EDIT_NOTE), {"id", note}, {"text", "something else"}),
                    CHANGE(dan, &NOTE(CREATE_NOTE), {"text", "something new"}));
        make_commits_fast("user_service");
        make_commits_fast("note_service");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(reactions_and_relations),
            cmocka_unit_test(sessions_and_texts),
        };

        test_services_provision();
        return cmocka_run_group_tests_name("commits", tests, test_start_plain, test_stop);
}
