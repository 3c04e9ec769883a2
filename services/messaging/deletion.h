/* Deleting a message for all. */
#ifndef SERVICES_MESSAGING_DELETION_H
#define SERVICES_MESSAGING_DELETION_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* By the actor, or by NOBODY. The chat is locked, and chat is its row as of some member. Only the message's place in
 * the log is left, and an entry about the deletion. */
SN_CHECKED sn_status deletion_for_all(struct db_tx *tx, chat_member *chat, const chat_entry *message);

#endif
