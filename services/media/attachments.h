/* The events SERVICE.media_attached and SERVICE.media_detached, with which services announce which media their objects
 * show. */
#ifndef SERVICES_MEDIA_ATTACHMENTS_H
#define SERVICES_MEDIA_ATTACHMENTS_H

#include "bus/bus.h"

/* Handles both events exactly once. */
SN_CHECKED sn_status attachments_follow(struct rpc_call *c, struct bus_batch *batch);

#endif
