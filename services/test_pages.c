/* Newest-first lists during concurrent writes: newer items are found by `after`, once, however late they commit. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/clock.h"
#include "services/follow/followers.h"
#include "services/test_act.h"
#include "services/test_people.h"
#include "services/test_poller.h"

/* ---- Late commits ---- */

/* acts: the late one, and two that overtake it. Four readers: from before, and from in between, with small and large
 * pages; all find everything, once. */
static void check_late(const struct list *list, const char *database, const char *table, const char *condition,
                       struct act acts[3])
{
        static const uint32_t limits[] = {1, 100};
        struct poller pollers[4];

        test_network_settle();
        for (int i = 0; i < 2; i++) {
                pollers[i] = poller_new(list, limits[i]);
        }
        PGconn *pg = act_hold_up(database, table, condition, &acts[0]);
        (void)act_do(&acts[1]);
        assert_int_equal(acts[1].status, SN_OK);
        act_a_minute_later(&acts[2]);
        test_network_settle();
        for (int i = 0; i < 2; i++) {
                poller_all(&pollers[i]);
                assert_true(poller_has(&pollers[i], acts[1].made) && poller_has(&pollers[i], acts[2].made));
                pollers[2 + i] = poller_new(list, limits[i]);
                assert_true(poller_has(&pollers[2 + i], acts[2].made));
        }
        act_let_go(pg, database, table, &acts[0]);
        test_network_settle();
        for (int i = 0; i < 4; i++) {
                poller_all(&pollers[i]);
                poller_expect(&pollers[i], acts[0].made, "late");
        }
}

static void check_late_note(struct list list, const char *author)
{
        struct act acts[] = {{.actor = author, .method = &NOTE(CREATE_NOTE), .text = "late #tide"},
                             {.actor = author, .method = &NOTE(CREATE_NOTE), .text = "early #tide"},
                             {.actor = author, .method = &NOTE(CREATE_NOTE), .text = "newest #tide"}};

        (void)ASK(author, NOTE(CREATE_NOTE), .text = "the first #tide");
        check_late(&list, "note_service", "notes", "new.text like 'late%'", acts);
}

static void a_note_that_commits_late_is_on_its_authors_timeline(void **state)
{
        check_late_note((struct list){"the user timeline", cleo, &TIMELINE(GET_USER_TIMELINE), .id = anna}, anna);
}

static void a_note_that_commits_late_is_on_the_hashtag_timeline(void **state)
{
        check_late_note((struct list){"the hashtag timeline", "", &TIMELINE(GET_HASHTAG_TIMELINE), .text = "tide"},
                        anna);
}

static void a_note_that_commits_late_reaches_the_home_timeline(void **state)
{
        (void)ASK(cleo, FOLLOW(FOLLOW_USER), .id = anna);
        check_late_note((struct list){.name = "home", .reader = cleo, .method = &TIMELINE(GET_HOME)}, anna);
        check_late_note((struct list){.name = "one's own home", .reader = anna, .method = &TIMELINE(GET_HOME)}, anna);
}

/* Delivery lists followers in the database, and waits for it; the reader's relationships are in memory. On a machine so
 * busy that memory is not trusted meanwhile, the reader would wait too: hence PostgreSQL ends this after three seconds.
 */
static PGconn *hold_up_delivery(void)
{
        PGconn *pg = test_admin_connect("follow_service");

        PQclear(PQexec(pg, "set idle_in_transaction_session_timeout = '3s'"));
        PQclear(PQexec(pg, "begin"));
        PQclear(PQexec(pg, "lock table user_relationships in access exclusive mode"));
        followers_drop(anna);
        return pg;
}

/* Whether delivery waits, as the session that it waits for sees it: false once that was ended. */
static bool is_held_up(PGconn *pg)
{
        PGresult *result =
            PQexec(pg, "select from pg_locks where relation = 'user_relationships'::regclass and not granted limit 1");
        bool waits = PQntuples(result) > 0;

        PQclear(result);
        return waits;
}

