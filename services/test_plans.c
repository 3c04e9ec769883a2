/* The plans of the hot statements, on tables of a few thousand rows: each uses its indexes and none reads a whole
 * table. And the cost of pages of lists that skip a hundred thousand rows. Generic plans, as used by a connection that
 * has run a statement six times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/str.h"
#include "services/test_plan_rows.h"
#include "services/test_plan_support.h"
#include "services/test_support.h"

static int setup(void **state)
{
        test_services_provision();
        for (size_t s = 0; s < sonet_n_services; s++) {
                plan_add_ids(sonet_services[s]->schema->database);
                for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                        if (strcmp(rows[i].database, "*") == 0 ||
                            strcmp(rows[i].database, sonet_services[s]->schema->database) == 0) {
                                plan_fill(sonet_services[s]->schema->database, rows[i].sql);
                        }
                }
        }
        return 0;
}

static void members_are_found_by_index(void **state)
{
        CHECK("user_service", {"SELECT_USER", "users_pkey user_stats_pkey"},
              {"SELECT_OWN_USER", "users_pkey user_stats_pkey"},
              {"SELECT_USER_BY_NAME", "users_username_taken former_usernames_pkey"},
              {"SELECT_MAIL_RECIPIENTS", "users_pkey"}, {"FIND_USERS", "user_names_pkey user_names_of_user users_pkey"},
              {"SELECT_NAME_KEY", "user_names_of_user"},
              {"SET_NAMES", "user_names_of_user users_pkey user_settings_pkey"},
              {"SELECT_SETTINGS", "user_settings_pkey"}, {"DROP_SETTINGS", "user_settings_pkey"},
              {"SELECT_AUTHORS", "users_pkey"}, {"UPSERT_STATS", "users_pkey"},
              {"DROP_PICTURE", "users_by_avatar users_by_header"}, {"SET_AVATAR", "users_pkey"},
              {"SELECT_AUTHORS_BY_NAME", "users_username_taken former_usernames_pkey"},
              {"SELECT_TAKEN", "users_username_taken former_usernames_pkey"}, {"SELECT_PROFILE", "user_profiles_pkey"},
              {"CLEANUP_USERNAMES", "former_usernames_age"}, {"SELECT_EMAIL_OWNER", "users_email"});
}

static void sessions_are_found_by_index(void **state)
{
        CHECK("user_service", {"SELECT_CREDENTIALS", "users_username_taken users_email"},
              {"SELECT_LOGIN_FAILURES", "user_login_history_wrong"}, {"SELECT_REFRESH_STATE", "user_sessions_pkey"},
              {"ROTATE", "user_sessions_pkey"}, {"END_SESSION", "user_sessions_"},
              {"SELECT_SESSIONS", "user_sessions_running"}, {"SELECT_SESSIONS_AFTER", "user_sessions_running"},
              {"SELECT_ENDED", "user_sessions_ended"});
}

static void accounts_and_mails_are_found_by_index(void **state)
{
        CHECK("user_service", {"SELECT_LOGINS", "user_login_history_of_user"},
              {"SELECT_LOGINS_AFTER", "user_login_history_of_user"}, {"SELECT_ACCOUNTS", "users_pkey"},
              {"SELECT_ACCOUNTS_AFTER", "users_pkey"}, {"SELECT_STAFF", "users_staff"},
              {"SELECT_STAFF_AFTER", "users_staff"}, {"SELECT_SUSPENDED", "users_suspended"},
              {"SELECT_SUSPENDED_AFTER", "users_suspended"},
              {"FIND_ACCOUNT", "users_pkey users_username_taken users_email"}, {"SELECT_WAITING", "users_waiting"},
              {"SELECT_WAITING_AFTER", "users_waiting"}, {"USE_INVITE", "invites_token"},
              {"SELECT_IS_SHOWN", "users_pkey"}, {"SELECT_INVITES", "invites_of_inviter"},
              {"SELECT_INVITES_AFTER", "invites_of_inviter"}, {"SELECT_INVITED", "invites_of_inviter"},
              {"CLEANUP_INVITES", "invites_expiry"}, {"CLAIM_MAILS", "mail_queue_due"}, {"NEXT_MAIL", "mail_queue_due"},
              {"COUNT_MAILS", "mail_queue_owner"}, {"COUNT_MAILS_TO", "mail_queue_recipient"},
              {"LIST_FAILED_MAILS", "mail_queue_failed"}, {"LIST_BOUNCES", "mail_queue_bounced"},
              {"SETTLE_BOUNCES", "mail_queue_"}, {"EXPIRE_MAILS", "mail_queue_expiry"},
              {"FORGET_MAILS", "mail_queue_owner"});
}

static void relations_are_found_by_index(void **state)
{
        CHECK("follow_service",
              {"SELECT_RELATIONS", "user_relationships user_blocks_ user_mutes_ follow_requests_pkey"},
              {"SELECT_BLOCKED", "user_blocks_"}, {"SELECT_VERSION", "user_relationships_following"},
              {"SELECT_FOLLOWERS", "user_relationships_newest_followers"},
              {"SELECT_FOLLOWERS_AFTER", "user_relationships_newest_followers"},
              {"SELECT_FOLLOWING", "user_relationships_newest_followed"},
              {"SELECT_FOLLOWING_AFTER", "user_relationships_newest_followed"},
              {"SELECT_FOLLOW", "user_relationships_"}, {"SELECT_FOLLOWER_IDS", "user_relationships_delivery"},
              {"SELECT_FOLLOWED_SINCE", "user_relationships_following"}, {"DELETE_FOLLOW", "user_relationships_"});
}

static void media_are_found_by_index(void **state)
{
        CHECK("media_service", {"SELECT_MEDIA", "media_files_pkey media_uses_pkey"},
              {"LIST_MEDIA", "media_files_of_owner media_uses_pkey media_tags_pkey"},
              {"LIST_TAGGED_MEDIA",
               "media_tags_of_owner media_files_pkey media_uses_pkey media_tags_pkey media_collection_items_"},
              {"LIST_COLLECTED_MEDIA", "media_collection_items_pkey media_files_ media_uses_pkey media_tags_pkey"},
              {"LIST_INSIDE_OLDER", "media_collections_"}, {"LIST_OUTSIDE_OLDER", "media_collections_"},
              {"SELECT_COLLECTION", "media_collections_pkey"}, {"COUNT_COLLECTIONS", "media_collections_"},
              {"SELECT_BELOW", "media_collections_pkey"}, {"SET_TAGS", "media_tags_pkey media_files_pkey"},
              {"LIST_MEDIA_AFTER", "media_files_of_owner media_uses_pkey media_tags_pkey"},
              {"SELECT_HAS_CONTENT", "media_files_of_owner_by_upload"}, {"SELECT_VARIANT", "media_variants_pkey"},
              {"SELECT_MEDIAS", "media_files_pkey media_uses_pkey"},
              {"LOCK_MEDIAS", "media_files_pkey media_uses_pkey"}, {"DELETE_USES", "media_uses_of_object"},
              {"SELECT_REFERENCE", "media_files_by_content media_variants_by_content media_files_by_upload"},
              {"TAKE_SHORT_JOB", "media_processing_jobs_next_short"},
              {"TAKE_LONG_JOB", "media_processing_jobs_next_long"}, {"RENEW_JOB", "media_processing_jobs_pkey"},
              {"RELEASE_JOB", "media_processing_jobs_pkey"}, {"HIDE_OWNER", "user_storage_quotas_pkey"},
              {"INSERT_JOB", "media_files_pkey media_processing_jobs_of_owner"},
              {"COUNT_JOBS", "media_processing_jobs_of_owner"}, {"CONFIRM_USES", "media_uses_of_object"},
              {"REMOVE_UNCONFIRMED", "media_uses_"},
              {"SELECT_REFERRED",
               "media_files_by_content media_variants_by_content media_files_by_upload media_processing_jobs_pkey"},
              {"SELECT_CHUNK_IDS", "upload_chunks_pkey"},
              {"SELECT_SAME_CONTENT", "media_files_by_upload media_files_by_content media_uses_pkey"},
              {"SELECT_LOOKED_TO", "media_files_pkey"}, {"SELECT_ALIKE", "media_files_pkey media_uses_pkey"},
              {"TAKE_BLOCK", "media_blocks_"}, {"LIST_ACCESSES", "media_access_logs_of_media"},
              {"LIST_ACCESSES_AFTER", "media_access_logs_of_media"},
              {"REMOVE_ACCESSES", "media_access_logs_old media_access_logs_pkey"},
              {"ERASE_ACCESSES", "media_access_logs_"}, {"SELECT_UPLOAD", "upload_sessions_pkey"},
              {"LOCK_EXPIRED_UPLOADS", "upload_sessions_expired"}, {"LOCK_UPLOADS_OF", "upload_sessions_of_owner"},
              {"SELECT_CHUNKS", "upload_chunks_session_id_position_key"});
}

static void follow_requests_are_found_by_index(void **state)
{
        CHECK("follow_service", {"SELECT_OPENING", "account_openings_pkey"}, {"DELETE_REQUEST", "follow_requests_"},
              {"SELECT_REQUESTS", "follow_requests_newest"}, {"SELECT_REQUESTS_AFTER", "follow_requests_newest"},
              {"SELECT_REQUEST", "follow_requests_"}, {"SELECT_REQUESTS_BEFORE", "follow_requests_newest"});
        CHECK("user_service", {"SELECT_PRIVACY", "users_pkey user_settings_pkey"},
              {"RAISE_PRIVACY_VERSION", "users_pkey"});
}

static void erased_data_are_found_by_index(void **state)
{
        CHECK("user_service", {"LOCK_EXPIRED", "users_deactivated"}, {"LOCK_UNANSWERED", "users_waiting_age"},
              {"EXPORT_SESSIONS", "user_sessions_"}, {"EXPORT_LOGINS", "user_login_history_of_user"},
              {"EXPORT_INVITES", "invites_of_inviter"}, {"DEACTIVATE", "users_pkey"}, {"REACTIVATE", "users_"},
              {"ERASE_USER", "users_pkey"}, {"ERASE_KEYS", "idempotency_keys_pkey"});
        CHECK("follow_service", {"SELECT_FOLLOWS_OF", "user_relationships_"},
              {"EXPORT_FOLLOWING", "user_relationships_"}, {"EXPORT_FOLLOWERS", "user_relationships_"},
              {"EXPORT_BLOCKS", "user_blocks_pkey"}, {"ERASE_BLOCKS", "user_blocks_pkey user_blocks_of"},
              {"ERASE_MUTES", "user_mutes_pkey user_mutes_of"},
              {"ERASE_REQUESTS", "follow_requests_pkey follow_requests_newest"},
              {"ERASE_OPENING", "account_openings_pkey"});
        CHECK("note_service", {"SELECT_WRITTEN", "notes_"}, {"EXPORT_NOTES", "notes_"},
              {"EXPORT_LIKES", "note_likes_pkey"}, {"SELECT_LIKED", "note_likes_pkey"},
              {"SELECT_BOOKMARKED", "note_bookmarks_"}, {"ERASE_MENTIONS", "note_mentions_of_user"},
              {"ERASE_AUDIENCE", "note_visibility_of_owner"}, {"ERASE_TEXTS", "notes_of_author note_comments_pkey"},
              {"ERASE_REMOVALS", "note_comments_removed_by"});
        CHECK("timeline_service", {"ERASE_AUTHOR", "timeline_cache_pkey timeline_entries_pkey"},
              {"ERASE_ENTRIES", "timeline_entries_pkey"}, {"ERASE_CACHE", "timeline_cache_pkey"},
              {"ERASE_GROWN", "timeline_grown_pkey"}, {"ERASE_FAMOUS", "timeline_famous_author_id_key"});
}

static void notes_are_found_by_index(void **state)
{
        CHECK("note_service",
              {"SELECT_NOTES", "notes_pkey note_visibility_pkey note_comments_pkey note_stats_pkey "
                               "note_hashtags_of_note note_mentions_pkey"},
              {"SELECT_IDS_BY_AUTHORS", "notes_newest_by_author notes_pkey"},
              {"SELECT_IDS_BY_AUTHORS_AFTER", "notes_newest_by_author notes_pkey"},
              {"SELECT_NEWEST_IDS", "notes_newest_by_author"}, {"SELECT_IDS_BY_HASHTAG", "note_hashtags_public"},
              {"SELECT_IDS_BY_HASHTAG_AFTER", "note_hashtags_public"},
              {"SELECT_COMMENT_IDS", "note_comments_shown_of_parent"}, {"SELECT_ANCESTORS", "note_comments_pkey"},
              {"SELECT_BELOW_ROOT", "note_comments_shown_of_root"}, {"SELECT_BELOW_COMMENT", "note_threads_pkey"},
              {"LOCK_COMMENT", "note_comments_pkey notes_pkey"}, {"REMOVE_COMMENT", "note_comments_pkey"},
              {"SELECT_COUNTED", "note_comments_pkey"}, {"INSERT_HASHTAGS", "notes_pkey note_comments_pkey"});
}

static void reactions_are_found_by_index(void **state)
{
        CHECK("note_service", {"SELECT_BOOKMARKS", "note_bookmarks_newest"},
              {"SELECT_BOOKMARKS_AFTER", "note_bookmarks_newest"}, {"SELECT_BOOKMARK", "note_bookmarks_"},
              {"SELECT_MARKS", "note_likes_pkey note_renotes_pkey note_bookmarks_"},
              {"SELECT_REACTED", "note_stats_pkey notes_passing_on"}, {"SELECT_RENOTERS", "notes_passing_on"},
              {"DELETE_LIKE", "note_likes_pkey"}, {"DELETE_RENOTE", "note_renotes_pkey"},
              {"DELETE_BOOKMARK", "note_bookmarks_pkey"}, {"UPDATE_TEXT", "notes_pkey"}, {"DELETE_NOTE", "notes_pkey"},
              {"DELETE_HASHTAGS", "note_hashtags_of_note"}, {"DELETE_MENTIONS", "note_mentions_pkey"});
}

static void timelines_are_found_by_index(void **state)
{
        CHECK("timeline_service", {"SELECT_FAMOUS", "timeline_famous_pkey"},
              {"FORGET_UNREAD", "timeline_cache_by_read timeline_cache_pkey"});
}

static void check_chats_and_messages(void)
{
        CHECK("messaging_service", {"SELECT_MEMBER", "chats_pkey chat_participants_"},
              {"SELECT_MEMBERS", "chats_pkey chat_participants_"}, {"LOCK_CHAT", "chats_pkey"},
              {"SELECT_VIEWERS", "chats_pkey chat_participants_"}, {"SELECT_DIRECT", "chats_direct"},
              {"SELECT_CHATS", "chat_participants_of_user chats_pkey"}, {"SELECT_SENT_AS", "message_client_ids_pkey"},
              {"SELECT_ENTRY", "Removed:"}, {"SELECT_ENTRIES", "_pkey"}, {"SELECT_ENTRY_AT", "chat_months_pkey _seq"},
              {"SELECT_MESSAGES", "chat_months_pkey _chat_id_n_idx"},
              {"SELECT_MESSAGES_AT", "chat_months_pkey _chat_id_n_idx"},
              {"SELECT_SENDER", "chats_pkey chat_participants_ message_client_ids_pkey"},
              {"APPEND_ENTRY", "chats_pkey chat_participants_"}, {"SELECT_READERS", "chat_participants_"},
              {"SELECT_RECIPIENTS", "chat_participants_"}, {"SELECT_PARTICIPANTS", "chat_participants_"},
              {"SELECT_REPLIES", "Removed:"}, {"SELECT_EXPIRED", "_expires_at_idx"}, {"NEXT_EXPIRY", "_expires_at_idx"},
              {"SELECT_REACTIONS", "message_reaction_counts_pkey message_reactions_pkey"},
              {"SELECT_HIDDEN", "message_hides_pkey"}, {"SELECT_VERSIONS", "message_edits_pkey"},
              {"SELECT_PINS", "chat_pins_pkey"}, {"SELECT_RECEIPTS", "read_receipts_pkey"},
              {"SELECT_RECEIPTS_OF", "read_receipts_pkey"},
              {"SELECT_UNDELIVERED", "chat_participants_of_user chats_pkey outbox_position outbox_unplaced"},
              {"DELIVER", "chat_participants_"}, {"PUT_PRESENCE", "presence_pkey"},
              {"SELECT_LINK", "chat_links_ chat_participants_ chats_pkey"},
              {"SELECT_LINKS", "chat_links_of_chat chat_participants_ chats_pkey"},
              {"USE_LINK", "chat_links_token_hash"}, {"SWEEP_LINKS", "chat_links_expiry"},
              {"SELECT_PRESENCE", "presence_pkey"}, {"SELECT_PEERS", "chat_participants_of_user chats_pkey"},
              {"SELECT_SENT_BY", "message_client_ids_pkey"}, {"SELECT_CHATS_WITH", "chat_participants_of_user"},
              {"MARK_READ", "chat_participants_"}, {"END_PARTICIPANT", "chat_participants_"},
              {"SELECT_REACTED", "message_reactions_of_user _pkey"}, {"FORGET_SENDER", "_pkey"},
              {"SELECT_ATTACHMENTS", "message_attachments_pkey"}, {"DELETE_ATTACHMENTS", "message_attachments_pkey"},
              {"PUT_TYPING", "typing_indicators_pkey"}, {"SELECT_TYPING", "typing_indicators_pkey"},
              {"SWEEP_TYPING", "typing_indicators_over"}, {"SCAN_CHATS", "chat_participants_of_user chats_pkey"},
              {"SELECT_KNOWN", "chat_months_pkey _seq"}, {"SELECT_RANGES", "chat_months_pkey _seq"},
              {"SELECT_HIDDEN_SINCE", "message_hides_changed"}, {"FORGET_BY", "_sender_id_idx"},
              {"FORGET_ABOUT", "_target_id_idx"},
              {"FIND_MESSAGES", "chat_participants_ chats_pkey message_words_found"},
              {"SELECT_APPLICANTS", "chat_applicants_pkey"}, {"REMOVE_APPLICANT", "chat_applicants_pkey"},
              {"SELECT_NAMED", "chat_participants_"}, {"DROP_MENTIONS", "message_mentions_pkey"},
              {"SELECT_MENTIONS", "message_mentions_pkey"}, {"COUNT_UNREAD_MENTIONS", "message_mentions_of_user"},
              {"ERASE_REST", "presence_pkey message_mentions_of_user message_hides_ chat_applicants_of_user"},
              {"PUT_WORDS", "Conflict Arbiter Indexes: message_words_pkey"});
}

static void chats_and_messages_are_found_by_index(void **state)
{
        check_chats_and_messages();
}

/* The planner derives the number of rows from the catalogue's pages, so increasing those makes it plan as for 10^7
 * messages. */
