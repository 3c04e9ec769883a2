/* Stops harmful experiments: every minute, when a variant has significantly fewer of a guardrail's events than the
 * control. The bound is always valid, so that frequent checks do not stop harmless ones. */
#include <math.h>
#include "base/log.h"
#include "services/analytics/analytics.h"
#include "services/analytics/experiments.h"

/* Variants are compared only if enough people have seen both, since stopping one reveals something about them. */
static bool is_harmed(const struct variant_sums *variants, size_t n)
{
        struct stats_estimate control = stats_mean(&variants[0].sums);
        double min = (double)analytics_min_group();

        for (size_t i = 1; i < n; i++) {
                struct stats_effect e = experiment_compare(control, stats_mean(&variants[i].sums));

                if (fmin(control.n, variants[i].sums.n) >= min && e.standard_error > 0 && e.high < 0) {
                        return true;
                }
        }
        return false;
}

static sn_status find_broken(struct rpc_call *c, const stored_experiment *e, const char **broken)
{
        char *variants[VARIANTS_MAX], *guardrails[GUARDRAILS_MAX];
        size_t n = experiment_names(c->arena, e->variants, VARIANTS_MAX, variants);
        size_t n_guardrails = experiment_names(c->arena, e->guardrails, GUARDRAILS_MAX, guardrails);

        for (size_t i = 0; i < n_guardrails && *broken == NULL; i++) {
                struct variant_sums sums[VARIANTS_MAX] = {0};

                TRY(DB_READ(c, tx,
                            experiment_sums(tx,
                                            &(struct results_query){.id = e->id, .metric = guardrails[i], .per = ""}, n,
                                            sums)));
                *broken = is_harmed(sums, n) ? guardrails[i] : NULL;
        }
        return SN_OK;
}

sn_status guardrails_check(struct rpc_call *c)
{
        stored_experiment **running = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_experiments(tx, true, &n, &running)));
        for (size_t i = 0; i < n; i++) {
                const char *broken = NULL;
                bool done = false;

                TRY(find_broken(c, running[i], &broken));
                if (broken != NULL) {
                        TRY(DB_WRITE(c, tx, experiment_stop(tx, running[i]->id, broken, &done)));
                        log_event(LOG_LEVEL_WARN, "an experiment was stopped: a guardrail is broken",
                                  LOG_STR("sonet.experiment", running[i]->name), LOG_STR("sonet.guardrail", broken));
                }
        }
        return SN_OK;
}

static sn_status check_experiments(struct rpc_call *c, bool *more)
{
        return guardrails_check(c);
}

const struct service_job analytics_guardrails = {.name = "check_guardrails", .every_s = 60, .run = check_experiments};
