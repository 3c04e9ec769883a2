/* The SQL on links into chats. */
#ifndef SERVICES_MESSAGING_STORE_LINKS_H
#define SERVICES_MESSAGING_STORE_LINKS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define LINK_HASH_BYTES 32

struct new_link {
        const char *chat_id;
        const uint8_t *hash; /* LINK_HASH_BYTES of its token */
        int64_t uses, expires_in_s;
        bool approval;
};

/* By the actor. */
SN_CHECKED sn_status link_store_insert(struct db_tx *tx, const struct new_link *link, Messaging__ChatLink *out);
/* Those that work, the newest first, at most limit, each with the id of who made it in `creator`. */
SN_CHECKED sn_status link_store_list(struct db_tx *tx, const char *chat_id, size_t limit, size_t *n,
                                     Messaging__ChatLink ***links);
SN_CHECKED sn_status link_store_delete(struct db_tx *tx, const char *chat_id, const char *id, bool *deleted);
/* One that works. */
SN_CHECKED sn_status link_store_find(struct db_tx *tx, const uint8_t *hash, MessagingRows__WorkingLink *link,
                                     bool *found);
/* One use less, of one that works still; *used: it did. */
SN_CHECKED sn_status link_store_use(struct db_tx *tx, const uint8_t *hash, bool *used);
/* Deletes those that work no more. */
SN_CHECKED sn_status link_store_sweep(struct db_tx *tx);

#endif
