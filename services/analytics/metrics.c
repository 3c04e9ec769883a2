/* Owns metrics for administrators: published counts of events (store_events.c), and counts of people in multiples of
 * the smallest group. */
#include "services/analytics/analytics.h"

#include <string.h>
#include "google/protobuf/timestamp.pb-c.h"
#include "json/rfc3339.h"
#include "services/analytics/explore.h"
#include "services/analytics/exports.h"
#include "services/analytics/names.h"
#include "services/analytics/store.h"
#include "services/analytics/visitor.h"

#define HOUR_MS    INT64_C(3600000)
#define POINTS_MAX 3000

struct asked {
        int64_t from_ms, to_ms;
        size_t n;
        AnalyticsRows__Point **points;
};

/* ---- Computing ---- */

static void keep_enough(struct asked *a)
{
        size_t n = 0;

        for (size_t i = 0; i < a->n; i++) {
                if (a->points[i]->people >= analytics_min_group()) {
                        a->points[n++] = a->points[i];
                }
        }
        a->n = n;
}

/* Otherwise two days, two metrics, or two reads of one day could differ by a single person. */
static void tell_people(struct asked *a)
{
        keep_enough(a);
        for (size_t i = 0; i < a->n; i++) {
                a->points[i]->value = (double)explore_round_people(a->points[i]->people);
        }
}

static sn_status read_active(struct db_tx *tx, struct asked *a, bool members, int64_t days)
{
        TRY(store_active(tx, members, days, a->from_ms, a->to_ms, &a->n, &a->points));
        tell_people(a);
        return SN_OK;
}

static sn_status dau(struct db_tx *tx, struct asked *a)
{
        return read_active(tx, a, true, 1);
}

static sn_status wau(struct db_tx *tx, struct asked *a)
{
        return read_active(tx, a, true, 7);
}

static sn_status mau(struct db_tx *tx, struct asked *a)
{
        return read_active(tx, a, true, 28);
}

static sn_status visitors(struct db_tx *tx, struct asked *a)
{
        return read_active(tx, a, false, 1);
}

/* The share of the members active in 28 days who were active on the day, both rounded. */
static sn_status stickiness(struct db_tx *tx, struct asked *a)
{
        struct asked month = *a;

        TRY(dau(tx, a));
        TRY(mau(tx, &month));
        for (size_t i = 0, m = 0; i < a->n; i++) {
                while (m < month.n && month.points[m]->at->seconds < a->points[i]->at->seconds) {
                        m++;
                }
                a->points[i]->value =
                    m < month.n && month.points[m]->value > 0 ? a->points[i]->value / month.points[m]->value : 0;
        }
        return SN_OK;
}

static sn_status read_newcomers(struct db_tx *tx, struct asked *a, bool first)
{
        TRY(store_newcomers(tx, first, a->from_ms, a->to_ms, &a->n, &a->points));
        tell_people(a);
        return SN_OK;
}

static sn_status new_members(struct db_tx *tx, struct asked *a)
{
        return read_newcomers(tx, a, true);
}

static sn_status returning_members(struct db_tx *tx, struct asked *a)
{
        return read_newcomers(tx, a, false);
}

static sn_status time_to_first_note(struct db_tx *tx, struct asked *a)
{
        TRY(store_first_notes(tx, a->from_ms, a->to_ms, &a->n, &a->points));
        keep_enough(a);
        return SN_OK;
}

/* Any other name is that of an event. */
static const struct {
        const char *name;
        sn_status (*read)(struct db_tx *tx, struct asked *a);
} of_people[] = {
    {"dau", dau},
    {"wau", wau},
    {"mau", mau},
    {"visitors", visitors},
    {"stickiness", stickiness},
    {"new_members", new_members},
    {"returning_members", returning_members},
    {"time_to_first_note", time_to_first_note},
};

const char *metric_of_people(size_t i)
{
        return i < sizeof(of_people) / sizeof(of_people[0]) ? of_people[i].name : NULL;
}

static sn_status read_points(struct db_tx *tx, const Analytics__GetMetricRequest *in, struct asked *a)
{
        bool hours = in->interval == ANALYTICS__INTERVAL__INTERVAL_HOUR;

        for (size_t i = 0; i < sizeof(of_people) / sizeof(of_people[0]); i++) {
                if (strcmp(of_people[i].name, in->name) == 0) {
                        return hours ? rpc_fail(db_call(tx), SN_INVALID_ARGUMENT, "interval",
                                                "%s counts people, which is only possible by day", in->name)
                                     : of_people[i].read(tx, a);
                }
        }
        return store_counts(tx, in->name, hours ? "hour" : "day", a->from_ms, a->to_ms, &a->n, &a->points);
}

/* ---- Showing ---- */

static void show_all(struct rpc_call *c, const struct asked *a, Analytics__Metric *out)
{
        out->points = ARENA_ARRAY(c->arena, Analytics__MetricPoint *, a->n + 1);
        for (size_t i = 0; i < a->n; i++) {
                Analytics__MetricPoint *shown = ARENA_NEW(c->arena, Analytics__MetricPoint);

                analytics__metric_point__init(shown);
                shown->at = a->points[i]->at;
                shown->value = a->points[i]->value;
                out->points[out->n_points++] = shown;
        }
}

static sn_status read_time(struct rpc_call *c, const char *field, const char *text, int64_t unit_ms, int64_t *ms)
{
        int64_t seconds;
        int32_t nanos;

        if (!rfc3339_parse(str_of(text), &seconds, &nanos)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, field, "must be a time like 2026-01-02T00:00:00Z");
        }
        *ms = seconds * 1000 / unit_ms * unit_ms;
        return SN_OK;
}

/* Otherwise people active in the last 28 days would still be counted on days that have not begun. */
static int64_t end_today(const struct rpc_call *c, int64_t to_ms)
{
        int64_t tomorrow_ms = (day_of(c->now_ms) + 1) * DAY_MS;

        return to_ms < tomorrow_ms ? to_ms : tomorrow_ms;
}

sn_status analytics_handle_get_metric(struct rpc_call *c, const Analytics__GetMetricRequest *in, Analytics__Metric *out)
{
        int64_t unit_ms = in->interval == ANALYTICS__INTERVAL__INTERVAL_HOUR ? HOUR_MS : DAY_MS;
        int64_t from_ms = 0, to_ms = 0;

        TRY(names_check_metric(c, "name", in->name));
        TRY(read_time(c, "from", in->from, unit_ms, &from_ms));
        TRY(read_time(c, "to", in->to, unit_ms, &to_ms));
        if (to_ms <= from_ms || (to_ms - from_ms) / unit_ms > POINTS_MAX) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "to", "must be later than 'from', by at most %d,%03d intervals",
                                POINTS_MAX / 1000, POINTS_MAX % 1000);
        }
        struct asked a = {.from_ms = from_ms, .to_ms = end_today(c, to_ms)};

        TRY(DB_READ(c, tx, read_points(tx, in, &a)));
        out->name = in->name;
        out->min_group = analytics_min_group();
        show_all(c, &a, out);
        return SN_OK;
}
