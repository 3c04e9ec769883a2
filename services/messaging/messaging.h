/* What the files of messaging_service share. */
#ifndef SERVICES_MESSAGING_MESSAGING_H
#define SERVICES_MESSAGING_MESSAGING_H

#include "bus/bus.h"
#include "services/messaging/messaging.service.h"
#include "services/services.h"

#endif
