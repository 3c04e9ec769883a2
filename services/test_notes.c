/* Notes, reactions and comments through the public methods; once with plain calls, once with every call encoded and
 * decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/metrics.h"
#include "services/test_people.h"

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

/* The packed note as its author reads it. */
static size_t read_packed(const char *id, uint8_t *out, size_t room)
{
        const Note__Note *note = ASK(anna, NOTE(GET_NOTE), .id = id);
        size_t len = protobuf_c_message_get_packed_size(&note->base);

        assert_true(len <= room);
        return protobuf_c_message_pack(&note->base, out);
}

/* A new note is cached as it was written, and read from the database once it has changed. */
static void a_new_note_reads_as_it_is_stored(void **state)
{
        static const char *const texts[] = {"plain", "#Straße, #cats and #Cats, #żółw", "@nobody_knows_him"};

        for (size_t i = 0; i < 9; i++) {
                const char *id = people_post(anna, texts[i / 3], (int[]){PUBLIC, FOLLOWERS, ONLY_ME}[i % 3]);
                uint8_t cached[2000], stored[2000];
                size_t n = read_packed(id, cached, sizeof(cached));

                (void)ASK(anna, NOTE(BOOKMARK_NOTE), .id = id);
                (void)ASK(anna, NOTE(UNBOOKMARK_NOTE), .id = id);
                assert_int_equal(read_packed(id, stored, sizeof(stored)), n);
                assert_memory_equal(cached, stored, n);
        }
}

static void a_blank_note_is_rejected(void **state)
{
        assert_int_equal(STATUS(anna, NOTE(CREATE_NOTE), .text = " \n\t "), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS(anna, NOTE(CREATE_NOTE), .text = ""), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS("", NOTE(CREATE_NOTE), .text = "nobody"), SN_UNAUTHENTICATED);
}

