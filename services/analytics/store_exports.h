/* The SQL of background exports. */
#ifndef SERVICES_ANALYTICS_STORE_EXPORTS_H
#define SERVICES_ANALYTICS_STORE_EXPORTS_H

#include "db/db.h"
#include "services/analytics/analytics.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

typedef AnalyticsRows__MetricExport metric_export;

/* The names of all metrics that count events; at most 1,000. */
SN_CHECKED sn_status store_metric_names(struct db_tx *tx, char ***names, size_t *n);
/* added: false when there are `most` exports already. */
SN_CHECKED sn_status store_insert_metric_export(struct db_tx *tx, const metric_export *e, int64_t days, int64_t most,
                                                bool *added);
/* SN_NOT_FOUND also if it has expired. */
SN_CHECKED sn_status store_metric_export(struct db_tx *tx, const char *id, Analytics__MetricExport *out);
SN_CHECKED sn_status store_metric_exports(struct db_tx *tx, size_t *n, Analytics__MetricExport ***out);
SN_CHECKED sn_status store_delete_metric_export(struct db_tx *tx, const char *id);

/* Takes the export that has waited longest, and counts an attempt. id is "" if there is none. */
SN_CHECKED sn_status store_next_metric_export(struct db_tx *tx, metric_export *out);
/* Stores a new part, and that `done` portions are finished. Does nothing if this process no longer has the export. */
SN_CHECKED sn_status store_metric_export_part(struct db_tx *tx, const metric_export *e, int64_t done, int64_t rows,
                                              const char *data, size_t len);
SN_CHECKED sn_status store_fail_metric_export(struct db_tx *tx, const char *id, const char *failure);
SN_CHECKED sn_status store_expire_metric_exports(struct db_tx *tx);

/* The number of parts of a finished export; 0 if there is none. */
SN_CHECKED sn_status store_metric_export_parts(struct db_tx *tx, const char *id, metric_export *out);
SN_CHECKED sn_status store_read_metric_export_part(struct db_tx *tx, const char *id, int64_t position,
                                                   const uint8_t **data, size_t *len);

/* The events of an hour, grouped by properties, with the number of people rounded down to a multiple of min; groups
 * that round to 0 are left out. The 10,000 with the most people. */
SN_CHECKED sn_status store_events_of_hour(struct db_tx *tx, char *const *names, size_t n_names, int64_t hour_ms,
                                          int64_t min, size_t *n, AnalyticsRows__EventGroup ***out);

#endif
