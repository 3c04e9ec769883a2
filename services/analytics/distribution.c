/* Owns distributions: the number of different people and the quantiles of their numbers over any past days. Computed
 * from sketches, with their precision (hll.h, tdigest.h). Days with fewer people than ANALYTICS_MIN_GROUP are left out,
 * so that two answers never differ by fewer. */
#include "services/analytics/analytics.h"

#include <math.h>
#include "services/analytics/events.h"
#include "services/analytics/explore.h"
#include "services/analytics/names.h"
#include "services/analytics/store_sketches.h"
#include "services/analytics/suppress.h"

#define DAYS_MAX 366

static const uint32_t percents[] = {5, 25, 50, 75, 95, 99};

/* Whether there are enough people on either side of a quantile, even if each of them was active on all days. */
static bool may_tell(const struct sketch *sketch, double q)
{
        return (double)sketch->n_people * fmin(q, 1 - q) >= (double)(analytics_min_group() * sketch->n_days);
}

/* It may be a single person's number, so only two digits are shown. */
static double two_digits(double value)
{
        return value != 0 ? suppress_round(value, pow(10, floor(log10(fabs(value))) - 1)) : 0;
}

static void tell_percentiles(struct rpc_call *c, struct sketch *sketch, AnalyticsExplore__Distribution *out)
{
        size_t n = sizeof(percents) / sizeof(percents[0]);

        out->percentiles = ARENA_ARRAY(c->arena, AnalyticsExplore__Percentile *, n);
        for (size_t i = 0; i < n; i++) {
                AnalyticsExplore__Percentile *p = ARENA_NEW(c->arena, AnalyticsExplore__Percentile);
                double q = percents[i] / 100.0;

                analytics_explore__percentile__init(p);
                p->percent = percents[i];
                if (sketch->n_days > 0 && may_tell(sketch, q)) {
                        p->shown_case = ANALYTICS_EXPLORE__PERCENTILE__SHOWN_VALUE;
                        p->value = two_digits(tdigest_quantile(&sketch->numbers, q));
                }
                out->percentiles[out->n_percentiles++] = p;
        }
}

sn_status analytics_handle_get_distribution(struct rpc_call *c, const AnalyticsExplore__DistributionRequest *in,
                                            AnalyticsExplore__Distribution *out)
{
        struct sketch *sketch = ARENA_NEW(c->arena, struct sketch);
        bool numbers = in->property[0] != '\0';
        struct days days;

        TRY(names_check_event(c, "name", in->name));
        if (numbers && !event_has_number(in->name, in->property)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "property",
                                "there is no such number of such an event; GET /v1/analytics/schema lists them");
        }
        TRY(explore_read_days(c, in->from, in->to, DAYS_MAX, &days));
        TRY(DB_READ(c, tx, store_merged_sketch(tx, in->name, in->property, days, analytics_min_group(), sketch)));
        out->people = explore_round_people(llround(hll_count(&sketch->people)));
        out->people_error_percent = 100 * HLL_STANDARD_ERROR;
        if (numbers) {
                tell_percentiles(c, sketch, out);
        }
        return SN_OK;
}
