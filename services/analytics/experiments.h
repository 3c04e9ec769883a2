/* Shared by the files on experiments. */
#ifndef SERVICES_ANALYTICS_EXPERIMENTS_H
#define SERVICES_ANALYTICS_EXPERIMENTS_H

#include "services/analytics/assign.h"
#include "services/analytics/stats.h"
#include "services/analytics/store_experiments.h"

#define VARIANTS_MAX   5
#define GUARDRAILS_MAX 5

/* SN_NOT_FOUND on id. */
SN_CHECKED sn_status experiment_find(struct db_tx *tx, const char *id, stored_experiment *out);
/* Splits names separated by commas, at most VARIANTS_MAX or GUARDRAILS_MAX; returns how many. */
size_t experiment_names(struct arena *arena, const char *list, size_t max, char **out);
struct assign_plan experiment_plan(const stored_experiment *e);

/* Stops it (done: it was running) and saves its results. by: a guardrail, or "". */
SN_CHECKED sn_status experiment_stop(struct db_tx *tx, const char *id, const char *by, bool *done);

/* ---- Sums (results.c) ---- */

struct variant_sums {
        struct stats_sums sums;
        double active;                /* people with any y */
        double with_x;                /* people with any x */
        double y_low, y_high, x_high; /* the lowest and highest of any person */
};
/* n: number of variants. out has room for VARIANTS_MAX. */
SN_CHECKED sn_status experiment_sums(struct db_tx *tx, const struct results_query *q, size_t n,
                                     struct variant_sums *out);
/* The difference of two estimates, with an always valid 95 % interval. */
struct stats_effect experiment_compare(struct stats_estimate control, struct stats_estimate treatment);
/* The same as it is shown: rounded to multiples of step (the interval outwards), numbers of people to multiples of min.
 * p and the probability that the treatment is better are computed from the rounded numbers: the exact p shrinks so fast
 * that two digits of it would reveal what a single person did. p is rounded up. */
struct shown_effect {
        double difference, low, high, p, better;
};
struct shown_effect experiment_show(struct stats_estimate control, struct stats_estimate treatment, double step,
                                    int64_t min);

/* Stops running experiments that break a guardrail (guardrails.c). */
SN_CHECKED sn_status guardrails_check(struct rpc_call *c);

/* ---- Verifying (verify.c) ---- */

/* A digest of each variant's sums; the same for equal sums. */
void experiment_hash(const char *id, const struct variant_sums *variants, size_t n, uint8_t hash[32]);

struct experiment_verdict {
        bool saved; /* it was stopped, so there is something to compare with */
        bool same;
        int64_t people; /* participants */
};
/* Recomputes the assignment of everybody who saw it, one by one in C, sums up their events, and compares the sums with
 * the saved results. */
SN_CHECKED sn_status experiment_verify(struct rpc_call *c, const char *id, struct experiment_verdict *out);

#endif
