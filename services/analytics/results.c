/* Owns the results of experiments: sums from the database, evaluated by stats.h. */
#include "services/analytics/analytics.h"

#include <math.h>
#include "services/analytics/experiments.h"
#include "services/analytics/explore.h"
#include "services/analytics/names.h"
#include "services/analytics/store.h"
#include "services/analytics/suppress.h"
#include "services/timestamp.h"

#define ALPHA 0.05
/* Confidence sequences are narrowest for an experiment of this many people. */
#define TUNED_FOR 5000

/* ---- Sums ---- */

static void add_up(AnalyticsRows__BucketSums *const *buckets, size_t n_buckets, struct variant_sums *variants, size_t n)
{
        for (size_t i = 0; i < n_buckets; i++) {
                const AnalyticsRows__BucketSums *b = buckets[i];
                struct variant_sums *v = &variants[assign_variant((uint32_t)b->bucket, n)];

                v->y_low = v->sums.n > 0 ? fmin(v->y_low, b->y_low) : b->y_low;
                v->y_high = fmax(v->y_high, b->y_high);
                v->x_high = fmax(v->x_high, b->x_high);
                v->sums.n += (double)b->people;
                v->sums.y += b->y;
                v->sums.yy += b->yy;
                v->sums.x += b->x;
                v->sums.xx += b->xx;
                v->sums.xy += b->xy;
                v->active += (double)b->active;
                v->with_x += (double)b->with_x;
        }
}

sn_status experiment_sums(struct db_tx *tx, const struct results_query *q, size_t n, struct variant_sums *out)
{
        AnalyticsRows__BucketSums **buckets = NULL;
        size_t n_buckets = 0;

        TRY(store_results(tx, q, &n_buckets, &buckets));
        add_up(buckets, n_buckets, out, n);
        return SN_OK;
}

struct stats_effect experiment_compare(struct stats_estimate control, struct stats_estimate treatment)
{
        return stats_sequential(control, treatment, ALPHA, stats_tune_rho(TUNED_FOR, ALPHA));
}

/* ---- Measurements ---- */

struct measured {
        const AnalyticsExperiments__ResultsRequest *in;
        size_t n;
        struct variant_sums variants[VARIANTS_MAX];
        struct stats_estimate estimates[VARIANTS_MAX];
        double theta; /* of CUPED */
};

static double quantile_percent(const struct measured *m)
{
        return m->in->percent > 0 ? m->in->percent : 50;
}

static bool is_few(double people)
{
        return people > 0 && people < (double)analytics_min_group();
}

/* Whether there are too few people below or above any of the values that a quantile uses (including itself), since
 * extreme values are due to few people. */
static bool has_few_at_the_ends(double n, double q)
{
        struct stats_ranks r = stats_quantile_ranks(n, q);
        double min = (double)analytics_min_group();

        return r.low < min || n - r.high + 1 < min;
}

/* What only a few people did, or did not do, is not shown, since it would be about exactly those. */
static bool is_of_few(const struct measured *m, const struct variant_sums *v)
{
        if (m->in->measure == ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_QUANTILE) {
                return has_few_at_the_ends(v->sums.n, quantile_percent(m) / 100);
        }
        return is_few(v->active) || is_few(v->sums.n - v->active) || is_few(v->with_x) || is_few(v->sums.n - v->with_x);
}

static bool any_is_small(const struct measured *m)
{
        for (size_t i = 0; i < m->n; i++) {
                const struct variant_sums *v = &m->variants[i];

                if (v->sums.n < (double)analytics_min_group() || is_of_few(m, v)) {
                        return true;
                }
        }
        return false;
}

/* Uses one theta for all variants, so that all are adjusted equally. */
static void adjust_by_before(struct measured *m)
{
        struct stats_sums rest = {0}, *control = &m->variants[0].sums;

        for (size_t i = 1; i < m->n; i++) {
                const struct stats_sums *s = &m->variants[i].sums;

                rest.n += s->n;
                rest.y += s->y;
                rest.yy += s->yy;
                rest.x += s->x;
                rest.xx += s->xx;
                rest.xy += s->xy;
        }
        double mean_x = (control->x + rest.x) / (control->n + rest.n);

        m->theta = stats_cuped_theta(control, &rest);
        for (size_t i = 0; i < m->n; i++) {
                m->estimates[i] = stats_cuped(&m->variants[i].sums, m->theta, mean_x);
        }
}

