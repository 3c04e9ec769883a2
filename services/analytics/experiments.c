/* Owns experiments: planning, changing plans, starting, stopping. A draft can be changed; a running experiment can only
 * be stopped; a stopped one is final. */
#include "services/analytics/experiments.h"

#include <string.h>
#include "services/analytics/analytics.h"
#include "services/analytics/names.h"
#include "services/analytics/store.h"

size_t experiment_names(struct arena *arena, const char *list, size_t max, char **out)
{
        struct str rest = str_of(list), name;
        size_t n = 0;

        while (n < max && str_next(&rest, ',', &name)) {
                if (name.len > 0) {
                        out[n++] = str_dup(arena, name);
                }
        }
        return n;
}

struct assign_plan experiment_plan(const stored_experiment *e)
{
        return (struct assign_plan){e->layer, e->from_percent, e->to_percent, e->holdout_percent, e->audience};
}

sn_status experiment_find(struct db_tx *tx, const char *id, stored_experiment *out)
{
        bool found = false;

        TRY(store_experiment(tx, id, out, &found));
        return found ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no experiment with this id");
}

static void show_experiment(struct arena *arena, const stored_experiment *e, AnalyticsExperiments__Experiment *out)
{
        out->id = e->id;
        out->name = e->name;
        out->layer = e->layer;
        out->from_percent = e->from_percent;
        out->to_percent = e->to_percent;
        out->variants = ARENA_ARRAY(arena, char *, VARIANTS_MAX);
        out->n_variants = experiment_names(arena, e->variants, VARIANTS_MAX, out->variants);
        out->metric = e->metric;
        out->created_at = e->created_at;
        out->started_at = e->started_at;
        out->stopped_at = e->stopped_at;
        out->stopped_by = e->stopped_by;
        out->audience = (AnalyticsExperiments__Audience)e->audience;
        out->holdout_percent = e->holdout_percent;
        out->guardrails = ARENA_ARRAY(arena, char *, GUARDRAILS_MAX);
        out->n_guardrails = experiment_names(arena, e->guardrails, GUARDRAILS_MAX, out->guardrails);
        out->state = e->started_at == NULL   ? ANALYTICS_EXPERIMENTS__EXPERIMENT_STATE__EXPERIMENT_STATE_DRAFT
                     : e->stopped_at == NULL ? ANALYTICS_EXPERIMENTS__EXPERIMENT_STATE__EXPERIMENT_STATE_RUNNING
                                             : ANALYTICS_EXPERIMENTS__EXPERIMENT_STATE__EXPERIMENT_STATE_STOPPED;
}

static sn_status show_stored(struct db_tx *tx, const char *id, AnalyticsExperiments__Experiment *out)
{
        stored_experiment *e = ARENA_NEW(db_arena(tx), stored_experiment);

        analytics_rows__stored_experiment__init(e);
        TRY(experiment_find(tx, id, e));
        show_experiment(db_arena(tx), e, out);
        return SN_OK;
}

/* ---- Planning ---- */

static sn_status check_variants(struct rpc_call *c, const char *list)
{
        char *names[VARIANTS_MAX];
        size_t n = experiment_names(c->arena, list, VARIANTS_MAX, names);

        if (n < 2) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "variants", "give two to five; the first one is the control");
        }
        for (size_t i = 0; i < n; i++) {
                for (size_t j = 0; j < i; j++) {
                        if (strcmp(names[i], names[j]) == 0) {
                                return rpc_fail(c, SN_INVALID_ARGUMENT, "variants", "two of them have the same name");
                        }
                }
        }
        return SN_OK;
}

static sn_status check_plan(struct rpc_call *c, const stored_experiment *e)
{
        char *guardrails[GUARDRAILS_MAX];

        TRY(check_variants(c, e->variants));
        TRY(names_check_event(c, "metric", e->metric));
        TRY(names_check_events(c, "guardrails", guardrails,
                               experiment_names(c->arena, e->guardrails, GUARDRAILS_MAX, guardrails)));
        return e->to_percent > e->from_percent
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, "to_percent", "must be greater than from_percent");
}

static char *join_names(struct arena *arena, char *const *names, size_t n)
{
        char *list = n > 0 ? names[0] : (char *)"";

        for (size_t i = 1; i < n; i++) {
                list = arena_printf(arena, "%s,%s", list, names[i]);
        }
        return list;
}

static sn_status name_taken(struct db_tx *tx, sn_status status)
{
        return status == SN_ALREADY_EXISTS
                   ? rpc_fail(db_call(tx), SN_ALREADY_EXISTS, "name", "another experiment has this name")
                   : status;
}

sn_status analytics_handle_create_experiment(struct rpc_call *c,
                                             const AnalyticsExperiments__CreateExperimentRequest *in,
                                             AnalyticsExperiments__Experiment *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        stored_experiment e = ANALYTICS_ROWS__STORED_EXPERIMENT__INIT;

        e.id = uuid_new_in(c->arena);
        e.name = in->name;
        e.layer = in->layer;
        e.from_percent = in->from_percent;
        e.to_percent = in->to_percent;
        e.variants = join_names(c->arena, in->variants, in->n_variants);
        e.metric = in->metric;
        e.audience = in->audience > 0 ? (uint32_t)in->audience : ANALYTICS_EXPERIMENTS__AUDIENCE__AUDIENCE_ALL;
        e.holdout_percent = in->holdout_percent;
        e.guardrails = join_names(c->arena, in->guardrails, in->n_guardrails);
        TRY(check_plan(c, &e));
        TRY(db_begin(c, &tx));
        TRY(name_taken(tx, store_insert_experiment(tx, &e)));
        TRY(show_stored(tx, e.id, out));
        return db_commit(c, &out->base, &tx);
}

