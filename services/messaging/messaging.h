/* What the files of messaging_service share. */
#ifndef SERVICES_MESSAGING_MESSAGING_H
#define SERVICES_MESSAGING_MESSAGING_H

#include "bus/bus.h"
#include "services/messaging/messaging.service.h"
#include "services/messaging/messaging_rows.rpc.h"
#include "services/services.h"

typedef MessagingRows__Member chat_member; /* a chat, with what one member is in it */
typedef MessagingRows__Entry chat_entry;   /* an entry of its log */

/* Each kind of entry has its event. Aggregate: the chat; version: the number of the entry; object: the entry. */
#define EVENT_MESSAGE_CREATED   "message.created"
#define EVENT_MEMBER_JOINED     "chat.joined"
#define EVENT_MEMBER_LEFT       "chat.left"
#define EVENT_MESSAGE_EDITED    "message.edited"
#define EVENT_MESSAGE_DELETED   "message.deleted"
#define EVENT_MESSAGE_REACTED   "message.reacted"
#define EVENT_MESSAGE_UNREACTED "message.unreacted"
#define EVENT_MESSAGE_PINNED    "message.pinned"
#define EVENT_MESSAGE_UNPINNED  "message.unpinned"
#define EVENT_CHAT_CHANGED      "chat.changed"
#define EVENT_MEMBER_ROLE       "chat.role_changed"
#define EVENT_CHAT_ENDED        "chat.ended"
/* Version: up to where they have read; object: the reader. Not an entry of the log. */
#define EVENT_CHAT_READ "chat.read"
/* Version: what a device of theirs has; object: whose. No entry of the log. */
#define EVENT_CHAT_DELIVERED "chat.delivered"
/* Object: who set something for themselves. No entry of the log. */
#define EVENT_CHAT_TOUCHED "chat.touched"
/* For media_service alone. Aggregate: the id under which it knows the message. Not entries of the log. */
#define EVENT_MEDIA_ATTACHED "messaging.media_attached"
#define EVENT_MEDIA_DETACHED "messaging.media_detached"
/* A signal (bus/signals.h). Aggregate: the chat; object: the member who is typing. */
#define SIGNAL_TYPING "chat.typing"
/* Another. Aggregate: of whom; version: 1 is here, 0 is here no more. */
#define SIGNAL_PRESENCE "member.presence"

/* expire.c: in the transaction of a message that is over in so long; 0: never. */
void expire_announce(struct db_tx *tx, int64_t expires_in_s);

/* index_words.c: in a transaction that has put the words of a message. */
void index_words_announce(struct db_tx *tx);

#define NOBODY    "00000000-0000-0000-0000-000000000000" /* the actor of what the server does by itself */
#define GROUP_MAX 1000                                   /* members of a group */
/* In larger chats who has read, what was delivered and who writes is told to nobody else as it happens: each of n would
 * tell n. */
#define TOLD_MAX 50

/* store_export.c */
extern const struct service_export messaging_exports[];

#endif
