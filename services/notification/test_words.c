/* What is said of notifications: of every type, in every language, of one, two and more who did it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/status.h"
#include "services/notification/mails.h"
#include "services/notification/words.h"

static User__Author people[3];
static User__Author *actors[3] = {&people[0], &people[1], &people[2]};

static Notification__Notification told(const char *type, int64_t n)
{
        static const char *const names[] = {"Ada", "Bob", "Cem"};
        Notification__Notification out = NOTIFICATION__NOTIFICATION__INIT;

        for (size_t i = 0; i < 3; i++) {
                user__author__init(&people[i]);
                people[i].display_name = (char *)names[i];
        }
        out.type = (char *)type;
        out.actors = actors;
        out.n_actors = n < 3 ? (size_t)n : 3;
        out.actors_count = n;
        return out;
}

static void every_type_is_said_in_every_language(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        static const char *const tags[] = {"en", "de", "de-AT", "tlh"};

        for (int type = 0; type < TYPE_COUNT && !type_is_security((enum notification_type)type); type++) {
                for (int64_t n = 1; n <= 4; n++) {
                        Notification__Notification it = told(type_name((enum notification_type)type), n);

                        for (size_t i = 0; i < 4; i++) {
                                const char *said = headline_of(arena, tags[i], &it);

                                assert_int_equal(strncmp(said, "Ada", 3), 0);
                                assert_true((strstr(said, "Bob") != NULL) == (n > 1));
                                assert_null(strpbrk(said, "{}"));
                                assert_true((strchr(said, '2') != NULL) == (n == 4));
                        }
                        assert_string_not_equal(headline_of(arena, "en", &it), headline_of(arena, "de", &it));
                        assert_string_equal(headline_of(arena, "de-AT", &it), headline_of(arena, "de", &it));
                }
        }
}

static void security_is_said_in_every_language(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        int n = 0;

        for (int type = 0; type < TYPE_COUNT; type++) {
                Notification__Notification it = told(type_name((enum notification_type)type), 1);

                if (type_is_security((enum notification_type)type)) {
                        assert_true(strlen(headline_of(arena, "en", &it)) > 10);
                        assert_string_not_equal(headline_of(arena, "en", &it), headline_of(arena, "de", &it));
                        assert_null(strstr(headline_of(arena, "de", &it), "Ada"));
                        n++;
                }
        }
        assert_true(n > 5);
}

/* One of two who is hidden counts, and has no name here. */
static void who_alone_is_seen_is_named_alone(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        Notification__Notification it = told("like", 1);

        it.actors_count = 2;
        assert_string_equal(headline_of(arena, "en", &it), "Ada likes your note");
}

static void only_what_is_for_everybody_is_quoted(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        Note__Note note = NOTE__NOTE__INIT;
        Notification__Notification it = told("comment", 1);
        struct rules rules = {.show_content = true};

        assert_null(words_beginning(arena, &rules, &it, 10));
        it.note = &note;
        note.text = "Grüße";
        note.visibility = NOTE__VISIBILITY__VISIBILITY_PUBLIC;
        assert_string_equal(words_beginning(arena, &rules, &it, 10), "Grüße");
        assert_string_equal(words_beginning(arena, &rules, &it, 3), "Gr"); /* whole characters */
        note.visibility = NOTE__VISIBILITY__VISIBILITY_FOLLOWERS;
        assert_null(words_beginning(arena, &rules, &it, 10));
        note.visibility = NOTE__VISIBILITY__VISIBILITY_PUBLIC;
        rules.show_content = false;
        assert_null(words_beginning(arena, &rules, &it, 10));
}

static void mails_say_the_same_in_every_language(void **state)
{
        static const struct mail_template *const mails[] = {&mail_notification, &mail_digest};
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        CLEANUP(buf_free) struct buf error;
        const struct mail_value values[] = {
            mail_text("name", "ada"),
            mail_text("network", "The Network"),
            mail_text("headline", "It is so"),
            mail_list("items", "one\ntwo"),
            mail_link("link", "https://a.example/"),
            mail_link("unsubscribe", "https://a.example/u#t"),
            mail_number("count", 17),
        };

        buf_init(&error, 1000);
        for (size_t i = 0; i < 2; i++) {
                for (const struct mail_language *l = mails[i]->languages; l->language != NULL; l++) {
                        struct mail_rendered out;

                        assert_true(mail_render(arena, mails[i], l->language, values, 7, &out, &error));
                        assert_string_equal(out.language, l->language);
                        assert_non_null(strstr(out.subject, "The Network"));
                        assert_non_null(strstr(out.subject, i == 0 ? "It is so" : "17"));
                        assert_non_null(strstr(out.text, "- one\n- two"));
                        assert_non_null(strstr(out.text, "https://a.example/u#t"));
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_type_is_said_in_every_language),
            cmocka_unit_test(security_is_said_in_every_language),
            cmocka_unit_test(who_alone_is_seen_is_named_alone),
            cmocka_unit_test(only_what_is_for_everybody_is_quoted),
            cmocka_unit_test(mails_say_the_same_in_every_language),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
