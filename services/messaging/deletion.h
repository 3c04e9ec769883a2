/* Deleting a message for all. */
#ifndef SERVICES_MESSAGING_DELETION_H
#define SERVICES_MESSAGING_DELETION_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Deletes a message for all; the actor may be NOBODY. The chat must be locked; chat is its row for any member. Leaves
 * only the message's position in the log, and an entry about the deletion. */
SN_CHECKED sn_status deletion_for_all(struct db_tx *tx, chat_member *chat, const chat_entry *message);

#endif
