/* Searches that take longer than SEARCH_DEADLINE_MS show the best of what they found by then. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/clock.h"
#include "services/search/search.service.h"
#include "services/test_support.h"

enum { MANY = 350 };

static const char *member;

static int start(void **state)
{
        int failed = test_start_plain(state);

        if (failed == 0) {
                member = test_member("patient");
                test_network_settle();
        }
        return failed;
}

static const char *write_note(const char *text)
{
        const Note__Note *note = ASK(member, NOTE(CREATE_NOTE), .text = text, .visibility = 1);

        return strdup(note->id);
}

static Search__SearchPage *search_sorted(const char *query, Search__SearchSort sort)
{
        Search__SearchRequest in = SEARCH__SEARCH_REQUEST__INIT;
        Search__SearchPage *page = NULL;

        in.query = (char *)query;
        in.sort = sort;
        in.type = SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES;
        in.limit = 100;
        return test_send("", &search_methods[SEARCH_SEARCH], &in.base, (void **)&page) == SN_OK ? page : NULL;
}

static Search__SearchPage *search_notes(const char *query)
{
        return search_sorted(query, SEARCH__SEARCH_SORT__SEARCH_SORT_RELEVANCE);
}

static Search__SearchPage *search_whole(const char *query)
{
        Search__SearchPage *page;

        do {
                page = search_notes(query);
                assert_non_null(page);
        } while (page->partial);
        return page;
}

static void run_sql(PGconn *pg, const char *sql)
{
        PGresult *result = PQexec(pg, sql);

        if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
                fail_msg("%s", PQerrorMessage(pg));
        }
        PQclear(result);
}

/* ---- Reading ---- */

static const Search__SearchSort sorts[] = {SEARCH__SEARCH_SORT__SEARCH_SORT_RELEVANCE,
                                           SEARCH__SEARCH_SORT__SEARCH_SORT_NEWEST,
                                           SEARCH__SEARCH_SORT__SEARCH_SORT_ENGAGED};
enum { N_SORTS = sizeof(sorts) / sizeof(sorts[0]) };

static void *search_in_vain(void *n_partial)
{
        static atomic_int nth;
        const Search__SearchPage *page = search_sorted("sorb", sorts[atomic_fetch_add(&nth, 1) % N_SORTS]);

        if (page != NULL && page->partial && page->n_items == 0 && page->next_cursor[0] == '\0') {
                (void)atomic_fetch_add((atomic_int *)n_partial, 1);
        }
        test_release();
        return NULL;
}

/* In every order. More concurrent searches than connections: some do not get one in time. */
static void a_search_that_can_read_nothing_by_the_deadline_is_partial_and_empty(void **state)
{
        enum { AT_ONCE = 12 };
        const char *id = write_note("sorb");
        PGconn *pg = test_admin_connect("search_service");
        pthread_t threads[AT_ONCE];
        atomic_int n_partial = 0;

        test_network_settle();
        run_sql(pg, "begin");
        run_sql(pg, "lock table search_index in access exclusive mode");
        for (size_t i = 0; i < AT_ONCE; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, search_in_vain, &n_partial), 0);
        }
        for (size_t i = 0; i < AT_ONCE; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        assert_int_equal(atomic_load(&n_partial), AT_ONCE);
        PQfinish(pg);
        assert_int_equal(search_whole("sorb")->n_items, 1);
        free((void *)id);
}

/* Reading the matches by prefix takes longer than any deadline; those of the word as typed are read before. */
static void delay_prefixes(PGconn *pg)
{
        run_sql(pg, "alter function search_candidates(tsquery, uuid, uuid[], uuid[], uuid, uuid, uuid, integer[],"
                    " bigint, bigint, bigint, bigint, uuid[], boolean, tsquery) rename to search_at_once");
        run_sql(pg,
                "create function search_candidates(query tsquery, viewer uuid, followed uuid[], only_authors uuid[],"
                " above uuid, before uuid, below uuid, spans integer[], min_likes bigint, most_engaged bigint,"
                " least_engaged bigint, room bigint, only_notes uuid[], few boolean, rest tsquery)"
                " returns table (note_id uuid, author_id uuid, length integer, engagement bigint,"
                " edited_at timestamptz, words bytea) language plpgsql stable as $$ begin"
                " if query::text like '%medlarsauce%' then perform pg_sleep(60); end if;"
                " return query select * from search_at_once(query, viewer, followed, only_authors, above,"
                " before, below, spans, min_likes, most_engaged, least_engaged, room, only_notes, few, rest);"
                " end $$");
}

static void undelay_prefixes(PGconn *pg)
{
        run_sql(pg, "drop function search_candidates(tsquery, uuid, uuid[], uuid[], uuid, uuid, uuid, integer[],"
                    " bigint, bigint, bigint, bigint, uuid[], boolean, tsquery)");
        run_sql(pg, "alter function search_at_once rename to search_candidates");
}

static void exact_matches_are_shown_if_there_is_no_time_to_read_the_others(void **state)
{
        const char *exact = write_note("medlar"), *other = write_note("medlarsauce");
        PGconn *pg = test_admin_connect("search_service");
        const Search__SearchPage *page;

        test_network_settle();
        assert_int_equal(search_whole("medlar")->n_items, 2);
        delay_prefixes(pg);
        do { /* on a busy machine, reading the exact matches may take too long as well */
                page = search_notes("medlar");
                assert_non_null(page);
                assert_true(page->partial);
                assert_string_equal(page->next_cursor, "");
        } while (page->n_items == 0);
        assert_int_equal(page->n_items, 1);
        assert_string_equal(page->items[0]->note->id, exact);
        undelay_prefixes(pg);
        assert_int_equal(search_whole("medlar")->n_items, 2);
        PQfinish(pg);
        free((void *)exact);
        free((void *)other);
}

/* ---- Ranking ---- */

static __thread int64_t looks; /* at the clock, by this thread */

enum { LOOK_MS = 3 };

/* For this thread each look at the clock takes some milliseconds. Ranking looks once for each note. */
static int64_t read_slow_clock(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + INT64_C(1000) * LOOK_MS * looks++;
}

static void check_order(const Search__SearchPage *page)
{
        for (size_t i = 1; i < page->n_items; i++) {
                assert_true(page->items[i - 1]->score >= page->items[i]->score);
        }
}

static void ranking_that_takes_too_long_shows_the_best_of_what_was_ranked(void **state)
{
        const char *newest = NULL;
        const Search__SearchPage *page;

        for (size_t i = 0; i < MANY; i++) {
                free((void *)newest);
                newest = write_note("wildservice");
        }
        test_network_settle();
        assert_string_equal(search_whole("wildservice")->items[0]->note->id, newest);
        clock_set_source(&(struct clock_source){.monotonic_us = read_slow_clock});
        do { /* the deadline, and 50 ms for ranking what was read by then, are not enough for 300 notes */
                page = search_notes("wildservice");
                assert_non_null(page);
                assert_true(page->partial);
        } while (page->n_items == 0);
        clock_set_source(NULL);
        assert_true(page->n_items <= 200 / LOOK_MS);
        assert_string_equal(page->items[0]->note->id, newest);
        check_order(page);
        assert_string_not_equal(search_whole("wildservice")->next_cursor, "");
        free((void *)newest);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_search_that_can_read_nothing_by_the_deadline_is_partial_and_empty),
            cmocka_unit_test(exact_matches_are_shown_if_there_is_no_time_to_read_the_others),
            cmocka_unit_test(ranking_that_takes_too_long_shows_the_best_of_what_was_ranked),
        };

        return cmocka_run_group_tests(tests, start, test_stop);
}
