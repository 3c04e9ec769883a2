/* The log of a chat: everything that happens in it is an entry with the next number, written in the same transaction as
 * its effect and its event. */
#ifndef SERVICES_MESSAGING_LOG_H
#define SERVICES_MESSAGING_LOG_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Makes an entry by the actor, not in the log yet. Call it after membership_lock, so that the ids of a log never go
 * back in time. */
SN_CHECKED sn_status log_new(struct db_tx *tx, const chat_member *member, int kind, chat_entry *entry);
/* Writes it with the next number; sets its number and times, and updates the counts in member. The chat must be new, or
 * locked before member was read. If a message's client id is already taken, COMMIT fails. */
SN_CHECKED sn_status log_append(struct db_tx *tx, chat_member *member, chat_entry *entry);
/* log_new and log_append for an entry about another message or a member. */
SN_CHECKED sn_status log_add(struct db_tx *tx, chat_member *member, int kind, const char *target_id, const char *text,
                             chat_entry *entry);

#endif
