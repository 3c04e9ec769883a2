/* Creates partitions for messages in advance: this month's and those of the next three months. */
#include "services/messaging/messaging.h"

#include "services/messaging/store_log.h"

#define MONTHS_AHEAD 4

static sn_status make_months(struct rpc_call *c, bool *more)
{
        *more = false;
        return DB_WRITE(c, tx, chat_store_make_months(tx, MONTHS_AHEAD));
}

const struct service_job messaging_months = {.name = "make_message_months", .every_s = 3600, .run = make_months};