static void chats_and_messages_are_found_by_index_among_ten_million(void **state)
{
        plan_multiply("messaging_service", 250);
        assert_true(plan_estimate("messaging_service", "messages") >= 10000000);
        check_chats_and_messages();
}

static void check_notifications(void)
{
        CHECK(
            "notification_service", {"SELECT_LISTED", "notifications_newest notification_actors_newest"},
            {"SELECT_UNREAD", "notifications_unread"}, {"SELECT_SNOOZED", "notifications_newest"},
            {"SELECT_ARCHIVED", "notifications_archived"},
            {"SELECT_NOTIFICATIONS", "notifications_pkey notification_actors_newest"},
            {"SELECT_ACTORS", "notification_actors_newest"},
            {"KEEP_EFFECTS", "notifications_of_group notification_actors_ notification_delivery_logs_of_notification"},
            {"SELECT_EFFECTS", "notification_effects_pkey"}, {"PRUNE_EFFECTS", "notification_effects_by_age"},
            {"SELECT_PENDING_EFFECTS", "notification_effects_pending"}, {"SETTLE_EFFECTS", "notification_effects_pkey"},
            {"LOCK_UNDONE", "notifications_of_group"}, {"LOCK_SETTLED", "notifications_pkey"},
            {"SELECT_HELD", "notification_queue_notification_id_channel_target_id_key"},
            {"ADD_ARRIVALS", "notifications_of_group notification_actors_"},
            {"UNDO_ARRIVALS", "notifications_of_group notification_actors_"}, {"REMOVE_READ", "notifications_of_group"},
            {"REMOVE_OLD_REQUESTS", "notifications_of_group"}, {"REMOVE_EMPTY", "notifications_pkey"},
            {"CLOSE_FULL", "notifications_pkey notification_actors_"}, {"CLOSE_OVERDUE", "notifications_o"},
            {"COUNT_ACTORS", "notification_actors_"}, {"SELECT_HAPPENED", "notifications_by_age notification_actors_"},
            {"PAY", "notification_queue_pkey"}, {"EXPORT_BUDGETS", "notification_budgets_pkey"},
            {"SUPPRESS", "mail_suppressions_pkey"}, {"SELECT_SUPPRESSED", "mail_suppressions_pkey"},
            {"EXPORT_SUPPRESSED", "mail_suppressions_pkey"}, {"MARK_READ", "notifications_pkey"},
            {"MARK_READ_TO", "notifications_unread notifications_pkey"}, {"MARK_SEEN", "notifications_unread"},
            {"ARCHIVE", "notifications_pkey"}, {"SNOOZE", "notifications_pkey"}, {"UNSNOOZE", "notifications_pkey"},
            {"DELETE_ONE", "notifications_pkey"}, {"SELECT_OWN", "notifications_pkey"},
            {"ERASE_TOLD", "notifications_"}, {"ERASE_ACTOR", "notification_actors_pkey"},
            {"PRUNE", "notifications_by_age"}, {"SELECT_REQUESTS", "notifications_requests"},
            {"ACCEPT_REQUESTS", "notifications_requests"}, {"DISMISS_REQUESTS", "notifications_requests"},
            {"SELECT_PREFERENCES", "notification_preferences_pkey"}, {"SELECT_CHOICES", "notification_choices_pkey"},
            {"MAIL_BY_SETTING", "notification_preferences_pkey"}, {"SELECT_MUTED_THREADS", "muted_threads_pkey"},
            {"SELECT_WATCHERS", "watched_members_pkey"}, {"SELECT_WATCHED", "watched_members_pkey"},
            {"SELECT_SPREAD", "notifications_o"}, {"SELECT_IN_GROUPS", "notifications_o"},
            {"SELECT_WATCH", "watched_members_"}, {"WATCH_MEMBER", "watched_members_"},
            {"MUTE_THREAD", "muted_threads_pkey"}, {"ERASE_CHOICES", "notification_preferences_pkey"},
            {"ERASE_WATCHERS", "watched_members_pkey"}, {"CLAIM", "notification_queue_due"},
            {"SELECT_NEXT_DUE", "notification_queue_due"}, {"DEQUEUE", "notification_queue_pkey"},
            {"POSTPONE", "notification_queue_pkey"}, {"RETRY_TARGET", "notifications_pkey"},
            {"ENQUEUE", "push_subscriptions_of_member phone_numbers_pkey"},
            {"SELECT_DELIVERIES", "notification_delivery_logs_of_notification"},
            {"PRUNE_LOGS", "notification_delivery_logs_by_age"},
            {"SELECT_ANSWERED", "notification_delivery_logs_by_age"},
            {"COUNT_DELIVERIES", "notification_delivery_logs_by_age"},
            {"ERASE_LOGS", "notification_delivery_logs_of_member"},
            {"SELECT_SUBSCRIPTIONS", "push_subscriptions_of_member"}, {"UNSUBSCRIBE", "push_subscriptions_"},
            {"END_SUBSCRIPTIONS", "push_subscriptions_of_session"}, {"SELECT_PHONE", "phone_numbers_pkey"},
            {"SELECT_VERIFIED_PHONES", "phone_numbers_pkey"},
            {"VERIFY_PHONE", "phone_numbers_pkey phone_codes_of_member"}, {"FORGET_PHONE", "phone_numbers_pkey"},
            {"COUNT_CODES", "phone_codes_of_member phone_codes_of_number"},
            {"TRY_PHONE_CODE", "phone_codes_of_member phone_numbers_pkey"}, {"CLAIM_CODES", "phone_codes_due"},
            {"SETTLE_CODE", "phone_codes_pkey"}, {"POSTPONE_CODE", "phone_codes_pkey"},
            {"PRUNE_CODES", "phone_codes_by_age"}, {"EXPORT_PHONE", "phone_numbers_pkey"});
}

