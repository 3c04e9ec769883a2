/* By which words messages are found. */
#ifndef SERVICES_MESSAGING_SEARCH_MESSAGES_H
#define SERVICES_MESSAGING_SEARCH_MESSAGES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* It is found by the words of this text from now on, and by no others; the entry has its number. */
SN_CHECKED sn_status search_put(struct db_tx *tx, const chat_entry *message, const char *text);

#endif
