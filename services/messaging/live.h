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

#endif