static void notifications_are_found_by_index(void **state)
{
        check_notifications();
}

static void notifications_are_found_by_index_among_ten_million(void **state)
{
        plan_multiply("notification_service", 500);
        assert_true(plan_estimate("notification_service", "notifications") >= 10000000);
        assert_true(plan_estimate("notification_service", "notification_queue") >= 10000000);
        check_notifications();
}

static void events_and_keys_are_found_by_index(void **state)
{
        CHECK("note_service", {"SELECT_LOG", "outbox_position"},
              {"SELECT_PENDING_SINCE", "outbox_unplaced outbox_position"}, {"SELECT_UNASSIGNED", "outbox_unplaced"},
              {"SELECT_LOG_BEFORE", "outbox_position"}, {"SELECT_IDEMPOTENCY_KEY", "idempotency_keys_pkey"},
              {"SELECT_KEY_OR_LOCK", "idempotency_keys_pkey"});
}

/* ---- The cost of a page, however many rows are skipped ---- */

#define LAST "'ffffffff-ffff-ffff-ffff-ffffffffffff'"

struct page {
        const char *statement, *values;
        long most; /* pages of tables and indexes */
};

static void check_pages(const char *database, const struct page *pages, size_t n)
{
        PGconn *pg = plan_connect(database);

        for (size_t i = 0; i < n; i++) {
                const struct db_statement *s = plan_find(database, pages[i].statement);

                (void)plan_prepare(pg, s);
                long buffers = plan_count_buffers(pg, s, pages[i].values);
                if (buffers > pages[i].most || buffers == 0) {
                        fail_msg("%s (%s) touches %ld pages, not 1 to %ld", pages[i].statement, pages[i].values,
                                 buffers, pages[i].most);
                }
                PQclear(plan_must(pg, PQexec(pg, "deallocate all"), "deallocate"));
        }
        PQfinish(pg);
}

