/* The four services together, through their public methods, in one process: once with plain calls, once with every
 * call encoded and decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/metrics.h"
#include "services/test_support.h"

#define PUBLIC    NOTE__VISIBILITY__VISIBILITY_PUBLIC
#define FOLLOWERS NOTE__VISIBILITY__VISIBILITY_FOLLOWERS
#define ONLY_ME   NOTE__VISIBILITY__VISIBILITY_ONLY_ME

#define NOTE(m)     note_methods[NOTE_##m]
#define USER(m)     user_methods[USER_##m]
#define FOLLOW(m)   follow_methods[FOLLOW_##m]
#define TIMELINE(m) timeline_methods[TIMELINE_##m]

static const char *anna, *bert, *cleo;

/* Each test has members of its own. */
static int setup(void **state)
{
        static int run;
        char name[40];

        run++;
        (void)snprintf(name, sizeof(name), "Anna_%d", run);
        anna = test_member(name);
        (void)snprintf(name, sizeof(name), "bert_%d", run);
        bert = test_member(name);
        (void)snprintf(name, sizeof(name), "cleo_%d", run);
        cleo = test_member(name);
        return 0;
}

static int teardown(void **state)
{
        test_release();
        return 0;
}

static const char *post(const char *author, const char *text, int visibility)
{
        Note__Note *note = ASK(author, NOTE(CREATE_NOTE), .text = text, .visibility = visibility);

        return note->id;
}

/* The texts of a member's home timeline, joined by spaces; "[…]" around what is passed on. */
static const char *texts_of(Note__Note *const *items, size_t n)
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

static const char *home(const char *who)
{
        Timeline__Page *page = ASK(who, TIMELINE(GET_HOME), .limit = 100);

        assert_string_equal(page->next_cursor, "");
        return texts_of(page->items, page->n_items);
}

static const char *wall(const char *reader, const char *of)
{
        Timeline__Page *page = ASK(reader, TIMELINE(GET_USER_TIMELINE), .id = of, .limit = 100);

        return texts_of(page->items, page->n_items);
}

static void follow(const char *who, const char *whom)
{
        Follow__Relationship *r = ASK(who, FOLLOW(FOLLOW_USER), .id = whom);

        assert_true(r->following);
}

/* ---- Members ---- */

static void one_logs_in_refreshes_and_out_again(void **state)
{
        User__LogInRequest in = USER__LOG_IN_REQUEST__INIT;
        User__RefreshRequest refresh = USER__REFRESH_REQUEST__INIT;
        User__User *me = ASK(anna, USER(GET_ME));
        User__Login *first = NULL, *second = NULL;

        in.login = me->username;
        in.password = (char *)"wrong horse";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, NULL), SN_UNAUTHENTICATED);
        assert_string_equal(test_problem_code(), "credentials_wrong");
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(LOG_IN), &in.base, (void **)&first), SN_OK);
        assert_string_equal(first->user->id, anna);
        refresh.refresh_token = first->refresh_token;
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, (void **)&second), SN_OK);
        assert_string_equal(second->session_id, first->session_id);
        assert_string_not_equal(second->refresh_token, first->refresh_token);
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, NULL),
                         SN_UNAUTHENTICATED); /* an old one: the session ends */
        assert_string_equal(test_problem_code(), "refresh_token_reused");
        refresh.refresh_token = second->refresh_token;
        assert_int_equal(test_send("", &USER(REFRESH), &refresh.base, NULL), SN_UNAUTHENTICATED);
        assert_string_equal(test_problem_code(), "session_ended");
}

