/* Every mail of user_service, in every language: complete, and with the same structure in all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/status.h"
#include "services/user/mails.h"

/* Values that are recognizable in the mail. */
#define VALUES                                                                                                         \
        (const struct mail_value[])                                                                                    \
        {                                                                                                              \
                mail_text("name", "ada_l"), mail_text("network", "The Network"), mail_code("code", "424242"),          \
                    mail_link("link", "https://social.example/page#token"), mail_number("minutes", 10),                \
                    mail_number("hours", 24), mail_number("days", 7), mail_time("when", INT64_C(1767323045678)),       \
                    mail_text("address", "192.0.2.7"), mail_text("device", "A Browser/7")                              \
        }

static const struct mail_template *const others[] = {
    &mail_verify_email,    &mail_reset_password, &mail_address_in_use, &mail_account_declined,
    &mail_account_created, &mail_export_ready,   &mail_invite};
#define N_OTHERS (sizeof(others) / sizeof(others[0]))

static const struct mail_template *template_at(size_t i)
{
        return i < N_OTHERS ? others[i] : &mail_of_owner_event[i - N_OTHERS];
}

static void assert_written_in(const struct mail_template *template, const char *language)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        CLEANUP(buf_free) struct buf error;
        struct mail_rendered out;

        buf_init(&error, 1000);
        if (!mail_render(arena, template, language, VALUES, 10, &out, &error)) {
                fail_msg("%s.%s: %s", template->name, language, error.data);
        }
        assert_string_equal(out.language, language);
        assert_non_null(strstr(out.subject, "The Network"));
        assert_non_null(strstr(out.text, "ada_l"));
        assert_non_null(strstr(out.html, "ada_l"));
        assert_null(strchr(out.text, '{'));
}

static void every_mail_exists_in_every_language(void **state)
{
        for (size_t i = 0; i < N_OTHERS + OWNER_EVENT_COUNT; i++) {
                assert_written_in(template_at(i), "en");
                assert_written_in(template_at(i), "de");
        }
}

static bool uses(const char *source, const char *variable)
{
        char needle[40] = "{";

        strncat(needle, variable, sizeof(needle) - 3);
        strncat(needle, "}", 2);
        return strstr(source, needle) != NULL;
}

/* A translation without the link or the code would be useless. */
static void all_languages_of_a_mail_have_the_same_structure(void **state)
{
        for (size_t i = 0; i < N_OTHERS + OWNER_EVENT_COUNT; i++) {
                const struct mail_template *t = template_at(i);

                for (const struct mail_language *l = t->languages + 1; l->language != NULL; l++) {
                        for (const struct mail_variable *v = t->variables; v->name != NULL; v++) {
                                if (uses(t->languages->source, v->name) != uses(l->source, v->name)) {
                                        fail_msg("%s.%s differs from English in {%s}", t->name, l->language, v->name);
                                }
                        }
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_mail_exists_in_every_language),
            cmocka_unit_test(all_languages_of_a_mail_have_the_same_structure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