#define CHECK_PAGES(database, pages) check_pages((database), (pages), sizeof(pages) / sizeof((pages)[0]))

/* Without their own indexes a page of each touched tens of thousands. */
static void hidden_or_deep_rows_do_not_make_pages_slower(void **state)
{
        static const struct page pages[] = {
            {"SELECT_IDS_BY_HASHTAG", "'hidden', " LAST ", '{}', null, 21", 30},
            {"SELECT_IDS_BY_HASHTAG_AFTER", "'hidden', id(1), '{}', null, 21", 30},
            {"SELECT_IDS_BY_AUTHORS", "array[id(9000)], '{1}', " LAST ", '{}', 21", 60},
            {"SELECT_IDS_BY_AUTHORS", "array[id(9000)], '{1,2}', " LAST ", '{}', 21", 60},
            {"SELECT_BELOW_ROOT", "id(2000000), id(2000001), '{}', null, 21", 30},
            {"SELECT_BELOW_COMMENT", "id(2000001), id(1), '{}', null, 21", 30},
            {"SELECT_BELOW_COMMENT", "id(2000001), id(2060000), '{}', null, 21", 30},
            {"SELECT_COMMENT_IDS", "id(2000001), id(1), '{}', null, 21", 30},
        };

        CHECK_PAGES("note_service", pages);
}