static void sessions_are_ones_own(void **state)
{
        User__SessionList *sessions = ASK(anna, USER(LIST_SESSIONS));
        const char *id;

        assert_int_equal(sessions->n_items, 1);
        id = sessions->items[0]->id;
        assert_int_equal(STATUS(bert, USER(END_SESSION), .id = id), SN_NOT_FOUND);
        assert_int_equal(STATUS(anna, USER(END_SESSION), .id = id), SN_OK);
        assert_int_equal(STATUS(anna, USER(END_SESSION), .id = id), SN_NOT_FOUND);
        sessions = ASK(anna, USER(LIST_SESSIONS));
        assert_int_equal(sessions->n_items, 0);
}

static void a_name_is_taken_once_in_any_spelling(void **state)
{
        User__RegisterRequest in = USER__REGISTER_REQUEST__INIT;
        User__User *me = ASK(anna, USER(GET_ME));

        in.username = strdup(me->username);
        in.username[0] = 'a';
        in.email = (char *)"somebody@example.org";
        in.password = (char *)"correct horse battery";
        assert_int_equal(test_send("", &USER(REGISTER), &in.base, NULL), SN_ALREADY_EXISTS);
        assert_string_equal(test_problem_code(), "username_taken");
        free(in.username);
        in.username = (char *)"somebody_else";
        in.email = me->email;
        assert_int_equal(test_send("", &USER(REGISTER), &in.base, NULL), SN_ALREADY_EXISTS);
        assert_string_equal(test_problem_code(), "email_taken");
}

static void a_changed_name_is_seen_on_old_notes_at_once(void **state)
{
        User__UpdateMeRequest in = USER__UPDATE_ME_REQUEST__INIT;
        const char *id = post(anna, "hello", PUBLIC);
        Note__Note *note = ASK(bert, NOTE(GET_NOTE), .id = id);
        User__User *me = NULL, *seen;

        assert_string_not_equal(note->author->display_name, "Dr. Anna");
        in.display_name_presence_case = USER__UPDATE_ME_REQUEST__DISPLAY_NAME_PRESENCE_DISPLAY_NAME;
        in.display_name = (char *)"Dr. Anna";
        assert_int_equal(test_send(anna, &USER(UPDATE_ME), &in.base, (void **)&me), SN_OK);
        note = ASK(bert, NOTE(GET_NOTE), .id = id);
        assert_string_equal(note->author->display_name, "Dr. Anna");
        seen = ASK(bert, USER(GET_USER), .id = me->username);
        assert_string_equal(seen->display_name, "Dr. Anna");
        assert_string_equal(seen->email, ""); /* only in one's own profile */
}

static void members_are_counted_by_events(void **state)
{
        User__User *user;
        const char *id = post(anna, "one", PUBLIC);

        (void)post(anna, "two", FOLLOWERS);
        (void)ASK(bert, NOTE(CREATE_COMMENT), .id = id, .text = "counts for nobody");
        follow(bert, anna);
        follow(cleo, anna);
        follow(cleo, anna);
        (void)ASK(cleo, FOLLOW(UNFOLLOW_USER), .id = anna);
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = id);
        test_network_settle();
        user = ASK("", USER(GET_USER), .id = anna);
        assert_int_equal(user->counts->notes, 1);
        assert_int_equal(user->counts->followers, 1);
        assert_int_equal(user->counts->following, 0);
        user = ASK("", USER(GET_USER), .id = bert);
        assert_int_equal(user->counts->notes, 0);
        assert_int_equal(user->counts->following, 1);
}

/* ---- Notes ---- */

