/* Owns funnels, paths, cohorts and breakdowns. Each number counts people, rounded down to a multiple of the smallest
 * group: that hides smaller groups, and smaller differences within an answer or between two. */
#include "services/analytics/analytics.h"

#include "base/clock.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "json/rfc3339.h"
#include "services/analytics/events.h"
#include "services/analytics/explore.h"
#include "services/analytics/names.h"
#include "services/analytics/store_explore.h"
#include "services/analytics/visitor.h"
#include "services/timestamp.h"

#define HOUR_MS     INT64_C(3600000)
#define PERIODS_MAX 13
#define COHORTS_MAX 100

int64_t explore_round_people(int64_t people)
{
        return people / analytics_min_group() * analytics_min_group();
}

/* ---- Days ---- */

static sn_status read_day(struct rpc_call *c, const char *field, const char *text, int64_t *ms)
{
        int64_t seconds;
        int32_t nanos;

        if (!rfc3339_parse(str_of(text), &seconds, &nanos)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, field, "must be a time like 2026-01-02T00:00:00Z");
        }
        *ms = day_of(seconds * 1000) * DAY_MS;
        return SN_OK;
}

sn_status explore_read_days(struct rpc_call *c, const char *from, const char *to, int max, struct days *days)
{
        TRY(read_day(c, "from", from, &days->from_ms));
        TRY(read_day(c, "to", to, &days->to_ms));
        return days->to_ms > days->from_ms && (days->to_ms - days->from_ms) / DAY_MS <= max
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "to", "must be 1 to %d days after 'from'", max);
}

#define EVENT_DAYS_MAX 92

static sn_status read_event_days(struct rpc_call *c, const char *from, const char *to, struct days *days)
{
        int64_t kept_ms = analytics_kept_from_ms(c->now_ms);
        char kept[CLOCK_RFC3339_SIZE];

        TRY(explore_read_days(c, from, to, EVENT_DAYS_MAX, days));
        return days->from_ms >= kept_ms ? SN_OK
                                        : rpc_fail(c, SN_INVALID_ARGUMENT, "from",
                                                   "must not be before %.10s: older events are no longer kept",
                                                   clock_format_ms(kept_ms, kept));
}

/* These queries read the events themselves, which may take too long; then the database cancels them. */
static sn_status in_time(struct rpc_call *c, sn_status status)
{
        return status == SN_DEADLINE_EXCEEDED
                   ? rpc_fail(c, status, "to", "there are too many events to be read in time; ask for fewer days")
                   : status;
}

/* ---- Funnels ---- */

sn_status analytics_handle_get_funnel(struct rpc_call *c, const AnalyticsExplore__FunnelRequest *in,
                                      AnalyticsExplore__Funnel *out)
{
        struct days days;
        int64_t hours = in->within_hours > 0 ? in->within_hours : 24;
        int64_t *people = ARENA_ARRAY(c->arena, int64_t, in->n_steps + 1);

        TRY(read_event_days(c, in->from, in->to, &days));
        TRY(names_check_events(c, "steps", in->steps, in->n_steps));
        if (in->n_steps < 2) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "steps", "give two to eight events");
        }
        TRY(in_time(c, DB_READ(c, tx, store_funnel(tx, in->steps, in->n_steps, days, hours, people))));
        out->steps = ARENA_ARRAY(c->arena, AnalyticsExplore__FunnelStep *, in->n_steps);
        for (size_t i = 0; i < in->n_steps; i++) {
                AnalyticsExplore__FunnelStep *step = ARENA_NEW(c->arena, AnalyticsExplore__FunnelStep);

                analytics_explore__funnel_step__init(step);
                step->name = in->steps[i];
                step->people = explore_round_people(people[i]);
                out->steps[out->n_steps++] = step;
        }
        return SN_OK;
}

/* ---- Paths and breakdowns ---- */

#define COMMIT_MS INT64_C(60000) /* events are committed within this time of being stored */

