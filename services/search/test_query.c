/* The query language: what is accepted, the positions of errors, and that printed queries parse to the same tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "services/search/query.h"

enum { TREES = 20000 };

static struct arena *arena;

static int begin(void **state)
{
        arena = arena_new((size_t)512 * 1024 * 1024);
        return 0;
}

static int end(void **state)
{
        arena_free(arena);
        return 0;
}

static void queries_are_understood_in_their_plainest_form(void **state)
{
        static const struct {
                const char *text, *printed;
        } examples[] = {
            {"a b", "a b"},
            {"  a   b\t", "a b"},
            {"a OR b c", "a OR b c"},
            {"(a OR b) c", "(a OR b) c"},
            {"((a)) (b)", "a b"},
            {"a (b (c d))", "a b c d"},
            {"a OR (b OR c)", "a OR b OR c"},
            {"-a", "-a"},
            {"-(-a)", "a"},
            {"-(a b)", "-(a b)"},
            {"-(--a)", "-(--a)"},
            {"- a", "- a"},
            {"\" a b \"", "\"a b\""},
            {"\"OR\"", "\"OR\""},
            {"or", "or"},
            {"foo\"bar\"baz", "foo \"bar\" baz"},
            {"gard* *", "gard* *"},
            {"FROM:Ada", "from:Ada"},
            {"from:\"a b\"", "from:\"a b\""},
            {"from:\"ada\"", "from:ada"},
            {"https://example.org/x 12:30", "https://example.org/x 12:30"},
        };

        for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
                struct query_error error;
                struct query *query = query_parse(arena, examples[i].text, &error);

                assert_non_null(query);
                assert_string_equal(query_print(arena, query), examples[i].printed);
        }
}

static void an_error_is_reported_with_its_position(void **state)
{
        static const struct {
                const char *text;
                size_t at;
        } examples[] = {
            {"", 1},     {"  ", 3},    {"(a", 3},     {"a)", 2},        {"\"a", 3},
            {"\"\"", 2}, {"a OR", 5},  {"OR", 1},     {"a OR OR b", 6}, {"()", 2},
            {"-OR", 2},  {"from:", 6}, {"日本 (", 5}, {"a \x01", 3},    {"\xe2\x80\xae", 1},
        };

        for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
                struct query_error error;

                assert_null(query_parse(arena, examples[i].text, &error));
                assert_int_equal(error.at, examples[i].at);
                assert_non_null(error.wants);
        }
}

static void a_query_is_bounded(void **state)
{
        char text[21000] = "";
        struct query_error error;

        for (size_t i = 0; i < 10000; i++) {
                memcpy(text + 2 * i, "a ", 3);
        }
        assert_null(query_parse(arena, text, &error));
        assert_int_equal(error.at, 2 * QUERY_MAX_TERMS + 1);
        memset(text, '(', 20000);
        assert_null(query_parse(arena, text, &error));
        assert_int_equal(error.at, QUERY_MAX_DEPTH + 1);
}

/* ---- Random trees ---- */

static uint64_t seed = 20261127;

static size_t draw(size_t n)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(seed >> 33) % n;
}

static struct query *leaf(void)
{
        static const char *const words[] = {"a", "-", "--b", "日本", "or", "*", "12:30", "x:y", "é", "'", "😀"};
        static const char *const values[] = {"ada", "a b", "日　本", "(x", "-"};
        struct query *query = arena_alloc(arena, sizeof(*query));

        query->kind = QUERY_WORD + draw(4);
        query->filter = draw(FILTER_COUNT);
        query->text = query->kind == QUERY_FILTER || query->kind == QUERY_PHRASE ? values[draw(5)] : words[draw(11)];
        if (query->kind == QUERY_PREFIX && strcmp(query->text, "-") == 0) {
                query->text = "--"; /* -* excludes the word * */
        }
        return query;
}

/* Trees as the parser makes them: no list within one of its kind, no double exclusion. */
static struct query *tree(enum query_kind above, size_t depth)
{
        struct query *query = arena_alloc(arena, sizeof(*query));

        query->kind = depth == 0 ? QUERY_WORD : draw(4);
        if (query->kind >= QUERY_WORD || query->kind == above) {
                return leaf();
        }
        query->n = query->kind == QUERY_NOT ? 1 : 2 + draw(2);
        query->children = arena_alloc_array(arena, query->n, sizeof(*query->children));
        for (size_t i = 0; i < query->n; i++) {
                query->children[i] = tree(query->kind, depth - 1);
        }
        return query;
}

static bool equal(const struct query *a, const struct query *b)
{
        bool same =
            a->kind == b->kind && a->n == b->n &&
            (a->n > 0 || (strcmp(a->text, b->text) == 0 && (a->kind != QUERY_FILTER || a->filter == b->filter)));

        for (size_t i = 0; same && i < a->n; i++) {
                same = equal(a->children[i], b->children[i]);
        }
        return same;
}

static void printed_queries_parse_to_the_same_tree(void **state)
{
        for (size_t i = 0; i < TREES; i++) {
                struct arena_mark mark = arena_mark(arena);
                struct query *query = tree(QUERY_WORD, 3), *again;
                char *text = query_print(arena, query);
                struct query_error error = {0};

                again = query_parse(arena, text, &error);
                if (again == NULL || !equal(query, again)) {
                        fail_msg("'%s' is read as '%s'", text, again != NULL ? query_print(arena, again) : error.wants);
                }
                arena_reset(arena, mark);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(queries_are_understood_in_their_plainest_form),
            cmocka_unit_test(an_error_is_reported_with_its_position),
            cmocka_unit_test(a_query_is_bounded),
            cmocka_unit_test(printed_queries_parse_to_the_same_tree),
        };

        return cmocka_run_group_tests(tests, begin, end);
}
