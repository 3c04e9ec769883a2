/* The handlers, consumers and jobs of timeline_service, as timeline.c lists them. */
#ifndef SERVICES_TIMELINE_HANDLERS_H
#define SERVICES_TIMELINE_HANDLERS_H

#include "services/services.h"
#include "services/timeline/timeline.rpc.h"

sn_status get_home(struct rpc_call *c, const Timeline__GetHomeRequest *in, Timeline__Page *out);
sn_status get_user_timeline(struct rpc_call *c, const Timeline__GetUserTimelineRequest *in, Timeline__Page *out);
sn_status get_hashtag_timeline(struct rpc_call *c, const Timeline__GetHashtagTimelineRequest *in, Timeline__Page *out);

extern const struct bus_consumer timeline_deliver;
extern const struct service_job timeline_recover;
extern const struct service_job timeline_prune;

#endif
