/* Follows which media messages show. */
#include "services/media/attachments.h"
#include "services/media/media.h"
#include "services/messaging/messaging.rpc.h"

static const char *const types[] = {"messaging.media_attached", "messaging.media_detached", NULL};

const struct bus_consumer media_messaging_attachments = {
    .name = "attachments",
    .source = "messaging",
    .read_outbox = &messaging_methods[MESSAGING_READ_OUTBOX],
    .types = types,
    .handle = attachments_follow,
};