static void estimate_variant(struct measured *m)
{
        for (size_t i = 0; i < m->n; i++) {
                const struct variant_sums *v = &m->variants[i];

                switch ((int)m->in->measure) {
                case ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_RATIO:
                        m->estimates[i] = stats_ratio(&v->sums);
                        break;
                case ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_PROPORTION:
                        m->estimates[i] = stats_proportion(v->sums.n, v->active);
                        break;
                default:
                        m->estimates[i] = stats_mean(&v->sums);
                }
        }
        if (m->in->measure == ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_CUPED) {
                adjust_by_before(m);
        }
}

static sn_status read_quantiles(struct db_tx *tx, const struct results_query *q, struct measured *m)
{
        AnalyticsRows__BucketCount **counts = NULL;
        double *sorted[VARIANTS_MAX];
        size_t n_counts = 0, n[VARIANTS_MAX] = {0};

        TRY(store_result_counts(tx, q, &n_counts, &counts));
        for (size_t v = 0; v < m->n; v++) {
                sorted[v] = ARENA_ARRAY(db_arena(tx), double, (size_t)m->variants[v].sums.n + 1);
        }
        for (size_t i = 0; i < n_counts; i++) {
                size_t v = assign_variant((uint32_t)counts[i]->bucket, m->n);

                for (int64_t k = 0; k < counts[i]->people && n[v] < (size_t)m->variants[v].sums.n; k++) {
                        sorted[v][n[v]++] = (double)counts[i]->y;
                }
        }
        for (size_t v = 0; v < m->n; v++) {
                m->estimates[v] =
                    n[v] > 0 ? stats_quantile(sorted[v], n[v], quantile_percent(m) / 100) : (struct stats_estimate){0};
        }
        return SN_OK;
}

/* ---- Showing ---- */

static double rounded(double people)
{
        return (double)explore_round_people((int64_t)people);
}

/* From the numbers that are shown. */
static double check_ratio(const struct measured *m)
{
        double counts[VARIANTS_MAX];

        for (size_t i = 0; i < m->n; i++) {
                counts[i] = rounded(m->variants[i].sums.n);
        }
        return suppress_round_p(suppress_srm(counts, m->n, analytics_min_group()));
}

/* How far anybody is from the mean at most, in the measure's unit: n times what one person can change it by. */
static double furthest_distance(const struct measured *m, const struct variant_sums *v, double mean)
{
        double y = v->sums.y / v->sums.n, x = v->sums.x / v->sums.n;

        switch ((int)m->in->measure) {
        case ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_QUANTILE:
                return 0; /* it depends on those around it only */
        case ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_PROPORTION:
                return mean > 0 && mean < 1 ? fmax(mean, 1 - mean) : 0;
        case ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_RATIO:
                return x > 0 ? fmax(v->y_high, mean * v->x_high) / x : 0;
        default:
                return fmax(v->y_high - y, y - v->y_low) + fabs(m->theta) * fmax(v->x_high - x, x);
        }
}

static double step_of(const struct measured *m, size_t variant)
{
        struct stats_estimate e = m->estimates[variant];
        double distance = fmax(sqrt(e.variance), furthest_distance(m, &m->variants[variant], e.mean));

        return suppress_step(distance, e.n, analytics_min_group());
}

/* The least effect that rounds to this difference, with its standard error rounded up, as two estimates. */
static void estimate_again(struct stats_effect e, double step, struct stats_estimate *control,
                           struct stats_estimate *treatment)
{
        double difference = suppress_round(e.difference, step), error = suppress_round_up(e.standard_error, step);

        control->mean = 0;
        control->variance = error * error * control->n;
        treatment->mean = copysign(fmax(0, fabs(difference) - step / 2), difference);
        treatment->variance = 0;
}

struct shown_effect experiment_show(struct stats_estimate control, struct stats_estimate treatment, double step,
                                    int64_t min)
{
        struct stats_effect e = experiment_compare(control, treatment);
        double people = (double)min;
        struct shown_effect out = {
            .difference = suppress_round(e.difference, step), .low = e.difference, .high = e.difference};

        if (e.standard_error > 0) {
                out.low = suppress_round_down(e.low, step);
                out.high = suppress_round_up(e.high, step);
        }
        control.n = floor(control.n / people) * people;
        treatment.n = floor(treatment.n / people) * people;
        estimate_again(e, step, &control, &treatment);
        out.p = suppress_round_p(experiment_compare(control, treatment).p);
        out.better = suppress_round(stats_bayes(control, treatment, 0).better, 0.01);
        return out;
}

