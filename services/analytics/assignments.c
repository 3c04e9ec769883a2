/* Owns who is in which variant: computed, never stored. */
#include <string.h>
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/consent.h"
#include "services/analytics/experiments.h"
#include "services/analytics/visitor.h"

static bool takes_part(const stored_experiment *e, const char *visitor, int64_t first_ms)
{
        struct assign_plan plan = experiment_plan(e);

        return assign_takes_part(&plan, visitor, day_of(first_ms) >= day_of(e->started_at->seconds * 1000));
}

static void assign(struct arena *arena, const stored_experiment *e, const char *visitor,
                   AnalyticsExperiments__Assignments *out)
{
        AnalyticsExperiments__Assignment *a = ARENA_NEW(arena, AnalyticsExperiments__Assignment);
        char *names[VARIANTS_MAX];
        size_t n = experiment_names(arena, e->variants, VARIANTS_MAX, names);

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
        int64_t first_ms = 0;
        bool consent = false;
        size_t n = 0;

        TRY(consent_of_actor(c, &consent));
        if (!consent) {
                return SN_OK;
        }
        TRY(DB_WRITE(c, tx, store_visitor(tx, c->actor, &visitor, &first_ms)));
        TRY(DB_READ(c, tx, store_experiments(tx, true, &n, &running)));
        out->items = ARENA_ARRAY(c->arena, AnalyticsExperiments__Assignment *, n);
        for (size_t i = 0; i < n; i++) {
                if (takes_part(running[i], visitor, first_ms)) {
                        assign(c->arena, running[i], visitor, out);
                }
        }
        return SN_OK;
}
