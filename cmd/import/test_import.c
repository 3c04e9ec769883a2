/* The input and the plan of `sonet import`: graphs, texts, and who posts what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>
#include "cmd/commands.h"
#include "cmd/http_client.h"
#include "cmd/import/gather.h"
#include "cmd/import/graph.h"
#include "cmd/import/plan.h"
#include "cmd/import/progress.h"
#include "cmd/import/texts.h"

const struct command *command_find(const char *name)
{
        return NULL;
}

/* A file with these bytes; its name is the same in each call. */
static const char *file_of(const char *bytes, size_t len)
{
        static char path[64];

        if (path[0] == '\0') {
                snprintf(path, sizeof(path), "/tmp/sayings.%d", (int)getpid());
        }
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, len, file), len);
        fclose(file);
        return path;
}

static int remove_file(void **state)
{
        unlink(file_of("", 0));
        return 0;
}

static sn_status graph_of(const char *text, struct import_graph *graph, struct buf *error)
{
        buf_init(error, 4096);
        return import_graph_read(file_of(text, strlen(text)), graph, error);
}

static void edges_are_read_once_in_either_direction(void **state)
{
        struct import_graph graph;
        struct buf error;

        assert_int_equal(graph_of("% from somewhere\n# more\n\n9 2\n2\t5\n 5,9 \r\n2 9\n5 2", &graph, &error), SN_OK);
        assert_int_equal(graph.n_members, 3);
        assert_int_equal(graph.nodes[0], 2);
        assert_int_equal(graph.nodes[2], 9);
        assert_int_equal(graph.n_ties, 3);
        assert_int_equal(graph.repeated, 2);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(graph.first[i + 1] - graph.first[i], 2); /* a triangle */
        }
        import_graph_free(&graph);
        buf_free(&error);
}

static void an_invalid_line_is_named(void **state)
{
        static const struct {
                const char *text, *line;
        } cases[] = {
            {"1 2\none two\n", ":2: "},
            {"1 2\n\n3\n", ":3: "},
            {"1 2 3\n", ":1: "},
            {"-1 2\n", ":1: "},
            {"1 1\n", ":1: "},
            {"1 2\n1 100000000\n", ":2: "},
            {"1 2.5\n", ":1: "},
            {"1 2x\n", ":1: "},
            {"1,,2\n", ":1: "},
            {"1 2 ,\n", ":1: "},
            {"% only\n", "contains no edges"},
            {"", "contains no edges"},
            {"1 99999999999999999999999\n", ":1: "},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct import_graph graph;
                struct buf error;
                assert_int_not_equal(graph_of(cases[i].text, &graph, &error), SN_OK);
                assert_non_null(strstr(error.data, cases[i].line));
                assert_int_equal(graph.n_members, 0);
                buf_free(&error);
        }
}

static size_t degree(const struct import_graph *graph, size_t i)
{
        return graph->first[i + 1] - graph->first[i];
}

static void a_generated_network_has_few_members_with_many_edges(void **state)
{
        enum { MEMBERS = 2000 };
        struct import_graph graph, again, other;
        struct buf error;
        size_t most = 0, below_average = 0;

        buf_init(&error, 4096);
        assert_int_equal(import_graph_generate(MEMBERS, 7, &graph, &error), SN_OK);
        assert_int_equal(import_graph_generate(MEMBERS, 7, &again, &error), SN_OK);
        assert_int_equal(import_graph_generate(MEMBERS, 8, &other, &error), SN_OK);
        assert_int_equal(graph.n_members, MEMBERS);
        assert_int_equal(graph.repeated, 0);
        assert_int_equal(graph.n_ties, again.n_ties);
        assert_memory_equal(graph.ties, again.ties, graph.n_ties * sizeof(*graph.ties));
        assert_true(other.n_ties != graph.n_ties ||
                    memcmp(other.ties, graph.ties, graph.n_ties * sizeof(*graph.ties)) != 0);
        for (size_t i = 0; i < MEMBERS; i++) {
                most = degree(&graph, i) > most ? degree(&graph, i) : most;
                below_average += degree(&graph, i) * MEMBERS < graph.n_ties * 2;
        }
        assert_true(most > 5 * graph.n_ties * 2 / MEMBERS);
        assert_true(below_average > MEMBERS * 6 / 10);
        import_graph_free(&graph);
        import_graph_free(&again);
        import_graph_free(&other);
        assert_int_not_equal(import_graph_generate(1, 7, &graph, &error), SN_OK);
        assert_int_equal(import_graph_generate(2, 7, &graph, &error), SN_OK);
        import_graph_free(&graph);
        buf_free(&error);
}

static sn_status texts_of(const char *bytes, size_t len, struct import_texts *texts, struct buf *error)
{
        *texts = (struct import_texts){0};
        buf_init(error, 4096);
        TRY(import_texts_read(texts, file_of(bytes, len), error));
        import_texts_finish(texts);
        return SN_OK;
}

