/* Follows, mutes and blocks, and their effect on timelines; once with plain calls, once with every call encoded and
 * decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/contract.h"
#include "rpc/rpc.h"
#include "services/test_people.h"

static void following_adds_notes_to_home_and_unfollowing_removes_them(void **state)
{
        (void)people_post(anna, "before", PUBLIC);
        assert_string_equal(people_home(bert), "");
        people_follow(bert, anna);
        assert_string_equal(people_home(bert), "before");
        (void)people_post(anna, "after", FOLLOWERS);
        (void)people_post(anna, "secret", ONLY_ME);
        (void)people_post(bert, "own", ONLY_ME);
        test_network_settle();
        assert_string_equal(people_home(bert), "own after before");
        assert_string_equal(people_home(anna), "secret after before");
        (void)ASK(bert, FOLLOW(UNFOLLOW_USER), .id = anna);
        assert_string_equal(people_home(bert), "own");
        (void)people_post(anna, "meanwhile", PUBLIC);
        test_network_settle();
        people_follow(bert, anna);
        assert_string_equal(people_home(bert), "meanwhile own after before");
}

static void your_own_changes_are_visible_at_once(void **state)
{

        assert_string_equal(people_home(anna), "");
        const char *id = people_post(anna, "one", PUBLIC);
        assert_string_equal(people_home(anna), "one");
        (void)people_post(anna, "two", ONLY_ME);
        assert_string_equal(people_home(anna), "two one");
        (void)ASK(anna, NOTE(RENOTE_NOTE), .id = id);
        assert_string_equal(people_home(anna), "[one] two");
        (void)ASK(anna, NOTE(EDIT_NOTE), .id = id, .text = "uno");
        assert_string_equal(people_home(anna), "[uno] two");
        (void)ASK(anna, NOTE(UNRENOTE_NOTE), .id = id);
        assert_string_equal(people_home(anna), "two uno");
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = id);
        assert_string_equal(people_home(anna), "two");
}

static void a_deletion_takes_effect_on_the_very_next_request(void **state)
{
        const char *id = people_post(anna, "gone soon", PUBLIC);

        people_follow(bert, anna);
        people_follow(cleo, bert);
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(people_home(bert), "[gone soon]");
        assert_string_equal(people_home(cleo), "[gone soon]");
        (void)ASK(anna, NOTE(DELETE_NOTE), .id = id);
        assert_string_equal(people_home(bert), "");
        assert_string_equal(people_home(cleo), "");
        assert_string_equal(people_wall(cleo, bert), "");
}

static void renotes_reach_home_with_their_original(void **state)
{
        const char *id = people_post(anna, "news", PUBLIC);

        people_follow(cleo, bert);
        assert_string_equal(people_home(cleo), "");
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(people_home(cleo), "[news]");
        (void)ASK(bert, NOTE(UNRENOTE_NOTE), .id = id);
        assert_string_equal(people_home(cleo), "");
}

static void mutes_keep_notes_off_the_home_timeline_only(void **state)
{
        const char *id = people_post(anna, "loud", PUBLIC);

        people_follow(cleo, anna);
        people_follow(cleo, bert);
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(people_home(cleo), "[loud]");
        (void)ASK(cleo, FOLLOW(MUTE_USER), .id = anna);
        assert_string_equal(people_home(cleo), "");
        assert_string_equal(people_wall(cleo, anna), "loud");
        (void)ASK(cleo, NOTE(GET_NOTE), .id = id);
        (void)ASK(cleo, FOLLOW(UNMUTE_USER), .id = anna);
        assert_string_equal(people_home(cleo), "[loud]");
}

static void a_block_hides_both_from_each_other_at_once(void **state)
{
        const char *of_anna = people_post(anna, "anna", PUBLIC), *of_bert = people_post(bert, "bert", PUBLIC);

        people_follow(anna, bert);
        people_follow(bert, anna);
        test_network_settle();
        assert_string_equal(people_home(bert), "bert anna");
        Follow__Relationship *r = ASK(anna, FOLLOW(BLOCK_USER), .id = bert);
        assert_true(r->blocking && !r->following && !r->followed_by);
        assert_string_equal(people_home(bert), "bert");
        assert_string_equal(people_home(anna), "anna");
        assert_string_equal(people_wall(bert, anna), "");
        assert_int_equal(STATUS(bert, NOTE(GET_NOTE), .id = of_anna), SN_NOT_FOUND);
        assert_int_equal(STATUS(anna, NOTE(GET_NOTE), .id = of_bert), SN_NOT_FOUND);
        assert_int_equal(STATUS(bert, NOTE(CREATE_COMMENT), .id = of_anna, .text = "x"), SN_NOT_FOUND);
        assert_int_equal(STATUS(bert, FOLLOW(FOLLOW_USER), .id = anna), SN_PERMISSION_DENIED);
        assert_string_equal(test_problem_code(), "blocked");
        (void)ASK(anna, FOLLOW(UNBLOCK_USER), .id = bert);
        assert_string_equal(people_home(bert), "bert"); /* the follows are not restored */
        (void)ASK(bert, NOTE(GET_NOTE), .id = of_anna);
}

