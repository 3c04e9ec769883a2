/* The SQL that erases members. */
#ifndef SERVICES_MESSAGING_STORE_ERASE_H
#define SERVICES_MESSAGING_STORE_ERASE_H

#include "db/db.h"
#include "services/messaging/messaging.h"

SN_CHECKED sn_status chat_store_sent_by(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                                        MessagingRows__SentAs ***sent);
/* Removes the sender and the client id from their messages. */
SN_CHECKED sn_status chat_store_forget_sent(struct db_tx *tx, const char *user_id, MessagingRows__SentAs *const *sent,
                                            size_t n);
SN_CHECKED sn_status chat_store_chats_with(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                                           char ***chat_ids);
/* The chat must be locked. */
SN_CHECKED sn_status chat_store_forget_member(struct db_tx *tx, const char *chat_id, const char *user_id);
/* Lists at most limit of their reactions. */
SN_CHECKED sn_status chat_store_reacted(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                                        MessagingRows__Reacted ***reacted);
/* Anonymizes at most limit entries by them, and as many about their membership. *more: there were some. */
SN_CHECKED sn_status chat_store_forget_in_logs(struct db_tx *tx, const char *user_id, size_t limit, bool *more);
/* Erases what they deleted for themselves, and when they were last online. */
SN_CHECKED sn_status chat_store_erase_rest(struct db_tx *tx, const char *user_id);

#endif
