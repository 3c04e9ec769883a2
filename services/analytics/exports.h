/* Metrics as files, at once and in the background. */
#ifndef SERVICES_ANALYTICS_EXPORTS_H
#define SERVICES_ANALYTICS_EXPORTS_H

#include "base/buf.h"
#include "services/analytics/analytics.rpc.h"
#include "services/jobs.h"

/* One row; csv, or else a JSON object. */
void export_write_point(struct buf *out, const char *name, const Analytics__MetricPoint *point, bool csv);

/* metrics.c: the names of metrics that are no events, which there are by days only; NULL after the last one. */
const char *metric_of_people(size_t i);

extern const struct service_job analytics_make_exports;

#define METRIC_CHUNK_DAYS INT64_C(120) /* of one metric that are one portion: by hours 2,880 points */

#endif
