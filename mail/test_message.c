/* The bytes of mails: headers that cannot be injected, lines within mail's limits, valid addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/status.h"
#include "mail/message.h"

static void a_message_has_a_text_and_an_html_part(void **state)
{
        const struct mail_rendered content = {"de", "Grüße", "Hallo Ada,\n\nGrüße\n", "<p>Grüße</p>\n"};
        const struct mail_message m = {.id = "01890000-0000-7000-8000-000000000001",
                                       .created_ms = INT64_C(1767323045678),
                                       .from = {"The \"Net\"", "no-reply@social.example"},
                                       .to = "ada@example.org",
                                       .content = &content,
                                       .unsubscribe_url = "https://social.example/u?t=1"};
        CLEANUP(buf_free) struct buf out;

        buf_init(&out, 100000);
        mail_message_append(&out, &m);
        assert_string_equal(
            out.data,
            "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\nFrom: \"The \\\"Net\\\"\" <no-reply@social.example>\r\n"
            "To: ada@example.org\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"
            "Message-ID: <01890000-0000-7000-8000-000000000001@social.example>\r\nAuto-Submitted: auto-generated\r\n"
            "List-Unsubscribe: <https://social.example/u?t=1>\r\n"
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\nContent-Language: de\r\n"
            "Content-Type: multipart/alternative; boundary=\"01890000-0000-7000-8000-000000000001\"\r\n\r\n"
            "--01890000-0000-7000-8000-000000000001\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nHallo Ada,\r\n\r\nGr=C3=BC=C3=9Fe\r\n\r\n"
            "--01890000-0000-7000-8000-000000000001\r\nContent-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=C3=BC=C3=9Fe</p>\r\n\r\n"
            "--01890000-0000-7000-8000-000000000001--\r\n");
}

/* Every line of a folded header except the first begins with a space, and none is longer than 78. */
static void assert_header_is_one(const char *text)
{
        CLEANUP(buf_free) struct buf out;

        buf_init(&out, 100000);
        mail_append_header_text(&out, text);
        const char *line = out.data;
        for (const char *at = out.data; at < out.data + out.len; at++) {
                if (*at == '\r' || *at == '\n') {
                        assert_memory_equal(at, "\r\n ", 3);
                        assert_true(at - line <= 78);
                        line = at + 2;
                        at++;
                } else {
                        assert_true(*at >= ' ' && *at <= '~');
                }
        }
}

static void no_text_can_add_a_header(void **state)
{
        char longest[4000];

        memset(longest, 'x', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        assert_header_is_one("plain");
        assert_header_is_one("a\r\nBcc: eve@evil.example");
        assert_header_is_one("a\nb\rc\x7f");
        assert_header_is_one("=?utf-8?B?Qg==?= and more");
        assert_header_is_one(
            "Ein sehr langer Betreff mit Umlauten äöüß, der über mehrere Zeilen geht, bis er endet 👍👍👍");
        assert_header_is_one(longest);
        assert_header_is_one(
            "\xff\xfe\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
            "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80");
}

static void quoted_printable_lines_have_at_most_76_characters(void **state)
{
        CLEANUP(buf_free) struct buf out;
        size_t column = 0;

        buf_init(&out, 100000);
        mail_append_quoted_printable(&out,
                                     "a = b \nüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü end ");
        assert_memory_equal(out.data, "a =3D b=20\r\n=C3=BC", 18);
        assert_memory_equal(out.data + out.len - 3, "=20", 3);
        for (size_t i = 0; i < out.len; i++) {
                column = out.data[i] == '\n' ? 0 : column + (out.data[i] != '\r');
                assert_true(column <= 76);
        }
}

static void addresses_that_could_inject_syntax_are_rejected(void **state)
{
        static const char *const wrong[] = {"",
                                            "ada",
                                            "@b.example",
                                            "a@",
                                            "a@b@c",
                                            "a b@c.example",
                                            "a@c\r\nRCPT TO:<eve@evil.example>",
                                            "a@c>",
                                            "<a@c>",
                                            "\"a\"@c",
                                            "a@b,c@d",
                                            "ä@example.org",
                                            ("a@\xef\xbc\xa0"
                                             "b")};

        assert_true(mail_address_fits("ada+x@mail.example.org"));
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                assert_false(mail_address_fits(wrong[i]));
        }
}

static void a_sender_is_an_address_or_a_name_and_an_address(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(10000);
        struct mail_address a;

        assert_true(mail_address_parse(arena, " no-reply@social.example ", &a));
        assert_string_equal(a.name, "");
        assert_string_equal(a.address, "no-reply@social.example");
        assert_true(mail_address_parse(arena, "Das Netz <no-reply@social.example>", &a));
        assert_string_equal(a.name, "Das Netz");
        assert_true(mail_address_parse(arena, "\"A, B\" <x@y.example>", &a));
        assert_string_equal(a.name, "A, B");
        assert_false(mail_address_parse(arena, "Das Netz", &a));
        assert_false(mail_address_parse(arena, "Das Netz <no-reply>", &a));
        assert_false(mail_address_parse(arena, "", &a));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_message_has_a_text_and_an_html_part),
            cmocka_unit_test(no_text_can_add_a_header),
            cmocka_unit_test(quoted_printable_lines_have_at_most_76_characters),
            cmocka_unit_test(addresses_that_could_inject_syntax_are_rejected),
            cmocka_unit_test(a_sender_is_an_address_or_a_name_and_an_address),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
