/* What events of messaging_service mean to viewers of live streams. */
#ifndef SERVICES_MESSAGING_LIVE_H
#define SERVICES_MESSAGING_LIVE_H

#include "services/messaging/messaging.h"

enum live_kind {
        LIVE_LOG,       /* an entry of a chat's log */
        LIVE_READ,      /* how far a member has read */
        LIVE_DELIVERED, /* how far a member's device has received */
        LIVE_TOUCHED,   /* only for the devices of one member */
        LIVE_TYPING,    /* this and the next are signals */
        LIVE_PRESENCE,
        LIVE_NOTHING /* only for other services */
};

enum live_kind live_kind_of(const bus_event *event);

/* Adds an entry of the log to the response, for in->events[event] and in->viewer_ids[viewer]. */
void live_add_change(struct rpc_call *c, Messaging__ChatEvents *out, uint32_t event, uint32_t viewer,
                     Messaging__Change *change);
/* Shows messages that this process has just committed, without a query. *shown is false, and nothing is added, unless
 * all of the events are such messages, and all of the viewers could read them when they were committed. */
SN_CHECKED sn_status live_show_recent(struct rpc_call *c, const Sonet__Live__ShowRequest *in,
                                      Messaging__ChatEvents *out, bool *shown);

#endif
