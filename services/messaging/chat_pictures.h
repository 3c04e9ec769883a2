/* The pictures of groups and channels: shown to who is in the chat, by addresses that hold for a while. */
#ifndef SERVICES_MESSAGING_CHAT_PICTURES_H
#define SERVICES_MESSAGING_CHAT_PICTURES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* A picture that a chat is to show. All zero: none. */
struct chat_picture {
        const char *media_id, *use_id; /* use: as what media_service knows it */
        Media__Media *media;
};

/* One of the actor's; "": none. SN_INVALID_ARGUMENT on picture_media_id when it is not. Asks media_service: before the
 * transaction. */
SN_CHECKED sn_status chat_picture_bring(struct rpc_call *c, char *media_id, struct chat_picture *picture);
/* In place of what the chat showed before, of which media_service is told. The chat is locked, or new. */
SN_CHECKED sn_status chat_picture_put(struct db_tx *tx, const char *chat_id, const struct chat_picture *picture);
/* Asks media_service. */
SN_CHECKED sn_status chat_pictures_show(struct rpc_call *c, chat_member *const *members, size_t n,
                                        Messaging__Chat **chats);

#endif