/* Three actors have ten thousand notifications each, and the others one: who has caused many is looked up in the group
 * that an event belongs to, not in all of theirs. Otherwise each recipient of a note costs as much as all of them. */
static void events_of_a_famous_actor_cost_no_more(void **state)
{
        static const struct page pages[] = {
            {"ADD_ARRIVALS",
             "array[id(800001)], array[id(2)], '{like}', '{like:7}', array[id(1)], '{\"\"}', '{0}', '{1}', '{default}',"
             " '{\"\"}', '{\"\"}', '{0}'",
             200},
            {"KEEP_EFFECTS", "'{like:9}', array[id(1)], 86400, now()", 200},
            {"UNDO_ARRIVALS", "'{like:9}', array[id(1)]", 200},
        };

        plan_fill("notification_service",
                  "insert into notification_actors (notification_id, actor_id, created_at) select id(n % 20000),"
                  " id(100000 + n), now() from generate_series(1, 60000) n; analyze notification_actors");
        CHECK_PAGES("notification_service", pages);
}

/* Reading by number once searched all ids of the month, which here is nearly all the chat's own. */
static void a_page_of_a_large_chat_reads_only_its_messages(void **state)
{
        static const struct page pages[] = {
            {"SELECT_MESSAGES", "id(5), 59980, 60000", 300},
            {"SELECT_MESSAGES", "id(5), 30000, 30020", 300},
            {"SELECT_RANGES", "array[id(5)], '{30000}', '{30020}'", 300},
            {"SELECT_KNOWN", "array[id(5)], '{60000}', 100, 1", 350},
            {"SELECT_MESSAGES", "id(6), 1, 20", 300}, /* also in a small month */
            {"SELECT_RANGES", "array[id(6)], '{1}', '{20}'", 300},
            {"SELECT_MESSAGES_AT", "array[id(6)], '{20}'", 30},
        };

        plan_fill("messaging_service",
                  "delete from chat_months where chat_id = id(5); delete from messages where chat_id = id(5);"
                  " insert into chat_months (chat_id, first_seq, first_n, from_id, before_id)"
                  " select id(5), 1, 1, first_id_of(t), first_id_of(month_after(t)) from (values (timestamptz "
                  "'2026-03-01Z')) as v (t);"
                  " insert into messages (id, chat_id, seq, n, kind, sender_id)"
                  " select overlay(gen_random_uuid()::text placing left(from_id::text, 13) from 1 for 13)::uuid,"
                  " id(5), n, n, 1, id(1) from chat_months, generate_series(1, 60000) n where chat_id = id(5);"
                  " delete from chat_months where chat_id = id(6); delete from messages where chat_id = id(6);"
                  " insert into chat_months (chat_id, first_seq, first_n, from_id, before_id)"
                  " select id(6), 1, 1, first_id_of(t), first_id_of(month_after(t))"
                  " from (values (timestamptz '2027-10-01Z')) as v (t);"
                  " insert into messages (id, chat_id, seq, n, kind, sender_id)"
                  " select overlay(gen_random_uuid()::text placing left(from_id::text, 13) from 1 for 13)::uuid,"
                  " id(6), n, n, 1, id(1) from chat_months, generate_series(1, 8000) n where chat_id = id(6);"
                  " analyze messages");
        CHECK_PAGES("messaging_service", pages);
}