static void a_note_is_written_edited_and_deleted(void **state)
{
        User__User *b = ASK(bert, USER(GET_ME));
        char text[200];
        Note__Note *note, *read;

        (void)snprintf(text, sizeof(text), "#Cats and @%s, @nobody_knows_him #cats", b->username);
        note = ASK(anna, NOTE(CREATE_NOTE), .text = text);
        read = ASK("", NOTE(GET_NOTE), .id = note->id);
        assert_string_equal(read->text, text);
        assert_int_equal(read->visibility, PUBLIC);
        assert_int_equal(read->n_hashtags, 1);
        assert_string_equal(read->hashtags[0], "Cats");
        assert_int_equal(read->n_mentions, 1);
        assert_string_equal(read->mentions[0]->id, bert);
        assert_null(read->edited_at);
        assert_int_equal(note->created_at->seconds, read->created_at->seconds);
        assert_int_equal(note->created_at->nanos, read->created_at->nanos);

        assert_int_equal(STATUS(bert, NOTE(EDIT_NOTE), .id = note->id, .text = "mine"), SN_PERMISSION_DENIED);
        read = ASK(anna, NOTE(EDIT_NOTE), .id = note->id, .text = "#dogs");
        assert_non_null(read->edited_at);
        assert_int_equal(read->n_mentions, 0);
        read = ASK(bert, NOTE(GET_NOTE), .id = note->id);
        assert_string_equal(read->text, "#dogs");
        assert_string_equal(read->hashtags[0], "dogs");

        assert_int_equal(STATUS(bert, NOTE(DELETE_NOTE), .id = note->id), SN_PERMISSION_DENIED);
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = note->id);
        assert_int_equal(STATUS(anna, NOTE(GET_NOTE), .id = note->id), SN_NOT_FOUND);
        assert_int_equal(STATUS(anna, NOTE(DELETE_NOTE), .id = note->id), SN_NOT_FOUND);
        assert_int_equal(STATUS(anna, NOTE(EDIT_NOTE), .id = note->id, .text = "x"), SN_NOT_FOUND);
}

static void a_blank_note_is_refused(void **state)
{
        assert_int_equal(STATUS(anna, NOTE(CREATE_NOTE), .text = " \n\t "), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS(anna, NOTE(CREATE_NOTE), .text = ""), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS("", NOTE(CREATE_NOTE), .text = "nobody"), SN_UNAUTHENTICATED);
}

