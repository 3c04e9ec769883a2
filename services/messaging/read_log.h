/* Entries of logs by their numbers, as the actor is shown them. */
#ifndef SERVICES_MESSAGING_READ_LOG_H
#define SERVICES_MESSAGING_READ_LOG_H

#include "base/call.h"
#include "services/messaging/messaging.h"

/* Some numbers of a chat, and what the member may read of them. */
struct log_range {
        const chat_member *member;
        int64_t from, to; /* the first and the last one; to < from: none */
        Messaging__Change **changes;
        size_t n;
};

/* Sets changes and n of each. At most 500 numbers in all. Asks other services. */
SN_CHECKED sn_status read_log(struct rpc_call *c, struct log_range *ranges, size_t n);

#endif