static void events_for_statistics_are_found_by_index(void **state)
{
        CHECK("analytics_service", {"INSERT_EVENTS", "analytics_people_user_id_key _pkey"},
              {"SELECT_COUNTS", "business_metrics_pkey"}, {"PUBLISH_HOURS", "unpublished_people_pkey"},
              {"PUBLISH_DAYS", "unpublished_people_pkey"}, {"DROP_UNPUBLISHED", "unpublished_people_pkey"},
              {"PUBLISH_FIRST_NOTES", "first_notes_first_at"}, {"SELECT_METRIC_NAMES", "business_metrics_pkey"},
              {"SELECT_METRIC_EXPORT", "analytics_exports_pkey"}, {"NEXT_METRIC_EXPORT", "analytics_exports_running"},
              {"EXPIRE_METRIC_EXPORTS", "analytics_exports_expiry"},
              {"SELECT_METRIC_EXPORT_PART", "analytics_export_parts_pkey"}, {"SELECT_ACTIVE", "active_changes_pkey"},
              {"SELECT_COHORTS", "cohort_visits_pkey"}, {"SELECT_FIRST_NOTES", "first_note_medians_pkey"},
              {"SELECT_NEWCOMERS", "active_changes_pkey new_members_pkey"},
              {"FORGET_MEMBER", "analytics_people_user_id_key"}, {"ERASE_KEYS", "idempotency_keys_pkey"},
              {"SELECT_PSEUDONYMS", "analytics_people_user_id_key"},
              {"SELECT_UNTOLD_HOURS", "content_performance_pkey object_id_at_idx"},
              {"SELECT_POINTS", "content_analytics_pkey"}, {"SELECT_SKETCHES", "analytics_sketches_pkey"},
              {"SELECT_OWN_NOTES", "analytics_people_user_id_key content_performance_author"},
              {"SELECT_ENGAGEMENT", "analytics_people_user_id_key user_engagement_profiles_pkey"},
              {"PRUNE_ENGAGEMENT", "user_engagement_profiles_updated_at"});
}

