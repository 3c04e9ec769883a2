/* The index of search_service compared with its sources: built from events or rebuilt, it is the same. Also changes
 * during searches, and trends. */
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
#include "base/str.h"
#include "services/search/query.h"
#include "services/search/search.service.h"
#include "services/search/terms.h"
#include "services/test_support.h"

enum { MEMBERS = 8, NOTES = 80, WORDS = 6 };

static const char *members[MEMBERS], *notes[NOTES];
static const char *const words[WORDS] = {"apricot", "blueberry", "cranberry", "dragonfruit", "elderberry", "fig"};
static uint64_t seed = 20261127;

static size_t draw(size_t n)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(seed >> 33) % n;
}

/* The stored counts of words are correct. */
static void check_counts(PGconn *pg)
{
        PQclear(PQexec(pg, "select search_merge_words()"));
        PGresult *result = PQexec(pg, "select count(*) from search_words w full join (select word, count(*) as notes,"
                                      " count(*) filter (where owner_id is null) as open from search_index,"
                                      " unnest(tsvector_to_array(words)) as word group by word) i on i.word = w.word"
                                      " where (w.notes, w.open) is distinct from (i.notes, i.open)");
        assert_string_equal(PQgetvalue(result, 0, 0), "0");
        PQclear(result);
}

static char *dump_index(void)
{
        PGconn *pg = test_admin_connect("search_service");

        check_counts(pg);
        PGresult *rows = PQexec(pg, "select note_id, author_id, owner_id, version, words, length, engagement, likes"
                                    " from search_index order by note_id");
        PGresult *counts = PQexec(pg, "select word, notes, open from search_words order by word");
        struct buf out;

        buf_init(&out, (size_t)16 * 1024 * 1024);
        for (int i = 0; i < PQntuples(rows); i++) {
                for (int k = 0; k < PQnfields(rows); k++) {
                        buf_printf(&out, "%s%s", PQgetvalue(rows, i, k), k + 1 < PQnfields(rows) ? "|" : "\n");
                }
        }
        for (int i = 0; i < PQntuples(counts); i++) {
                buf_printf(&out, "%s=%s/%s\n", PQgetvalue(counts, i, 0), PQgetvalue(counts, i, 1),
                           PQgetvalue(counts, i, 2));
        }
        PQclear(rows);
        PQclear(counts);
        PQfinish(pg);
        return out.data;
}

static void change_index(const char *sql)
{
        PGconn *pg = test_admin_connect("search_service");
        PGresult *result = PQexec(pg, sql);

        assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
        PQclear(result);
        PQfinish(pg);
}

static void write_note(size_t i)
{
        char text[200] = "";

        for (size_t k = 0, n = 1 + draw(WORDS); k < n; k++) {
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", words[draw(WORDS)]);
        }
        Note__Note *note = ASK(members[draw(MEMBERS)], NOTE(CREATE_NOTE), .text = text, .visibility = (int)draw(3) + 1);

        notes[i] = strdup(note->id);
}

static void make_network(void)
{
        for (size_t i = 0; i < MEMBERS; i++) {
                char name[20];

                (void)snprintf(name, sizeof(name), "finder%zu", i);
                members[i] = test_member(name);
        }
        for (size_t i = 0; i < NOTES; i++) {
                write_note(i);
                test_release();
        }
        for (size_t i = 0; i < NOTES; i += 10) {
                (void)test_request(members[draw(MEMBERS)], &NOTE(LIKE_NOTE), &(struct test_args){.id = notes[i]}, NULL);
        }
        for (size_t i = 5; i < NOTES; i += 20) { /* deleted by its author */
                for (size_t k = 0; k < MEMBERS; k++) {
                        (void)test_request(members[k], &NOTE(DELETE_NOTE), &(struct test_args){.id = notes[i]}, NULL);
                }
        }
        test_release();
        test_network_settle();
}

