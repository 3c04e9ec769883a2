/* The SQL of notification_service. */
#ifndef SERVICES_NOTIFICATION_STORE_H
#define SERVICES_NOTIFICATION_STORE_H

#include "db/db.h"
#include "services/notification/arrivals.h"
#include "services/notification/decide.h"
#include "services/notification/notification_rows.rpc.h"
#include "services/page.h"

/* ---- store_arrivals.c ---- */

/* Adds actors to open notifications or begins new ones. Returns the notifications that changed. */
SN_CHECKED sn_status store_add_arrivals(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                        NotificationRows__Changed ***rows);
/* Closes notifications whose windows have ended, by the rules of the items, so that no actor joins them. */
SN_CHECKED sn_status store_close_overdue(struct db_tx *tx, const struct arrival *items, size_t n);
/* Removes what was told of earlier follow requests, which were refused or withdrawn, EFFECT_WINDOW_S before those among
 * the items or longer ago, so that these are told. */
SN_CHECKED sn_status store_remove_old_requests(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                               NotificationRows__Changed ***rows);
/* Counts the actors of each notification. */
SN_CHECKED sn_status store_count_actors(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n,
                                        size_t *n_counts, NotificationRows__ActorCount ***counts);
SN_CHECKED sn_status store_close_full(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n);
/* Removes actors from unread notifications. Returns a row for each actor removed. */
SN_CHECKED sn_status store_undo_arrivals(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                         NotificationRows__Changed ***rows);
/* Deletes notifications of chats up to where their owners have read. */
SN_CHECKED sn_status store_remove_read(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                       NotificationRows__Changed ***rows);
/* Deletes those of the notifications that have no actors left. */
SN_CHECKED sn_status store_remove_empty(struct db_tx *tx, NotificationRows__Changed *const *rows, size_t n);

/* ---- store_effects.c ---- */

/* Doing again within this time what was sent and then undone sends nothing. */
#define EFFECT_WINDOW_S 86400
/* Call it before what these actors did is undone, with the notifications locked: records on which channels it was sent
 * or is being sent. */
SN_CHECKED sn_status store_keep_effects(struct db_tx *tx, char **group_keys, char **actor_ids, size_t n);
/* Which of the arrivals were sent, or may yet be, and undone within the window before them. */
SN_CHECKED sn_status store_effects(struct db_tx *tx, const struct arrival *items, size_t n, size_t *n_rows,
                                   NotificationRows__Effect ***rows);
/* Which of the notifications had something undone while they were being sent. */
SN_CHECKED sn_status store_pending_effects(struct db_tx *tx, char **notification_ids, size_t n, size_t *n_rows,
                                           NotificationRows__Pending ***rows);
/* Records that what these actors did was sent, if it was undone meanwhile. */
SN_CHECKED sn_status store_settle_effects(struct db_tx *tx, char **user_ids, char **group_keys, char **actor_ids,
                                          size_t n, enum channel channel);
SN_CHECKED sn_status store_prune_effects(struct db_tx *tx, int64_t limit, int64_t *n);

/* ---- store_lists.c ---- */

/* A member's list in its order, each notification with its newest actors. */
struct list_filter {
        const char *user_id;
        char **types; /* empty: all types */
        size_t n_types;
        bool unread, archived, snoozed; /* at most one of them */
        bool requests;                  /* instead, those held by a filter */
};
SN_CHECKED sn_status store_listed(struct db_tx *tx, const struct list_filter *filter, const struct page_scan *scan,
                                  int64_t actors_max, size_t *n, NotificationRows__Stored ***rows);
/* Loads the notifications with these ids, in the order requested, each for its own reader. Leaves out those of other
 * members and snoozed ones, and those that are in no list unless unlisted is set. */
SN_CHECKED sn_status store_notifications(struct db_tx *tx, char **user_ids, char **ids, size_t n, int64_t actors_max,
                                         bool unlisted, size_t *n_rows, NotificationRows__Stored ***rows);
/* The deliveries of notifications that are held back, in the order of the ids and of channels. */
SN_CHECKED sn_status store_held(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, NotificationRows__Held ***rows);
SN_CHECKED sn_status store_actors(struct db_tx *tx, const char *notification_id, const struct page_scan *scan,
                                  size_t *n, NotificationRows__Place ***rows);

/* ---- store_queue.c ---- */

