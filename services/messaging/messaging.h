/* Shared by the files of messaging_service. */
#ifndef SERVICES_MESSAGING_MESSAGING_H
#define SERVICES_MESSAGING_MESSAGING_H

#include "bus/bus.h"
#include "services/messaging/messaging.service.h"
#include "services/messaging/messaging_rows.rpc.h"
#include "services/services.h"

typedef MessagingRows__Member chat_member; /* a chat with one member's membership in it */
typedef MessagingRows__Entry chat_entry;   /* an entry of a chat's log */

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
/* Version: how far the reader has read; object: the reader. Not an entry of the log. */
#define EVENT_CHAT_READ "chat.read"
/* Version: how far a device of the member has received; object: the member. Not an entry of the log. */
#define EVENT_CHAT_DELIVERED "chat.delivered"
/* Object: the member who changed something for themselves. Not an entry of the log. */
#define EVENT_CHAT_TOUCHED "chat.touched"
/* Only for media_service. Aggregate: the id under which it knows the message. Not entries of the log. */
#define EVENT_MEDIA_ATTACHED "messaging.media_attached"
#define EVENT_MEDIA_DETACHED "messaging.media_detached"
/* A signal (bus/signals.h). Aggregate: the chat; object: the member who is typing. */
#define SIGNAL_TYPING "chat.typing"
/* A signal. Aggregate: the member; version: 1 came online, 0 went offline. */
#define SIGNAL_PRESENCE "member.presence"

/* expire.c: call it in the transaction of a message that expires in this many seconds; 0: never. */
void expire_announce(struct db_tx *tx, int64_t expires_in_s);

/* index_words.c: call it in a transaction that has stored the words of a message. */
void index_words_announce(struct db_tx *tx);

#define NOBODY    "00000000-0000-0000-0000-000000000000" /* the actor when the server itself acts */
#define GROUP_MAX 1000                                   /* members of a group */
/* In larger chats reads, deliveries and typing are not announced live, since n members would each announce to n
 * members. */
#define TOLD_MAX 50

/* store_export.c */
extern const struct service_export messaging_exports[];

#endif