static void reactions_count_once_and_can_be_taken_back(void **state)
{
        const char *id = post(anna, "like me", PUBLIC);
        Note__Note *note;

        for (int twice = 0; twice < 2; twice++) {
                (void)ASK(bert, NOTE(LIKE_NOTE), .id = id);
                (void)ASK(cleo, NOTE(LIKE_NOTE), .id = id);
                (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = id);
                (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        }
        note = ASK(bert, NOTE(GET_NOTE), .id = id);
        assert_int_equal(note->counts->likes, 2);
        assert_int_equal(note->counts->bookmarks, 1);
        assert_int_equal(note->counts->renotes, 1);
        assert_true(note->viewer->liked && note->viewer->bookmarked && note->viewer->renoted);
        note = ASK(anna, NOTE(GET_NOTE), .id = id);
        assert_false(note->viewer->liked || note->viewer->bookmarked || note->viewer->renoted);
        for (int twice = 0; twice < 2; twice++) {
                (void)ASK(bert, NOTE(UNLIKE_NOTE), .id = id);
                (void)ASK(bert, NOTE(UNBOOKMARK_NOTE), .id = id);
                note = ASK(bert, NOTE(UNRENOTE_NOTE), .id = id);
        }
        assert_int_equal(note->counts->likes, 1);
        assert_int_equal(note->counts->bookmarks + note->counts->renotes, 0);
        assert_false(note->viewer->liked || note->viewer->bookmarked || note->viewer->renoted);
}

static const char *const caches[] = {"cache=\"notes\"", "cache=\"authors\"", "cache=\"relations\"", "cache=\"marks\""};
enum { N_CACHES = sizeof(caches) / sizeof(caches[0]) };

/* What a request for a note that is not found looks up in each cache; what they lack must be nothing the second time.
 */
static void count_lookups(const char *reader, const char *id, int64_t lookups[N_CACHES])
{
        for (int twice = 0; twice < 2; twice++) {
                int64_t misses[N_CACHES];

                for (int i = 0; i < N_CACHES; i++) {
                        misses[i] = metric_value(metric_counter("sonet_cache_misses_total", "", caches[i]));
                        lookups[i] = metric_value(metric_counter("sonet_cache_hits_total", "", caches[i])) + misses[i];
                }
                assert_int_equal(STATUS(reader, NOTE(GET_NOTE), .id = id), SN_NOT_FOUND);
                for (int i = 0; i < N_CACHES; i++) {
                        int64_t now = metric_value(metric_counter("sonet_cache_misses_total", "", caches[i]));

                        lookups[i] =
                            metric_value(metric_counter("sonet_cache_hits_total", "", caches[i])) + now - lookups[i];
                        assert_true(twice == 0 || now == misses[i]);
                }
        }
}

static void what_one_may_not_see_costs_what_nothing_costs(void **state)
{
        const char *hidden = post(anna, "for me", ONLY_ME), *passed_on = post(anna, "pass me on", PUBLIC), *renote;
        int64_t expected[N_CACHES], found[N_CACHES];

        (void)ASK(cleo, NOTE(RENOTE_NOTE), .id = passed_on);
        renote = ((Timeline__Page *)ASK(cleo, TIMELINE(GET_USER_TIMELINE), .id = cleo))->items[0]->id;
        (void)ASK(anna, FOLLOW(BLOCK_USER), .id = bert);
        test_network_settle();
        count_lookups(bert, "01890000-0000-7000-8000-000000000000", expected);
        assert_int_equal(expected[0], 4);
        count_lookups(bert, hidden, found);
        assert_memory_equal(found, expected, sizeof(found));
        count_lookups(bert, renote, found); /* hidden by what it passes on */
        assert_memory_equal(found, expected, sizeof(found));
        (void)ASK(cleo, FOLLOW(BLOCK_USER), .id = bert);
        count_lookups(bert, renote, found);
        assert_memory_equal(found, expected, sizeof(found));
}

static void comments_are_a_list_and_a_thread(void **state)
{
        const char *root = post(anna, "root", PUBLIC), *last = "";
        Note__Note *first = ASK(bert, NOTE(CREATE_COMMENT), .id = root, .text = "first");
        Note__Note *below = ASK(anna, NOTE(CREATE_COMMENT), .id = first->id, .text = "below");
        Note__NoteList *list;
        Note__Thread *thread;
        Note__Note *note;

        (void)ASK(cleo, NOTE(CREATE_COMMENT), .id = root, .text = "second");
        (void)ASK(bert, NOTE(CREATE_COMMENT), .id = root, .text = "third");
        note = ASK("", NOTE(GET_NOTE), .id = root);
        assert_int_equal(note->counts->comments, 3);
        list = ASK("", NOTE(LIST_COMMENTS), .id = root, .limit = 2);
        assert_string_equal(texts_of(list->items, list->n_items), "first second");
        last = list->next_cursor;
        list = ASK("", NOTE(LIST_COMMENTS), .id = root, .limit = 2, .cursor = last);
        assert_string_equal(texts_of(list->items, list->n_items), "third");
        assert_string_equal(list->next_cursor, "");
        assert_int_equal(STATUS("", NOTE(LIST_COMMENTS), .id = first->id, .cursor = last),
                         SN_INVALID_ARGUMENT); /* another list's */

        thread = ASK("", NOTE(GET_THREAD), .id = root);
        assert_string_equal(texts_of(thread->items, thread->n_items), "first below second third");
        thread = ASK("", NOTE(GET_THREAD), .id = below->id);
        assert_string_equal(texts_of(thread->ancestors, thread->n_ancestors), "root first");
        assert_string_equal(thread->note->text, "below");
        (void)ASK(bert, NOTE(DELETE_NOTE), .id = first->id);
        thread = ASK("", NOTE(GET_THREAD), .id = root);
        assert_string_equal(texts_of(thread->items, thread->n_items), "below second third");
        assert_int_equal(thread->note->counts->comments, 2);
}

static void a_comment_has_the_audience_of_the_note_above(void **state)
{
        const char *id = post(anna, "for followers", FOLLOWERS);
        Note__Note *comment;

        follow(bert, anna);
        assert_int_equal(STATUS(cleo, NOTE(CREATE_COMMENT), .id = id, .text = "let me in"), SN_NOT_FOUND);
        comment = ASK(bert, NOTE(CREATE_COMMENT), .id = id, .text = "hi");
        follow(cleo, bert);
        assert_int_equal(STATUS(cleo, NOTE(GET_NOTE), .id = comment->id), SN_NOT_FOUND);
        follow(cleo, anna);
        (void)ASK(cleo, NOTE(GET_NOTE), .id = comment->id);
}

static void only_public_notes_are_passed_on(void **state)
{
        const char *followers = post(anna, "f", FOLLOWERS), *own = post(anna, "me", ONLY_ME);

        follow(bert, anna);
        assert_int_equal(STATUS(bert, NOTE(RENOTE_NOTE), .id = followers), SN_PERMISSION_DENIED);
        assert_int_equal(STATUS(anna, NOTE(RENOTE_NOTE), .id = own), SN_PERMISSION_DENIED);
        assert_int_equal(STATUS(bert, NOTE(RENOTE_NOTE), .id = own), SN_NOT_FOUND);
}

static void bookmarks_are_listed_by_when_they_were_made(void **state)
{
        const char *ids[3] = {post(anna, "a", PUBLIC), post(anna, "b", PUBLIC), post(anna, "c", PUBLIC)};
        Note__NoteList *list;

        (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = ids[1]);
        (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = ids[0]);
        (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = ids[2]);
        list = ASK(bert, NOTE(LIST_BOOKMARKS), .limit = 2);
        assert_int_equal(list->n_items, 2);
        list = ASK(bert, NOTE(LIST_BOOKMARKS), .limit = 2, .cursor = list->next_cursor);
        assert_int_equal(list->n_items, 1);
        assert_string_equal(list->next_cursor, "");
        list = ASK(anna, NOTE(LIST_BOOKMARKS));
        assert_int_equal(list->n_items, 0);
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = ids[0]);
        list = ASK(bert, NOTE(LIST_BOOKMARKS));
        assert_int_equal(list->n_items, 2);
}