static void assert_same_lines(const char *built, const char *rebuilt)
{
        struct str a = str_of(built), b = str_of(rebuilt), line, other;

        while (str_next(&a, '\n', &line)) {
                if (!str_next(&b, '\n', &other) || !str_equal(line, other)) {
                        fail_msg("was %.*s, is %.*s", (int)line.len, line.ptr, (int)other.len, other.ptr);
                }
        }
        assert_int_equal(b.len, 0);
}

static void a_rebuilt_index_equals_the_one_built_by_events(void **state)
{
        char *built = dump_index(), *rebuilt;

        assert_true(strlen(built) > 5000);
        change_index(
            "delete from search_index where note_id in (select note_id from search_index order by note_id limit 30)");
        change_index("update search_index set words = 'stray', version = 0");
        change_index(
            "insert into search_index (note_id, author_id, version, words, length, engagement, likes, created_at)"
            " values ('01900000-0000-7000-8000-000000000000', '01900000-0000-7000-8000-000000000001', 1, 'gone',"
            " 1, 0, 0, now() - interval '1 day')");
        change_index("update search_rebuild set done_at = null, after_id = '00000000-0000-0000-0000-000000000000'");
        assert_true(test_network_run_job("search", "rebuild") >= 2);
        rebuilt = dump_index();
        assert_same_lines(built, rebuilt);
        free(built);
        free(rebuilt);
}

static bool is_found(const Search__SearchPage *page, const char *id)
{
        for (size_t i = 0; i < page->n_items; i++) {
                if (strcmp(page->items[i]->note->id, id) == 0) {
                        return true;
                }
        }
        return false;
}

/* ---- Changes during searches ---- */

/* A page of completely ranked notes, which may take several attempts on a busy machine. */
static const Search__SearchPage *find(const char *reader, const char *query)
{
        Search__SearchRequest in = SEARCH__SEARCH_REQUEST__INIT;
        Search__SearchPage *page = NULL;

        in.query = (char *)query;
        in.type = SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES;
        in.limit = 100;
        do {
                assert_int_equal(test_send(reader, &search_methods[SEARCH_SEARCH], &in.base, (void **)&page), SN_OK);
        } while (page->partial);
        return page;
}

static bool finds(const char *query, const char *id)
{
        return is_found(find("", query), id);
}

static const char *write_public(const char *author, const char *text)
{
        const Note__Note *note = ASK(author, NOTE(CREATE_NOTE), .text = text, .visibility = 1);
        const char *id = strdup(note->id);

        test_network_settle();
        return id;
}

static void a_word_removed_by_an_edit_finds_nothing_even_before_the_event_is_handled(void **state)
{
        const char *id = write_public(members[0], "quince and walnut");

        assert_true(finds("quince", id));
        test_network_stop_consumers("search");
        (void)ASK(members[0], NOTE(EDIT_NOTE), .id = id, .text = "walnut alone");
        assert_false(finds("quince", id));
        test_network_start_consumers("search");
        test_network_settle();
        assert_false(finds("quince", id));
        assert_true(finds("walnut", id));
        free((void *)id);
}

static const char *ask_of(const char *database, const char *format, const char *id)
{
        char sql[300];

        (void)snprintf(sql, sizeof(sql), format, id);
        return test_admin(database, sql);
}

static void erase_account(const char *id)
{
        (void)ask_of("user_service",
                     "update users set deactivated_at = now() - interval '1 year' where id = '%s'"
                     " returning 1",
                     id);
        (void)test_network_run_job("user", "erase_accounts");
        test_network_settle();
}

