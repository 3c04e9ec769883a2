/* What never changes of a chat: its kind, and of a direct chat the two members. Known of the chats in which messages
 * were sent in this process a while ago, so that the next one need not read it before its transaction. */
#ifndef SERVICES_MESSAGING_KNOWN_CHATS_H
#define SERVICES_MESSAGING_KNOWN_CHATS_H

#include "services/messaging/messaging.h"

#define KNOWN_CHATS 2048

/* In place of another chat, if there is no room. member: the chat as a member has it. */
void known_chats_keep(const chat_member *member);
/* Sets the member's chat_id, user_id, kind and peer_id, and nothing else. False: unknown, or a direct chat of others.
 */
bool known_chats_find(struct arena *arena, const char *chat_id, const char *user_id, chat_member *member);

#endif
