/* The index of search_service against its owners: built by events and rebuilt it is the same; and what is found is what
 * a reader finds who reads every note, for random members who follow, block and hide. */
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
#include "services/search/search.rpc.h"
#include "services/test_support.h"

enum { MEMBERS = 8, NOTES = 160, SEARCHES = 400, WORDS = 6 };

static const char *members[MEMBERS], *notes[NOTES];
static unsigned note_words[NOTES]; /* a bit for each word */
static const char *const words[WORDS] = {"apricot", "blueberry", "cranberry", "dragonfruit", "elderberry", "fig"};
static uint64_t seed = 20261127;

static size_t draw(size_t n)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(seed >> 33) % n;
}

static char *dump_index(void)
{
        PGconn *pg = test_admin_connect("search_service");
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

        note_words[i] = 1 + (unsigned)draw((1U << WORDS) - 1);
        for (size_t k = 0; k < WORDS; k++) {
                if ((note_words[i] >> k & 1) != 0) {
                        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", words[k]);
                }
        }
        Note__Note *note = ASK(members[draw(MEMBERS)], NOTE(CREATE_NOTE), .text = text, .visibility = (int)draw(3) + 1);

        notes[i] = strdup(note->id);
}

static void relate(void)
{
        const char *a = members[draw(MEMBERS)], *b = members[draw(MEMBERS)];
        const struct rpc_method *const methods[] = {&FOLLOW(FOLLOW_USER), &FOLLOW(FOLLOW_USER), &FOLLOW(BLOCK_USER),
                                                    &FOLLOW(UNBLOCK_USER), &FOLLOW(UNFOLLOW_USER)};

        (void)test_request(a, methods[draw(5)], &(struct test_args){.id = b}, NULL); /* refused, too */
}

static void make_network(void)
{
        for (size_t i = 0; i < MEMBERS; i++) {
                char name[20];

                (void)snprintf(name, sizeof(name), "finder%zu", i);
                members[i] = test_member(name);
        }
        for (size_t i = 0; i < 60; i++) {
                relate();
        }
        for (size_t i = 0; i < NOTES; i++) {
                write_note(i);
                test_release();
        }
        for (size_t i = 0; i < NOTES; i += 10) {
                (void)test_request(members[draw(MEMBERS)], &NOTE(LIKE_NOTE), &(struct test_args){.id = notes[i]}, NULL);
        }
        for (size_t i = 5; i < NOTES; i += 20) { /* deleted by whoever wrote it */
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

static void the_index_rebuilt_is_the_one_that_events_built(void **state)
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

/* ---- Against a slow reference ---- */

/* What the reader sees of all notes, one by one. */
static bool sees(const char *reader, const char *id)
{
        return test_request(reader, &NOTE(GET_NOTE), &(struct test_args){.id = id}, NULL) == SN_OK;
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

static bool should_be_found(const char *reader, size_t note, size_t a, size_t b, bool either)
{
        bool has_a = (note_words[note] >> a & 1) != 0, has_b = (note_words[note] >> b & 1) != 0;

        return (either ? has_a || has_b : has_a && has_b) && sees(reader, notes[note]);
}

/* Notes for oneself are not in the index: their author does not find them either. */
static bool is_for_oneself(const char *reader, size_t note)
{
        Note__Note *read = NULL;

        return test_request(reader, &NOTE(GET_NOTE), &(struct test_args){.id = notes[note]}, (void **)&read) == SN_OK &&
               read->visibility == NOTE__VISIBILITY__VISIBILITY_ONLY_ME;
}

static void search_once(const char *reader, size_t a, size_t b, bool either)
{
        Search__SearchRequest in = SEARCH__SEARCH_REQUEST__INIT;
        Search__SearchPage *page = NULL;
        char query[80];

        (void)snprintf(query, sizeof(query), either ? "\"%s\" OR \"%s\"" : "\"%s\" \"%s\"", words[a], words[b]);
        in.query = query;
        in.type = SEARCH__SEARCH_TYPE__SEARCH_TYPE_NOTES;
        in.sort = (Search__SearchSort)(1 + draw(3));
        in.limit = 100;
        assert_int_equal(test_send(reader, &search_methods[SEARCH_SEARCH], &in.base, (void **)&page), SN_OK);
        for (size_t i = 0; i < NOTES && page->next_cursor[0] == '\0'; i++) {
                bool expected = should_be_found(reader, i, a, b, either) && !is_for_oneself(reader, i);

                if (is_found(page, notes[i]) != expected) {
                        fail_msg("%s %s %s for '%s'", reader, expected ? "does not find" : "finds", notes[i], query);
                }
        }
}

static void what_is_found_is_what_its_reader_sees(void **state)
{
        for (size_t i = 0; i < SEARCHES; i++) {
                size_t reader = draw(MEMBERS + 1);

                if (i % 4 == 0) {
                        relate();
                }
                search_once(reader < MEMBERS ? members[reader] : "", draw(WORDS), draw(WORDS), draw(2) == 0);
                test_release();
        }
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
            cmocka_unit_test(the_index_rebuilt_is_the_one_that_events_built),
            cmocka_unit_test(what_is_found_is_what_its_reader_sees),
        };

        return cmocka_run_group_tests(tests, start, test_stop);
}
