/* The log of a chat: whatever happens in it is an entry with the next number, in the transaction of its effect and
 * together with its event. */
#ifndef SERVICES_MESSAGING_LOG_H
#define SERVICES_MESSAGING_LOG_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* An entry by the actor, not in the log yet. Draw its id after membership_lock: ids of a log never go back in time. */
SN_CHECKED sn_status log_new(struct db_tx *tx, const chat_member *member, int kind, chat_entry *entry);
/* Writes it with the next number. The chat is locked (membership_lock), or new. Updates the counts in member. */
SN_CHECKED sn_status log_append(struct db_tx *tx, chat_member *member, chat_entry *entry);
/* The same of a message. *mine false: its sender has used the client id, and nothing was written. */
SN_CHECKED sn_status log_append_sent(struct db_tx *tx, chat_member *member, chat_entry *message, bool *mine);
/* log_new and log_append, of an entry about another message or a member. */
SN_CHECKED sn_status log_add(struct db_tx *tx, chat_member *member, int kind, const char *target_id, const char *text,
                             chat_entry *entry);

#endif
