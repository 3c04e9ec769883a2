/* Exporting metrics as files, at once or in the background. */
#ifndef SERVICES_ANALYTICS_EXPORTS_H
#define SERVICES_ANALYTICS_EXPORTS_H

#include "base/buf.h"
#include "services/analytics/analytics.rpc.h"
#include "services/jobs.h"

/* Writes a row in CSV or a JSON object. */
void export_write_point(struct buf *out, const char *name, const Analytics__MetricPoint *point, bool csv);

/* metrics.c: the names of metrics that are not events, which exist per day only; NULL after the last one. */
const char *metric_of_people(size_t i);

extern const struct service_job analytics_make_exports;

#define METRIC_CHUNK_DAYS INT64_C(120) /* days of a metric per portion; by hours 2,880 points */

#endif
