/* The media that messages show: to members who may read the message, at URLs that expire, and deleted with the
 * message. */
#ifndef SERVICES_MESSAGING_ATTACHMENTS_H
#define SERVICES_MESSAGING_ATTACHMENTS_H

#include "db/db.h"
#include "services/messaging/show.h"

/* Of a message that is to be sent. */
struct attachments {
        char **ids;
        size_t n;
        const char *object_id; /* the id under which media_service knows the message; NULL: the media belong to another
                                  message */
        Media__Media **media;
};

/* The actor's own. SN_INVALID_ARGUMENT on media_ids when one is not theirs. Asks media_service: before the transaction.
 */
SN_CHECKED sn_status attachments_bring(struct rpc_call *c, char **ids, size_t n, struct attachments *attachments);
/* Those of a message that is passed on. */
SN_CHECKED sn_status attachments_pass_on(struct rpc_call *c, chat_entry *message, struct attachments *attachments);
SN_CHECKED sn_status attachments_put(struct db_tx *tx, const char *message_id, const struct attachments *attachments);
/* Fills in the media of messages that are not deleted. Asks media_service. */
SN_CHECKED sn_status attachments_show(struct rpc_call *c, struct shown *items, size_t n);
/* Deletes the media of a deleted message, and tells media_service. */
SN_CHECKED sn_status attachments_end(struct db_tx *tx, const char *message_id);

#endif
