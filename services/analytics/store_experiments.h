/* The SQL of experiments. */
#ifndef SERVICES_ANALYTICS_STORE_EXPERIMENTS_H
#define SERVICES_ANALYTICS_STORE_EXPERIMENTS_H

#include "db/db.h"
#include "services/analytics/analytics_experiments.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

typedef AnalyticsRows__StoredExperiment stored_experiment;

/* SN_ALREADY_EXISTS when the name is taken. */
SN_CHECKED sn_status store_insert_experiment(struct db_tx *tx, const char *id, const char *variants,
                                             const AnalyticsExperiments__CreateExperimentRequest *in);
SN_CHECKED sn_status store_experiment(struct db_tx *tx, const char *id, stored_experiment *out, bool *found);
/* Those that run, or all: the newest 500. */
SN_CHECKED sn_status store_experiments(struct db_tx *tx, bool running, size_t *n, stored_experiment ***out);
/* done: it was in the state for it, and overlaps no running one of its layer. */
SN_CHECKED sn_status store_start_experiment(struct db_tx *tx, const char *id, bool *done);
SN_CHECKED sn_status store_stop_experiment(struct db_tx *tx, const char *id, bool *done);
SN_CHECKED sn_status store_results(struct db_tx *tx, const stored_experiment *e, size_t *n,
                                   AnalyticsRows__BucketSums ***out);
/* The member's pseudonym, a new one when there is none. */
SN_CHECKED sn_status store_visitor(struct db_tx *tx, const char *user_id, const char **visitor);

#endif