static void reactions_count_once_and_can_be_undone(void **state)
{
        const char *id = people_post(anna, "like me", PUBLIC);

        for (int twice = 0; twice < 2; twice++) {
                (void)ASK(bert, NOTE(LIKE_NOTE), .id = id);
                (void)ASK(cleo, NOTE(LIKE_NOTE), .id = id);
                (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = id);
                (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        }
        Note__Note *note = ASK(bert, NOTE(GET_NOTE), .id = id);
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

/* The cache lookups of a request for a note that is not found; the second time there must be no misses.
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

static void hidden_notes_cost_the_same_as_missing_ones(void **state)
{
        const char *hidden = people_post(anna, "for me", ONLY_ME), *passed_on = people_post(anna, "pass me on", PUBLIC),
                   *renote;
        int64_t expected[N_CACHES], found[N_CACHES];

        (void)ASK(cleo, NOTE(RENOTE_NOTE), .id = passed_on);
        renote = ((Timeline__Page *)ASK(cleo, TIMELINE(GET_USER_TIMELINE), .id = cleo))->items[0]->id;
        (void)ASK(anna, FOLLOW(BLOCK_USER), .id = bert);
        test_network_settle();
        count_lookups(bert, "01890000-0000-7000-8000-000000000000", expected);
        assert_int_equal(expected[0], 2); /* the note, and its possible original */
        count_lookups(bert, hidden, found);
        assert_memory_equal(found, expected, sizeof(found));
        count_lookups(bert, renote, found); /* hidden by its original */
        assert_memory_equal(found, expected, sizeof(found));
        (void)ASK(cleo, FOLLOW(BLOCK_USER), .id = bert);
        count_lookups(bert, renote, found);
        assert_memory_equal(found, expected, sizeof(found));
}

static void comments_form_a_list_and_a_thread(void **state)
{
        const char *root = people_post(anna, "root", PUBLIC), *last = "";
        Note__Note *first = ASK(bert, NOTE(CREATE_COMMENT), .id = root, .text = "first");
        Note__Note *below = ASK(anna, NOTE(CREATE_COMMENT), .id = first->id, .text = "below");

        (void)ASK(cleo, NOTE(CREATE_COMMENT), .id = root, .text = "second");
        (void)ASK(bert, NOTE(CREATE_COMMENT), .id = root, .text = "third");
        Note__Note *note = ASK("", NOTE(GET_NOTE), .id = root);
        assert_int_equal(note->counts->comments, 3);
        Note__NoteList *list = ASK("", NOTE(LIST_COMMENTS), .id = root, .limit = 2);
        assert_string_equal(people_texts(list->items, list->n_items), "first second");
        last = list->next_cursor;
        list = ASK("", NOTE(LIST_COMMENTS), .id = root, .limit = 2, .cursor = last);
        assert_string_equal(people_texts(list->items, list->n_items), "third");
        assert_string_equal(list->next_cursor, "");
        assert_int_equal(STATUS("", NOTE(LIST_COMMENTS), .id = first->id, .cursor = last),
                         SN_INVALID_ARGUMENT); /* of another list */

        Note__Thread *thread = ASK("", NOTE(GET_THREAD), .id = root);
        assert_string_equal(people_texts(thread->items, thread->n_items), "first below second third");
        thread = ASK("", NOTE(GET_THREAD), .id = below->id);
        assert_string_equal(people_texts(thread->ancestors, thread->n_ancestors), "root first");
        assert_string_equal(thread->note->text, "below");
        (void)ASK(bert, NOTE(DELETE_NOTE), .id = first->id);
        thread = ASK("", NOTE(GET_THREAD), .id = root);
        assert_string_equal(people_texts(thread->items, thread->n_items), "below second third");
        assert_int_equal(thread->note->counts->comments, 2);
}

static void a_comment_has_the_audience_of_the_note_above(void **state)
{
        const char *id = people_post(anna, "for followers", FOLLOWERS);

        people_follow(bert, anna);
        assert_int_equal(STATUS(cleo, NOTE(CREATE_COMMENT), .id = id, .text = "let me in"), SN_NOT_FOUND);
        Note__Note *comment = ASK(bert, NOTE(CREATE_COMMENT), .id = id, .text = "hi");
        people_follow(cleo, bert);
        assert_int_equal(STATUS(cleo, NOTE(GET_NOTE), .id = comment->id), SN_NOT_FOUND);
        people_follow(cleo, anna);
        (void)ASK(cleo, NOTE(GET_NOTE), .id = comment->id);
}

static void only_public_notes_can_be_renoted(void **state)
{
        const char *followers = people_post(anna, "f", FOLLOWERS), *own = people_post(anna, "me", ONLY_ME);

        people_follow(bert, anna);
        assert_int_equal(STATUS(bert, NOTE(RENOTE_NOTE), .id = followers), SN_PERMISSION_DENIED);
        assert_int_equal(STATUS(anna, NOTE(RENOTE_NOTE), .id = own), SN_PERMISSION_DENIED);
        assert_int_equal(STATUS(bert, NOTE(RENOTE_NOTE), .id = own), SN_NOT_FOUND);
}

static void bookmarks_are_listed_in_the_order_of_bookmarking(void **state)
{
        const char *ids[3] = {people_post(anna, "a", PUBLIC), people_post(anna, "b", PUBLIC),
                              people_post(anna, "c", PUBLIC)};

        (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = ids[1]);
        (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = ids[0]);
        (void)ASK(bert, NOTE(BOOKMARK_NOTE), .id = ids[2]);
        Note__NoteList *list = ASK(bert, NOTE(LIST_BOOKMARKS), .limit = 2);
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

/* Another request has made the same change, and memory does not know yet: SQL stands for it. */
static void a_repeated_change_is_in_force_when_it_is_answered(void **state)
{
        const char *id = people_post(anna, "deleted twice", PUBLIC);
        const char *secret = people_post(anna, "for followers", FOLLOWERS);
        char sql[300];

        assert_string_equal(people_wall("", anna), "deleted twice");
        (void)snprintf(sql, sizeof(sql), "update notes set deleted_at = now() where id = '%s'", id);
        (void)test_admin("note_service", sql);
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = id);
        assert_string_equal(people_wall("", anna), "");
        assert_int_equal(STATUS("", NOTE(GET_NOTE), .id = id), SN_NOT_FOUND);

        people_follow(bert, anna);
        (void)ASK(bert, NOTE(GET_NOTE), .id = secret);
        (void)snprintf(sql, sizeof(sql), "delete from user_relationships where follower_id = '%s'", bert);
        (void)test_admin("follow_service", sql);
        (void)ASK(bert, FOLLOW(UNFOLLOW_USER), .id = anna);
        assert_int_equal(STATUS(bert, NOTE(GET_NOTE), .id = secret), SN_NOT_FOUND);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            PEOPLE_TEST(a_note_is_written_edited_and_deleted),
            PEOPLE_TEST(a_new_note_reads_as_it_is_stored),
            PEOPLE_TEST(a_blank_note_is_rejected),
            PEOPLE_TEST(reactions_count_once_and_can_be_undone),
            PEOPLE_TEST(hidden_notes_cost_the_same_as_missing_ones),
            PEOPLE_TEST(comments_form_a_list_and_a_thread),
            PEOPLE_TEST(a_comment_has_the_audience_of_the_note_above),
            PEOPLE_TEST(only_public_notes_can_be_renoted),
            PEOPLE_TEST(bookmarks_are_listed_in_the_order_of_bookmarking),
            PEOPLE_TEST(a_repeated_change_is_in_force_when_it_is_answered),
        };
        int failed = cmocka_run_group_tests_name("notes", tests, test_start_plain, test_stop);

        return failed + cmocka_run_group_tests_name("notes, encoded", tests, test_start_encoded, test_stop);
}
