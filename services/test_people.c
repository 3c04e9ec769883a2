/* Owns three members, created for each test. */
#include "services/test_people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

const char *anna, *bert, *cleo;

int test_people(void **state)
{
        static const char **const people[] = {&anna, &bert, &cleo};
        static const char *const names[] = {"Anna", "bert", "cleo"};
        static int run;

        run++;
        for (int i = 0; i < 3; i++) {
                char name[40];

                (void)snprintf(name, sizeof(name), "%s_%d", names[i], run);
                *people[i] = test_member(name);
        }
        test_release();
        return 0;
}

int test_people_end(void **state)
{
        test_release();
        return 0;
}

const char *people_post(const char *author, const char *text, int visibility)
{
        Note__Note *note = ASK(author, NOTE(CREATE_NOTE), .text = text, .visibility = visibility);

        return note->id;
}

const char *people_texts(Note__Note *const *items, size_t n)
{
        static __thread char text[4096];
        size_t at = 0;

        text[0] = '\0';
        for (size_t i = 0; i < n; i++) {
                const char *format = items[i]->renote_of != NULL ? "%s[%s]" : "%s%s";
                const char *what = items[i]->renote_of != NULL ? items[i]->renote_of->text : items[i]->text;

                at += (size_t)snprintf(text + at, sizeof(text) - at, format, i > 0 ? " " : "", what);
        }
        return text;
}

const char *people_home(const char *who)
{
        Timeline__Page *page = ASK(who, TIMELINE(GET_HOME), .limit = 100);

        assert_string_equal(page->next_cursor, "");
        return people_texts(page->items, page->n_items);
}

const char *people_wall(const char *reader, const char *of)
{
        Timeline__Page *page = ASK(reader, TIMELINE(GET_USER_TIMELINE), .id = of, .limit = 100);

        return people_texts(page->items, page->n_items);
}

void people_follow(const char *who, const char *whom)
{
        Follow__Relationship *r = ASK(who, FOLLOW(FOLLOW_USER), .id = whom);

        assert_true(r->following);
}
