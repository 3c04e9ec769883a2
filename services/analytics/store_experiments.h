/* The SQL of experiments. */
#ifndef SERVICES_ANALYTICS_STORE_EXPERIMENTS_H
#define SERVICES_ANALYTICS_STORE_EXPERIMENTS_H

#include "db/db.h"
#include "services/analytics/analytics_experiments.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"

typedef AnalyticsRows__StoredExperiment stored_experiment;

/* SN_ALREADY_EXISTS if the name is taken. */
SN_CHECKED sn_status store_insert_experiment(struct db_tx *tx, const stored_experiment *e);
/* done: it has not been started yet. */
SN_CHECKED sn_status store_update_experiment(struct db_tx *tx, const stored_experiment *e, bool *done);
SN_CHECKED sn_status store_experiment(struct db_tx *tx, const char *id, stored_experiment *out, bool *found);
/* The newest 500: only running ones, or all. */
SN_CHECKED sn_status store_experiments(struct db_tx *tx, bool running, size_t *n, stored_experiment ***out);
/* done: its state allowed it, and it overlaps no running one of its layer. by: the guardrail that stops it, or "". */
SN_CHECKED sn_status store_start_experiment(struct db_tx *tx, const char *id, bool *done);
SN_CHECKED sn_status store_stop_experiment(struct db_tx *tx, const char *id, const char *by, bool *done);
/* The member's pseudonym, created if needed, and whether they were first active on this day or later. */
SN_CHECKED sn_status store_visitor(struct db_tx *tx, const char *user_id, const char **visitor, int64_t *first_ms);

/* The running experiment of this name. */
SN_CHECKED sn_status store_running_experiment(struct db_tx *tx, const char *name, stored_experiment *out, bool *found);
/* The pseudonyms of those members who have one, and which of them were first active on the day of started_ms or later,
 * or never. */
SN_CHECKED sn_status store_pseudonyms(struct db_tx *tx, char *const *user_ids, size_t n_ids, int64_t started_ms,
                                      size_t *n, AnalyticsRows__Pseudonym ***out);

/* Of the experiments with these ids, those that were started and that the member takes part in: id, started_at,
 * stopped_at. */
SN_CHECKED sn_status store_experiments_of(struct db_tx *tx, const char *user_id, char *const *ids, size_t n_ids,
                                          size_t *n, stored_experiment ***out);

/* ---- Results (store_results.c) ---- */

struct results_query {
        const char *id, *metric;
        const char *per; /* the event that x counts: from then on, or with `before` in the 28 days before */
        bool before;
        int64_t stored_ms; /* events that were stored later do not count; 0: all */
};
SN_CHECKED sn_status store_results(struct db_tx *tx, const struct results_query *q, size_t *n,
                                   AnalyticsRows__BucketSums ***out);
/* At most 100,000. */
SN_CHECKED sn_status store_result_counts(struct db_tx *tx, const struct results_query *q, size_t *n,
                                         AnalyticsRows__BucketCount ***out);
/* People who have seen it: a batch of limit, in order, after this one ("" at first). */
SN_CHECKED sn_status store_seen_by(struct db_tx *tx, const struct results_query *q, const char *after, int64_t limit,
                                   size_t *n, AnalyticsRows__SeenBy ***out);

/* The moment of the results that are shown, which count what was stored by then; 0: none are shown yet. gone: some of
 * the events that they need are no longer kept, if events are kept for this many months. Concurrent calls wait until
 * the end of the transaction. */
SN_CHECKED sn_status store_results_told(struct db_tx *tx, const char *id, int64_t months, int64_t *told_ms, bool *gone);
/* For each bucket, how many participants have events that were stored after from_ms and up to to_ms, and how many of
 * these are known only since from_ms to have seen the experiment. */
SN_CHECKED sn_status store_active_since(struct db_tx *tx, const char *id, int64_t from_ms, int64_t to_ms, size_t *n,
                                        AnalyticsRows__ActiveSince ***out);
SN_CHECKED sn_status store_tell_results(struct db_tx *tx, const char *id, int64_t to_ms);

SN_CHECKED sn_status store_save_results(struct db_tx *tx, const char *id, int64_t counted_ms, const uint8_t hash[32]);
SN_CHECKED sn_status store_saved_results(struct db_tx *tx, const char *id, bool *found, int64_t *counted_ms,
                                         uint8_t hash[32]);

#endif
