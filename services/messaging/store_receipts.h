/* The SQL of receipts: how far members have read and received, as shown to others. */
#ifndef SERVICES_MESSAGING_STORE_RECEIPTS_H
#define SERVICES_MESSAGING_STORE_RECEIPTS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

SN_CHECKED sn_status receipt_store_put_read(struct db_tx *tx, const chat_member *member, int64_t seq);
/* The receipts of present members, at most 1,000. */
SN_CHECKED sn_status receipt_store_list(struct db_tx *tx, const char *chat_id, size_t *n,
                                        Messaging__Receipt ***receipts);
/* The receipts of user_ids[i] in chat_ids[i]; members who do not disclose them have none. */
SN_CHECKED sn_status receipt_store_of(struct db_tx *tx, char *const *chat_ids, char *const *user_ids, size_t n,
                                      size_t *n_receipts, Messaging__Receipt ***receipts);

/* A position in the service's outbox that a member's device has acknowledged. */
struct reached {
        const char *user_id, *log_id;
        int64_t position;
};

/* False for a position of another log, and for one so old that later events may have been deleted. */
SN_CHECKED sn_status receipt_store_is_known(struct db_tx *tx, const struct reached *reached, bool *known);
/* The member's chats, at most limit, in which the position is beyond what was known. Without chats of more than
 * TOLD_MAX members. */
SN_CHECKED sn_status receipt_store_undelivered(struct db_tx *tx, const struct reached *reached, size_t limit, size_t *n,
                                               MessagingRows__Undelivered ***chats);
/* Raises the delivered mark; *raised: whether it was lower. Serialized per member (db_lock_one). */
SN_CHECKED sn_status receipt_store_deliver(struct db_tx *tx, const char *user_id,
                                           const MessagingRows__Undelivered *chat, bool *raised);
SN_CHECKED sn_status receipt_store_put_delivered(struct db_tx *tx, const char *user_id,
                                                 const MessagingRows__Undelivered *chat);

#endif