struct queue_columns {
        char **ids, **notification_ids, **user_ids;
        int64_t *channels, *holds, *due_ms;
        char **awaits; /* the pending effect, in hexadecimal, whose outcome decides whether it is sent; "" for none */
        size_t n;
};
SN_CHECKED sn_status store_enqueue(struct db_tx *tx, const struct queue_columns *q);
/* Leases some due deliveries until until_ms, ordered by member. */
SN_CHECKED sn_status store_claim(struct db_tx *tx, enum channel channel, int64_t limit, int64_t until_ms, size_t *n,
                                 NotificationRows__Queued ***rows);
/* INT64_MAX if nothing waits. */
SN_CHECKED sn_status store_next_due(struct db_tx *tx, enum channel channel, int64_t *due_ms);
/* Keeps notifications from being undone until the transaction ends. Lock them before their deliveries. */
SN_CHECKED sn_status store_lock_settled(struct db_tx *tx, char **notification_ids, size_t n);
SN_CHECKED sn_status store_dequeue(struct db_tx *tx, char **ids, size_t n);
/* untried: the attempt does not count. */
SN_CHECKED sn_status store_postpone(struct db_tx *tx, char **ids, size_t n, int64_t due_ms, enum hold hold,
                                    bool untried);
/* Queues the notifications of the rows again, to one target of a channel. */
SN_CHECKED sn_status store_retry_target(struct db_tx *tx, NotificationRows__Queued *const *rows, size_t n,
                                        enum channel channel, const char *target_id, int64_t due_ms, int64_t attempts);
/* Queues a retraction again, to one target. */
SN_CHECKED sn_status store_retry_retraction(struct db_tx *tx, const NotificationRows__Queued *row, enum channel channel,
                                            const char *target_id, int64_t due_ms, int64_t attempts);
/* Queues deliveries again, regardless of their earlier results, each to a target (all zeros: all of them) on a channel.
 */
SN_CHECKED sn_status store_enqueue_again(struct db_tx *tx, char **notification_ids, char **target_ids,
                                         const int64_t *channels, size_t n);
struct payment {
        const char *id, *user_id; /* the delivery and its recipient */
        enum channel channel;
        int64_t day;
        int64_t budget;
};
/* Counts a delivery in the budget of a day. paid: false if the budget is spent. */
SN_CHECKED sn_status store_pay(struct db_tx *tx, const struct payment *payment, bool *paid);
struct delivery_log {
        const char *notification_id, *user_id, *provider, *outcome;
        enum channel channel;
        int64_t status, took_ms;
        int64_t notifications; /* how many the push with this one's tag announced; 0: it was sent with another's tag */
        enum hold hold;        /* what the delivery waited for */
        const char *templates; /* their labels, separated by spaces */
};
SN_CHECKED sn_status store_log_deliveries(struct db_tx *tx, const struct delivery_log *logs, size_t n);
/* Newest first. */
SN_CHECKED sn_status store_deliveries(struct db_tx *tx, const char *notification_id, int64_t limit, size_t *n,
                                      NotificationRows__Delivered ***rows);
/* Counts what was sent between two times, the latter at most shortly before now. */
SN_CHECKED sn_status store_count_deliveries(struct db_tx *tx, int64_t from_ms, int64_t to_ms,
                                            Notification__DeliveryCount *out);
/* Providers of a channel whose newest answers are at least `least`, without a failure since, the one that answered last
 * at the end; of the newest deliveries in the log. */
SN_CHECKED sn_status store_answered(struct db_tx *tx, enum channel channel, int64_t least, size_t *n,
                                    NotificationRows__Answered ***rows);
SN_CHECKED sn_status store_prune_logs(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n);

/* ---- store_subscriptions.c ---- */

#define PUSH_SUBSCRIPTIONS_MAX 20

/* Adds a browser or, with a provider, a device of an app. done: false at the member's limit. */
SN_CHECKED sn_status store_subscribe(struct db_tx *tx, const NotificationRows__Subscription *s, const char *session_id,
                                     int64_t most, NotificationRows__Subscription *out, bool *done);
/* Loads the subscriptions of browsers or of devices. */
SN_CHECKED sn_status store_subscriptions(struct db_tx *tx, char **user_ids, size_t n_users, bool devices, size_t *n,
                                         NotificationRows__Subscription ***rows);
SN_CHECKED sn_status store_unsubscribe(struct db_tx *tx, const char *id, const char *user_id, int64_t *n);
SN_CHECKED sn_status store_end_subscriptions(struct db_tx *tx, char **session_ids, size_t n);

/* ---- store_phones.c ---- */

