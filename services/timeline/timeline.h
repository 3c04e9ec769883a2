/* Shared by the files of timeline_service. */
#ifndef SERVICES_TIMELINE_TIMELINE_H
#define SERVICES_TIMELINE_TIMELINE_H

#include "services/services.h"
#include "services/timeline/timeline.service.h"

/* store_export.c */
extern const struct service_export timeline_exports[];

#endif