static AnalyticsExperiments__Effect *compare_with_control(struct arena *arena, const struct measured *m, size_t variant)
{
        struct shown_effect e = experiment_show(m->estimates[0], m->estimates[variant],
                                                fmax(step_of(m, 0), step_of(m, variant)), analytics_min_group());
        AnalyticsExperiments__Effect *out = ARENA_NEW(arena, AnalyticsExperiments__Effect);

        analytics_experiments__effect__init(out);
        out->difference = e.difference;
        out->low = e.low;
        out->high = e.high;
        out->p = e.p;
        out->probability_better = e.better;
        return out;
}

static void adjust(const struct measured *m, AnalyticsExperiments__VariantResult **shown)
{
        double p[VARIANTS_MAX], adjusted[VARIANTS_MAX];
        bool by_rate = m->in->adjustment == ANALYTICS_EXPERIMENTS__ADJUSTMENT__ADJUSTMENT_BENJAMINI_HOCHBERG;

        for (size_t i = 1; i < m->n; i++) {
                p[i - 1] = shown[i]->effect->p;
        }
        (by_rate ? stats_benjamini_hochberg : stats_holm)(p, m->n - 1, adjusted);
        for (size_t i = 1; i < m->n; i++) {
                shown[i]->effect->adjusted_p = suppress_round_p(adjusted[i - 1]);
        }
}

static void show_result(struct arena *arena, const struct measured *m, AnalyticsExperiments__Results *out)
{
        for (size_t i = 0; i < m->n; i++) {
                AnalyticsExperiments__VariantResult *v = out->variants[i];

                v->people_shown_case = ANALYTICS_EXPERIMENTS__VARIANT_RESULT__PEOPLE_SHOWN_PEOPLE;
                v->people = explore_round_people((int64_t)m->variants[i].sums.n);
                v->mean_shown_case = ANALYTICS_EXPERIMENTS__VARIANT_RESULT__MEAN_SHOWN_MEAN;
                v->mean = suppress_round(m->estimates[i].mean, step_of(m, i));
                v->share_shown_case = ANALYTICS_EXPERIMENTS__VARIANT_RESULT__SHARE_SHOWN_SHARE;
                v->share = rounded(m->variants[i].active) / (double)v->people;
                v->effect = i > 0 ? compare_with_control(arena, m, i) : NULL;
        }
        adjust(m, out->variants);
        out->ratio_shown_case = ANALYTICS_EXPERIMENTS__RESULTS__RATIO_SHOWN_SAMPLE_RATIO_P;
        out->sample_ratio_p = check_ratio(m);
}

static void name_variants(struct arena *arena, const stored_experiment *e, AnalyticsExperiments__Results *out)
{
        char *names[VARIANTS_MAX];

        out->id = e->id;
        out->n_variants = experiment_names(arena, e->variants, VARIANTS_MAX, names);
        out->variants = ARENA_ARRAY(arena, AnalyticsExperiments__VariantResult *, out->n_variants);
        for (size_t i = 0; i < out->n_variants; i++) {
                out->variants[i] = ARENA_NEW(arena, AnalyticsExperiments__VariantResult);
                analytics_experiments__variant_result__init(out->variants[i]);
                out->variants[i]->name = names[i];
        }
}

/* ---- The moment of results ---- */

/* In each variant nobody or enough people have been active since, and nobody or enough of them have seen it for the
 * first time: so that no two answers differ by a few people. */
static bool may_move_on(AnalyticsRows__ActiveSince *const *active, size_t n_active, size_t n)
{
        int64_t people[VARIANTS_MAX] = {0}, joined[VARIANTS_MAX] = {0}, all = 0;

        for (size_t i = 0; i < n_active; i++) {
                size_t v = assign_variant((uint32_t)active[i]->bucket, n);

                people[v] += active[i]->people;
                joined[v] += active[i]->joined;
                all += active[i]->people;
        }
        for (size_t i = 0; i < n; i++) {
                if (is_few((double)people[i]) || is_few((double)joined[i])) {
                        return false;
                }
        }
        return all > 0;
}