/* ---- Relations and timelines ---- */

static void following_brings_notes_home_and_unfollowing_takes_them_away(void **state)
{
        (void)post(anna, "before", PUBLIC);
        assert_string_equal(home(bert), "");
        follow(bert, anna);
        assert_string_equal(home(bert), "before");
        (void)post(anna, "after", FOLLOWERS);
        (void)post(anna, "secret", ONLY_ME);
        (void)post(bert, "own", ONLY_ME);
        test_network_settle();
        assert_string_equal(home(bert), "own after before");
        assert_string_equal(home(anna), "secret after before");
        (void)ASK(bert, FOLLOW(UNFOLLOW_USER), .id = anna);
        assert_string_equal(home(bert), "own");
        (void)post(anna, "meanwhile", PUBLIC);
        test_network_settle();
        follow(bert, anna);
        assert_string_equal(home(bert), "meanwhile own after before");
}

static void ones_own_changes_are_seen_at_once(void **state)
{
        const char *id;

        assert_string_equal(home(anna), "");
        id = post(anna, "one", PUBLIC);
        assert_string_equal(home(anna), "one");
        (void)post(anna, "two", ONLY_ME);
        assert_string_equal(home(anna), "two one");
        (void)ASK(anna, NOTE(RENOTE_NOTE), .id = id);
        assert_string_equal(home(anna), "[one] two");
        (void)ASK(anna, NOTE(EDIT_NOTE), .id = id, .text = "uno");
        assert_string_equal(home(anna), "[uno] two");
        (void)ASK(anna, NOTE(UNRENOTE_NOTE), .id = id);
        assert_string_equal(home(anna), "two uno");
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = id);
        assert_string_equal(home(anna), "two");
}

