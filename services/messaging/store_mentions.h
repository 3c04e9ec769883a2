/* The SQL on whom messages name. */
#ifndef SERVICES_MESSAGING_STORE_MENTIONS_H
#define SERVICES_MESSAGING_STORE_MENTIONS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define UNREAD_MENTIONS_MAX 100

/* Those of user_ids who are in the chat, in order of id. */
SN_CHECKED sn_status mention_store_present(struct db_tx *tx, const char *chat_id, char *const *user_ids, size_t n,
                                           size_t *n_present, char ***present);
/* It names these members, and no others from now on; the entry has its number. */
SN_CHECKED sn_status mention_store_put(struct db_tx *tx, const chat_entry *message, char *const *user_ids, size_t n);
/* Of each of some messages, grouped by message. */
SN_CHECKED sn_status mention_store_list(struct db_tx *tx, char *const *message_ids, size_t n, size_t *n_mentions,
                                        MessagingRows__Mention ***mentions);
/* unread[i]: how many messages of chat_ids[i] behind the number read[i] name the actor; UNREAD_MENTIONS_MAX and more
 * are that many. */
SN_CHECKED sn_status mention_store_unread(struct db_tx *tx, char *const *chat_ids, const int64_t *read, size_t n,
                                          int64_t *unread);

#endif
