/* Owns experiments: planning, starting, stopping, and who is in which variant. */
#include "services/analytics/experiments.h"

#include <string.h>
#include "services/analytics/analytics.h"
#include "services/analytics/assign.h"
#include "services/analytics/consent.h"

size_t experiment_variants(struct arena *arena, const stored_experiment *e, char **out)
{
        struct str rest = str_of(e->variants), name;
        size_t n = 0;

        while (n < VARIANTS_MAX && str_next(&rest, ',', &name)) {
                out[n++] = str_dup(arena, name);
        }
        return n;
}

sn_status experiment_find(struct db_tx *tx, const char *id, stored_experiment *out)
{
        bool found = false;

        TRY(store_experiment(tx, id, out, &found));
        return found ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no experiment with this id");
}

static void show(struct arena *arena, const stored_experiment *e, AnalyticsExperiments__Experiment *out)
{
        out->id = e->id;
        out->name = e->name;
        out->layer = e->layer;
        out->from_percent = e->from_percent;
        out->to_percent = e->to_percent;
        out->variants = ARENA_ARRAY(arena, char *, VARIANTS_MAX);
        out->n_variants = experiment_variants(arena, e, out->variants);
        out->metric = e->metric;
        out->created_at = e->created_at;
        out->started_at = e->started_at;
        out->stopped_at = e->stopped_at;
}

static sn_status show_stored(struct db_tx *tx, const char *id, AnalyticsExperiments__Experiment *out)
{
        stored_experiment *e = ARENA_NEW(db_arena(tx), stored_experiment);

        analytics_rows__stored_experiment__init(e);
        TRY(experiment_find(tx, id, e));
        show(db_arena(tx), e, out);
        return SN_OK;
}

/* ---- Planning ---- */

static sn_status check(struct rpc_call *c, const AnalyticsExperiments__CreateExperimentRequest *in)
{
        if (in->n_variants < 2) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "variants", "give two to five; the first one is the control");
        }
        for (size_t i = 0; i < in->n_variants; i++) {
                for (size_t j = 0; j < i; j++) {
                        if (strcmp(in->variants[i], in->variants[j]) == 0) {
                                return rpc_fail(c, SN_INVALID_ARGUMENT, "variants", "two of them have the same name");
                        }
                }
        }
        return in->to_percent > in->from_percent
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "to_percent", "must be greater than from_percent");
}

static sn_status insert(struct db_tx *tx, const char *id, const AnalyticsExperiments__CreateExperimentRequest *in)
{
        char *variants = in->variants[0];

        for (size_t i = 1; i < in->n_variants; i++) {
                variants = arena_printf(db_arena(tx), "%s,%s", variants, in->variants[i]);
        }
        sn_status status = store_insert_experiment(tx, id, variants, in);

        return status == SN_ALREADY_EXISTS ? rpc_fail(db_call(tx), SN_ALREADY_EXISTS, "name",
                                                      "there is an experiment of this name; give another one")
                                           : status;
}

sn_status analytics_handle_create_experiment(struct rpc_call *c,
                                             const AnalyticsExperiments__CreateExperimentRequest *in,
                                             AnalyticsExperiments__Experiment *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *id = uuid_new_in(c->arena);

        TRY(check(c, in));
        TRY(db_begin(c, &tx));
        TRY(insert(tx, id, in));
        TRY(show_stored(tx, id, out));
        return db_commit(c, &out->base, &tx);
}

/* ---- Reading ---- */

sn_status analytics_handle_get_experiment(struct rpc_call *c, const AnalyticsExperiments__ExperimentRequest *in,
                                          AnalyticsExperiments__Experiment *out)
{
        return DB_READ(c, tx, show_stored(tx, in->id, out));
}

sn_status analytics_handle_list_experiments(struct rpc_call *c, const AnalyticsExperiments__ListExperimentsRequest *in,
                                            AnalyticsExperiments__Experiments *out)
{
        stored_experiment **stored = NULL;

        TRY(DB_READ(c, tx, store_experiments(tx, false, &out->n_items, &stored)));
        out->items = ARENA_ARRAY(c->arena, AnalyticsExperiments__Experiment *, out->n_items);
        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i] = ARENA_NEW(c->arena, AnalyticsExperiments__Experiment);
                analytics_experiments__experiment__init(out->items[i]);
                show(c->arena, stored[i], out->items[i]);
        }
        return SN_OK;
}

/* ---- Starting and stopping ---- */

static sn_status change(struct rpc_call *c, const char *id, sn_status (*store)(struct db_tx *, const char *, bool *),
                        const char *refusal, AnalyticsExperiments__Experiment *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool done = false;

        TRY(db_begin(c, &tx));
        TRY(store(tx, id, &done));
        TRY(show_stored(tx, id, out));
        return done ? db_commit(c, NULL, &tx) : rpc_fail(c, SN_FAILED_PRECONDITION, "id", "%s", refusal);
}

sn_status analytics_handle_start_experiment(struct rpc_call *c, const AnalyticsExperiments__ExperimentRequest *in,
                                            AnalyticsExperiments__Experiment *out)
{
        return change(c, in->id, store_start_experiment,
                      "it was started before, or a running experiment of its layer has some of the same percents", out);
}

sn_status analytics_handle_stop_experiment(struct rpc_call *c, const AnalyticsExperiments__ExperimentRequest *in,
                                           AnalyticsExperiments__Experiment *out)
{
        return change(c, in->id, store_stop_experiment, "it does not run", out);
}

/* ---- Assignment ---- */

static bool takes_part(struct arena *arena, const stored_experiment *e, const char *visitor)
{
        uint32_t bucket = assign_bucket(arena_printf(arena, "layer:%s", e->layer), visitor);

        return bucket >= e->from_percent * 100 && bucket < e->to_percent * 100;
}

static void assign(struct arena *arena, const stored_experiment *e, const char *visitor,
                   AnalyticsExperiments__Assignments *out)
{
        AnalyticsExperiments__Assignment *a = ARENA_NEW(arena, AnalyticsExperiments__Assignment);
        char *names[VARIANTS_MAX];
        size_t n = experiment_variants(arena, e, names);

        analytics_experiments__assignment__init(a);
        a->experiment_id = e->id;
        a->name = e->name;
        a->variant = names[assign_variant(assign_bucket(e->id, visitor), n)];
        out->items[out->n_items++] = a;
}

sn_status analytics_handle_list_assignments(struct rpc_call *c, const AnalyticsExperiments__ListAssignmentsRequest *in,
                                            AnalyticsExperiments__Assignments *out)
{
        stored_experiment **running = NULL;
        const char *visitor = NULL;
        bool consent = false;
        size_t n = 0;

        TRY(consent_of_actor(c, &consent));
        if (!consent) {
                return SN_OK;
        }
        TRY(DB_WRITE(c, tx, store_visitor(tx, c->actor, &visitor)));
        TRY(DB_READ(c, tx, store_experiments(tx, true, &n, &running)));
        out->items = ARENA_ARRAY(c->arena, AnalyticsExperiments__Assignment *, n);
        for (size_t i = 0; i < n; i++) {
                if (takes_part(c->arena, running[i], visitor)) {
                        assign(c->arena, running[i], visitor, out);
                }
        }
        return SN_OK;
}