static void erased_members_leave_no_rows(void **state)
{
        const char *gone = test_member("perishable");
        const char *own = write_public(gone, "loquat of mine"), *about = write_public(members[0], "loquat @perishable");
        const Note__Note *comment = ASK(members[0], NOTE(CREATE_COMMENT), .id = own, .text = "loquat, you say");
        const char *answer = strdup(comment->id);
        const char *was, *row = "select version || ' ' || words::text from search_index where note_id = '%s'";

        test_network_settle();
        assert_true(finds("loquat", own));
        assert_true(finds("loquat", about));
        assert_true(finds("loquat to:perishable", answer));
        was = ask_of("search_service", row, about);
        assert_non_null(strstr(was, ":mentions:"));
        assert_memory_equal(was, "1 ", 2);
        erase_account(gone);
        assert_string_equal(ask_of("search_service", "select count(*) from search_index where author_id = '%s'", gone),
                            "0");
        assert_string_equal(ask_of("search_service", "select count(*) from search_members where user_id = '%s'", gone),
                            "0");
        assert_string_equal(ask_of("search_service", "select count(*) from search_unlisted where user_id = '%s'", gone),
                            "0");
        was = ask_of("search_service", row, about);
        assert_null(strstr(was, ":mentions:"));
        assert_memory_equal(was, "2 ", 2); /* data read before the redaction are older */
        assert_null(strstr(ask_of("search_service", row, answer), ":to:"));
        free((void *)own);
        free((void *)about);
        free((void *)answer);
}

/* ---- Trends ---- */

static const Search__Trends *trends_now(const char *reader, Search__TrendType type)
{
        Search__ListTrendsRequest in = SEARCH__LIST_TRENDS_REQUEST__INIT;
        Search__Trends *out = NULL;

        in.type = type;
        (void)test_network_run_job("search", "make_trends");
        assert_int_equal(test_send(reader, &search_methods[SEARCH_LIST_TRENDS], &in.base, (void **)&out), SN_OK);
        return out;
}

/* As if all had registered more than a day ago: before, they do not count. */
static const Search__Trends *trends(const char *reader, Search__TrendType type)
{
        change_index("update search_uses set user_id = overlay(user_id::text placing '01900000' from 1 for 8)::uuid");
        return trends_now(reader, type);
}

#define HASHTAGS SEARCH__TREND_TYPE__TREND_TYPE_HASHTAGS
#define LINKS    SEARCH__TREND_TYPE__TREND_TYPE_LINKS
#define NOTES_   SEARCH__TREND_TYPE__TREND_TYPE_NOTES

static void write_by(size_t from, size_t to, const char *text, int visibility)
{
        for (size_t i = from; i < to; i++) {
                (void)ASK(members[i], NOTE(CREATE_NOTE), .text = text, .visibility = visibility);
        }
}

/* Both are used by five people; one was used by as many on each day before. */
static void trends_are_topics_used_by_more_people_than_usual(void **state)
{
        write_by(0, 5, "#Usual and #sudden", 1);
        write_by(0, 8, "#hushed among us", 2);
        for (size_t i = 0; i < 10; i++) {
                write_by(0, 4, "#pushed once more", 1);
        }
        test_network_settle();
        change_index("insert into search_uses (topic, hour, user_id) select topic, hour - make_interval(days => d),"
                     " user_id from search_uses, generate_series(1, 7) d where topic = '#usual'");
        assert_int_equal(trends_now("", HASHTAGS)->n_items, 0); /* by accounts of today alone */
        const Search__Trends *found = trends("", HASHTAGS);
        assert_int_equal(found->n_items, 2);
        assert_string_equal(found->items[0]->hashtag, "sudden");
        assert_int_equal(found->items[0]->people, 5);
        assert_int_equal(found->items[0]->usual, 0);
        assert_string_equal(found->items[1]->hashtag, "usual");
        change_index("insert into search_hidden_trends (topic) values ('#sudden')");
        assert_int_equal(trends("", HASHTAGS)->n_items, 1);
        change_index("update search_uses set hour = hour - interval '9 days'");
        assert_int_equal(trends("", HASHTAGS)->n_items, 0);
        assert_string_equal(test_admin("search_service", "select count(*) from search_uses"), "0");
}

