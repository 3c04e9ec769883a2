/* Experiments, as the files that show them share them. */
#ifndef SERVICES_ANALYTICS_EXPERIMENTS_H
#define SERVICES_ANALYTICS_EXPERIMENTS_H

#include "services/analytics/store_experiments.h"

#define VARIANTS_MAX 5

/* SN_NOT_FOUND on id. */
SN_CHECKED sn_status experiment_find(struct db_tx *tx, const char *id, stored_experiment *out);
/* Their names, at most VARIANTS_MAX; how many. */
size_t experiment_variants(struct arena *arena, const stored_experiment *e, char **out);

#endif
