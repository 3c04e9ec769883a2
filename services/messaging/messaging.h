/* What the files of messaging_service share. */
#ifndef SERVICES_MESSAGING_MESSAGING_H
#define SERVICES_MESSAGING_MESSAGING_H

#include "bus/bus.h"
#include "services/messaging/messaging.service.h"
#include "services/messaging/messaging_rows.rpc.h"
#include "services/services.h"

typedef MessagingRows__Member chat_member; /* a chat, with what one member is in it */
typedef MessagingRows__Entry chat_entry;   /* an entry of its log */

/* Aggregate: the chat; version: the number of the entry; object: the entry. */
#define EVENT_MESSAGE_CREATED "message.created"
#define EVENT_MEMBER_JOINED   "chat.joined"
#define EVENT_MEMBER_LEFT     "chat.left"
/* Version: up to where they have read; object: who did. No entry of the log. */
#define EVENT_CHAT_READ "chat.read"

#define GROUP_MAX 1000 /* members of a group */

#endif