static void a_delete_is_in_force_on_the_very_next_request(void **state)
{
        const char *id = post(anna, "gone soon", PUBLIC);

        follow(bert, anna);
        follow(cleo, bert);
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(home(bert), "[gone soon]");
        assert_string_equal(home(cleo), "[gone soon]");
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = id);
        assert_string_equal(home(bert), "");
        assert_string_equal(home(cleo), "");
        assert_string_equal(wall(cleo, bert), "");
}

static void renotes_come_home_with_what_they_pass_on(void **state)
{
        const char *id = post(anna, "news", PUBLIC);

        follow(cleo, bert);
        assert_string_equal(home(cleo), "");
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(home(cleo), "[news]");
        (void)ASK(bert, NOTE(UNRENOTE_NOTE), .id = id);
        assert_string_equal(home(cleo), "");
}

static void mutes_keep_notes_off_the_home_timeline_only(void **state)
{
        const char *id = post(anna, "loud", PUBLIC);

        follow(cleo, anna);
        follow(cleo, bert);
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(home(cleo), "[loud]");
        (void)ASK(cleo, FOLLOW(MUTE_USER), .id = anna);
        assert_string_equal(home(cleo), "");
        assert_string_equal(wall(cleo, anna), "loud");
        (void)ASK(cleo, NOTE(GET_NOTE), .id = id);
        (void)ASK(cleo, FOLLOW(UNMUTE_USER), .id = anna);
        assert_string_equal(home(cleo), "[loud]");
}

static void a_block_hides_both_from_each_other_at_once(void **state)
{
        const char *of_anna = post(anna, "anna", PUBLIC), *of_bert = post(bert, "bert", PUBLIC);
        Follow__Relationship *r;

        follow(anna, bert);
        follow(bert, anna);
        test_network_settle();
        assert_string_equal(home(bert), "bert anna");
        r = ASK(anna, FOLLOW(BLOCK_USER), .id = bert);
        assert_true(r->blocking && !r->following && !r->followed_by);
        assert_string_equal(home(bert), "bert");
        assert_string_equal(home(anna), "anna");
        assert_string_equal(wall(bert, anna), "");
        assert_int_equal(STATUS(bert, NOTE(GET_NOTE), .id = of_anna), SN_NOT_FOUND);
        assert_int_equal(STATUS(anna, NOTE(GET_NOTE), .id = of_bert), SN_NOT_FOUND);
        assert_int_equal(STATUS(bert, NOTE(CREATE_COMMENT), .id = of_anna, .text = "x"), SN_NOT_FOUND);
        assert_int_equal(STATUS(bert, FOLLOW(FOLLOW_USER), .id = anna), SN_PERMISSION_DENIED);
        assert_string_equal(test_problem_code(), "blocked");
        (void)ASK(anna, FOLLOW(UNBLOCK_USER), .id = bert);
        assert_string_equal(home(bert), "bert"); /* the follows do not come back */
        (void)ASK(bert, NOTE(GET_NOTE), .id = of_anna);
}

static void somebody_blocked_does_not_come_in_by_renotes(void **state)
{
        const char *id = post(anna, "anna", PUBLIC);

        follow(cleo, bert);
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(home(cleo), "[anna]");
        (void)ASK(anna, FOLLOW(BLOCK_USER), .id = cleo);
        assert_string_equal(home(cleo), "");
}

