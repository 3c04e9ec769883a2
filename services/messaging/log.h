/* The log of a chat: whatever happens in it is an entry with the next number, in the transaction of its effect and
 * together with its event. */
#ifndef SERVICES_MESSAGING_LOG_H
#define SERVICES_MESSAGING_LOG_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* An entry by the actor, not in the log yet. Draw its id after membership_lock: ids of a log never go back in time. */
SN_CHECKED sn_status log_new(struct db_tx *tx, const chat_member *member, int kind, chat_entry *entry);
/* Writes it with the next number, which it sets, with its times. The chat is locked, and member was read after that, or
 * it is new; updates the counts in member. A message whose client id was used fails when it is committed. */
SN_CHECKED sn_status log_append(struct db_tx *tx, chat_member *member, chat_entry *entry);
/* log_new and log_append, of an entry about another message or a member. */
SN_CHECKED sn_status log_add(struct db_tx *tx, chat_member *member, int kind, const char *target_id, const char *text,
                             chat_entry *entry);

#endif