#define PHONE_KEY_BYTES 32 /* a MAC that identifies a number */

/* found: whether the member has a number. */
SN_CHECKED sn_status store_phone(struct db_tx *tx, const char *user_id, NotificationRows__Phone *out, bool *found);
/* Verified numbers as subscriptions: the id is the member's, the endpoint is the number. */
SN_CHECKED sn_status store_verified_phones(struct db_tx *tx, char **user_ids, size_t n_users, size_t *n,
                                           NotificationRows__Subscription ***rows);
/* A different number is unverified; the same number keeps its state. */
SN_CHECKED sn_status store_set_phone(struct db_tx *tx, const char *user_id, const char *number);
SN_CHECKED sn_status store_verify_phone(struct db_tx *tx, const char *user_id, const char *number);
/* Deletes the number, if it is this one; NULL: any. */
SN_CHECKED sn_status store_forget_phone(struct db_tx *tx, const char *user_id, const char *number);
/* How many codes a member requested within a day, how many were requested for a number, and in how many seconds the
 * oldest of the member's within the last hour leaves that hour. */
SN_CHECKED sn_status store_count_codes(struct db_tx *tx, const char *user_id, const uint8_t key[PHONE_KEY_BYTES],
                                       NotificationRows__CodeCounts *out);
SN_CHECKED sn_status store_add_code(struct db_tx *tx, const char *id, const char *user_id,
                                    const uint8_t key[PHONE_KEY_BYTES]);
/* Counts an attempt against the newest code that has not expired and has attempts left. Returns its id, or "" if there
 * is none. */
SN_CHECKED sn_status store_try_phone_code(struct db_tx *tx, const char *user_id, NotificationRows__PhoneCode *out,
                                          bool *found);
/* Leases due codes. */
SN_CHECKED sn_status store_claim_codes(struct db_tx *tx, int64_t limit, int64_t lease_ms, size_t *n,
                                       NotificationRows__PhoneCode ***rows);
/* due_ms 0: it was sent or has failed for good. */
SN_CHECKED sn_status store_settle_code(struct db_tx *tx, const char *id, int64_t due_ms);
/* Postpones a code without counting an attempt. */
SN_CHECKED sn_status store_postpone_code(struct db_tx *tx, const char *id, int64_t due_ms);
SN_CHECKED sn_status store_prune_codes(struct db_tx *tx, int64_t limit, int64_t *n);

/* ---- store_requests.c ---- */

/* Accepts or dismisses the requests with these ids or, if n is 0, all of them up to a limit. */
SN_CHECKED sn_status store_accept_requests(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t limit,
                                           int64_t *changed);
SN_CHECKED sn_status store_dismiss_requests(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t limit,
                                            int64_t *changed);

/* ---- store_rules.c ---- */

SN_CHECKED sn_status store_preferences(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                                       NotificationRows__Preference ***rows);
SN_CHECKED sn_status store_choices(struct db_tx *tx, char **ids, size_t n, size_t *n_rows,
                                   NotificationRows__Choices ***rows);
struct preference_columns {
        char *types[TYPE_COUNT];
        int64_t deliveries[CHANNEL_COUNT][TYPE_COUNT];
        size_t n;
};
SN_CHECKED sn_status store_replace_preferences(struct db_tx *tx, const char *user_id,
                                               const struct preference_columns *p);
