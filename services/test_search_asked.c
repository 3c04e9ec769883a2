/* What is asked: mistyped words, phrases of frequent words, and what a history keeps of many searches at once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "services/search/search.service.h"
#include "services/test_support.h"

static const char *members[2];

static int start(void **state)
{
        int failed = test_start_plain(state);

        if (failed == 0) {
                members[0] = test_member("asker1");
                members[1] = test_member("asker2");
                test_network_settle();
        }
        return failed;
}

static sn_status ask(const char *reader, const char *query, Search__SearchPage **page)
{
        Search__SearchRequest in = SEARCH__SEARCH_REQUEST__INIT;

        in.query = (char *)query;
        in.type = SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES;
        return test_send(reader, &search_methods[SEARCH_SEARCH], &in.base, (void **)page);
}

/* How many notes are found, and whether this one is among them. */
static size_t find(const char *query, const char *id, bool *found)
{
        Search__SearchPage *page = NULL;

        assert_int_equal(ask("", query, &page), SN_OK);
        *found = false;
        for (size_t i = 0; i < page->n_items; i++) {
                *found = *found || strcmp(page->items[i]->note->id, id) == 0;
        }
        return page->n_items;
}

static void assert_finds_only(const char *query, const char *id)
{
        bool found;

        assert_int_equal(find(query, id, &found), 1);
        assert_true(found);
}

static const char *write_note_for(int visibility, const char *text)
{
        const Note__Note *note = ASK(members[0], NOTE(CREATE_NOTE), .text = text, .visibility = visibility);

        return strdup(note->id);
}

static const char *write_note(const char *text)
{
        return write_note_for(NOTE__VISIBILITY__VISIBILITY_PUBLIC, text);
}

static void run_sql(const char *sql)
{
        PGconn *pg = test_admin_connect("search_service");
        PGresult *result = PQexec(pg, sql);

        if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
                fail_msg("%s", PQerrorMessage(pg));
        }
        PQclear(result);
        PQfinish(pg);
}

static int64_t number(const char *sql)
{
        PGconn *pg = test_admin_connect("search_service");
        PGresult *result = PQexec(pg, sql);
        int64_t n = strtoll(PQgetvalue(result, 0, 0), NULL, 10);

        PQclear(result);
        PQfinish(pg);
        return n;
}

/* ---- Mistyped words ---- */

/* Many words have two errors; one of them comes first by the alphabet. */
static void the_word_with_one_error_is_meant_and_not_those_with_two(void **state)
{
        const char *meant = write_note("verstehen"), *two = write_note("bestehen");

        test_network_settle();
        assert_finds_only("vesrtehen", meant);  /* swapped */
        assert_finds_only("vertehen", meant);   /* missing */
        assert_finds_only("verstrehen", meant); /* added */
        assert_finds_only("verstehem", meant);  /* changed */
        free((void *)meant);
        free((void *)two);
}

static void two_errors_are_tolerated_when_no_word_has_one(void **state)
{
        const char *id = write_note("kaleidoscope");

        test_network_settle();
        assert_finds_only("kaledoscpoe", id);
        free((void *)id);
        id = write_note("kaledoscpoe"); /* now it is a word that somebody uses */
        test_network_settle();
        assert_finds_only("kaledoscpoe", id);
        free((void *)id);
}

static void a_word_of_hidden_notes_prevents_no_correction(void **state)
{
        const char *hidden = write_note_for(NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, "marigolds");
        const char *id = write_note("maricalts");

        test_network_settle();
        assert_finds_only("marigolts", id); /* two errors; the hidden word has one */
        free((void *)hidden);
        free((void *)id);
}

/* Errors that leave few of a word's trigrams, or few different ones. */
static void mistyped_words_with_few_trigrams_in_common_are_found(void **state)
{
        static const char *const pairs[][2] = {{"vanana", "banana"},
                                               {"mississiopi", "mississippi"},
                                               {"unviersety", "university"},
                                               {"devleopmant", "development"},
                                               {"ifnormetion", "information"}};

        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
                const char *id = write_note(pairs[i][1]);

                test_network_settle();
                assert_finds_only(pairs[i][0], id);
                free((void *)id);
        }
}

/* ---- Phrases ---- */

/* Its rebuild may even be the one that finished. */
static void index_as_the_previous_release(void)
{
        run_sql("begin; update search_index set words = ts_delete(words, array(select word from"
                " unnest(tsvector_to_array(words)) as word where word like '~&%' or word = ':pairs'));"
                " update search_rebuild set done_at = now() - interval '1 hour'; commit");
}

static void phrases_of_frequent_words_are_found_with_and_without_their_pairs(void **state)
{
        const char *id = write_note("what it is worth to us"), *other = write_note("is it worth what");

        test_network_settle();
        for (int i = 0; i < 3; i++) {
                assert_finds_only("\"what it is\"", id);
                assert_finds_only("\"it is worth\"", id);
                assert_finds_only("\"to us\"", id);
                assert_finds_only("worth -\"is it\"", id);
                assert_finds_only("\"is it\"", other);
                if (i == 0) {
                        index_as_the_previous_release();
                } else if (i == 1) {
                        (void)test_network_run_job("search", "rebuild");
                        assert_int_equal(number("select count(*) from search_index where words @@ $$':pairs'$$"),
                                         number("select count(*) from search_index"));
                }
        }
        free((void *)id);
        free((void *)other);
}