static sn_status move_on(struct db_tx *tx, const char *id, size_t n, int64_t now_ms, int64_t *told_ms)
{
        AnalyticsRows__ActiveSince **active = NULL;
        size_t n_active = 0;
        bool gone = false;

        TRY(store_results_told(tx, id, analytics_keep_months(), told_ms, &gone));
        if (gone) { /* a month that goes takes few people of some variant away */
                return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "id", "not all of its events are kept any more");
        }
        TRY(store_active_since(tx, id, *told_ms, now_ms, &n_active, &active));
        if (*told_ms >= now_ms || !may_move_on(active, n_active, n)) {
                return SN_OK;
        }
        *told_ms = now_ms;
        return store_tell_results(tx, id, now_ms);
}

/* ---- The answer ---- */

static sn_status measure_variants(struct db_tx *tx, const stored_experiment *e, int64_t told_ms, struct measured *m)
{
        bool cuped = m->in->measure == ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_CUPED;
        struct results_query q = {.id = e->id, .metric = m->in->metric[0] != '\0' ? m->in->metric : e->metric};

        q.stored_ms = told_ms;
        q.before = cuped;
        q.per = cuped ? q.metric : m->in->per;
        TRY(experiment_sums(tx, &q, m->n, m->variants));
        estimate_variant(m);
        return m->in->measure == ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_QUANTILE ? read_quantiles(tx, &q, m) : SN_OK;
}

static sn_status read_results(struct db_tx *tx, const stored_experiment *e, int64_t told_ms,
                              const AnalyticsExperiments__ResultsRequest *in, AnalyticsExperiments__Results *out)
{
        struct measured m = {.in = in, .n = out->n_variants};

        TRY(measure_variants(tx, e, told_ms, &m));
        if (!any_is_small(&m)) {
                show_result(db_arena(tx), &m, out);
                out->as_of = timestamp_new(db_arena(tx), told_ms);
        }
        return SN_OK;
}

sn_status analytics_handle_get_results(struct rpc_call *c, const AnalyticsExperiments__ResultsRequest *in,
                                       AnalyticsExperiments__Results *out)
{
        stored_experiment *e = ARENA_NEW(c->arena, stored_experiment);
        int64_t now_ms = 0, told_ms = 0;

        analytics_rows__stored_experiment__init(e);
        if (in->measure == ANALYTICS_EXPERIMENTS__MEASURE__MEASURE_RATIO && in->per[0] == '\0') {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "per", "a ratio needs the event of its denominator");
        }
        if (in->metric[0] != '\0') {
                TRY(names_check_event(c, "metric", in->metric));
        }
        if (in->per[0] != '\0') {
                TRY(names_check_event(c, "per", in->per));
        }
        TRY(DB_READ(c, tx, experiment_find(tx, in->id, e)));
        name_variants(c->arena, e, out);
        if (e->started_at == NULL) {
                return SN_OK;
        }
        TRY(DB_WRITE(c, tx, store_moment(tx, &now_ms))); /* holds up the storing of events only briefly */
        TRY(DB_WRITE(c, tx, move_on(tx, e->id, out->n_variants, now_ms, &told_ms)));
        return told_ms == 0 ? SN_OK : DB_READ(c, tx, read_results(tx, e, told_ms, in, out));
}

/* ---- Checks ---- */

sn_status analytics_handle_get_sample_size(struct rpc_call *c, const AnalyticsExperiments__SampleSizeRequest *in,
                                           AnalyticsExperiments__SampleSize *out)
{
        double base = in->baseline_percent / 100, effect = in->effect_percent / 100;
        double alpha = (in->alpha_percent > 0 ? in->alpha_percent : 5) / 100.0;
        double power = (in->power_percent > 0 ? in->power_percent : 80) / 100.0;

        if (!(base > 0 && base < 1)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "baseline_percent", "must be more than 0 and less than 100");
        }
        if (!(effect != 0 && base + effect > 0 && base + effect < 1)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "effect_percent",
                                "must not be 0, and baseline_percent plus effect_percent must be between 0 and 100");
        }
        double variance = (base * (1 - base) + (base + effect) * (1 - base - effect)) / 2;
        double people = stats_sample_size(variance, effect, alpha, power);

        if (people > 1e12) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "effect_percent", "is too small to be measured in any network");
        }
        out->people = (int64_t)people;
        out->power = stats_power(variance, effect, alpha, people);
        return SN_OK;
}
