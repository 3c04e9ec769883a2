/* Shared by the files of analytics_service. */
#ifndef SERVICES_ANALYTICS_ANALYTICS_H
#define SERVICES_ANALYTICS_ANALYTICS_H

#include "bus/bus.h"
#include "services/analytics/analytics.service.h"
#include "services/services.h"

/* Settings: the smallest group of people that is reported; months for which events are kept. */
int64_t analytics_min_group(void);
int64_t analytics_keep_months(void);
/* months.c: the first moment whose events are still kept. */
int64_t analytics_kept_from_ms(int64_t now_ms);

/* store_export.c */
extern const struct service_export analytics_exports[];

#endif
