/* The SQL of chat logs. Reading by number reads only the months that contain the numbers. */
#ifndef SERVICES_MESSAGING_STORE_LOG_H
#define SERVICES_MESSAGING_STORE_LOG_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Writes the entry, with its seq and n, to the chat's log. The chat's row must be locked. A message claims its client
 * id: the next round trip fails, at the latest COMMIT (SN_ALREADY_EXISTS), if its sender has already used it. */
SN_CHECKED sn_status chat_store_append(struct db_tx *tx, const chat_entry *entry);
/* Records that the chat has entries in the month of this one, its first in that month. */
SN_CHECKED sn_status chat_store_begin_month(struct db_tx *tx, const chat_entry *entry);
SN_CHECKED sn_status chat_store_sent_as(struct db_tx *tx, const char *client_id, MessagingRows__SentAs *sent,
                                        bool *found);

SN_CHECKED sn_status chat_store_entry(struct db_tx *tx, const char *chat_id, const char *id, chat_entry *entry,
                                      bool *found);
SN_CHECKED sn_status chat_store_entry_at(struct db_tx *tx, const char *chat_id, int64_t seq, chat_entry *entry,
                                         bool *found);
/* Loads entries by id, in the order requested; those that do not exist are left out. */
SN_CHECKED sn_status chat_store_entries(struct db_tx *tx, char *const *ids, size_t n, size_t *n_entries,
                                        chat_entry ***entries);
/* Queries the same for the next round trip; db_rows_list returns them after it. *rows is NULL if n is 0. */
SN_CHECKED sn_status chat_store_entries_later(struct db_tx *tx, char *const *ids, size_t n, struct db_rows **rows);
/* Loads one message each of several chats: number ns[i] of chat_ids[i]. */
SN_CHECKED sn_status chat_store_messages_at(struct db_tx *tx, char *const *chat_ids, const int64_t *ns, size_t n,
                                            size_t *n_entries, chat_entry ***entries);
/* The from_n-th to to_n-th messages of a chat, in order. */
SN_CHECKED sn_status chat_store_messages(struct db_tx *tx, const char *chat_id, int64_t from_n, int64_t to_n, size_t *n,
                                         chat_entry ***entries);
/* The entries with the numbers from[i] to to[i] of chat_ids[i], in order. */
SN_CHECKED sn_status chat_store_ranges(struct db_tx *tx, char *const *chat_ids, const int64_t *from, const int64_t *to,
                                       size_t n, size_t *n_entries, chat_entry ***entries);
/* The answers to a message, after the chat's after_n-th message. */
SN_CHECKED sn_status chat_store_replies(struct db_tx *tx, const chat_entry *message, int64_t after_n, size_t limit,
                                        size_t *n, chat_entry ***entries);
/* Expired messages that are not erased yet; only id and chat_id are set. */
SN_CHECKED sn_status chat_store_expired(struct db_tx *tx, size_t limit, size_t *n, chat_entry ***entries);
/* In how many ms the next message expires, at most *wait_ms. */
SN_CHECKED sn_status chat_store_next_expiry(struct db_tx *tx, int64_t *wait_ms);
/* Creates the partitions of this month and the following ones. */
SN_CHECKED sn_status chat_store_make_months(struct db_tx *tx, int months);

#endif
