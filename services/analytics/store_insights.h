/* The SQL of authors' statistics. */
#ifndef SERVICES_ANALYTICS_STORE_INSIGHTS_H
#define SERVICES_ANALYTICS_STORE_INSIGHTS_H

#include "db/db.h"
#include "services/analytics/analytics_insights.rpc.h"
#include "services/analytics/analytics_rows.rpc.h"
#include "services/analytics/spans.h"

/* The hours of the note's events that are not in a span yet, up to the last complete hour; at most 2,000. Locks the
 * note until the transaction ends, and registers it for its author (a member's id) if it is unknown. */
SN_CHECKED sn_status store_untold_hours(struct db_tx *tx, const char *note_id, const char *author, int64_t min,
                                        size_t *n, AnalyticsRows__NoteHour ***hours);
/* The cells of spans, ascending; for each span the total (source "") comes before its sources. */
SN_CHECKED sn_status store_span_cells(struct db_tx *tx, const char *note_id, const struct span *spans, size_t n_spans,
                                      size_t *n, AnalyticsRows__NoteCell ***cells);
/* Stores these spans, which never change afterwards. */
SN_CHECKED sn_status store_tell_cells(struct db_tx *tx, const char *note_id, AnalyticsRows__NoteCell *const *cells,
                                      size_t n);

SN_CHECKED sn_status store_performance(struct db_tx *tx, const char *note_id, AnalyticsRows__NotePerformance *out);
SN_CHECKED sn_status store_points(struct db_tx *tx, const char *note_id, size_t *n,
                                  AnalyticsInsights__InsightSpan ***out);
SN_CHECKED sn_status store_sources(struct db_tx *tx, const char *note_id, size_t *n,
                                   AnalyticsInsights__InsightSource ***out);

/* The newest 30 notes that the member has written since since_ms. */
SN_CHECKED sn_status store_own_notes(struct db_tx *tx, const char *user_id, int64_t since_ms, size_t *n,
                                     AnalyticsRows__NotePerformance ***out);
SN_CHECKED sn_status store_follower_days(struct db_tx *tx, const char *user_id, int64_t since_ms, size_t *n,
                                         AnalyticsInsights__FollowerDay ***out);
/* The most viewed of these notes, and the hours of the day in which they were viewed (out has room for 3). */
SN_CHECKED sn_status store_best_notes(struct db_tx *tx, char *const *note_ids, size_t n_ids, size_t *n,
                                      AnalyticsInsights__BestNote ***out);
SN_CHECKED sn_status store_best_hours(struct db_tx *tx, char *const *note_ids, size_t n_ids, size_t *n, uint32_t *out);

/* ---- Engagement profiles ---- */

SN_CHECKED sn_status store_engagement(struct db_tx *tx, const char *user_id, bool *enabled, size_t *n,
                                      AnalyticsInsights__EngagedWith ***out);
SN_CHECKED sn_status store_reset_engagement(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_switch_engagement(struct db_tx *tx, const char *user_id, bool enabled);
/* Deletes a batch of profiles that did not change for this many months. */
SN_CHECKED sn_status store_prune_engagement(struct db_tx *tx, int64_t months, bool *more);

#endif
