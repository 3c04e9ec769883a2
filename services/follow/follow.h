/* follow_service, as services/services.c lists it. */
#ifndef SERVICES_FOLLOW_FOLLOW_H
#define SERVICES_FOLLOW_FOLLOW_H

#include "services/services.h"

extern const struct service_definition follow_service;

#endif
