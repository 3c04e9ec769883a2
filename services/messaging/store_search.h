/* The SQL on finding messages by their words. */
#ifndef SERVICES_MESSAGING_STORE_SEARCH_H
#define SERVICES_MESSAGING_STORE_SEARCH_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* It is found by these words and no others from now on; the entry has its number. */
SN_CHECKED sn_status search_store_put(struct db_tx *tx, const chat_entry *message, char *const *words, size_t n);

/* What was put waits in a list that every search reads: puts it where it is found at once. */
SN_CHECKED sn_status search_store_index(struct db_tx *tx);

struct wanted {
        char *const *words; /* all of them; at least one */
        size_t n;
        const char *chat_id;   /* in this chat; "": in all that one is in */
        const char *before_id; /* older ones; "": from the newest on */
        size_t limit;
};

/* Of the actor's chats, as far as they may read them: the newest first. */
SN_CHECKED sn_status search_store_find(struct db_tx *tx, const struct wanted *wanted, size_t *n, char ***ids);

#endif