/* Whether delivery was held up while the reader looked. */
static bool deliver_late(const struct list *list)
{
        struct act late = {.actor = anna, .method = &NOTE(CREATE_NOTE), .text = "x"};
        struct act own = {.actor = cleo, .method = &NOTE(CREATE_NOTE), .text = "x"};

        (void)act_do(&own);
        test_network_settle();
        struct poller before = poller_new(list, 20); /* from now on memory has the reader's relationships */
        PGconn *pg = hold_up_delivery();
        (void)act_do(&late);
        for (int i = 0; i < 200 && !is_held_up(pg); i++) {
                clock_sleep_ms(10);
        }
        (void)act_do(&own);
        act_a_minute_later(&own);
        for (int64_t until_us = clock_monotonic_us() + 200000; clock_monotonic_us() < until_us;) {
                poller_all(&before); /* for so long that the progress of delivery is requested again */
        }
        struct poller between = poller_new(list, 20);
        bool seen = poller_has(&before, late.made) || poller_has(&between, late.made), held = is_held_up(pg);
        assert_false(seen && held);
        assert_true(poller_has(&before, own.made) && poller_has(&between, own.made));
        PQfinish(pg);
        test_network_settle();
        poller_all(&before);
        poller_all(&between);
        poller_expect(&before, late.made, "late");
        poller_expect(&between, late.made, "late");
        return held;
}

/* Committed in time, and delivered after the reader saw a later note of their own. */
static void a_note_that_is_delivered_late_reaches_the_home_timeline(void **state)
{
        struct list list = {.name = "home", .reader = cleo, .method = &TIMELINE(GET_HOME)};
        bool held = false;

        (void)ASK(cleo, FOLLOW(FOLLOW_USER), .id = anna);
        (void)ASK(anna, NOTE(CREATE_NOTE), .text = "x");
        for (int tries = 0; !held && tries < 20; tries++) {
                held = deliver_late(&list);
        }
        assert_true(held);
}

static void a_bookmark_that_commits_late_is_listed(void **state)
{
        struct list list = {.name = "the bookmarks", .reader = cleo, .method = &NOTE(LIST_BOOKMARKS)};
        char ids[4][UUID_SIZE], condition[100];
        struct act acts[3];

        for (int i = 0; i < 4; i++) {
                (void)snprintf(ids[i], UUID_SIZE, "%s", ((Note__Note *)ASK(anna, NOTE(CREATE_NOTE), .text = "x"))->id);
        }
        for (int i = 0; i < 3; i++) {
                acts[i] = (struct act){.actor = cleo, .method = &NOTE(BOOKMARK_NOTE), .id = ids[i], .item = ids[i]};
        }
        (void)ASK(cleo, NOTE(BOOKMARK_NOTE), .id = ids[3]);
        (void)snprintf(condition, sizeof(condition), "new.note_id = '%s'", ids[0]);
        check_late(&list, "note_service", "note_bookmarks", condition, acts);
}

static void a_follow_that_commits_late_is_listed(void **state)
{
        struct list list = {.name = "the followers", .reader = "", .method = &FOLLOW(LIST_FOLLOWERS), .id = anna};
        const char *fans[] = {bert, cleo, test_member("latest_follower")};
        struct act acts[3];
        char condition[100];

        (void)ASK(test_member("first_follower"), FOLLOW(FOLLOW_USER), .id = anna);
        for (int i = 0; i < 3; i++) {
                acts[i] = (struct act){.actor = fans[i], .method = &FOLLOW(FOLLOW_USER), .id = anna, .item = fans[i]};
        }
        (void)snprintf(condition, sizeof(condition), "new.follower_id = '%s'", bert);
        check_late(&list, "follow_service", "user_relationships", condition, acts);
}

/* ---- Concurrency ---- */

#define WRITERS 4
#define STEPS   60

struct writer {
        pthread_t thread;
        const char *member;
        size_t n;
        char ids[STEPS][UUID_SIZE];
};

