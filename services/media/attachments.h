/* The events by which services say what media their objects show: SERVICE.media_attached, SERVICE.media_detached. */
#ifndef SERVICES_MEDIA_ATTACHMENTS_H
#define SERVICES_MEDIA_ATTACHMENTS_H

#include "bus/bus.h"

/* Handles both, exactly once. */
SN_CHECKED sn_status attachments_follow(struct rpc_call *c, struct bus_batch *batch);

#endif
