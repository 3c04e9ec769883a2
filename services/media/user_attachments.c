/* Follows which media accounts show: avatars and headers. */
#include "services/media/attachments.h"
#include "services/media/media.h"
#include "services/user/user.rpc.h"

static const char *const types[] = {"user.media_attached", "user.media_detached", NULL};

const struct bus_consumer media_user_attachments = {
    .name = "attachments",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = attachments_follow,
};