/* Replaces what the member's preferences mail by the default, which follows from the setting notifications.email. */
SN_CHECKED sn_status store_mail_by_setting(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_set_filters(struct db_tx *tx, const NotificationRows__Choices *choices);
SN_CHECKED sn_status store_set_quiet_hours(struct db_tx *tx, const NotificationRows__Choices *choices);

/* ---- store_aggregation.c ---- */

SN_CHECKED sn_status store_aggregation(struct db_tx *tx, size_t *n, NotificationRows__Aggregation ***rows);
SN_CHECKED sn_status store_set_aggregation(struct db_tx *tx, const NotificationRows__Aggregation *rule);
SN_CHECKED sn_status store_delete_aggregation(struct db_tx *tx, const char *type, int64_t *n);
/* The newest events of a type within a period, up to a limit, with numbers for members and objects; ordered by member,
 * object and time. */
SN_CHECKED sn_status store_happened(struct db_tx *tx, const char *type, int64_t from_ms, int64_t until_ms,
                                    int64_t limit, size_t *n, NotificationRows__Happened ***rows);

/* ---- store_templates.c ---- */

/* The newest version of each template. */
SN_CHECKED sn_status store_templates(struct db_tx *tx, enum channel channel, size_t *n,
                                     NotificationRows__Template ***rows);
/* Saves the next version. Takes a lock. */
SN_CHECKED sn_status store_save_template(struct db_tx *tx, enum channel channel, const char *type, const char *language,
                                         const char *source, NotificationRows__Template *out);

/* ---- store_suppressions.c ---- */

#define SUPPRESSED_DAYS 30 /* after that the address is tried again */

/* fresh: it was not suppressed before. */
SN_CHECKED sn_status store_suppress(struct db_tx *tx, const char *user_id, const char *recipient, const char *status,
                                    bool *fresh);
SN_CHECKED sn_status store_suppressed(struct db_tx *tx, char **user_ids, size_t n, size_t *n_rows,
                                      NotificationRows__Suppressed ***rows);

/* ---- store_told.c ---- */

/* changed: 0 at the limit. */
SN_CHECKED sn_status store_mute_thread(struct db_tx *tx, const char *user_id, const char *root_id, int64_t most,
                                       int64_t *changed);
SN_CHECKED sn_status store_unmute_thread(struct db_tx *tx, const char *user_id, const char *root_id);
/* Of the pairs of member and conversation, those that are muted. */
SN_CHECKED sn_status store_muted_threads(struct db_tx *tx, char **user_ids, char **root_ids, size_t n, size_t *n_rows,
                                         NotificationRows__Pair ***rows);
SN_CHECKED sn_status store_watch_member(struct db_tx *tx, const char *user_id, const char *author_id, int64_t most,
                                        int64_t *changed);
SN_CHECKED sn_status store_watches(struct db_tx *tx, const char *user_id, const char *author_id, bool *watches);
SN_CHECKED sn_status store_unwatch_member(struct db_tx *tx, const char *user_id, const char *author_id);
/* Members who watch an author's new notes, by id after after_id. */
/* Whom an event of many recipients concerns, who have a notification of its group in the list. */
SN_CHECKED sn_status store_spread(struct db_tx *tx, const char *group_key, const bus_event *event, int64_t limit,
                                  size_t *n, NotificationRows__Pair ***rows);
/* The listed notifications of a member in these groups, with id, group_key and chat_seq, the newest of each last. */
SN_CHECKED sn_status store_in_groups(struct db_tx *tx, const char *user_id, char **group_keys, size_t n, size_t *n_rows,
                                     NotificationRows__Changed ***rows);
SN_CHECKED sn_status store_watchers(struct db_tx *tx, const char *author_id, const char *after_id, int64_t limit,
                                    size_t *n_rows, NotificationRows__Pair ***rows);
/* Of the authors, those who have watchers. */
SN_CHECKED sn_status store_watched(struct db_tx *tx, char **author_ids, size_t n, size_t *n_rows,
                                   NotificationRows__Pair ***rows);

/* ---- store_marks.c: each function returns how many rows it changed ---- */

SN_CHECKED sn_status store_mark_read(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t *changed);
SN_CHECKED sn_status store_mark_read_to(struct db_tx *tx, const char *user_id, const char *id, int64_t limit,
                                        int64_t *changed);
SN_CHECKED sn_status store_mark_seen(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *changed);
SN_CHECKED sn_status store_archive(struct db_tx *tx, const char *user_id, const char *id, bool archived,
                                   int64_t *changed);
SN_CHECKED sn_status store_snooze(struct db_tx *tx, const char *user_id, const char *id, int64_t until_ms,
                                  int64_t *changed);
SN_CHECKED sn_status store_unsnooze(struct db_tx *tx, const char *user_id, const char *id, int64_t *changed);
SN_CHECKED sn_status store_delete(struct db_tx *tx, const char *user_id, const char *id, int64_t *changed);
SN_CHECKED sn_status store_is_own(struct db_tx *tx, const char *user_id, const char *id, bool *own);

/* ---- store_erase.c ---- */

SN_CHECKED sn_status store_erase_told(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n);
SN_CHECKED sn_status store_erase_actor(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n);
/* Deletes the member's choices and watches, and who watched the member; of the latter a limited number. */
SN_CHECKED sn_status store_erase_choices(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_erase_watchers(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n);
SN_CHECKED sn_status store_erase_logs(struct db_tx *tx, const char *user_id, int64_t limit, int64_t *n);
SN_CHECKED sn_status store_prune(struct db_tx *tx, int64_t days, int64_t limit, int64_t *n);

#endif
