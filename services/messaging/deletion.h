/* Deleting a message for all. */
#ifndef SERVICES_MESSAGING_DELETION_H
#define SERVICES_MESSAGING_DELETION_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* By the actor; nobody, when there is none. The chat is locked, and chat is its row as of some member. Nothing is left
 * of the message but its place in the log, and the entry that says so. */
SN_CHECKED sn_status deletion_for_all(struct db_tx *tx, chat_member *chat, const chat_entry *message);

#endif
