/* Hidden notes are read like missing ones: with the same statements, as often, whatever is in memory. So the time of a
 * 404 does not reveal which it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/uuid.h"
#include "services/test_support.h"

#define PUBLIC    NOTE__VISIBILITY__VISIBILITY_PUBLIC
#define FOLLOWERS NOTE__VISIBILITY__VISIBILITY_FOLLOWERS
#define ONLY_ME   NOTE__VISIBILITY__VISIBILITY_ONLY_ME

#define READS_SIZE 4000
#define HIDDEN_MAX 16

static const char *anna, *bert, *cleo, *viewer;
static PGconn *administrator;

/* ---- The reads of a request ---- */

static void forget_statements(void)
{
        (void)test_admin("postgres", "select pg_stat_statements_reset()");
}

/* Statements about members, relationships and notes since forget_statements(), and their number: without those of the
 * event log, which run independently. Constants may appear as such or as parameters. */
static const char STATEMENTS[] = "select string_agg(calls || ' x ' || left(regexp_replace(query, '\\$?[0-9]+', 'N', "
                                 "'g'), 200), E'\\n' order by queryid)"
                                 " from pg_stat_statements where query ~ "
                                 "'\\m(notes|note_[a-z]+|users|user_follows|user_blocks|user_mutes|follow_versions)\\M'"
                                 " and query !~ 'outbox|consumer|idempotency|pg_stat'";

static void statements(char out[READS_SIZE])
{
        PGresult *result = PQexec(administrator, STATEMENTS);

        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
                fail_msg("%s", PQerrorMessage(administrator));
        }
        (void)snprintf(out, READS_SIZE, "%s", PQgetvalue(result, 0, 0));
        PQclear(result);
}

/* An id that fits the method's own field, or a comment's below the actor's note. */
static sn_status ask(const char *actor, const struct rpc_method *m, const char *id, const char *own)
{
        Note__RemoveCommentRequest removal = NOTE__REMOVE_COMMENT_REQUEST__INIT;

        if (m != &NOTE(REMOVE_COMMENT) || actor[0] == '\0') {
                return test_request(actor, m, &(struct test_args){.id = id, .text = "text"}, NULL);
        }
        removal.id = (char *)own;
        removal.comment_id = (char *)id;
        return test_send(actor, m, &removal.base, NULL);
}

static sn_status reads(const char *actor, const struct rpc_method *m, const char *id, const char *own,
                       char out[READS_SIZE])
{

        forget_statements();
        sn_status status = ask(actor, m, id, own);
        statements(out);
        test_release();
        return status;
}

/* ---- Hidden notes ---- */

static struct hidden {
        const char *what;
        char id[UUID_SIZE];
} hidden[HIDDEN_MAX];
static size_t n_hidden;

static const char *add(const char *what, const char *id)
{
        assert_true(n_hidden < HIDDEN_MAX);
        hidden[n_hidden].what = what;
        (void)snprintf(hidden[n_hidden].id, UUID_SIZE, "%s", id);
        return hidden[n_hidden++].id;
}

static const char *post(const char *author, int visibility)
{
        Note__Note *note = ASK(author, NOTE(CREATE_NOTE), .text = "something", .visibility = visibility);

        return note->id;
}

/* A member's latest renote. */
static const char *newest_of(const char *member)
{
        Timeline__Page *page = ASK(member, timeline_methods[TIMELINE_GET_USER_TIMELINE], .id = member, .limit = 1);

        return page->items[0]->id;
}

/* Only its author, Bert, still sees it. */
static void hide_comment(void)
{
        Note__RemoveCommentRequest removal = NOTE__REMOVE_COMMENT_REQUEST__INIT;

        removal.id = (char *)post(anna, PUBLIC);
        Note__Note *comment = ASK(bert, NOTE(CREATE_COMMENT), .id = removal.id, .text = "an answer");
        removal.comment_id = comment->id;
        assert_int_equal(test_send(anna, &NOTE(REMOVE_COMMENT), &removal.base, NULL), SN_OK);
        (void)add("removed from under a note", comment->id);
}

/* Written by Anna, or renoted by Bert; Cleo blocks the viewer. */
static void hide_notes(void)
{

        n_hidden = 0;
        (void)add("for its author", post(anna, ONLY_ME));
        (void)add("for followers", post(anna, FOLLOWERS));
        (void)add("of who blocks the viewer", post(cleo, PUBLIC));
        const char *id = add("passed on, of who blocks the viewer", post(cleo, PUBLIC));
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        (void)add("a renote of it", newest_of(bert));
        const char *renoted = add("deleted", post(anna, PUBLIC));
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = renoted);
        (void)add("a renote of what is deleted", newest_of(bert));
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = renoted);
        hide_comment();
}

