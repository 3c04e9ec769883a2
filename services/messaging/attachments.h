/* Media attached to messages. They are shown to members who may read the message, at URLs that expire, and are deleted
 * with the message. */
#ifndef SERVICES_MESSAGING_ATTACHMENTS_H
#define SERVICES_MESSAGING_ATTACHMENTS_H

#include "db/db.h"
#include "services/messaging/show.h"

/* The media of a message that is to be sent. */
struct attachments {
        char **ids;
        size_t n;
        const char *object_id; /* the id under which media_service knows the message; NULL if the media belong to
                                  another message */
        Media__Media **media;
};

/* Attaches the actor's own media. SN_INVALID_ARGUMENT on media_ids if one is not theirs. Calls media_service, so it
 * must run before the transaction. */
SN_CHECKED sn_status attachments_bring(struct rpc_call *c, char **ids, size_t n, struct attachments *attachments);
/* Attaches the media of a forwarded message. */
SN_CHECKED sn_status attachments_pass_on(struct rpc_call *c, chat_entry *message, struct attachments *attachments);
SN_CHECKED sn_status attachments_put(struct db_tx *tx, const char *message_id, const struct attachments *attachments);
/* Fills in the media of messages that are not deleted. Calls media_service. */
SN_CHECKED sn_status attachments_show(struct rpc_call *c, struct shown *items, size_t n);
/* Deletes the media of a deleted message, and notifies media_service. */
SN_CHECKED sn_status attachments_end(struct db_tx *tx, const char *message_id);

#endif