static void relations_are_seen_from_both_sides(void **state)
{
        Follow__ListRelationshipsRequest in = FOLLOW__LIST_RELATIONSHIPS_REQUEST__INIT;
        char *ids[] = {(char *)anna, (char *)bert, (char *)anna};
        Follow__RelationshipList *list = NULL;
        Follow__AuthorList *followers;

        follow(anna, cleo);
        follow(cleo, bert);
        (void)ASK(cleo, FOLLOW(MUTE_USER), .id = bert);
        in.user_ids = ids;
        in.n_user_ids = 3;
        assert_int_equal(test_send(cleo, &FOLLOW(LIST_RELATIONSHIPS), &in.base, (void **)&list), SN_OK);
        assert_int_equal(list->n_items, 3);
        assert_true(list->items[0]->followed_by && !list->items[0]->following && !list->items[0]->muting);
        assert_true(list->items[1]->following && list->items[1]->muting && !list->items[1]->followed_by);
        assert_string_equal(list->items[2]->user_id, anna);
        follow(bert, cleo);
        followers = ASK("", FOLLOW(LIST_FOLLOWERS), .id = cleo, .limit = 1);
        assert_string_equal(followers->items[0]->id, bert);
        followers = ASK("", FOLLOW(LIST_FOLLOWERS), .id = cleo, .limit = 1, .cursor = followers->next_cursor);
        assert_string_equal(followers->items[0]->id, anna);
        assert_string_equal(followers->next_cursor, "");
        assert_int_equal(STATUS(anna, FOLLOW(FOLLOW_USER), .id = anna), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS(anna, FOLLOW(FOLLOW_USER), .id = "018f0000-0000-7000-8000-00000000dead"), SN_NOT_FOUND);
}

static void a_hashtag_gathers_public_notes_in_any_spelling(void **state)
{
        static int run;
        char tag[40], text[100];
        Timeline__Page *page;

        (void)snprintf(tag, sizeof(tag),
                       "Stra\xc3\x9f"
                       "e%d",
                       ++run);
        (void)snprintf(text, sizeof(text), "#%s", tag);
        (void)post(anna, text, PUBLIC);
        (void)post(bert, text, FOLLOWERS);
        (void)snprintf(text, sizeof(text), "#STRASSE%d", run);
        (void)post(cleo, text, PUBLIC);
        page = ASK("", TIMELINE(GET_HASHTAG_TIMELINE), .text = tag, .limit = 1);
        assert_int_equal(page->n_items, 1);
        assert_string_equal(page->items[0]->author->id, cleo);
        page = ASK("", TIMELINE(GET_HASHTAG_TIMELINE), .text = tag, .limit = 1, .cursor = page->next_cursor);
        assert_string_equal(page->items[0]->author->id, anna);
        assert_string_equal(page->next_cursor, "");
}

/* Twice and a half of what one portion may touch, in every table that is cleaned up. */
static void cleanup_goes_on_until_nothing_is_due(void **state)
{
        char sql[600];

        (void)test_admin("note_service",
                         "insert into idempotency_keys (actor_id, method, key, body_hash, answer, created_at)"
                         " select gen_random_uuid(), 'm', 'k', '', '', now() - interval '25 hours'"
                         " from generate_series(1, 25000)");
        (void)test_admin("note_service",
                         "insert into outbox (position, event_id, type, aggregate_id, occurred_at) select -n,"
                         " gen_random_uuid(), 't', gen_random_uuid(), now() - interval '8 days'"
                         " from generate_series(1, 25000) n");
        assert_int_equal(test_network_run_job("note", "cleanup_old_data"), 3);
        assert_string_equal(test_admin("note_service", "select count(*) from idempotency_keys where method = 'm'"),
                            "0");
        assert_string_equal(test_admin("note_service", "select count(*) from outbox where type = 't'"), "0");

        (void)snprintf(sql, sizeof(sql),
                       "insert into user_sessions (id, user_id, refresh_salt, user_agent, last_used_at)"
                       " select gen_random_uuid(), '%s', '', 'idle', now() - interval '61 days'"
                       " from generate_series(1, 25000)",
                       anna);
        (void)test_admin("user_service", sql);
        (void)snprintf(sql, sizeof(sql),
                       "insert into user_sessions (id, user_id, refresh_salt, user_agent, ended_at)"
                       " select gen_random_uuid(), '%s', '', 'ended', now() - interval '31 days'"
                       " from generate_series(1, 25000)",
                       anna);
        (void)test_admin("user_service", sql);
        (void)snprintf(sql, sizeof(sql),
                       "insert into user_login_history (id, user_id, succeeded, address, user_agent, created_at)"
                       " select gen_random_uuid(), '%s', true, '', 'old', now() - interval '91 days'"
                       " from generate_series(1, 25000)",
                       anna);
        (void)test_admin("user_service", sql);
        assert_int_equal(test_network_run_job("user", "cleanup_old_user_data"), 3);
        assert_string_equal(
            test_admin("user_service", "select count(*) from user_login_history where user_agent = 'old'"), "0");
        assert_string_equal(test_admin("user_service", "select count(*) from user_sessions where user_agent = 'ended'"),
                            "0");
        assert_string_equal(test_admin("user_service", "select count(*) from user_sessions"
                                                       " where user_agent = 'idle' and ended_at is null"),
                            "0");
}

