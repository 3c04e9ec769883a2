/* Indexing messages for search. */
#ifndef SERVICES_MESSAGING_SEARCH_MESSAGES_H
#define SERVICES_MESSAGING_SEARCH_MESSAGES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Replaces the words by which a message is found with those of the text. The entry must have its number. */
SN_CHECKED sn_status search_put(struct db_tx *tx, const chat_entry *message, const char *text);

#endif
