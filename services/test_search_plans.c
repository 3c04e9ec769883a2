/* The plans of searches on twenty thousand notes, all of which contain a common word, with actual values as
 * search_candidates plans them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "services/test_plan_support.h"
#include "services/test_support.h"

static int setup(void **state)
{
        /* All notes contain "common", and every hundredth "rare". */
        static const char *const rows[] = {
            "insert into search_index (note_id, author_id, version, words, length, engagement, likes)"
            " select id(n), id(n % 500), 1, (case when n % 100 = 0 then 'rare ' else '' end ||"
            " format('common word%s ''~en:common'' '':all'' '':from:%s''', n % 2000, id(n % 500)))::tsvector, 5,"
            " n % 1000, n % 1000 from generate_series(1, 20000) n",
            "insert into search_members (user_id, username_key, names, discoverable, searchable)"
            " select id(n), 'u' || n, 'u' || n || ' ' || md5(n::text), true, true from generate_series(1, 5000) n",
            "insert into search_history (id, user_id, query_key, query) select id(n), id(n % 500), 'q' || n % 3000, 'q'"
            " from generate_series(1, 20000) n on conflict do nothing",
            "update search_suggestions set shown_until = now() + interval '1 hour' * (hashtext(query_key) % 700)",
            "insert into saved_searches (id, user_id, name, query, type, sort, anchors)"
            " select id(n), id(n % 500), '', 'q', 1, 1, array['word' || n, '~en:word' || n]"
            " from generate_series(1, 20000) n",
            "insert into search_uses (topic, hour, user_id) select '#tag' || n % 500, now() - interval '1 minute' * "
            "n,"
            " id(n % 3000) from generate_series(1, 20000) n",
            "insert into search_synonyms (place, language, words) select n, '', array['word' || n, 'other' || n]"
            " from generate_series(1, 2000) n",
            "select search_merge_words()",
            "insert into search_words (word, notes, open) select md5(n::text), 1, 1 from generate_series(1, 50000) n",
            "vacuum analyze"};
        struct buf error;

        buf_init(&error, 4096);
        assert_int_equal(db_provision(test_admin_url(), service_definition_find("search")->schema, NULL, &error),
                         SN_OK);
        buf_free(&error);
        plan_add_ids("search_service");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                plan_fill("search_service", rows[i]);
        }
        return 0;
}

static void note_plan(void *context, const PGresult *notice)
{
        buf_append_c(context, PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

/* The plans within the functions that a statement calls, reported to the client by auto_explain. */
static void explain_within(const char *statement, const char *values, struct buf *plan)
{
        static const char *const settings[] = {"load 'auto_explain'", "set auto_explain.log_min_duration = 0",
                                               "set auto_explain.log_nested_statements = on",
                                               "set client_min_messages = log"};
        const struct db_statement *s = plan_find("search_service", statement);
        PGconn *pg = plan_connect("search_service");
        struct buf sql;

        for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
                PQclear(plan_must(pg, PQexec(pg, settings[i]), settings[i]));
        }
        (void)plan_prepare(pg, s);
        PQsetNoticeReceiver(pg, note_plan, plan);
        buf_init(&sql, 4096);
        buf_printf(&sql, "execute \"%s\" (%s)", s->name, values);
        PQclear(plan_must(pg, PQexec(pg, sql.data), s->name));
        buf_free(&sql);
        PQfinish(pg);
}

#define TERM(word) "'''" word "'''"
#define NEWEST     "null, null, null, null, 0, null, 0, 600, null, false"
#define FEW        "null, null, null, null, 0, null, 0, 600, null, true"
/* As in a window of 96 days without notes. */
#define WINDOW              "null, null, null, array[20000001, 20000002, 20000003], 0, null, 0, 600, null, true"
#define ENGAGED(least, few) "null, null, null, null, 0, 9223372036854775807, " least ", 300, null, " few

static void check_candidates(const char *values, const char *rest, const char *index)
{
        char with_rest[400];
        struct buf plan;

        (void)snprintf(with_rest, sizeof(with_rest), "%s, %s", values, rest);
        buf_init(&plan, 1 << 20);
        explain_within("SELECT_CANDIDATES", with_rest, &plan);
        if (strstr(plan.data, index) == NULL || strstr(plan.data, "Seq Scan on search_index") != NULL) {
                fail_msg("%s is not read by %s:\n%s", with_rest, index, plan.data);
        }
        buf_free(&plan);
}

/* A word in all notes is searched by walking down from the newest and the most engaged; a rare one is read from the
 * index of words. */
static void searches_read_the_smallest_part_of_the_index(void **state)
{
        static const struct {
                const char *values, *index;
        } asked[] = {
            {TERM("common") ", null, '{}', false, " NEWEST, "search_index_pkey"},
            {TERM("common") ", null, '{}', false, " ENGAGED("0", "false"), "search_index_engaged"},
            {TERM("rare") ", null, '{}', false, " NEWEST, "search_index_words"},
            {TERM("common") ", null, '{}', false, " WINDOW, "&& '{20000001,20000002,20000003}'"},
            {"'''rare'' | ''word7''', null, '{}', false, null, null, null, null, 0, null, 0, 600, null, true",
             "search_index_words"},
            /* kinds of queries: two words, a phrase, a prefix, an exclusion, other forms, filters */
            {"'''common'' & ''word7''', null, '{}', false, " FEW, "search_index_words"},
            {"'''rare'' <-> ''common''', null, '{}', false, " FEW, "search_index_words"},
            {"'''wor'':*', null, '{}', false, " FEW, "search_index_words"},
            {"'''rare'' & !''word7''', null, '{}', false, " FEW, "search_index_words"},
            {"'(''word7'' | ''~en:word7'')', null, '{}', false, " FEW, "search_index_words"},
            {"'''common'' & '':from:00000000-0000-7000-8000-000000000007''', null, '{}', false, " FEW,
             "search_index_words"},
            {TERM("common") ", null, '{}', false, null, null, null, null, 990, null, 990, 600, null, true",
             "search_index_popular"},
            {TERM("word7") ", null, '{}', false, " ENGAGED("0", "false"), "search_index_words"},
            {TERM("word7") ", null, '{}', false, " ENGAGED("0", "true"), "search_index_words"},
            {TERM("common") ", null, '{}', false, " ENGAGED("990", "true"), "search_index_popular"},
            {TERM("common") ", null, array[id(7)], true, " NEWEST, "search_index_author"},
            {TERM("common") ", null, '{}', false, null, null, null, null, 0, null, 0, 600, array[id(7), id(9)], false",
             "search_index_pkey"},
        };

        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                check_candidates(asked[i].values, "null", asked[i].index);
        }
}

