/* Compares the predicate with a model that was written from the rules, not from the code, for every combination of
 * reader, author, audience owner and their relationships: no leaks, and nothing visible is hidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/note/visibility.h"

enum person { NOBODY, ANNA, BERT, CLEO, N_PERSONS };

static char *const ids[N_PERSONS] = {
    [NOBODY] = (char *)"",
    [ANNA] = (char *)"018f0000-0000-7000-8000-00000000000a",
    [BERT] = (char *)"018f0000-0000-7000-8000-00000000000b",
    [CLEO] = (char *)"018f0000-0000-7000-8000-00000000000c",
};

/* One relationship of the reader, as bits: everything that follow_service can return. */
enum { FOLLOWING = 1, FOLLOWED_BY = 2, BLOCKING = 4, BLOCKED_BY = 8, MUTING = 16, ALL_RELATIONS = 32 };

struct scene {
        enum person reader, author, owner; /* owner: the member whose followers a non-public note is for */
        int visibility;
        bool stores_owner; /* note_visibility has a row */
        unsigned with_author, with_owner;
        bool removed;  /* by the author of a note above */
        bool narrowed; /* to those who also follow the author, whose account is private */
};

/* The rules, in the order of the documentation. */
static bool model(const struct scene *s)
{
        bool reader_wrote_it = s->reader != NOBODY && s->reader == s->author;
        bool hostile = ((s->with_author | s->with_owner) & (BLOCKING | BLOCKED_BY)) != 0;
        bool may_read_owner = s->reader != NOBODY && (s->reader == s->owner || (s->with_owner & FOLLOWING) != 0);
        bool may_read_author = !s->narrowed || (s->with_author & FOLLOWING) != 0;

        return reader_wrote_it                                           ? true
               : s->removed || hostile                                   ? false
               : s->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC    ? true
               : s->visibility == NOTE__VISIBILITY__VISIBILITY_FOLLOWERS ? may_read_owner && may_read_author
                                                                         : false;
}

static Follow__Relationship relation(enum person with, unsigned bits)
{
        Follow__Relationship r = FOLLOW__RELATIONSHIP__INIT;

        r.user_id = ids[with];
        r.following = bits & FOLLOWING;
        r.followed_by = bits & FOLLOWED_BY;
        r.blocking = bits & BLOCKING;
        r.blocked_by = bits & BLOCKED_BY;
        r.muting = bits & MUTING;
        return r;
}

static bool ask(const struct scene *s)
{
        User__Author author = USER__AUTHOR__INIT;
        Note__Note note = NOTE__NOTE__INIT;
        NoteRows__StoredNote stored = NOTE_ROWS__STORED_NOTE__INIT;
        Follow__Relationship with_author = relation(s->author, s->with_author);
        Follow__Relationship with_owner = relation(s->owner, s->with_owner);

        author.id = ids[s->author];
        note.author = &author;
        note.visibility = (Note__Visibility)s->visibility;
        stored.note = &note;
        stored.removed = s->removed;
        stored.narrowed = s->narrowed;
        stored.audience_owner_id = s->stores_owner ? ids[s->owner] : ids[NOBODY];
        assert_string_equal(note_audience_owner(&stored), ids[s->owner]);
        return note_visible(ids[s->reader], &stored, &with_author, &with_owner);
}

static void check(const struct scene *s)
{
        if (ask(s) != model(s)) {
                fail_msg("reader %d, author %d, owner %d, visibility %d, relations %x and %x: the predicate says %s",
                         s->reader, s->author, s->owner, s->visibility, s->with_author, s->with_owner,
                         model(s) ? "no" : "yes");
        }
}

/* follow_service returns no relationships for anonymous readers, or with oneself; there is one relationship per person.
 */
static bool possible(const struct scene *s)
{
        bool plain_author = s->reader == NOBODY || s->reader == s->author;
        bool plain_owner = s->reader == NOBODY || s->reader == s->owner;

        return (!plain_author || s->with_author == 0) && (!plain_owner || s->with_owner == 0) &&
               (s->author != s->owner || s->with_author == s->with_owner) && (s->stores_owner || s->owner == s->author);
}

static size_t check_relations(struct scene s)
{
        size_t n = 0;

        for (s.with_author = 0; s.with_author < ALL_RELATIONS; s.with_author++) {
                for (s.with_owner = 0; s.with_owner < ALL_RELATIONS; s.with_owner++) {
                        if (possible(&s)) {
                                check(&s);
                                n++;
                        }
                }
        }
        return n;
}

