/* The SQL of synchronizing a member's chats. A point in time is a transaction id: all transactions before it have ended
 * and are visible. */
#ifndef SERVICES_MESSAGING_STORE_SYNC_H
#define SERVICES_MESSAGING_STORE_SYNC_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define SCANNED_MAX 1000
#define HIDDEN_MAX  100

/* The newest point, and the id of the outbox's log (log_id) that it belongs to, which differs in a restored database.
 */
SN_CHECKED sn_status sync_store_now(struct db_tx *tx, int64_t *point, uint64_t *log);
/* The actor's chats after a given one, ordered by id, at most SCANNED_MAX, each with whether it has changed since the
 * point. */
SN_CHECKED sn_status sync_store_scan(struct db_tx *tx, const char *after_id, int64_t since, size_t *n,
                                     MessagingRows__Scanned ***chats);
/* known[i]: among the last `window` entries of chat_ids[i] up to the number lasts[i], the newest that was visible at
 * the point (as all before it were); 0 if none was. */
SN_CHECKED sn_status sync_store_known(struct db_tx *tx, char *const *chat_ids, const int64_t *lasts, size_t n,
                                      int64_t window, int64_t since, int64_t *known);
/* Messages that the actor has deleted for themselves since the point, at most HIDDEN_MAX + 1 per chat, grouped by chat.
 */
SN_CHECKED sn_status sync_store_hidden(struct db_tx *tx, char *const *chat_ids, size_t n, int64_t since,
                                       size_t *n_hidden, MessagingRows__Hidden ***hidden);

#endif
