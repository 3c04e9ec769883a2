/* Sentences of every type in every language, for one, two and more actors. */
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

static char *said_in(struct arena *arena, const char *tag, const Notification__Notification *n)
{
        return headline_of(arena, templates_choose(NULL, n->type, CHANNEL_EMAIL, tag).source, n);
}

static void every_type_has_a_sentence_in_every_language(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        static const char *const tags[] = {"en", "de", "de-AT", "tlh"};

        for (int type = 0; type < TYPE_COUNT && !type_is_own((enum notification_type)type); type++) {
                for (int64_t n = 1; n <= 4; n++) {
                        Notification__Notification it = told(type_name((enum notification_type)type), n);

                        for (size_t i = 0; i < 4; i++) {
                                const char *said = said_in(arena, tags[i], &it);

                                assert_int_equal(strncmp(said, "Ada", 3), 0);
                                assert_true((strstr(said, "Bob") != NULL) == (n > 1));
                                assert_null(strpbrk(said, "{}"));
                                assert_true((strchr(said, '2') != NULL) == (n == 4));
                        }
                        assert_string_not_equal(said_in(arena, "en", &it), said_in(arena, "de", &it));
                        assert_string_equal(said_in(arena, "de-AT", &it), said_in(arena, "de", &it));
                }
        }
}

static void account_types_have_sentences_in_every_language(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        int n = 0;

        for (int type = 0; type < TYPE_COUNT; type++) {
                Notification__Notification it = told(type_name((enum notification_type)type), 1);

                if (type_is_own((enum notification_type)type)) {
                        assert_true(strlen(said_in(arena, "en", &it)) > 10);
                        assert_string_not_equal(said_in(arena, "en", &it), said_in(arena, "de", &it));
                        assert_null(strstr(said_in(arena, "de", &it), "Ada"));
                        n++;
                }
        }
        assert_true(n > 5);
}

/* A hidden actor is counted but not named. */
static void a_single_visible_actor_is_named_alone(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        Notification__Notification it = told("like", 1);

        it.actors_count = 2;
        assert_string_equal(said_in(arena, "en", &it), "Ada likes your note");
}

static void only_public_texts_are_quoted(void **state)
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

static NotificationRows__Template *saved_row(struct arena *arena, const char *language, const char *source)
{
        NotificationRows__Template *row = ARENA_NEW(arena, NotificationRows__Template);

        notification_rows__template__init(row);
        row->type = "like";
        row->language = (char *)language;
        row->version = 7;
        row->source = (char *)source;
        return row;
}

static void saved_templates_apply_in_their_language_until_reverted(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        NotificationRows__Template *rows[] = {saved_row(arena, "fr", "{1} aime"), saved_row(arena, "de", "")};
        struct templates saved = {rows, 2};
        static const struct {
                const char *tag, *label;
        } cases[] = {{"fr-CA", "like/push/fr@7"}, {"FR", "like/push/fr@7"}, {"f", "like/push/en@0"},
                     {"de-AT", "like/push/de@0"}, {"en", "like/push/en@0"}, {"", "like/push/en@0"}};

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct template_text text = templates_choose(&saved, "like", CHANNEL_PUSH, cases[i].tag);

                assert_string_equal(template_label(arena, &text), cases[i].label);
        }
        rows[0] = saved_row(arena, "en", "{1}");
        assert_int_equal(templates_choose(&saved, "like", CHANNEL_PUSH, "fr").version, 7);
        assert_int_equal(templates_choose(&saved, "renote", CHANNEL_PUSH, "en").version, 0);
        assert_true(template_exists("new_device", CHANNEL_PUSH) && !template_exists("new_device", CHANNEL_EMAIL));
        assert_true(template_exists("digest", CHANNEL_EMAIL) && !template_exists("digest", CHANNEL_PUSH));
        assert_true(template_exists("like", CHANNEL_SMS) && !template_exists("new_device", CHANNEL_SMS));
        assert_false(template_exists("sneeze", CHANNEL_PUSH) || template_exists("digest", CHANNEL_SMS));
}

static void templates_use_only_existing_variables(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        static const struct {
                const char *type, *source;
                bool good;
        } cases[] = {
            {"like", "Somebody likes it", true},
            {"like", "{1}", true},
            {"like", "{2}", false},
            {"like", "{1}\n{1} {2}\n{1} {2} {n}", true},
            {"like", "{1}\n{1} {n}\n{1}", false},
            {"like", "{1}\n{1} {2}", false},
            {"like", "{1}\n{1}\n{1}\n{1}", false},
            {"like", "{1}\n\n{1}", false},
            {"like", "{1} likes {", false},
            {"digest", "Subject: {count}\n\n* {items}\n\n-> End: {unsubscribe}", true},
            {"digest", "Subject: {count}\n\n* {items}", false},
            {"digest", "Subject: {counts}\n\n-> End: {unsubscribe}", false},
            {"digest", "{count}\n\n-> End: {unsubscribe}", false},
            {"notification", "Subject: {headline}\n\n-> End {unsubscribe}", false},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                CLEANUP(buf_free) struct buf error;

                buf_init(&error, 1000);
                assert_int_equal(template_check(arena, cases[i].type, cases[i].source, &error), cases[i].good);
                assert_true(cases[i].good == (error.len == 0));
        }
}

/* The built-in templates pass the validation of saved ones. */
static void built_in_templates_pass_validation(void **state)
{
        static const char *const languages[] = {"en", "de"}, *const mails[] = {TEMPLATE_SINGLE, TEMPLATE_DIGEST};
        CLEANUP(arena_free_p) struct arena *arena = arena_new(8 << 20);
        CLEANUP(buf_free) struct buf error;

        buf_init(&error, 1000);
        for (int i = 0; i < 2; i++) {
                for (int type = 0; type < TYPE_COUNT; type++) {
                        const char *name = type_name((enum notification_type)type);

                        assert_true(template_check(arena, name, words_source(name, languages[i]), &error));
                }
                for (int k = 0; k < 2; k++) {
                        assert_true(template_check(arena, mails[k], mails_source(mails[k], languages[i]), &error));
                }
        }
        assert_null(words_source("like", "fr"));
        assert_null(mails_source(TEMPLATE_DIGEST, "fr"));
}

static int setup(void **state)
{
        CLEANUP(buf_free) struct buf error;
        struct settings settings;

        buf_init(&error, 1000);
        return settings_load(&settings, &error) == SN_OK && mail_setup(&settings, &error) == SN_OK ? 0 : -1;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_type_has_a_sentence_in_every_language),
            cmocka_unit_test(account_types_have_sentences_in_every_language),
            cmocka_unit_test(a_single_visible_actor_is_named_alone),
            cmocka_unit_test(only_public_texts_are_quoted),
            cmocka_unit_test(mails_say_the_same_in_every_language),
            cmocka_unit_test(saved_templates_apply_in_their_language_until_reverted),
            cmocka_unit_test(templates_use_only_existing_variables),
            cmocka_unit_test(built_in_templates_pass_validation),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
