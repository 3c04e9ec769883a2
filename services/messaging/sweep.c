/* Deletes expired typing indicators and links. */
#include "services/messaging/messaging.h"

#include "services/messaging/store_links.h"
#include "services/messaging/store_typing.h"

static sn_status sweep_typing(struct rpc_call *c, bool *more)
{
        TRY(DB_WRITE(c, tx, typing_store_sweep(tx)));
        return DB_WRITE(c, tx, link_store_sweep(tx));
}

const struct service_job messaging_sweep = {.name = "sweep_chats", .every_s = 60, .run = sweep_typing};