static void links_are_trends_in_any_spelling_and_recent_ones_weigh_more(void **state)
{
        write_by(0, 3, "see https://Example.org/a?b=C#part, everyone", 1);
        write_by(3, 5, "(https://example.org/a?b=C)", 1);
        write_by(0, 6, "http://example.org/other", 1);
        test_network_settle();
        change_index("update search_uses set hour = hour - interval '12 hours' where topic like '%/other'");
        const Search__Trends *found = trends("", LINKS);
        assert_int_equal(found->n_items, 2);
        assert_string_equal(found->items[0]->link, "https://example.org/a?b=C");
        assert_int_equal(found->items[0]->people, 5);
        assert_string_equal(found->items[1]->link, "http://example.org/other");
        assert_int_equal(found->items[1]->people, 6);
        change_index("delete from search_uses");
}

static void notes_trend_by_number_of_people_and_only_for_readers_who_may_see_them(void **state)
{
        const char *people[7], *note, *repeated;

        for (size_t i = 0; i < 7; i++) {
                char name[20];

                (void)snprintf(name, sizeof(name), "reactor%zu", i);
                people[i] = test_member(name);
        }
        note = write_public(people[0], "medlar");
        repeated = write_public(people[0], "rowan");
        (void)ASK(people[1], NOTE(LIKE_NOTE), .id = note);
        (void)ASK(people[1], NOTE(RENOTE_NOTE), .id = note);
        (void)ASK(people[2], NOTE(LIKE_NOTE), .id = note);
        (void)ASK(people[3], NOTE(RENOTE_NOTE), .id = note);
        (void)ASK(people[4], NOTE(CREATE_COMMENT), .id = note, .text = "indeed");
        (void)ASK(people[0], NOTE(LIKE_NOTE), .id = note); /* its author */
        for (size_t i = 0; i < 4; i++) {
                (void)ASK(people[1 + i], NOTE(CREATE_COMMENT), .id = repeated, .text = "again");
                (void)ASK(people[1 + i], NOTE(CREATE_COMMENT), .id = repeated, .text = "and again");
        }
        test_network_settle();
        assert_int_equal(trends("", NOTES_)->n_items, 0); /* four are too few, and the author does not count */
        (void)ASK(people[5], NOTE(LIKE_NOTE), .id = note);
        test_network_settle();
        const Search__Trends *found = trends(people[6], NOTES_);
        assert_int_equal(found->n_items, 1);
        assert_string_equal(found->items[0]->note->id, note);
        assert_int_equal(found->items[0]->people, 5);
        (void)ASK(people[0], FOLLOW(BLOCK_USER), .id = people[6]);
        assert_int_equal(trends(people[6], NOTES_)->n_items, 0);
        assert_int_equal(trends("", NOTES_)->n_items, 1);
        change_index("delete from search_uses");
        free((void *)note);
        free((void *)repeated);
}

static void make_private(const char *id)
{
        User__Settings in = USER__SETTINGS__INIT;
        User__PrivacySettings privacy = USER__PRIVACY_SETTINGS__INIT;

        privacy.private_presence_case = USER__PRIVACY_SETTINGS__PRIVATE_PRESENCE_PRIVATE;
        privacy.private_ = true;
        in.privacy = &privacy;
        assert_int_equal(test_send(id, &USER(UPDATE_SETTINGS), &in.base, NULL), SN_OK);
}

/* Otherwise somebody with four accounts could learn of them. */
static void renotes_and_comments_of_private_accounts_make_no_trend(void **state)
{
        const char *note = write_public(members[0], "whitebeam"), *renoter = test_member("hidden_renoter"),
                   *answerer = test_member("hidden_answerer");

        make_private(renoter);
        make_private(answerer);
        for (size_t i = 1; i < 5; i++) {
                (void)ASK(members[i], NOTE(LIKE_NOTE), .id = note);
        }
        (void)ASK(renoter, NOTE(RENOTE_NOTE), .id = note);
        (void)ASK(answerer, NOTE(CREATE_COMMENT), .id = note, .text = "indeed");
        test_network_settle();
        assert_int_equal(trends("", NOTES_)->n_items, 0);
        (void)ASK(members[5], NOTE(RENOTE_NOTE), .id = note);
        test_network_settle();
        const Search__Trends *found = trends("", NOTES_);
        assert_int_equal(found->n_items, 1);
        assert_int_equal(found->items[0]->people, 5);
        change_index("delete from search_uses");
        free((void *)note);
}

