/* The SQL on the logs of chats. What is read by number is read from the months that have it alone. */
#ifndef SERVICES_MESSAGING_STORE_LOG_H
#define SERVICES_MESSAGING_STORE_LOG_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Writes the entry, with its seq and n, to the log of its chat, whose row is locked. With a client id it is a message,
 * which claims it: when its sender has used it, COMMIT fails (SN_ALREADY_EXISTS). */
SN_CHECKED sn_status chat_store_append(struct db_tx *tx, const chat_entry *entry);
/* Records the month of the entry, when it is the first entry of the chat in that month. */
SN_CHECKED sn_status chat_store_begin_month(struct db_tx *tx, const chat_entry *entry);
SN_CHECKED sn_status chat_store_sent_as(struct db_tx *tx, const char *client_id, MessagingRows__SentAs *sent,
                                        bool *found);

SN_CHECKED sn_status chat_store_entry(struct db_tx *tx, const char *chat_id, const char *id, chat_entry *entry,
                                      bool *found);
SN_CHECKED sn_status chat_store_entry_at(struct db_tx *tx, const char *chat_id, int64_t seq, chat_entry *entry,
                                         bool *found);
/* By id, in the order asked; those that do not exist are left out. */
SN_CHECKED sn_status chat_store_entries(struct db_tx *tx, char *const *ids, size_t n, size_t *n_entries,
                                        chat_entry ***entries);
/* The same, in one round trip with what is read next: rows for db_rows_list, or NULL when none are asked for. */
SN_CHECKED sn_status chat_store_entries_later(struct db_tx *tx, char *const *ids, size_t n, struct db_rows **rows);
/* The newest messages of several chats: of each the one with the number n. */
SN_CHECKED sn_status chat_store_messages_at(struct db_tx *tx, char *const *chat_ids, const int64_t *ns, size_t n,
                                            size_t *n_entries, chat_entry ***entries);
/* The messages with the numbers from_n to to_n among a chat's messages, in order. */
SN_CHECKED sn_status chat_store_messages(struct db_tx *tx, const char *chat_id, int64_t from_n, int64_t to_n, size_t *n,
                                         chat_entry ***entries);
/* The entries with the numbers from[i] to to[i] of chat_ids[i], in order. */
SN_CHECKED sn_status chat_store_ranges(struct db_tx *tx, char *const *chat_ids, const int64_t *from, const int64_t *to,
                                       size_t n, size_t *n_entries, chat_entry ***entries);
/* What was answered to a message, behind n messages. */
SN_CHECKED sn_status chat_store_replies(struct db_tx *tx, const chat_entry *message, int64_t after_n, size_t limit,
                                        size_t *n, chat_entry ***entries);
/* Expired messages that are not erased yet: id and chat_id. */
SN_CHECKED sn_status chat_store_expired(struct db_tx *tx, size_t limit, size_t *n, chat_entry ***entries);
/* In how long one will be, wait_ms at most. */
SN_CHECKED sn_status chat_store_next_expiry(struct db_tx *tx, int64_t *wait_ms);
/* Makes the partitions of this month and the months after it. */
SN_CHECKED sn_status chat_store_make_months(struct db_tx *tx, int months);

#endif
