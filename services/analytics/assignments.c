/* Owns assigning variants, which are computed and never stored. */
#include <string.h>
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/consent.h"
#include "services/analytics/experiments.h"
#include "services/analytics/store.h"
#include "services/analytics/visitor.h"

static char *variant_of(struct arena *arena, const stored_experiment *e, const char *visitor)
{
        char *names[VARIANTS_MAX];
        size_t n = experiment_names(arena, e->variants, VARIANTS_MAX, names);

        return names[assign_variant(assign_bucket(e->id, visitor), n)];
}

static int64_t started_ms(const stored_experiment *e)
{
        return e->started_at->seconds * 1000;
}

static bool takes_part(const stored_experiment *e, const char *visitor, bool is_new)
{
        struct assign_plan plan = experiment_plan(e);

        return assign_takes_part(&plan, visitor, is_new);
}

/* ---- For the caller ---- */

static void add_assignment(struct arena *arena, const stored_experiment *e, const char *visitor,
                           AnalyticsExperiments__Assignments *out)
{
        AnalyticsExperiments__Assignment *a = ARENA_NEW(arena, AnalyticsExperiments__Assignment);

        analytics_experiments__assignment__init(a);
        a->experiment_id = e->id;
        a->name = e->name;
        a->variant = variant_of(arena, e, visitor);
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
                if (takes_part(running[i], visitor, day_of(first_ms) >= day_of(started_ms(running[i])))) {
                        add_assignment(c->arena, running[i], visitor, out);
                }
        }
        return SN_OK;
}

/* ---- For many members ---- */

static void assign_member(struct arena *arena, const stored_experiment *e, const AnalyticsRows__Pseudonym *who,
                          AnalyticsExperiments__MemberAssignments *out)
{
        AnalyticsExperiments__MemberAssignment *a = ARENA_NEW(arena, AnalyticsExperiments__MemberAssignment);

        analytics_experiments__member_assignment__init(a);
        a->user_id = who->user_id;
        a->variant = variant_of(arena, e, who->visitor);
        out->items[out->n_items++] = a;
}

static sn_status assign_members(struct rpc_call *c, const stored_experiment *e, char **ids, size_t n_ids,
                                AnalyticsExperiments__MemberAssignments *out)
{
        AnalyticsRows__Pseudonym **people = NULL;
        size_t n = 0;

        TRY(DB_WRITE(c, tx, store_add_people(tx, ids, n_ids)));
        TRY(DB_READ(c, tx, store_pseudonyms(tx, ids, n_ids, started_ms(e), &n, &people)));
        out->items = ARENA_ARRAY(c->arena, AnalyticsExperiments__MemberAssignment *, n);
        for (size_t i = 0; i < n; i++) {
                if (takes_part(e, people[i]->visitor, people[i]->is_new)) {
                        assign_member(c->arena, e, people[i], out);
                }
        }
        return SN_OK;
}

sn_status analytics_handle_batch_get_assignments(struct rpc_call *c,
                                                 const AnalyticsExperiments__BatchGetAssignmentsRequest *in,
                                                 AnalyticsExperiments__MemberAssignments *out)
{
        stored_experiment experiment = ANALYTICS_ROWS__STORED_EXPERIMENT__INIT;
        bool runs = false;
        char **ids = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_running_experiment(tx, in->experiment, &experiment, &runs)));
        if (!runs) {
                return SN_OK;
        }
        TRY(consent_of_members(c, in->user_ids, in->n_user_ids, &ids, &n));
        return assign_members(c, &experiment, ids, n, out);
}
