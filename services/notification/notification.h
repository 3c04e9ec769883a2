/* What the files of notification_service share. */
#ifndef SERVICES_NOTIFICATION_NOTIFICATION_H
#define SERVICES_NOTIFICATION_NOTIFICATION_H

#include "bus/bus.h"
#include "services/notification/notification.service.h"
#include "services/services.h"

#endif