static void texts_are_split_at_lines_with_a_percent_sign(void **state)
{
        static const char bytes[] = "%\none\n  two %\n%\n\n\n%\r\n100 %\n%%\n%\none\n  two %\n%\nlast";
        struct import_texts texts;
        struct buf error;

        assert_int_equal(texts_of(bytes, sizeof(bytes) - 1, &texts, &error), SN_OK);
        assert_int_equal(texts.n, 3);
        assert_string_equal(texts.items[0].text, "one\n  two %");
        assert_string_equal(texts.items[1].text, "100 %\n%%");
        assert_string_equal(texts.items[2].text, "last");
        assert_string_equal(texts.items[0].tag, "sayings");
        import_texts_free(&texts);
        buf_free(&error);
}

static void terminal_control_characters_are_removed(void **state)
{
        static const char bytes[] = "_\bb_\bo_\bl\bld\x1b[1;31mred\x1b[0m \a\xc3\xa9\b!\r\n\b\b\b\n%\n\b\x1b[\n%\n\x1b";
        struct import_texts texts;
        struct buf error;

        assert_int_equal(texts_of(bytes, sizeof(bytes) - 1, &texts, &error), SN_OK);
        assert_int_equal(texts.n, 2);
        assert_string_equal(texts.items[0].text, "boldred");
        assert_string_equal(texts.items[1].text, "[");
        import_texts_free(&texts);
        buf_free(&error);
}

static void texts_that_are_too_long_are_skipped_and_named(void **state)
{
        struct buf bytes, error;
        struct import_texts texts;

        buf_init(&bytes, 65536);
        buf_append_c(&bytes, "short\n%\n");
        for (int i = 0; i < IMPORT_TEXT_MAX; i++) {
                buf_append_c(&bytes, "\xc3\xa9");
        }
        buf_append_c(&bytes, "\n%\n");
        for (int i = 0; i < IMPORT_TEXT_MAX + 1; i++) {
                buf_append_c(&bytes, "e");
        }
        assert_int_equal(texts_of(bytes.data, bytes.len, &texts, &error), SN_OK);
        assert_int_equal(texts.n, 2);
        assert_int_equal(texts.items[1].length, IMPORT_TEXT_MAX);
        assert_int_equal(texts.too_long, 1);
        assert_non_null(strstr(texts.first_too_long, ":5"));
        import_texts_free(&texts);
        buf_free(&error);
        buf_free(&bytes);
}

static void a_file_that_is_not_text_is_rejected_with_the_line(void **state)
{
        static const struct {
                const char *bytes;
                size_t len;
                const char *line;
        } cases[] = {{"ok\n%\nna\xefve\n", 11, ":3: not valid UTF-8"},
                     {"a\n\0b\n", 5, ":2: contains a NUL byte"},
                     {"\xed\xa0\x80", 3, ":1: not valid UTF-8"}};

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct import_texts texts;
                struct buf error;
                assert_int_not_equal(texts_of(cases[i].bytes, cases[i].len, &texts, &error), SN_OK);
                assert_non_null(strstr(error.data, cases[i].line));
                import_texts_free(&texts);
                buf_free(&error);
        }
}

static void write_in(const char *folder, const char *name, const char *text)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        fclose(file);
}

static void make_folder_in(const char *folder, const char *name)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(mkdir(path, 0700), 0);
}

static void link_in(const char *folder, const char *name, const char *target)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(symlink(target, path), 0);
}

/* As installed by Debian's packages, and other files. */
static void a_folder_yields_its_texts_and_other_files_are_counted(void **state)
{
        static const char *const expected[] = {"one", "two", "three", "four"};
        struct import_texts texts = {0};
        struct buf error;
        char folder[] = "/tmp/sonet-texts.XXXXXX", command[64];

        buf_init(&error, 4096);
        assert_non_null(mkdtemp(folder));
        write_in(folder, "a", "one\n%\ntwo\n");
        write_in(folder, "a.dat", "\x01index");
        link_in(folder, "a.u8", "a");
        write_in(folder, "b", "caf\xe9\n");
        make_folder_in(folder, "de");
        write_in(folder, "de/c", "three\n");
        write_in(folder, "de/d", "four\n");
        link_in(folder, "de/up", "..");
        link_in(folder, "de/nowhere", "absent");
        make_folder_in(folder, "off");
        write_in(folder, "off/e", "five\n");
        assert_int_equal(import_texts_gather(&texts, folder, &error), SN_OK);
        assert_int_equal(texts.n, 4);
        for (size_t i = 0; i < texts.n; i++) {
                assert_string_equal(texts.items[i].text, expected[i]);
        }
        assert_int_equal(texts.left_out, 1);
        assert_non_null(strstr(texts.first_left_out, "/b"));
        import_texts_free(&texts);
        buf_free(&error);
        snprintf(command, sizeof(command), "rm -r %s", folder);
        assert_int_equal(system(command), 0);
}

