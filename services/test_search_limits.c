/* What one member can cost others: long notes, long queries, and words of notes that nobody may see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libpq-fe.h>
#include "base/buf.h"
#include "services/search/search.service.h"
#include "services/test_support.h"

static const char *member;
static uint64_t seed = 20261128;

static size_t draw(size_t n)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(seed >> 33) % n;
}

static int start(void **state)
{
        int failed = test_start_plain(state);

        if (failed == 0) {
                member = test_member("hostile");
                test_network_settle();
        }
        return failed;
}

static sn_status ask(const char *query, Search__SearchPage **page)
{
        Search__SearchRequest in = SEARCH__SEARCH_REQUEST__INIT;

        in.query = (char *)query;
        in.type = SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES;
        in.limit = 100;
        return test_send("", &search_methods[SEARCH_SEARCH], &in.base, (void **)page);
}

static size_t count_found(const char *query)
{
        Search__SearchPage *page = NULL;

        assert_int_equal(ask(query, &page), SN_OK);
        return page->n_items;
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

/* ---- Long notes ---- */

enum { LONG_NOTES = 12, CHARACTERS = 4990 };

/* Of different characters, so that each note has thousands of words that are new. */
static void write_long_note(void)
{
        struct buf text;

        buf_init(&text, 3 * CHARACTERS + 100);
        buf_append_c(&text, "tiresome ");
        for (size_t i = 0; i < CHARACTERS; i++) {
                size_t c = 0x4E00 + draw(0x5000);

                buf_append_char(&text, (char)(0xE0 | c >> 12));
                buf_append_char(&text, (char)(0x80 | (c >> 6 & 0x3F)));
                buf_append_char(&text, (char)(0x80 | (c & 0x3F)));
        }
        buf_append_char(&text, '\0');
        (void)ASK(member, NOTE(CREATE_NOTE), .text = text.data, .visibility = 1);
        buf_free(&text);
}

static void long_notes_are_indexed_a_few_at_a_time(void **state)
{
        test_network_stop_consumers("search");
        for (size_t i = 0; i < LONG_NOTES; i++) {
                write_long_note();
        }
        test_network_start_consumers("search");
        test_network_settle();
        assert_int_equal(count_found("tiresome"), LONG_NOTES);
        /* the rows of one transaction have its number */
        assert_true(strtol(test_admin("search_service", "select max(n) from (select count(*) as n from search_index"
                                                        " where length > 1000 group by xmin::text) t"),
                           NULL, 10) <= 4);
}

/* ---- Long queries ---- */

static const char *repeat(const char *word, size_t n, const char *before, const char *after)
{
        static char text[8000];

        (void)snprintf(text, sizeof(text), "%s", before);
        for (size_t i = 0; i < n; i++) {
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", word);
        }
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", after);
        return text;
}

static void assert_refused(const char *query)
{
        assert_int_equal(ask(query, &(Search__SearchPage *){NULL}), SN_INVALID_ARGUMENT);
        assert_string_equal(test_problem_code(), "query_invalid");
}

static void the_words_of_phrases_count_towards_the_limit_of_fifty(void **state)
{
        (void)count_found(repeat("a ", 50, "\"", "\""));
        assert_refused(repeat("a ", 51, "\"", "\""));
        assert_refused(repeat("a.", 51, "", ""));
        (void)count_found(repeat("\xE6\x9C\xA8", 100, "", "")); /* two characters are a word */
        assert_refused(repeat("\xE6\x9C\xA8", 101, "", ""));
        assert_refused(repeat("a ", 25, "\"b b b b b b b b b b b b b b b b b b b b b b b b b b\" \"", "\""));
}

/* ---- Words of hidden notes ---- */

/* They are more similar than the public word, and as many as are looked at. */
static void words_of_hidden_notes_displace_no_correction(void **state)
{
        (void)ASK(member, NOTE(CREATE_NOTE), .text = "kumquat", .visibility = 1);
        test_network_settle();
        run_sql(
            "insert into search_words (word, notes, open) select 'kumqat' || n, 1, 0 from generate_series(1, 40) n");
        assert_int_equal(count_found("kumqat"), 1);
        run_sql("delete from search_words where word ~ '^kumqat[0-9]'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(long_notes_are_indexed_a_few_at_a_time),
            cmocka_unit_test(the_words_of_phrases_count_towards_the_limit_of_fifty),
            cmocka_unit_test(words_of_hidden_notes_displace_no_correction),
        };

        return cmocka_run_group_tests_name("search limits", tests, start, test_stop);
}
