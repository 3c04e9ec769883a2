/* user_service, as services/services.c lists it. */
#ifndef SERVICES_USER_USER_H
#define SERVICES_USER_USER_H

#include "services/services.h"

extern const struct service_definition user_service;

#endif
