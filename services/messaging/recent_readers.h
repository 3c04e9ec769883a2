/* Who may read the messages that this process committed last, so that routing them needs no query. Only a shortcut: for
 * other messages the database is queried, and what each reader is shown is decided by the database in any case. */
#ifndef SERVICES_MESSAGING_RECENT_READERS_H
#define SERVICES_MESSAGING_RECENT_READERS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define RECENT_MESSAGES 512

/* The chat is locked, so its members do not change until the COMMIT, after which they are kept; not those of chats with
 * more than TOLD_MAX members. entry: the new message; sender: the chat as its sender has it. */
SN_CHECKED sn_status recent_readers_note(struct db_tx *tx, const chat_entry *entry, const chat_member *sender);
/* Keeps the readers of a message in place of the oldest one's. */
void recent_readers_keep(const char *message_id, char *const *ids, size_t n);
/* False: they are not known. */
bool recent_readers_find(struct arena *arena, const char *message_id, size_t *n, char ***ids);

#endif