static void warm(const char *actor)
{
        for (size_t i = 0; i < n_hidden; i++) {
                (void)test_request(actor, &NOTE(GET_NOTE), &(struct test_args){.id = hidden[i].id}, NULL);
        }
}

/* By Anna and Cleo, who see their own notes; and by the viewer, who sees their public ones. */
static void warm_all(void)
{
        warm(anna);
        warm(bert);
        warm(cleo);
        (void)ASK(viewer, NOTE(GET_NOTE), .id = post(anna, PUBLIC));
        (void)ASK(viewer, NOTE(GET_NOTE), .id = post(bert, PUBLIC));
}

static const struct rpc_method *const roads[] = {
    &NOTE(GET_NOTE),      &NOTE(EDIT_NOTE),     &NOTE(DELETE_NOTE),    &NOTE(LIKE_NOTE),       &NOTE(UNLIKE_NOTE),
    &NOTE(RENOTE_NOTE),   &NOTE(UNRENOTE_NOTE), &NOTE(BOOKMARK_NOTE),  &NOTE(UNBOOKMARK_NOTE), &NOTE(CREATE_COMMENT),
    &NOTE(LIST_COMMENTS), &NOTE(GET_THREAD),    &NOTE(REMOVE_COMMENT),
};

static void compare_roads(const char *actor, const char *when)
{
        static char expected[READS_SIZE], got[READS_SIZE];
        char unknown[UUID_SIZE];
        const char *own = actor[0] != '\0' ? strdup(post(actor, PUBLIC)) : NULL;

        if (own != NULL) {
                (void)ASK(actor, NOTE(GET_NOTE), .id = own);
        }
        test_network_settle();
        for (size_t r = 0; r < sizeof(roads) / sizeof(roads[0]); r++) {
                sn_status status = reads(actor, roads[r], uuid_new(unknown), own, expected);

                for (size_t i = 0; i < n_hidden; i++) {
                        assert_int_equal(reads(actor, roads[r], hidden[i].id, own, got), status);
                        if (strcmp(got, expected) != 0) {
                                fail_msg("%s, %s, %s reads\n%s\nand what is not there\n%s", roads[r]->name, when,
                                         hidden[i].what, got, expected);
                        }
                }
        }
        free((char *)own);
}

static void hidden_notes_are_read_like_missing_ones(void **state)
{
        hide_notes();
        compare_roads(viewer, "as written");
        warm_all();
        compare_roads(viewer, "in memory");
        compare_roads(viewer, "asked for again");
}

static void for_anonymous_readers_hidden_equals_missing(void **state)
{

        hide_notes();
        n_hidden = 2; /* public notes are visible to anonymous readers */
        const struct hidden *last = &hidden[1];
        assert_string_equal(last->what, "for followers");
        warm_all();
        compare_roads("", "in memory");
}

/* Notes shown from memory are not read at all. */
static void visible_notes_are_read_once(void **state)
{
        char got[READS_SIZE];
        const char *id = strdup(post(anna, PUBLIC));

        (void)ASK(viewer, NOTE(GET_NOTE), .id = id);
        test_network_settle();
        assert_int_equal(reads(viewer, &NOTE(GET_NOTE), id, NULL, got), SN_OK);
        assert_string_equal(got, "");
        free((char *)id);
}

static int start(void **state)
{
        (void)test_admin("postgres", "create extension if not exists pg_stat_statements");
        administrator = test_admin_connect("postgres");
        test_network_start(getenv("SONET_TEST_REDIS_URL"), false);
        anna = test_member("anna");
        bert = test_member("bert");
        cleo = test_member("cleo");
        viewer = test_member("viewer");
        (void)ASK(cleo, FOLLOW(BLOCK_USER), .id = viewer);
        (void)ASK(viewer, FOLLOW(FOLLOW_USER), .id = bert);
        test_release();
        return 0;
}

static int stop(void **state)
{
        test_network_stop();
        PQfinish(administrator);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(hidden_notes_are_read_like_missing_ones),
            cmocka_unit_test(for_anonymous_readers_hidden_equals_missing),
            cmocka_unit_test(visible_notes_are_read_once),
        };

        return cmocka_run_group_tests_name("unseen", tests, start, stop);
}
