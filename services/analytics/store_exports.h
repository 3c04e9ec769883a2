/* The SQL of files that are made in the background. */
#ifndef SERVICES_ANALYTICS_STORE_EXPORTS_H
#define SERVICES_ANALYTICS_STORE_EXPORTS_H

#include "db/db.h"
#include "services/analytics/analytics.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

typedef AnalyticsRows__MetricExport metric_export;

/* The names of all metrics that are kept by events: at most 1,000. */
SN_CHECKED sn_status store_metric_names(struct db_tx *tx, char ***names, size_t *n);
/* added: false when there are `most` exports already. */
SN_CHECKED sn_status store_insert_metric_export(struct db_tx *tx, const metric_export *e, int64_t days, int64_t most,
                                                bool *added);
/* SN_NOT_FOUND also when it has expired. */
SN_CHECKED sn_status store_metric_export(struct db_tx *tx, const char *id, Analytics__MetricExport *out);
SN_CHECKED sn_status store_metric_exports(struct db_tx *tx, size_t *n, Analytics__MetricExport ***out);
SN_CHECKED sn_status store_delete_metric_export(struct db_tx *tx, const char *id);

/* The one that waited longest, of which one more try is counted; id "": there is none. */
SN_CHECKED sn_status store_next_metric_export(struct db_tx *tx, metric_export *out);
/* What was made since: done portions, in so many rows. Nothing happens when another process, or nobody, has it. */
SN_CHECKED sn_status store_metric_export_part(struct db_tx *tx, const metric_export *e, int64_t done, int64_t rows,
                                              const char *data, size_t len);
SN_CHECKED sn_status store_fail_metric_export(struct db_tx *tx, const char *id, const char *failure);
SN_CHECKED sn_status store_expire_metric_exports(struct db_tx *tx);

/* How many parts a finished one has; 0: there is none. */
SN_CHECKED sn_status store_metric_export_parts(struct db_tx *tx, const char *id, metric_export *out);
SN_CHECKED sn_status store_read_metric_export_part(struct db_tx *tx, const char *id, int64_t position,
                                                   const uint8_t **data, size_t *len);

/* Of one hour: each event with the same properties, and how many people it comes from, rounded down to a multiple of
 * min, and never 0: the 10,000 from whom most come. */
SN_CHECKED sn_status store_events_of_hour(struct db_tx *tx, char *const *names, size_t n_names, int64_t hour_ms,
                                          int64_t min, size_t *n, AnalyticsRows__EventGroup ***out);

#endif
