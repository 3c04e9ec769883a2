/* The SQL of mentions. */
#ifndef SERVICES_MESSAGING_STORE_MENTIONS_H
#define SERVICES_MESSAGING_STORE_MENTIONS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define UNREAD_MENTIONS_MAX 100

/* Those of user_ids who are in the chat, ordered by id. */
SN_CHECKED sn_status mention_store_present(struct db_tx *tx, const char *chat_id, char *const *user_ids, size_t n,
                                           size_t *n_present, char ***present);
/* Replaces the mentions of a message. The entry must have its number. */
SN_CHECKED sn_status mention_store_put(struct db_tx *tx, const chat_entry *message, char *const *user_ids, size_t n);
/* The mentions in several messages, grouped by message. */
SN_CHECKED sn_status mention_store_list(struct db_tx *tx, char *const *message_ids, size_t n, size_t *n_mentions,
                                        MessagingRows__Mention ***mentions);
/* unread[i]: how many messages of chat_ids[i] after the number read[i] mention the actor, at most UNREAD_MENTIONS_MAX.
 */
SN_CHECKED sn_status mention_store_unread(struct db_tx *tx, char *const *chat_ids, const int64_t *read, size_t n,
                                          int64_t *unread);

#endif
