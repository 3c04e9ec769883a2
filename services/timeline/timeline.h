/* The handlers, consumers and jobs of timeline_service, as timeline.c lists them. */
#ifndef SERVICES_TIMELINE_TIMELINE_H
#define SERVICES_TIMELINE_TIMELINE_H

#include "services/services.h"
#include "services/timeline/timeline.service.h"

extern const struct bus_consumer timeline_deliver;
extern const struct service_job timeline_recover;
extern const struct service_job timeline_prune;

#endif
