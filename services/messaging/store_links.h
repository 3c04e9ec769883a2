/* The SQL of invite links. */
#ifndef SERVICES_MESSAGING_STORE_LINKS_H
#define SERVICES_MESSAGING_STORE_LINKS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define LINK_HASH_BYTES 32

struct new_link {
        const char *chat_id;
        const uint8_t *hash; /* LINK_HASH_BYTES bytes, of its token */
        int64_t uses, expires_in_s;
        bool approval;
};

/* Creates a link by the actor. */
SN_CHECKED sn_status link_store_insert(struct db_tx *tx, const struct new_link *link, Messaging__ChatLink *out);
/* Valid links, newest first, at most limit, each with the creator's id in `creator`. */
SN_CHECKED sn_status link_store_list(struct db_tx *tx, const char *chat_id, size_t limit, size_t *n,
                                     Messaging__ChatLink ***links);
SN_CHECKED sn_status link_store_delete(struct db_tx *tx, const char *chat_id, const char *id, bool *deleted);
/* Finds a valid link. */
SN_CHECKED sn_status link_store_find(struct db_tx *tx, const uint8_t *hash, MessagingRows__WorkingLink *link,
                                     bool *found);
/* Uses a link once if it is still valid; *used: whether it was. */
SN_CHECKED sn_status link_store_use(struct db_tx *tx, const uint8_t *hash, bool *used);
/* Deletes links that are no longer valid. */
SN_CHECKED sn_status link_store_sweep(struct db_tx *tx);

#endif