/* Without values all partitions would be pruned from the plan, so it is run with real ones: 15 events an hour, of
 * 30,000. */
static void queries_on_events_read_only_their_period(void **state)
{
        static const struct page pages[] = {
            {"SELECT_EVENTS_OF_HOUR", "'{e1,e3,note_view}', date_trunc('hour', now() - interval '15 days'), 5", 60},
            {"SELECT_FUNNEL", "'{e1,e2,e3}', now() - interval '15 days', now() - interval '14 days', 12", 200},
            {"SELECT_BREAKDOWN", "'e1', 'p', now() - interval '15 days', now() - interval '14 days', 5", 100},
        };

        CHECK_PAGES("analytics_service", pages);
}

/* 999 people wait in each hour of that day, and one more does something: with a smallest group of 1,000 nothing of
 * those is read, and with 999 only the hours and people that go. */
static void a_batch_costs_the_same_however_many_people_wait(void **state)
{
#define ONE(min)                                                                                                       \
#min ", '{e1}', array[(extract(epoch from date_trunc('day', now()) - interval '90 min') * 1000)::bigint]"
        static const struct page pages[] = {
            {"PUBLISH_HOURS", ONE(1001), 60}, /* the counts of 24 hours; of those who wait it would be 300 */
            {"PUBLISH_DAYS", ONE(1001), 20},
        };

        CHECK_PAGES("analytics_service", pages);
}