static void *write_notes(void *argument)
{
        struct writer *w = argument;

        for (int i = 0; i < STEPS; i++) {
                Note__Note *note = NULL;

                if (test_request(w->member, &NOTE(CREATE_NOTE), &(struct test_args){.text = "one of many #flood"},
                                 (void **)&note) == SN_OK) {
                        (void)snprintf(w->ids[w->n++], UUID_SIZE, "%s", note->id);
                }
                test_release();
        }
        return NULL;
}

static bool has_all(const struct poller *p, const struct writer *writers)
{
        for (size_t i = 0; i < WRITERS; i++) {
                for (size_t k = 0; k < writers[i].n; k++) {
                        if (!poller_has(p, writers[i].ids[k])) {
                                return false;
                        }
                }
        }
        return true;
}

/* Each poller polls while they write, and then until it has everything; every item once (checked by poll_once). */
static void pollers_find_what_concurrent_writers_post_exactly_once(void **state)
{
        struct list lists[] = {{.name = "home", .reader = cleo, .method = &TIMELINE(GET_HOME)},
                               {"the hashtag timeline", cleo, &TIMELINE(GET_HASHTAG_TIMELINE), .text = "flood"},
                               {.name = "a user timeline", .reader = "", .method = &TIMELINE(GET_USER_TIMELINE)}};
        struct writer writers[WRITERS] = {{.member = anna}, {.member = bert}, {.member = anna}, {.member = bert}};
        struct poller pollers[6];

        (void)ASK(cleo, FOLLOW(FOLLOW_USER), .id = anna);
        (void)ASK(cleo, FOLLOW(FOLLOW_USER), .id = bert);
        lists[2].id = anna;
        for (int i = 0; i < 2; i++) {
                (void)ASK(anna, NOTE(CREATE_NOTE), .text = "#flood");
        }
        test_network_settle();
        for (int i = 0; i < 6; i++) {
                pollers[i] = poller_new(&lists[i / 2], i % 2 == 0 ? 3 : 50);
        }
        for (int i = 0; i < WRITERS; i++) {
                (void)pthread_create(&writers[i].thread, NULL, write_notes, &writers[i]);
        }
        for (int round = 0; round < 40; round++) {
                for (int i = 0; i < 6; i++) {
                        (void)poller_once(&pollers[i]);
                }
        }
        for (int i = 0; i < WRITERS; i++) {
                (void)pthread_join(writers[i].thread, NULL);
                assert_int_equal(writers[i].n, STEPS);
        }
        writers[1].n = writers[3].n = 0; /* on anna's own timeline */
        int64_t until_us = clock_monotonic_us() + 30000000;
        for (int i = 5; i >= 0; i--) {
                if (i == 3) {
                        writers[1].n = writers[3].n = STEPS;
                }
                while (!has_all(&pollers[i], writers)) {
                        if (poller_once(&pollers[i]) == 0 && clock_monotonic_us() > until_us) {
                                fail_msg("%s lacks something", pollers[i].list->name);
                        }
                }
                poller_all(&pollers[i]);
                free(pollers[i].found);
        }
}

/* ---- Order and errors ---- */

