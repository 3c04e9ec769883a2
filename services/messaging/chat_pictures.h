/* The pictures of groups and channels, shown to the members at URLs that expire. */
#ifndef SERVICES_MESSAGING_CHAT_PICTURES_H
#define SERVICES_MESSAGING_CHAT_PICTURES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* A picture for a chat. Zero-initialized: none. */
struct chat_picture {
        const char *media_id, *use_id; /* use_id: the id under which media_service knows its use */
        Media__Media *media;
};

/* Attaches a media of the actor; media_id "": none. SN_INVALID_ARGUMENT on picture_media_id if it is not theirs. Calls
 * media_service, so it must run before the transaction. */
SN_CHECKED sn_status chat_picture_bring(struct rpc_call *c, char *media_id, struct chat_picture *picture);
/* Replaces the chat's picture, and notifies media_service. The chat must be locked or new. */
SN_CHECKED sn_status chat_picture_put(struct db_tx *tx, const char *chat_id, const struct chat_picture *picture);
/* Fills in the pictures of chats. Calls media_service. */
SN_CHECKED sn_status chat_pictures_show(struct rpc_call *c, chat_member *const *members, size_t n,
                                        Messaging__Chat **chats);

#endif
