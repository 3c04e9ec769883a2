/* Showing entries to viewers: messages and changes of a log, with their authors. The caller has decided whether they
 * may see an entry (membership.h). Calls other services, so no transaction may be open. */
#ifndef SERVICES_MESSAGING_SHOW_H
#define SERVICES_MESSAGING_SHOW_H

#include "base/call.h"
#include "services/messaging/messaging.h"

/* An entry for one viewer. */
struct shown {
        chat_entry *entry;
        const char *viewer;
        const chat_member *member;   /* the viewer's; an answered message is shown only if the viewer may read it */
        chat_entry *of;              /* for a change: the entry of the message that it changes, or NULL */
        Messaging__Message *message; /* set by show_messages; the caller may provide one to be filled */
};

/* All entries must be messages. At most 500. */
SN_CHECKED sn_status show_messages(struct rpc_call *c, struct shown *items, size_t n);
/* changes[i] belongs to items[i]. */
SN_CHECKED sn_status show_changes(struct rpc_call *c, struct shown *items, size_t n, Messaging__Change **changes);
/* Shows messages to the actor. */
SN_CHECKED sn_status show_own_view(struct rpc_call *c, const chat_member *member, chat_entry **entries, size_t n,
                                   Messaging__Message ***messages);
/* The same for one message. */
SN_CHECKED sn_status show_message(struct rpc_call *c, const chat_member *member, chat_entry *entry,
                                  Messaging__Message *out);
/* Whether any of these ids is not "". Messages that are not stored yet, or need nothing from other services, have "".
 */
bool show_asks(char *const *ids, size_t n);
/* Fills in what the entry itself contains. It must have its number. */
void show_stored(chat_entry *entry, Messaging__Message *out);

#endif