/* ---- Ranking ---- */

/* More than are ranked, all of them newer and more engaged, but visible to nobody. */
static void index_many_with(const char *word)
{
        char sql[500];

        (void)snprintf(
            sql, sizeof(sql),
            "insert into search_index (note_id, author_id, version, words, length, engagement, likes)"
            " select ('ff' || lpad(to_hex(n), 6, '0') || '-0000-7000-8000-000000000000')::uuid, gen_random_uuid(), 1,"
            " '%s:1A :all'::tsvector, 1, 9, 9 from generate_series(1, 1500) n",
            word);
        change_index(sql);
}

static void exact_matches_are_found_below_any_number_of_newer_inexact_ones(void **state)
{
        static const char *const others[] = {"quandangs", "quandong"};
        const char *id = write_public(members[0], "quandang");

        for (size_t i = 0; i < 2; i++) {
                index_many_with(others[i]);
                assert_true(finds("quandang", id));
                change_index("delete from search_index where note_id > 'ff000000-0000-0000-0000-000000000000'");
        }
        free((void *)id);
}

/* ---- Estimates ---- */

static bool is_taken_for_few(struct db *db, const char *text)
{
        struct service self = {.name = "search", .contract = &search_contract, .db = db};
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&self, 20000);
        struct query_error error;
        struct terms terms;

        assert_int_equal(terms_make(c, query_parse(c->arena, text, &error), false, &terms), SN_OK);
        return terms.query.few;
}

/* Only a limited number of words with a prefix is counted, which must not make many seem few. */
static void a_prefix_of_two_thousand_words_is_not_estimated_as_rare(void **state)
{
        char url[300];

        test_url(url, "search_service", "search_service");
        struct db *db = db_new(&(struct db_options){.name = "search_service", .url = url, .max_connections = 1});
        change_index("update search_words set open = open + 1000000000 where word = ':all'");
        change_index("insert into search_words (word, notes, open)"
                     " select 'ziziphus' || n, 1, 1 from generate_series(1, 1999) n");
        assert_true(is_taken_for_few(db, "ziziphus*"));
        assert_true(is_taken_for_few(db, "ziziphus")); /* the last word may be a prefix */
        change_index("insert into search_words (word, notes, open) values ('ziziphus', 1, 1)");
        assert_false(is_taken_for_few(db, "ziziphus*"));
        assert_false(is_taken_for_few(db, "ziziphus"));
        assert_true(is_taken_for_few(db, "\"ziziphus\""));
        change_index("delete from search_words where word like 'ziziphus%'");
        change_index("update search_words set open = open - 1000000000 where word = ':all'");
        db_free(db);
}

static int start(void **state)
{
        int failed = test_start_plain(state);

        if (failed == 0) {
                make_network();
        }
        return failed;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_rebuilt_index_equals_the_one_built_by_events),
            cmocka_unit_test(a_word_removed_by_an_edit_finds_nothing_even_before_the_event_is_handled),
            cmocka_unit_test(erased_members_leave_no_rows),
            cmocka_unit_test(trends_are_topics_used_by_more_people_than_usual),
            cmocka_unit_test(links_are_trends_in_any_spelling_and_recent_ones_weigh_more),
            cmocka_unit_test(notes_trend_by_number_of_people_and_only_for_readers_who_may_see_them),
            cmocka_unit_test(renotes_and_comments_of_private_accounts_make_no_trend),
            cmocka_unit_test(exact_matches_are_found_below_any_number_of_newer_inexact_ones),
            cmocka_unit_test(a_prefix_of_two_thousand_words_is_not_estimated_as_rare),
        };

        return cmocka_run_group_tests(tests, start, test_stop);
}