/* 4 is a visibility of a newer release: seen by its author only. */
static void the_predicate_agrees_with_the_rules_everywhere(void **state)
{
        size_t n = 0;

        for (int reader = NOBODY; reader < N_PERSONS; reader++) {
                for (int owner = ANNA; owner <= BERT; owner++) {
                        for (int visibility = 1; visibility <= 4; visibility++) {
                                for (int stores = 0; stores < 2; stores++) {
                                        struct scene s = {(enum person)reader,
                                                          ANNA,
                                                          (enum person)owner,
                                                          visibility,
                                                          stores,
                                                          0,
                                                          0,
                                                          false,
                                                          false};

                                        n += check_relations(s);
                                        s.narrowed = true;
                                        n += check_relations(s);
                                        s.removed = true;
                                        n += check_relations(s);
                                }
                        }
                }
        }
        assert_true(n > 8000);
}

static struct scene note_of_anna(enum person reader, int visibility, unsigned relations)
{
        return (struct scene){reader, ANNA, ANNA, visibility, true, relations, relations, false, false};
}

/* Written out, so that errors in the model itself would be noticed. */
static void simple_cases_are_decided_as_expected(void **state)
{
        const int public = NOTE__VISIBILITY__VISIBILITY_PUBLIC, followers = NOTE__VISIBILITY__VISIBILITY_FOLLOWERS,
                  only_me = NOTE__VISIBILITY__VISIBILITY_ONLY_ME;
        const struct {
                struct scene scene;
                bool visible;
        } cases[] = {
            {note_of_anna(NOBODY, public, 0), true},
            {note_of_anna(NOBODY, followers, 0), false},
            {note_of_anna(NOBODY, only_me, 0), false},
            {note_of_anna(ANNA, only_me, 0), true},
            {note_of_anna(CLEO, public, 0), true},
            {note_of_anna(CLEO, public, MUTING), true},
            {note_of_anna(CLEO, public, BLOCKING), false},
            {note_of_anna(CLEO, public, BLOCKED_BY), false},
            {note_of_anna(CLEO, followers, 0), false},
            {note_of_anna(CLEO, followers, FOLLOWED_BY), false},
            {note_of_anna(CLEO, followers, FOLLOWING), true},
            {note_of_anna(CLEO, followers, FOLLOWING | BLOCKED_BY), false},
            {note_of_anna(CLEO, only_me, FOLLOWING | FOLLOWED_BY), false},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                if (ask(&cases[i].scene) != cases[i].visible) {
                        fail_msg("case %zu", i);
                }
        }
}

/* Anna commented on a note that Bert wrote for his followers. */
static void a_comment_is_visible_to_viewers_of_its_note(void **state)
{
        struct scene s = {CLEO, ANNA, BERT, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, true, 0, FOLLOWING, false, false};

        assert_true(ask(&s)); /* a follower of Bert, but not of Anna */
        s.with_author = FOLLOWING;
        s.with_owner = 0;
        assert_false(ask(&s)); /* a follower of Anna only */
        s = (struct scene){BERT, ANNA, BERT, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, true, 0, 0, false, false};
        assert_true(ask(&s)); /* Bert himself */
        s.with_author = BLOCKING;
        assert_false(ask(&s));
}

/* The same, and Anna's account is private. */
static void a_comment_by_a_private_account_is_visible_to_followers_of_both(void **state)
{
        struct scene s = {CLEO, ANNA, BERT, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, true, 0, FOLLOWING, false, true};

        assert_false(ask(&s));
        s.with_author = FOLLOWING;
        assert_true(ask(&s));
        s.with_owner = 0;
        assert_false(ask(&s));
        s = (struct scene){BERT, ANNA, BERT, NOTE__VISIBILITY__VISIBILITY_FOLLOWERS, true, 0, 0, false, true};
        assert_false(ask(&s)); /* Bert himself, who does not follow Anna */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_predicate_agrees_with_the_rules_everywhere),
            cmocka_unit_test(simple_cases_are_decided_as_expected),
            cmocka_unit_test(a_comment_is_visible_to_viewers_of_its_note),
            cmocka_unit_test(a_comment_by_a_private_account_is_visible_to_followers_of_both),
        };

        return cmocka_run_group_tests_name("note visibility", tests, NULL, NULL);
}