/* As at the first moment of a network: what is known of empty tables makes no plan that reads all of them later. */
static void repeated_events_are_found_by_their_id_in_new_months(void **state)
{
        plan_fill("analytics_service", "select analytics_drop_month('2100-01-01') from generate_series(1, 100)");
        plan_fill("analytics_service", "select analytics_make_months(current_date, 2)");
        CHECK("analytics_service", {"INSERT_EVENTS", "_pkey ((id"});
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(members_are_found_by_index),
            cmocka_unit_test(sessions_are_found_by_index),
            cmocka_unit_test(accounts_and_mails_are_found_by_index),
            cmocka_unit_test(relations_are_found_by_index),
            cmocka_unit_test(media_are_found_by_index),
            cmocka_unit_test(follow_requests_are_found_by_index),
            cmocka_unit_test(erased_data_are_found_by_index),
            cmocka_unit_test(notes_are_found_by_index),
            cmocka_unit_test(reactions_are_found_by_index),
            cmocka_unit_test(timelines_are_found_by_index),
            cmocka_unit_test(chats_and_messages_are_found_by_index),
            cmocka_unit_test(chats_and_messages_are_found_by_index_among_ten_million),
            cmocka_unit_test(notifications_are_found_by_index),
            cmocka_unit_test(events_of_a_famous_actor_cost_no_more),
            cmocka_unit_test(notifications_are_found_by_index_among_ten_million),
            cmocka_unit_test(events_and_keys_are_found_by_index),
            cmocka_unit_test(hidden_or_deep_rows_do_not_make_pages_slower),
            cmocka_unit_test(a_page_of_a_large_chat_reads_only_its_messages),
            cmocka_unit_test(events_for_statistics_are_found_by_index),
            cmocka_unit_test(queries_on_events_read_only_their_period),
            cmocka_unit_test(a_batch_costs_the_same_however_many_people_wait),
            cmocka_unit_test(repeated_events_are_found_by_their_id_in_new_months),
        };

        return cmocka_run_group_tests_name("plans", tests, setup, NULL);
}
