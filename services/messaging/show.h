/* What viewers are shown of entries: messages, and changes of a log, with who wrote them. Whether they may see an entry
 * is decided before (membership.h). Asks other services: never while a transaction is open. */
#ifndef SERVICES_MESSAGING_SHOW_H
#define SERVICES_MESSAGING_SHOW_H

#include "base/call.h"
#include "services/messaging/messaging.h"

/* An entry for one viewer. */
struct shown {
        chat_entry *entry;
        const char *viewer;
        const chat_member *member;   /* the viewer's: what a message answers is shown when they may read that, too */
        chat_entry *of;              /* of a change: the entry of the message that it changes, or NULL */
        Messaging__Message *message; /* made by show_messages; may be given, to be filled */
};

/* Each entry is a message. At most 500. */
SN_CHECKED sn_status show_messages(struct rpc_call *c, struct shown *items, size_t n);
/* changes[i] belongs to items[i]. */
SN_CHECKED sn_status show_changes(struct rpc_call *c, struct shown *items, size_t n, Messaging__Change **changes);
/* Messages for the actor. */
SN_CHECKED sn_status show_own_view(struct rpc_call *c, const chat_member *member, chat_entry **entries, size_t n,
                                   Messaging__Message ***messages);
/* One of them, into an answer. */
SN_CHECKED sn_status show_message(struct rpc_call *c, const chat_member *member, chat_entry *entry,
                                  Messaging__Message *out);
/* Whether there is anything to ask about these ids: what is not stored yet, or shows nothing more, has "". */
bool show_asks(char *const *ids, size_t n);
/* What of it the entry itself says, once it has its number. */
void show_stored(chat_entry *entry, Messaging__Message *out);

#endif
