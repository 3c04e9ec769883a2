/* The SQL on receipts: what members have read and been delivered, as the others are shown it. */
#ifndef SERVICES_MESSAGING_STORE_RECEIPTS_H
#define SERVICES_MESSAGING_STORE_RECEIPTS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

SN_CHECKED sn_status receipt_store_put_read(struct db_tx *tx, const chat_member *member, int64_t seq);
/* Those of who is in the chat, at most 1,000. */
SN_CHECKED sn_status receipt_store_list(struct db_tx *tx, const char *chat_id, size_t *n,
                                        Messaging__Receipt ***receipts);
/* Those of members of chats, pair by pair; who says nothing has none. */
SN_CHECKED sn_status receipt_store_of(struct db_tx *tx, char *const *chat_ids, char *const *user_ids, size_t n,
                                      size_t *n_receipts, Messaging__Receipt ***receipts);

/* A position of the service's log of events, which a device of a member has reached. */
struct reached {
        const char *user_id, *log_id;
        int64_t position;
};

/* False of a position of another log, and of one too old to be sure of what came after it. */
SN_CHECKED sn_status receipt_store_is_known(struct db_tx *tx, const struct reached *reached, bool *known);
/* The member's chats, at most limit, of which that is more than was known: without those of more than TOLD_MAX members.
 */
SN_CHECKED sn_status receipt_store_undelivered(struct db_tx *tx, const struct reached *reached, size_t limit, size_t *n,
                                               MessagingRows__Undelivered ***chats);
/* Raises it; *raised tells whether it was lower still. Of a member one after the other (db_lock_one). */
SN_CHECKED sn_status receipt_store_deliver(struct db_tx *tx, const char *user_id,
                                           const MessagingRows__Undelivered *chat, bool *raised);
SN_CHECKED sn_status receipt_store_put_delivered(struct db_tx *tx, const char *user_id,
                                                 const MessagingRows__Undelivered *chat);

#endif
