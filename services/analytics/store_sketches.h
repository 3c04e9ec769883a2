/* The SQL of sketches. */
#ifndef SERVICES_ANALYTICS_STORE_SKETCHES_H
#define SERVICES_ANALYTICS_STORE_SKETCHES_H

#include "db/db.h"
#include "services/analytics/analytics_rows.rpc.h"
#include "services/analytics/hll.h"
#include "services/analytics/store_explore.h"
#include "services/analytics/tdigest.h"

#define SKETCH_PAGE 20000

typedef AnalyticsRows__Sketch sketch_of; /* name, property, day, number of events */

struct sketch {
        struct hll people;
        struct tdigest numbers;
        int64_t n_people; /* summed over the days */
        int64_t n_days;   /* number of merged days */
};

/* The oldest day that is over and has no sketch, or more events than when its sketch was last made or kept, at least an
 * hour ago; of the last so many months. events and properties: pairs of which numbers are kept. */
SN_CHECKED sn_status store_due_sketch(struct db_tx *tx, char *const *events, char *const *properties, size_t n,
                                      int64_t months, sketch_of *out, bool *found);

struct late_people {
        bool has_sketch; /* otherwise both are 0 */
        int64_t late;    /* people with events that were stored since it was made, up to to_ms */
        int64_t joined;  /* those of them who are not in it */
};
SN_CHECKED sn_status store_late_people(struct db_tx *tx, const sketch_of *of, int64_t to_ms, struct late_people *out);
/* Records that it is up to date until there are more events than now. */
SN_CHECKED sn_status store_keep_sketch(struct db_tx *tx, const sketch_of *of);

/* At most SKETCH_PAGE people after that one ("": from the first one on), and the mean of their numbers, by what was
 * stored up to to_ms. */
SN_CHECKED sn_status store_sketched_people(struct db_tx *tx, const sketch_of *of, int64_t to_ms, const char *after,
                                           size_t *n, AnalyticsRows__SketchedPerson ***out);
SN_CHECKED sn_status store_save_sketch(struct db_tx *tx, const sketch_of *of, int64_t to_ms, struct sketch *sketch);
/* The merged sketch of those of the days with at least min people. */
SN_CHECKED sn_status store_merged_sketch(struct db_tx *tx, const char *name, const char *property, struct days days,
                                         int64_t min, struct sketch *out);

#endif
