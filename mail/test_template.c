/* Templates: text and HTML from one source, escaped values, and errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/status.h"
#include "mail/template.h"

static const struct mail_variable variables[] = {{"name", MAIL_TEXT},      {"code", MAIL_CODE}, {"link", MAIL_LINK},
                                                 {"minutes", MAIL_NUMBER}, {"when", MAIL_TIME}, {0}};

static const char ENGLISH[] = "Subject: {code} for {name}\n\nHello {name},\nenter this within {minutes} minutes:\n\n"
                              "# {code}\n\n-> Confirm {name}: {link}\n\nAsked for at {when}.\n";
static const struct mail_language languages[] = {
    {"en", ENGLISH}, {"de", "Subject: Für {name}\n\nHallo {name}: {code} {link} {minutes} {when}\n"}, {0}};
static const struct mail_template template = {"sample", variables, languages};

struct given {
        const char *name, *code, *link;
};

static bool render(struct arena *arena, const struct mail_template *t, const char *language, struct given given,
                   struct mail_rendered *out, struct buf *error)
{
        const struct mail_value values[] = {
            mail_text("name", given.name),
            mail_code("code", given.code),
            mail_link("link", given.link),
            mail_number("minutes", 10),
            mail_time("when", INT64_C(1767323045678)),
        };

        return mail_render(arena, t, language, values, sizeof(values) / sizeof(values[0]), out, error);
}

static const struct given usual = {"ada", "123456", "https://social.example/v?a=1&b=2"};

static void text_and_html_are_rendered_from_one_source(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        struct mail_rendered out;
        struct buf error;

        buf_init(&error, 1000);
        assert_true(render(arena, &template, "en", usual, &out, &error));
        assert_string_equal(out.language, "en");
        assert_string_equal(out.subject, "123456 for ada");
        assert_string_equal(out.text, "Hello ada,\nenter this within 10 minutes:\n\n    123456\n\nConfirm ada:\n"
                                      "https://social.example/v?a=1&b=2\n\nAsked for at 2026-01-02 03:04 UTC.\n\n");
        assert_non_null(strstr(out.html, "<html lang=\"en\">"));
        assert_non_null(strstr(out.html, "<p>Hello ada,<br>\nenter this within 10 minutes:</p>"));
        assert_non_null(strstr(out.html, "href=\"https://social.example/v?a=1&amp;b=2\""));
        assert_non_null(strstr(out.html, ">Confirm ada</a>"));
        buf_free(&error);
}

static void a_list_has_an_item_for_each_line(void **state)
{
        static const struct mail_variable of_list[] = {{"items", MAIL_LIST}, {0}};
        static const struct mail_language in_english[] = {{"en", "Subject: Some\n\n* {items}\n\nThat is all.\n"}, {0}};
        static const struct mail_template list = {"list", of_list, in_english};
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        const struct mail_value value = mail_list("items", "one <b>\ntwo\rSubject: x");
        struct mail_rendered out;
        struct buf error;

        buf_init(&error, 1000);
        assert_true(mail_render(arena, &list, "en", &value, 1, &out, &error));
        assert_non_null(strstr(out.html, "<ul>\n<li>one &lt;b&gt;</li>\n<li>two"));
        assert_int_equal(strncmp(out.text, "- one <b>\n- two", 15), 0);
        assert_null(strchr(out.text, '\r'));
        buf_free(&error);
}

static void a_language_without_a_text_falls_back_to_english(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        struct mail_rendered out;
        struct buf error;

        buf_init(&error, 1000);
        assert_true(render(arena, &template, "de", usual, &out, &error));
        assert_string_equal(out.subject, "Für ada");
        assert_true(render(arena, &template, "de-AT", usual, &out, &error));
        assert_string_equal(out.language, "de");
        assert_true(render(arena, &template, "tlh", usual, &out, &error));
        assert_string_equal(out.language, "en");
        buf_free(&error);
}

static void values_are_escaped_for_their_context(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        struct given hostile = usual;
        struct mail_rendered out;
        struct buf error;

        buf_init(&error, 1000);
        hostile.name = "<script>{code}\"&\r\nBcc: eve@evil.example\xe2\x80\xae";
        assert_true(render(arena, &template, "en", hostile, &out, &error));
        assert_null(strstr(out.html, "<script>"));
        assert_non_null(strstr(out.html, "&lt;script&gt;{code}&quot;&amp;"));
        assert_null(strpbrk(out.subject, "\r\n"));
        assert_null(strstr(out.text, "\nBcc:"));
        assert_null(strstr(out.text, "\xe2\x80\xae")); /* U+202E would reverse the direction of the text that follows */
        buf_free(&error);
}

static void a_value_must_match_its_type(void **state)
{
        static const struct given wrong[] = {
            {"ada", "12 34", "https://a.example"},    {"ada", "", "https://a.example"},
            {"ada", "1", "javascript:alert(1)"},      {"ada", "1", "https://a.example/\" onclick=\""},
            {"ada", "1", "https://a.example/\nBcc:"}, {NULL, "1", "https://a.example"},
        };

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
                struct mail_rendered out;
                struct buf error;

                buf_init(&error, 1000);
                assert_false(render(arena, &template, "en", wrong[i], &out, &error));
                assert_true(error.len > 0);
                buf_free(&error);
        }
}

static void an_invalid_source_is_rejected_with_its_error(void **state)
{
        static const struct {
                const char *source, *says;
        } wrong[] = {
            {"Hello\n\nyou\n", "Subject"},
            {"Subject: a\nb\n\nyou\n", "Subject"},
            {"Subject: a\n\n{nobody}\n", "{nobody} is not one of its variables"},
            {"Subject: a\n\n{name\n", "is not one of its variables"},
            {"Subject: a\n\n-> no link\n", "button"},
        };

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
                const struct mail_language only[] = {{"en", wrong[i].source}, {0}};
                const struct mail_template t = {"sample", variables, only};
                struct mail_rendered out;
                struct buf error;

                buf_init(&error, 1000);
                assert_false(render(arena, &t, "en", usual, &out, &error));
                assert_non_null(strstr(error.data, wrong[i].says));
                buf_free(&error);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(text_and_html_are_rendered_from_one_source),
            cmocka_unit_test(a_list_has_an_item_for_each_line),
            cmocka_unit_test(a_language_without_a_text_falls_back_to_english),
            cmocka_unit_test(values_are_escaped_for_their_context),
            cmocka_unit_test(a_value_must_match_its_type),
            cmocka_unit_test(an_invalid_source_is_rejected_with_its_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