static void cursors_are_ones_own(void **state)
{
        Timeline__Page *page;

        (void)post(anna, "a", PUBLIC);
        (void)post(anna, "b", PUBLIC);
        page = ASK(anna, TIMELINE(GET_HOME), .limit = 1);
        assert_string_not_equal(page->next_cursor, "");
        assert_int_equal(STATUS(bert, TIMELINE(GET_HOME), .cursor = page->next_cursor), SN_INVALID_ARGUMENT);
        assert_string_equal(test_problem_code(), "cursor_invalid");
        assert_int_equal(STATUS(anna, NOTE(LIST_BOOKMARKS), .cursor = page->next_cursor), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS(anna, TIMELINE(GET_HOME), .cursor = "AAAA"), SN_INVALID_ARGUMENT);
}

static int start_plain(void **state)
{
        test_network_start(getenv("SONET_TEST_REDIS_URL"), false);
        return 0;
}

static int start_encoded(void **state)
{
        test_network_start(getenv("SONET_TEST_REDIS_URL"), true);
        return 0;
}

static int stop(void **state)
{
        test_network_stop();
        return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(one_logs_in_refreshes_and_out_again),
            TEST(sessions_are_ones_own),
            TEST(a_name_is_taken_once_in_any_spelling),
            TEST(a_changed_name_is_seen_on_old_notes_at_once),
            TEST(members_are_counted_by_events),
            TEST(a_note_is_written_edited_and_deleted),
            TEST(a_blank_note_is_refused),
            TEST(reactions_count_once_and_can_be_taken_back),
            TEST(what_one_may_not_see_costs_what_nothing_costs),
            TEST(comments_are_a_list_and_a_thread),
            TEST(a_comment_has_the_audience_of_the_note_above),
            TEST(only_public_notes_are_passed_on),
            TEST(bookmarks_are_listed_by_when_they_were_made),
            TEST(following_brings_notes_home_and_unfollowing_takes_them_away),
            TEST(ones_own_changes_are_seen_at_once),
            TEST(a_delete_is_in_force_on_the_very_next_request),
            TEST(renotes_come_home_with_what_they_pass_on),
            TEST(mutes_keep_notes_off_the_home_timeline_only),
            TEST(a_block_hides_both_from_each_other_at_once),
            TEST(somebody_blocked_does_not_come_in_by_renotes),
            TEST(relations_are_seen_from_both_sides),
            TEST(a_hashtag_gathers_public_notes_in_any_spelling),
            TEST(cursors_are_ones_own),
            TEST(cleanup_goes_on_until_nothing_is_due),
        };
        int failed = cmocka_run_group_tests_name("network", tests, start_plain, stop);

        return failed + cmocka_run_group_tests_name("network, encoded", tests, start_encoded, stop);
}