static void newer_items_are_oldest_first_after_a_cursor_or_an_id(void **state)
{
        struct list list = {"the user timeline", "", &TIMELINE(GET_USER_TIMELINE), .id = anna};
        char ids[6][UUID_SIZE];

        for (int i = 0; i < 6; i++) {
                (void)snprintf(ids[i], UUID_SIZE, "%s", ((Note__Note *)ASK(anna, NOTE(CREATE_NOTE), .text = "x"))->id);
        }
        Timeline__Page *page = ASK("", TIMELINE(GET_USER_TIMELINE), .id = anna, .after = ids[1], .limit = 3);
        assert_int_equal(page->n_items, 3);
        for (int i = 0; i < 3; i++) {
                assert_string_equal(page->items[i]->id, ids[2 + i]);
        }
        assert_string_equal(page->next_cursor, "");
        page = ASK("", TIMELINE(GET_USER_TIMELINE), .id = anna, .after = page->prev_cursor, .limit = 3);
        assert_int_equal(page->n_items, 1);
        assert_string_equal(page->items[0]->id, ids[5]);
        page = ASK("", TIMELINE(GET_USER_TIMELINE), .id = anna, .after = page->prev_cursor);
        assert_int_equal(page->n_items, 0);
        assert_string_not_equal(page->prev_cursor, "");

        struct poller p = poller_new(&list, 2);
        page = ASK("", TIMELINE(GET_USER_TIMELINE), .id = anna, .after = p.after);
        assert_int_equal(page->n_items, 0);
        free(p.found);
        assert_int_equal(STATUS("", TIMELINE(GET_USER_TIMELINE), .id = bert, .after = p.after), SN_INVALID_ARGUMENT);
        assert_string_equal(test_problem_code(), "cursor_invalid");
        assert_int_equal(STATUS(anna, NOTE(LIST_BOOKMARKS), .after = ids[0]), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS("", FOLLOW(LIST_FOLLOWERS), .id = anna, .after = bert), SN_INVALID_ARGUMENT);
}

/* The poller stores at most a hundred items that may be overtaken; further ones wait, and none is lost. */
static void post_stalled(const char *text, char (*ids)[UUID_SIZE], int n)
{
        for (int i = 0; i < n; i++) {
                (void)snprintf(ids[i], UUID_SIZE, "%s", ((Note__Note *)ASK(bert, NOTE(CREATE_NOTE), .text = text))->id);
                test_release();
        }
}

/* Cursors record 240 items. */
static void many_unsettled_items_wait_and_are_not_lost(void **state)
{
        struct list list = {"the hashtag timeline", "", &TIMELINE(GET_HASHTAG_TIMELINE), .text = "stall"};
        struct act late = {.actor = anna, .method = &NOTE(CREATE_NOTE), .text = "late #stall"};
        char(*ids)[UUID_SIZE] = calloc(300, UUID_SIZE);

        (void)ASK(bert, NOTE(CREATE_NOTE), .text = "#stall");
        struct poller before = poller_new(&list, 100);
        PGconn *pg = act_hold_up("note_service", "notes", "new.text like 'late%'", &late);
        post_stalled("#stall", ids, 200);
        struct poller between = poller_new(&list, 100);
        poller_all(
            &between); /* items below the page are not newer: they are not returned, and nothing is returned twice */
        assert_int_equal(between.n, 100);
        post_stalled("#stall", ids + 200, 100);
        poller_all(&before);
        assert_int_equal(before.n, 241);
        act_let_go(pg, "note_service", "notes", &late);
        poller_all(&before);
        assert_int_equal(before.n, 302);
        for (int i = 0; i < 300; i++) {
                assert_true(poller_has(&before, ids[i]));
        }
        poller_expect(&before, late.made, "late");
        poller_all(&between);
        assert_int_equal(between.n, 201);
        poller_expect(&between, late.made, "late");
        free(ids);
}

/* More items than a cursor can record are unsettled below the first page: the page's items are returned once, and
 * nothing is lost. */
static void a_first_page_above_many_unsettled_items_loses_nothing(void **state)
{
        struct list list = {"the hashtag timeline", "", &TIMELINE(GET_HASHTAG_TIMELINE), .text = "swell"};
        struct act late = {.actor = anna, .method = &NOTE(CREATE_NOTE), .text = "late #swell"};
        char(*ids)[UUID_SIZE] = calloc(301, UUID_SIZE);
        static const uint32_t limits[] = {1, 20, 100};
        struct poller pollers[3];

        post_stalled("#swell", ids, 1);
        PGconn *pg = act_hold_up("note_service", "notes", "new.text like 'late%'", &late);
        post_stalled("#swell", ids + 1, 300);
        for (int i = 0; i < 3; i++) {
                pollers[i] = poller_new(&list, limits[i]);
                assert_int_equal(pollers[i].n, limits[i]);
                assert_true(poller_has(&pollers[i], ids[300]));
        }
        act_let_go(pg, "note_service", "notes", &late);
        for (int i = 0; i < 3; i++) {
                poller_all(&pollers[i]); /* it checks for duplicates itself */
                assert_int_equal(pollers[i].n,
                                 limits[i] < 100 ? 301 : 302); /* the largest page reads down to the first note */
                poller_expect(&pollers[i], late.made, "late");
        }
        free(ids);
}