/* 3 members, 6 texts. */
struct fixture {
        struct import_graph graph;
        struct import_texts texts;
        struct import_plan plan;
        struct buf error, text;
};

static void fixture_make(struct fixture *f, size_t notes, uint64_t seed)
{
        static const char six[] = "a\n%\nb\n%\nc\n%\nd\n%\ne\n%\nf\n";

        assert_int_equal(graph_of("0 1\n1 2\n", &f->graph, &f->error), SN_OK);
        buf_free(&f->error);
        assert_int_equal(texts_of(six, strlen(six), &f->texts, &f->error), SN_OK);
        assert_int_equal(f->texts.n, 6);
        import_plan_make(&f->plan, &f->graph, &f->texts, notes, seed);
        buf_init(&f->text, 4096);
}

static void fixture_free(struct fixture *f)
{
        import_plan_free(&f->plan);
        import_texts_free(&f->texts);
        import_graph_free(&f->graph);
        buf_free(&f->error);
        buf_free(&f->text);
}

static void every_text_is_used_before_one_is_repeated(void **state)
{
        struct fixture f;
        bool seen[6] = {0};
        int tagged = 0;

        fixture_make(&f, 2, 1);
        for (size_t i = 0; i < 6; i++) {
                import_plan_text(&f.plan, i % 3, i / 3, &f.text);
                assert_false(seen[f.text.data[0] - 'a']);
                seen[f.text.data[0] - 'a'] = true;
                tagged += strstr(f.text.data, "\n\n#sayings") != NULL;
        }
        assert_int_equal(tagged, 1);
        fixture_free(&f);
}

static void more_notes_do_not_change_the_first_ones(void **state)
{
        struct fixture few, many;
        char key[2][IMPORT_KEY_SIZE];

        fixture_make(&few, 2, 1);
        fixture_make(&many, 4, 1);
        for (size_t i = 0; i < 6; i++) {
                import_plan_text(&few.plan, i % 3, i / 3, &few.text);
                import_plan_text(&many.plan, i % 3, i / 3, &many.text);
                assert_string_equal(few.text.data, many.text.data);
                import_plan_key(&few.plan, i % 3, i / 3, few.text.data, key[0]);
                import_plan_key(&many.plan, i % 3, i / 3, many.text.data, key[1]);
                assert_string_equal(key[0], key[1]);
        }
        import_plan_key(&few.plan, 0, 0, "other text", key[0]);
        import_plan_key(&few.plan, 0, 0, few.text.data, key[1]);
        assert_string_not_equal(key[0], key[1]);
        fixture_free(&few);
        fixture_free(&many);
}

static void numbers_are_grouped_by_three(void **state)
{
        char text[32];

        assert_string_equal(import_number(0, text), "0");
        assert_string_equal(import_number(999, text), "999");
        assert_string_equal(import_number(1000, text), "1,000");
        assert_string_equal(import_number(1234567, text), "1,234,567");
}

static void a_server_is_named_by_a_plain_http_url(void **state)
{
        static const char *const bad[] = {"",
                                          "127.0.0.1:8080",
                                          "https://127.0.0.1",
                                          "http://",
                                          "http://example.org",
                                          "http://127.0.0.1:0",
                                          "http://127.0.0.1:65536",
                                          "http://127.0.0.1:x",
                                          "http://127.0.0.1:",
                                          "http://[::1",
                                          "http://[::1]x",
                                          "http://127.0.0.1:80/v1",
                                          "http://[]:80"};
        struct http_target target;

        assert_true(http_target_parse(&target, "http://127.0.0.1:8080"));
        assert_int_equal(target.port, 8080);
        assert_true(http_target_parse(&target, "HTTP://localhost/"));
        assert_int_equal(target.port, 80);
        assert_true(http_target_parse(&target, "http://[::1]:81/"));
        assert_int_equal(target.port, 81);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_false(http_target_parse(&target, bad[i]));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(edges_are_read_once_in_either_direction),
            cmocka_unit_test(an_invalid_line_is_named),
            cmocka_unit_test(a_generated_network_has_few_members_with_many_edges),
            cmocka_unit_test(texts_are_split_at_lines_with_a_percent_sign),
            cmocka_unit_test(terminal_control_characters_are_removed),
            cmocka_unit_test(texts_that_are_too_long_are_skipped_and_named),
            cmocka_unit_test(a_file_that_is_not_text_is_rejected_with_the_line),
            cmocka_unit_test(a_folder_yields_its_texts_and_other_files_are_counted),
            cmocka_unit_test(every_text_is_used_before_one_is_repeated),
            cmocka_unit_test(more_notes_do_not_change_the_first_ones),
            cmocka_unit_test(numbers_are_grouped_by_three),
            cmocka_unit_test(a_server_is_named_by_a_plain_http_url),
        };

        return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, remove_file);
}
