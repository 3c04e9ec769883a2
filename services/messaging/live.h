/* What the events of messaging_service are to who follows chats on the stream. */
#ifndef SERVICES_MESSAGING_LIVE_H
#define SERVICES_MESSAGING_LIVE_H

#include "services/messaging/messaging.h"

enum live_kind {
        LIVE_LOG,       /* an entry of a chat's log */
        LIVE_READ,      /* up to where a member has read */
        LIVE_DELIVERED, /* what has reached a device of theirs */
        LIVE_TOUCHED,   /* for the devices of one member alone */
        LIVE_TYPING,    /* these two are signals */
        LIVE_PRESENCE,
        LIVE_NOTHING /* for other services */
};

enum live_kind live_kind_of(const bus_event *event);

#endif