/* ---- Skipped items ---- */

static void fill_hashtag(const char *author, int n)
{
        char sql[800];

        (void)snprintf(
            sql, sizeof(sql),
            "with made as (insert into notes (id, author_id, text, visibility) select"
            " (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n %% 4096), 3, "
            "'0')"
            " || '8000' || lpad(to_hex(n), 12, '0'))::uuid, '%s', '#crowd', 1 from generate_series(1, %d) n returning "
            "id, author_id)"
            " insert into note_hashtags (tag_key, note_id, tag, position, author_id, public)"
            " select 'crowd', id, 'crowd', 1, author_id, true from made",
            author, n);
        (void)test_admin("note_service", sql);
}

/* A page of notes by others is found below thousands of notes by a blocked or blocking member. */
static void a_page_is_filled_below_thousands_of_notes_of_a_blocked_member(void **state)
{
        for (int i = 0; i < 3; i++) {
                (void)ASK(anna, NOTE(CREATE_NOTE), .text = "#crowd");
        }
        fill_hashtag(bert, 5000);
        (void)ASK(bert, FOLLOW(BLOCK_USER), .id = cleo);
        Timeline__Page *page = ASK(cleo, TIMELINE(GET_HASHTAG_TIMELINE), .text = "crowd", .limit = 3);
        assert_int_equal(page->n_items, 3);
        assert_string_equal(page->next_cursor, "");
        page = ASK(cleo, TIMELINE(GET_HASHTAG_TIMELINE), .text = "crowd", .limit = 2);
        assert_int_equal(page->n_items, 2);
        assert_string_not_equal(page->next_cursor, "");
        page = ASK("", TIMELINE(GET_HASHTAG_TIMELINE), .text = "crowd", .limit = 100);
        assert_int_equal(page->n_items, 100);
}

int main(void)
{
        const struct CMUnitTest all[] = {
            PEOPLE_TEST(a_note_that_commits_late_is_on_its_authors_timeline),
            PEOPLE_TEST(a_note_that_commits_late_is_on_the_hashtag_timeline),
            PEOPLE_TEST(a_note_that_commits_late_reaches_the_home_timeline),
            PEOPLE_TEST(a_note_that_is_delivered_late_reaches_the_home_timeline),
            PEOPLE_TEST(a_bookmark_that_commits_late_is_listed),
            PEOPLE_TEST(a_follow_that_commits_late_is_listed),
            PEOPLE_TEST(pollers_find_what_concurrent_writers_post_exactly_once),
            PEOPLE_TEST(newer_items_are_oldest_first_after_a_cursor_or_an_id),
            PEOPLE_TEST(many_unsettled_items_wait_and_are_not_lost),
            PEOPLE_TEST(a_first_page_above_many_unsettled_items_loses_nothing),
            PEOPLE_TEST(a_page_is_filled_below_thousands_of_notes_of_a_blocked_member),
        };
        const struct CMUnitTest some[] = {
            PEOPLE_TEST(a_note_that_commits_late_reaches_the_home_timeline),
            PEOPLE_TEST(a_note_that_is_delivered_late_reaches_the_home_timeline),
            PEOPLE_TEST(pollers_find_what_concurrent_writers_post_exactly_once),
        };
        /* A blocked statement waits for as long as the test needs, not only the four seconds of its role. */
        (void)setenv("PGOPTIONS", "-c statement_timeout=0 -c lock_timeout=0", 1);
        int failed = cmocka_run_group_tests_name("pages", all, test_start_plain, test_stop);

        failed += cmocka_run_group_tests_name("pages, encoded", some, test_start_encoded, test_stop);
        return failed + cmocka_run_group_tests_name("pages without Redis", some, test_start_without_redis, test_stop);
}