static const char *name_of(const char *id)
{
        return strcmp(id, anna) == 0 ? "anna" : strcmp(id, bert) == 0 ? "bert" : "cleo";
}

static const char *const callees[] = {"follow", NULL};
static const struct rpc_method none;
static const struct rpc_service caller = {.name = "caller", .calls = callees, .methods = &none};

/* As delivery asks: those of anna and bert, "anna: bert cleo" and so on, separated by "; ". */
static const char *followers_for_delivery(uint32_t total)
{
        static struct service self = {.name = "caller"};
        static struct buf text;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&self, 60000);
        Follow__ListFollowerIdsRequest in = FOLLOW__LIST_FOLLOWER_IDS_REQUEST__INIT;
        Follow__FollowerIds out = FOLLOW__FOLLOWER_IDS__INIT;
        char *ids[] = {(char *)anna, (char *)bert};

        in.user_ids = ids;
        in.n_user_ids = 2;
        in.limit = 100;
        in.total = total;
        assert_int_equal(follow_list_follower_ids(c, &in, &out), SN_OK);
        buf_free(&text);
        buf_init(&text, 1000);
        for (size_t i = 0; i < out.n_items; i++) {
                buf_printf(&text, "%s%s", i > 0 ? "; " : "", name_of(out.items[i]->user_id));
                for (size_t k = 0; k < out.items[i]->n_ids; k++) {
                        buf_printf(&text, " < %s", name_of(out.items[i]->ids[k]));
                }
        }
        return text.len > 0 ? text.data : "";
}

/* They are cached. */
static void a_note_is_delivered_to_those_who_follow_now(void **state)
{
        assert_string_equal(followers_for_delivery(0), "");
        people_follow(cleo, anna);
        assert_string_equal(followers_for_delivery(0), "anna < cleo");
        people_follow(bert, anna);
        people_follow(cleo, bert);
        assert_string_equal(followers_for_delivery(0), "anna < bert < cleo; bert < cleo");
        assert_string_equal(followers_for_delivery(0), "anna < bert < cleo; bert < cleo");
        assert_string_equal(followers_for_delivery(2), "anna < bert < cleo"); /* no more than asked for */
        (void)ASK(cleo, FOLLOW(UNFOLLOW_USER), .id = anna);
        assert_string_equal(followers_for_delivery(0), "anna < bert; bert < cleo");
        (void)ASK(bert, FOLLOW(BLOCK_USER), .id = cleo);
        assert_string_equal(followers_for_delivery(0), "anna < bert");
}

static void renotes_do_not_show_blocked_members(void **state)
{
        const char *id = people_post(anna, "anna", PUBLIC);

        people_follow(cleo, bert);
        (void)ASK(bert, NOTE(RENOTE_NOTE), .id = id);
        test_network_settle();
        assert_string_equal(people_home(cleo), "[anna]");
        (void)ASK(anna, FOLLOW(BLOCK_USER), .id = cleo);
        assert_string_equal(people_home(cleo), "");
}