static void leave_out_unsettled(int64_t now_ms, struct days *days)
{
        int64_t settled_ms = day_of(now_ms - PATHS_SETTLE_HOURS * HOUR_MS - COMMIT_MS) * DAY_MS;

        if (days->to_ms > settled_ms) {
                days->to_ms = settled_ms > days->from_ms ? settled_ms : days->from_ms;
        }
}

sn_status analytics_handle_get_paths(struct rpc_call *c, const AnalyticsExplore__PathsRequest *in,
                                     AnalyticsExplore__Paths *out)
{
        struct days days;

        TRY(read_event_days(c, in->from, in->to, &days));
        leave_out_unsettled(c->now_ms, &days);
        out->to = timestamp_new(c->arena, days.to_ms);
        return in_time(c, DB_READ(c, tx, store_paths(tx, days, analytics_min_group(), &out->n_items, &out->items)));
}

sn_status analytics_handle_get_breakdown(struct rpc_call *c, const AnalyticsExplore__BreakdownRequest *in,
                                         AnalyticsExplore__Breakdown *out)
{
        struct days days;

        if (!event_has_property(in->name, in->property)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "property",
                                "is not a property of this event; GET /v1/analytics/schema lists them");
        }
        TRY(read_event_days(c, in->from, in->to, &days));
        return in_time(c, DB_READ(c, tx,
                                  store_breakdown(tx, in->name, in->property, days, analytics_min_group(),
                                                  &out->n_items, &out->items)));
}

/* ---- Cohorts ---- */

static AnalyticsExplore__Cohort *add_cohort(struct arena *arena, const AnalyticsRows__CohortCell *cell,
                                            AnalyticsExplore__Cohorts *out)
{
        AnalyticsExplore__Cohort *cohort = ARENA_NEW(arena, AnalyticsExplore__Cohort);

        analytics_explore__cohort__init(cohort);
        cohort->first_day = cell->at;
        cohort->retained = ARENA_ARRAY(arena, int64_t, PERIODS_MAX);
        out->items[out->n_items++] = cohort;
        return cohort;
}

/* Periods that have begun, whose number is 0 if they had no visitors. */
static size_t periods_begun(int64_t now_ms, const AnalyticsRows__CohortCell *cell, int64_t period_days)
{
        int64_t begun = (now_ms - cell->at->seconds * 1000) / (period_days * DAY_MS) + 1;

        return begun > PERIODS_MAX ? PERIODS_MAX : (size_t)begun;
}

sn_status analytics_handle_get_cohorts(struct rpc_call *c, const AnalyticsExplore__CohortsRequest *in,
                                       AnalyticsExplore__Cohorts *out)
{
        struct days days;
        int64_t period_days = in->period_days > 0 ? in->period_days : 7;
        AnalyticsRows__CohortCell **cells = NULL;
        AnalyticsExplore__Cohort *cohort = NULL;
        size_t n = 0;

        TRY(explore_read_days(c, in->from, in->to, 366, &days));
        if ((days.to_ms - days.from_ms) / DAY_MS > COHORTS_MAX * period_days) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "period_days", "would make more than %d cohorts", COHORTS_MAX);
        }
        TRY(DB_READ(c, tx, store_cohorts(tx, days, period_days, &n, &cells)));
        out->items = ARENA_ARRAY(c->arena, AnalyticsExplore__Cohort *, COHORTS_MAX + 1);
        for (size_t i = 0; i < n; i++) {
                if (cohort == NULL || cohort->first_day->seconds != cells[i]->at->seconds) {
                        cohort = add_cohort(c->arena, cells[i], out);
                        cohort->n_retained = periods_begun(c->now_ms, cells[i], period_days);
                }
                cohort->retained[cells[i]->period] = explore_round_people(cells[i]->people);
                cohort->people = cohort->retained[0];
        }
        return SN_OK;
}