/* It is compared with the notes of another word, or with the newest or most engaged ones. */
static void a_prefix_of_very_many_notes_is_not_looked_up(void **state)
{
        static const struct {
                const char *values, *index;
        } asked[] = {
            {TERM("rare") ", null, '{}', false, " WINDOW, "search_index_words"},
            {TERM("rare") ", null, '{}', false, " ENGAGED("990", "true"), "search_index_popular"},
            {"null, null, '{}', false, " NEWEST, "search_index_pkey"},
            {"null, null, '{}', false, " ENGAGED("10", "false"), "search_index_engaged"},
        };

        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                check_candidates(asked[i].values, "'''wor'':*'", asked[i].index);
        }
}

/* Even if there are few of them, since a long note has thousands of anchors. */
static void saved_searches_are_read_by_their_anchors(void **state)
{
        static const char *const asked[][2] = {{"SELECT_MATCHED", "array[new_id()]"},
                                               {"SELECT_ALERTING", "new_id(), null, 100"}};

        plan_fill("search_service", "update search_index set note_id = (lpad(to_hex((extract(epoch from now()) * 1000)"
                                    "::bigint), 12, '0') || '70008000000000000007')::uuid where note_id = id(7)");
        plan_fill("search_service", "create function new_id() returns uuid stable language sql as"
                                    " $$ select note_id from search_index order by note_id desc limit 1 $$");
        for (size_t i = 0; i < 2; i++) {
                struct buf plan;

                buf_init(&plan, 1 << 20);
                explain_within(asked[i][0], asked[i][1], &plan);
                if (strstr(plan.data, "Index Scan on saved_searches_anchors") == NULL) {
                        fail_msg("%s does not read saved searches by their anchors:\n%s", asked[i][0], plan.data);
                }
                buf_free(&plan);
        }
}

static void texts_and_entities_are_found_by_index(void **state)
{
        CHECK("search_service", {"SELECT_ALTERNATIVES", "search_words_pkey search_synonyms_words"},
              {"SELECT_ALIKE", "search_words_pkey"}, {"DELETE_NOTES", "search_index_pkey"},
              {"COUNT_NOTE", "search_index_pkey"}, {"ERASE_NOTES", "search_index_author"},
              {"ERASE_ADDRESSEE", "search_index_words"}, {"SELECT_FACETS", "search_index_pkey"},
              {"DELETE_STRAY_NOTES", "search_index_pkey"}, {"SELECT_STRAY_MEMBERS", "search_members_pkey"},
              {"FIND_HASHTAGS", "search_words_pkey"}, {"FIND_MEMBERS", "search_members_username search_members_names"},
              {"KEEP_QUERY", "search_members_pkey"}, {"CUT_HISTORY", "search_history_newest search_history_pkey"},
              {"SELECT_HISTORY", "search_history_newest"}, {"SELECT_HISTORY_AFTER", "search_history_newest"},
              {"CLEAR_HISTORY", "search_history_"}, {"CLEANUP_HISTORY", "search_history_age"},
              {"DELETE_HISTORY_ITEM", "search_history_"}, {"SELECT_OWN_QUERIES", "search_history_"},
              {"SELECT_COMMON_QUERIES", "search_suggestions_shown"},
              {"RENEW_SUGGESTIONS", "search_suggestions_due search_suggestions_pkey"},
              {"COUNT_SEARCH", "search_suggestions_shown"}, {"COUNT_CLICK", "search_suggestions_id_key"},
              {"SELECT_SAVED", "saved_searches_newest"}, {"SELECT_SAVED_AFTER", "saved_searches_newest"},
              {"COUNT_SAVED", "saved_searches_newest"}, {"DELETE_SAVED", "saved_searches_"},
              {"ERASE_SAVED", "saved_searches_newest"}, {"SELECT_MATCHED", "search_index_pkey"},
              {"SELECT_ALERTING", "search_index_pkey"}, {"ERASE_USES", "search_uses_user"},
              {"CLEANUP_USES", "search_uses_hour"}, {"INSERT_REACTIONS", "search_index_pkey"});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(searches_read_the_smallest_part_of_the_index),
            cmocka_unit_test(a_prefix_of_very_many_notes_is_not_looked_up),
            cmocka_unit_test(saved_searches_are_read_by_their_anchors),
            cmocka_unit_test(texts_and_entities_are_found_by_index),
        };

        return cmocka_run_group_tests_name("search plans", tests, setup, NULL);
}
