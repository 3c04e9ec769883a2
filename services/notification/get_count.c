/* The public method of notification_service. */
#include "services/notification/notification.h"

#include "db/db.h"
#include "services/notification/store.h"

sn_status notification_handle_get_count(struct rpc_call *c, const Notification__GetCountRequest *in,
                                        Notification__Count *out)
{
        return DB_READ(c, tx, notification_store_count(tx, in->user_id, out));
}
