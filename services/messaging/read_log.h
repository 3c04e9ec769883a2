/* Log entries by number, as shown to the actor. */
#ifndef SERVICES_MESSAGING_READ_LOG_H
#define SERVICES_MESSAGING_READ_LOG_H

#include "base/call.h"
#include "services/messaging/messaging.h"

/* A range of a chat's log, and what the member may read of it. */
struct log_range {
        const chat_member *member;
        int64_t from, to; /* inclusive; empty if to < from */
        Messaging__Change **changes;
        size_t n;
};

/* Sets changes and n of each range. At most 500 numbers in total. Calls other services. */
SN_CHECKED sn_status read_log(struct rpc_call *c, struct log_range *ranges, size_t n);

#endif