static void relationships_are_visible_from_both_sides(void **state)
{
        Follow__ListRelationshipsRequest in = FOLLOW__LIST_RELATIONSHIPS_REQUEST__INIT;
        char *ids[] = {(char *)anna, (char *)bert, (char *)anna};
        Follow__RelationshipList *list = NULL;

        people_follow(anna, cleo);
        people_follow(cleo, bert);
        (void)ASK(cleo, FOLLOW(MUTE_USER), .id = bert);
        in.user_ids = ids;
        in.n_user_ids = 3;
        assert_int_equal(test_send(cleo, &FOLLOW(LIST_RELATIONSHIPS), &in.base, (void **)&list), SN_OK);
        assert_int_equal(list->n_items, 3);
        assert_true(list->items[0]->followed_by && !list->items[0]->following && !list->items[0]->muting);
        assert_true(list->items[1]->following && list->items[1]->muting && !list->items[1]->followed_by);
        assert_string_equal(list->items[2]->user_id, anna);
        people_follow(bert, cleo);
        Follow__AuthorList *followers = ASK("", FOLLOW(LIST_FOLLOWERS), .id = cleo, .limit = 1);
        assert_string_equal(followers->items[0]->id, bert);
        followers = ASK("", FOLLOW(LIST_FOLLOWERS), .id = cleo, .limit = 1, .cursor = followers->next_cursor);
        assert_string_equal(followers->items[0]->id, anna);
        assert_string_equal(followers->next_cursor, "");
        assert_int_equal(STATUS(anna, FOLLOW(FOLLOW_USER), .id = anna), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS(anna, FOLLOW(FOLLOW_USER), .id = "018f0000-0000-7000-8000-00000000dead"), SN_NOT_FOUND);
}

static void a_hashtag_timeline_has_public_notes_in_any_spelling(void **state)
{
        static int run;
        char tag[40], text[100];

        (void)snprintf(tag, sizeof(tag),
                       "Stra\xc3\x9f"
                       "e%d",
                       ++run);
        (void)snprintf(text, sizeof(text), "#%s", tag);
        (void)people_post(anna, text, PUBLIC);
        (void)people_post(bert, text, FOLLOWERS);
        (void)snprintf(text, sizeof(text), "#STRASSE%d", run);
        (void)people_post(cleo, text, PUBLIC);
        Timeline__Page *page = ASK("", TIMELINE(GET_HASHTAG_TIMELINE), .text = tag, .limit = 1);
        assert_int_equal(page->n_items, 1);
        assert_string_equal(page->items[0]->author->id, cleo);
        page = ASK("", TIMELINE(GET_HASHTAG_TIMELINE), .text = tag, .limit = 1, .cursor = page->next_cursor);
        assert_string_equal(page->items[0]->author->id, anna);
        assert_string_equal(page->next_cursor, "");
}

static void cursors_are_private(void **state)
{
        (void)people_post(anna, "a", PUBLIC);
        (void)people_post(anna, "b", PUBLIC);
        Timeline__Page *page = ASK(anna, TIMELINE(GET_HOME), .limit = 1);
        assert_string_not_equal(page->next_cursor, "");
        assert_int_equal(STATUS(bert, TIMELINE(GET_HOME), .cursor = page->next_cursor), SN_INVALID_ARGUMENT);
        assert_string_equal(test_problem_code(), "cursor_invalid");
        assert_int_equal(STATUS(anna, NOTE(LIST_BOOKMARKS), .cursor = page->next_cursor), SN_INVALID_ARGUMENT);
        assert_int_equal(STATUS(anna, TIMELINE(GET_HOME), .cursor = "AAAA"), SN_INVALID_ARGUMENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            PEOPLE_TEST(following_adds_notes_to_home_and_unfollowing_removes_them),
            PEOPLE_TEST(your_own_changes_are_visible_at_once),
            PEOPLE_TEST(a_deletion_takes_effect_on_the_very_next_request),
            PEOPLE_TEST(renotes_reach_home_with_their_original),
            PEOPLE_TEST(mutes_keep_notes_off_the_home_timeline_only),
            PEOPLE_TEST(a_block_hides_both_from_each_other_at_once),
            PEOPLE_TEST(a_note_is_delivered_to_those_who_follow_now),
            PEOPLE_TEST(renotes_do_not_show_blocked_members),
            PEOPLE_TEST(relationships_are_visible_from_both_sides),
            PEOPLE_TEST(a_hashtag_timeline_has_public_notes_in_any_spelling),
            PEOPLE_TEST(cursors_are_private),
        };

        contract_register(&caller);
        int failed = cmocka_run_group_tests_name("relations", tests, test_start_plain, test_stop);

        return failed + cmocka_run_group_tests_name("relations, encoded", tests, test_start_encoded, test_stop);
}