/* ---- Histories ---- */

enum { SEARCHES = 60, AT_ONCE = 4 };

/* Each search deletes something that the others delete, or ask for again. */
static void *search_often(void *argument)
{
        size_t thread = (size_t)argument, failed = 0;

        for (size_t i = 0; i < SEARCHES; i++) {
                char query[30];
                Search__SearchPage *page = NULL;

                (void)snprintf(query, sizeof(query), "q%zu", thread % 2 == 0 ? i : SEARCHES - i);
                failed += ask(members[thread / 2], query, &page) != SN_OK;
        }
        test_release();
        return (void *)failed;
}

static void full_histories_are_cut_by_many_searches_at_once_without_a_deadlock(void **state)
{
        pthread_t threads[AT_ONCE];
        int64_t before = number("select deadlocks from pg_stat_database where datname = current_database()");

        run_sql(
            "insert into search_history (id, user_id, query_key, query) select"
            " (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || right(user_id::text, 12))::uuid, user_id, 'q' || n, "
            "'q' || n"
            " from search_members, generate_series(0, 520) n on conflict do nothing");
        for (size_t i = 0; i < AT_ONCE; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, search_often, (void *)i), 0);
        }
        for (size_t i = 0; i < AT_ONCE; i++) {
                void *failed = NULL;

                assert_int_equal(pthread_join(threads[i], &failed), 0);
                assert_int_equal((size_t)failed, 0);
        }
        run_sql("select pg_stat_clear_snapshot()");
        assert_int_equal(number("select deadlocks from pg_stat_database where datname = current_database()"), before);
        assert_int_equal(ask(members[0], "last", &(Search__SearchPage *){NULL}), SN_OK);
        assert_int_equal(ask(members[1], "last", &(Search__SearchPage *){NULL}), SN_OK);
        assert_int_equal(number("select max(n) from (select count(*) as n from search_history group by user_id) h"),
                         500);
        assert_int_equal(number("select count(*) from search_suggestions s where people <>"
                                " (select count(*) from search_history h where h.query_key = s.query_key)"),
                         0);
}

/* ---- Queries of others ---- */

static void a_query_needs_five_to_twelve_people_depending_on_a_secret(void **state)
{
        const char *few = "select count(*) from generate_series(1, 3000) n where search_people_needed('q' || n) = 5";
        int64_t before = number("select sum(search_people_needed('q' || n) * n) from generate_series(1, 3000) n");

        assert_int_equal(number("select min(search_people_needed('q' || n)) from generate_series(1, 3000) n"), 5);
        assert_int_equal(number("select max(search_people_needed('q' || n)) from generate_series(1, 3000) n"), 12);
        assert_in_range(number(few), 40, 200); /* one of thirty */
        run_sql("update search_secrets set secret = gen_random_uuid()");
        assert_int_not_equal(number("select sum(search_people_needed('q' || n) * n) from generate_series(1, 3000) n"),
                             before);
}

static int64_t count_shown(void)
{
        return number("select count(*) from search_suggestions where query_key = 'shared' and shown_until > now()");
}

static void keep_shared(int from, int to)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql),
                       "insert into search_history (id, user_id, query_key, query) select gen_random_uuid(),"
                       " gen_random_uuid(), 'shared', 'Shared' from generate_series(%d, %d)",
                       from, to);
        run_sql(sql);
}

/* Whether one more or less asks at that time is not to be seen. */
static void a_query_once_suggested_stays_for_thirty_days_and_is_then_decided_anew(void **state)
{
        keep_shared(1, 4);
        assert_int_equal(count_shown(), 0);
        keep_shared(5, 12);
        assert_int_equal(count_shown(), 1);
        assert_int_equal(number("select count(*) from search_suggestions where query = 'Shared'"), 0);
        run_sql("update search_suggestions set shown_until = now() - interval '1 minute' where query_key = 'shared'");
        (void)test_network_run_job("search", "cleanup_search_history");
        assert_int_equal(count_shown(), 1);
        run_sql("delete from search_history where query_key = 'shared'");
        assert_int_equal(count_shown(), 1);
        run_sql("update search_suggestions set shown_until = now() - interval '1 minute' where query_key = 'shared'");
        (void)test_network_run_job("search", "cleanup_search_history");
        assert_int_equal(number("select count(*) from search_suggestions where query_key = 'shared'"), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_word_with_one_error_is_meant_and_not_those_with_two),
            cmocka_unit_test(two_errors_are_tolerated_when_no_word_has_one),
            cmocka_unit_test(a_word_of_hidden_notes_prevents_no_correction),
            cmocka_unit_test(mistyped_words_with_few_trigrams_in_common_are_found),
            cmocka_unit_test(phrases_of_frequent_words_are_found_with_and_without_their_pairs),
            cmocka_unit_test(a_query_needs_five_to_twelve_people_depending_on_a_secret),
            cmocka_unit_test(a_query_once_suggested_stays_for_thirty_days_and_is_then_decided_anew),
            cmocka_unit_test(full_histories_are_cut_by_many_searches_at_once_without_a_deadlock),
        };

        return cmocka_run_group_tests(tests, start, test_stop);
}
