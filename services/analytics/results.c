/* Owns the results of experiments: sums from the database, what they say from the statistics. */
#include "services/analytics/analytics.h"

#include "services/analytics/assign.h"
#include "services/analytics/experiments.h"
#include "services/analytics/stats.h"

#define ALPHA 0.05
/* Where sequences are narrowest: an experiment of this many people. */
#define TUNED_FOR 5000

struct variant {
        struct stats_sums sums;
        double active;
};

static void add_up(AnalyticsRows__BucketSums *const *buckets, size_t n_buckets, struct variant *variants, size_t n)
{
        for (size_t i = 0; i < n_buckets; i++) {
                struct variant *v = &variants[assign_variant((uint32_t)buckets[i]->bucket, n)];

                v->sums.n += (double)buckets[i]->people;
                v->sums.y += buckets[i]->sum;
                v->sums.yy += buckets[i]->squares;
                v->active += (double)buckets[i]->active;
        }
}

static bool any_is_small(const struct variant *variants, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (variants[i].sums.n < (double)analytics_min_group()) {
                        return true;
                }
        }
        return false;
}

static double check_ratio(const struct variant *variants, size_t n)
{
        double counts[VARIANTS_MAX], shares[VARIANTS_MAX];

        for (size_t i = 0; i < n; i++) {
                counts[i] = variants[i].sums.n;
                shares[i] = 1;
        }
        return stats_srm(counts, shares, n);
}

static AnalyticsExperiments__Effect *compare(struct arena *arena, const struct variant *control,
                                             const struct variant *v)
{
        struct stats_estimate a = stats_mean(&control->sums), b = stats_mean(&v->sums);
        struct stats_effect e = stats_sequential(a, b, ALPHA, stats_tune_rho(TUNED_FOR, ALPHA));
        AnalyticsExperiments__Effect *out = ARENA_NEW(arena, AnalyticsExperiments__Effect);

        analytics_experiments__effect__init(out);
        out->difference = e.difference;
        out->low = e.standard_error > 0 ? e.low : e.difference;
        out->high = e.standard_error > 0 ? e.high : e.difference;
        out->p = e.p;
        out->probability_better = stats_bayes(a, b, 0).better;
        return out;
}

static void adjust(AnalyticsExperiments__VariantResult **shown, size_t n)
{
        double p[VARIANTS_MAX], adjusted[VARIANTS_MAX];

        for (size_t i = 1; i < n; i++) {
                p[i - 1] = shown[i]->effect->p;
        }
        stats_holm(p, n - 1, adjusted);
        for (size_t i = 1; i < n; i++) {
                shown[i]->effect->adjusted_p = adjusted[i - 1];
        }
}

static void show(struct arena *arena, const struct variant *variants, size_t n, AnalyticsExperiments__Results *out)
{
        for (size_t i = 0; i < n; i++) {
                AnalyticsExperiments__VariantResult *v = out->variants[i];

                v->shown_case = ANALYTICS_EXPERIMENTS__VARIANT_RESULT__SHOWN_PEOPLE;
                v->people = (int64_t)variants[i].sums.n;
                v->mean = stats_mean(&variants[i].sums).mean;
                v->share = stats_proportion(variants[i].sums.n, variants[i].active).mean;
                v->effect = i > 0 ? compare(arena, &variants[0], &variants[i]) : NULL;
        }
        adjust(out->variants, n);
        out->sample_ratio_p = check_ratio(variants, n);
}

static void name_variants(struct arena *arena, const stored_experiment *e, AnalyticsExperiments__Results *out)
{
        char *names[VARIANTS_MAX];

        out->id = e->id;
        out->sample_ratio_p = 1;
        out->n_variants = experiment_variants(arena, e, names);
        out->variants = ARENA_ARRAY(arena, AnalyticsExperiments__VariantResult *, out->n_variants);
        for (size_t i = 0; i < out->n_variants; i++) {
                out->variants[i] = ARENA_NEW(arena, AnalyticsExperiments__VariantResult);
                analytics_experiments__variant_result__init(out->variants[i]);
                out->variants[i]->name = names[i];
        }
}

static sn_status read_sums(struct db_tx *tx, const char *id, stored_experiment *e, size_t *n,
                           AnalyticsRows__BucketSums ***buckets)
{
        TRY(experiment_find(tx, id, e));
        return e->started_at == NULL ? SN_OK : store_results(tx, e, n, buckets);
}

sn_status analytics_handle_get_results(struct rpc_call *c, const AnalyticsExperiments__ExperimentRequest *in,
                                       AnalyticsExperiments__Results *out)
{
        stored_experiment e = ANALYTICS_ROWS__STORED_EXPERIMENT__INIT;
        struct variant variants[VARIANTS_MAX] = {0};
        AnalyticsRows__BucketSums **buckets = NULL;
        size_t n_buckets = 0;

        TRY(DB_READ(c, tx, read_sums(tx, in->id, &e, &n_buckets, &buckets)));
        name_variants(c->arena, &e, out);
        add_up(buckets, n_buckets, variants, out->n_variants);
        if (!any_is_small(variants, out->n_variants)) {
                show(c->arena, variants, out->n_variants, out);
        }
        return SN_OK;
}
