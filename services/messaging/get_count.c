/* The public method of messaging_service. */
#include "services/messaging/messaging.h"

#include "db/db.h"
#include "services/messaging/store.h"

sn_status messaging_handle_get_count(struct rpc_call *c, const Messaging__GetCountRequest *in, Messaging__Count *out)
{
        return DB_READ(c, tx, messaging_store_count(tx, in->user_id, out));
}
