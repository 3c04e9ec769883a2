/* timeline_service, as services/services.c lists it. */
#ifndef SERVICES_TIMELINE_TIMELINE_H
#define SERVICES_TIMELINE_TIMELINE_H

#include "services/services.h"

extern const struct service_definition timeline_service;

#endif
