/* What the files of analytics_service share. */
#ifndef SERVICES_ANALYTICS_ANALYTICS_H
#define SERVICES_ANALYTICS_ANALYTICS_H

#include "bus/bus.h"
#include "services/analytics/analytics.service.h"
#include "services/services.h"

#endif
