/* The SQL of searching messages. */
#ifndef SERVICES_MESSAGING_STORE_SEARCH_H
#define SERVICES_MESSAGING_STORE_SEARCH_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Replaces the words by which a message is found. The entry must have its number. */
SN_CHECKED sn_status search_store_put(struct db_tx *tx, const chat_entry *message, char *const *words, size_t n);

/* Merges the pending list, which every search scans, into the index. */
SN_CHECKED sn_status search_store_index(struct db_tx *tx);

struct wanted {
        char *const *words; /* a message must have all of them; at least one */
        size_t n;
        const char *chat_id;   /* only this chat; "": all of the actor's */
        const char *before_id; /* only older messages; "": from the newest on */
        size_t limit;
};

/* Messages in the actor's chats that the actor may read, newest first. */
SN_CHECKED sn_status search_store_find(struct db_tx *tx, const struct wanted *wanted, size_t *n, char ***ids);

#endif