static void choose_text(char **field, char *given)
{
        *field = given[0] != '\0' ? given : *field;
}

/* Applies the given fields to the stored plan. */
static void apply_update(struct arena *arena, const AnalyticsExperiments__UpdateExperimentRequest *in,
                         stored_experiment *e)
{
        choose_text(&e->name, in->name);
        choose_text(&e->layer, in->layer);
        choose_text(&e->metric, in->metric);
        choose_text(&e->variants, join_names(arena, in->variants, in->n_variants));
        choose_text(&e->guardrails, join_names(arena, in->guardrails, in->n_guardrails));
        if (in->from_presence_case != ANALYTICS_EXPERIMENTS__UPDATE_EXPERIMENT_REQUEST__FROM_PRESENCE__NOT_SET) {
                e->from_percent = in->from_percent;
        }
        if (in->to_presence_case != ANALYTICS_EXPERIMENTS__UPDATE_EXPERIMENT_REQUEST__TO_PRESENCE__NOT_SET) {
                e->to_percent = in->to_percent;
        }
        if (in->holdout_presence_case != ANALYTICS_EXPERIMENTS__UPDATE_EXPERIMENT_REQUEST__HOLDOUT_PRESENCE__NOT_SET) {
                e->holdout_percent = in->holdout_percent;
        }
        e->audience = in->audience > 0 ? (uint32_t)in->audience : e->audience;
}

sn_status analytics_handle_update_experiment(struct rpc_call *c,
                                             const AnalyticsExperiments__UpdateExperimentRequest *in,
                                             AnalyticsExperiments__Experiment *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        stored_experiment e = ANALYTICS_ROWS__STORED_EXPERIMENT__INIT;
        bool done = false;

        TRY(db_begin(c, &tx));
        TRY(db_lock_one(tx, "analytics", "experiments"));
        TRY(experiment_find(tx, in->id, &e));
        apply_update(c->arena, in, &e);
        TRY(check_plan(c, &e));
        TRY(name_taken(tx, store_update_experiment(tx, &e, &done)));
        TRY(show_stored(tx, in->id, out));
        return done ? db_commit(c, NULL, &tx)
                    : rpc_fail(c, SN_FAILED_PRECONDITION, "id",
                               "this experiment was started and cannot be changed: stop it, and plan a new one");
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
                show_experiment(c->arena, stored[i], out->items[i]);
        }
        return SN_OK;
}

/* ---- Starting and stopping ---- */

static sn_status refuse_start(struct db_tx *tx, const AnalyticsExperiments__Experiment *refused)
{
        stored_experiment **running = NULL;
        size_t n = 0;

        if (refused->started_at != NULL) {
                return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "id", "it was started before");
        }
        TRY(store_experiments(tx, true, &n, &running));
        for (size_t i = 0; i < n; i++) {
                const stored_experiment *e = running[i];

                if (strcmp(e->layer, refused->layer) == 0 && e->from_percent < refused->to_percent &&
                    refused->from_percent < e->to_percent) {
                        return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "id",
                                        "%s is running in the same layer, from %u to %u percent", e->name,
                                        e->from_percent, e->to_percent);
                }
        }
        return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "id", "a running experiment of its layer overlaps it");
}

sn_status analytics_handle_start_experiment(struct rpc_call *c, const AnalyticsExperiments__ExperimentRequest *in,
                                            AnalyticsExperiments__Experiment *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool done = false;

        TRY(db_begin(c, &tx));
        TRY(store_start_experiment(tx, in->id, &done));
        TRY(show_stored(tx, in->id, out));
        return done ? db_commit(c, NULL, &tx) : refuse_start(tx, out);
}

static sn_status save_results(struct db_tx *tx, const char *id)
{
        stored_experiment e = ANALYTICS_ROWS__STORED_EXPERIMENT__INIT;
        struct variant_sums variants[VARIANTS_MAX] = {0};
        char *names[VARIANTS_MAX];
        uint8_t hash[32];
        int64_t counted_ms = 0;

        TRY(experiment_find(tx, id, &e));
        TRY(store_moment(tx, &counted_ms));
        size_t n = experiment_names(db_arena(tx), e.variants, VARIANTS_MAX, names);

        TRY(experiment_sums(tx,
                            &(struct results_query){.id = id, .metric = e.metric, .per = "", .stored_ms = counted_ms},
                            n, variants));
        experiment_hash(id, variants, n, hash);
        return store_save_results(tx, id, counted_ms, hash);
}

sn_status experiment_stop(struct db_tx *tx, const char *id, const char *by, bool *done)
{
        TRY(store_stop_experiment(tx, id, by, done));
        return *done ? save_results(tx, id) : SN_OK;
}

sn_status analytics_handle_stop_experiment(struct rpc_call *c, const AnalyticsExperiments__ExperimentRequest *in,
                                           AnalyticsExperiments__Experiment *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool done = false;

        TRY(db_begin(c, &tx));
        TRY(experiment_stop(tx, in->id, "", &done));
        TRY(show_stored(tx, in->id, out));
        return done ? db_commit(c, NULL, &tx) : rpc_fail(c, SN_FAILED_PRECONDITION, "id", "it is not running");
}
