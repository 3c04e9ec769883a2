/* The SQL that erases members. */
#ifndef SERVICES_MESSAGING_STORE_ERASE_H
#define SERVICES_MESSAGING_STORE_ERASE_H

#include "db/db.h"
#include "services/messaging/messaging.h"

SN_CHECKED sn_status chat_store_sent_by(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                                        MessagingRows__SentAs ***sent);
SN_CHECKED sn_status chat_store_forget_sent(struct db_tx *tx, const char *user_id, MessagingRows__SentAs *const *sent,
                                            size_t n);
SN_CHECKED sn_status chat_store_chats_with(struct db_tx *tx, const char *user_id, size_t limit, size_t *n,
                                           char ***chat_ids);
SN_CHECKED sn_status chat_store_forget_member(struct db_tx *tx, const char *chat_id, const char *user_id);
/* What they deleted for themselves. */
SN_CHECKED sn_status chat_store_erase_rest(struct db_tx *tx, const char *user_id);

#endif
