/* Owns verifying an experiment's results by a second computation. The results come from the database's own assignment
 * function and sums; here each person is assigned again in C (assign.c). */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include "services/analytics/experiments.h"

#define PORTION 5000

void experiment_hash(const char *id, const struct variant_sums *variants, size_t n, uint8_t hash[32])
{
        crypto_hash_sha256_state state;
        char line[200];

        crypto_hash_sha256_init(&state);
        for (size_t i = 0; i < n; i++) {
                const struct variant_sums *v = &variants[i];
                int len = snprintf(line, sizeof(line), "%s %zu %.0f %.0f %.0f %.0f\n", id, i, v->sums.n, v->active,
                                   v->sums.y, v->sums.yy);

                crypto_hash_sha256_update(&state, (const uint8_t *)line, (size_t)len);
        }
        crypto_hash_sha256_final(&state, hash);
}

static void add_person(const stored_experiment *e, const AnalyticsRows__SeenBy *person, size_t n,
                       struct variant_sums *variants)
{
        struct assign_plan plan = experiment_plan(e);

        if (assign_takes_part(&plan, person->visitor, person->is_new)) {
                struct variant_sums *v = &variants[assign_variant(assign_bucket(e->id, person->visitor), n)];
                double y = (double)person->y;

                v->sums.n++;
                v->sums.y += y;
                v->sums.yy += y * y;
                v->active += y > 0 ? 1 : 0;
        }
}

static sn_status replay_assignments(struct db_tx *tx, const stored_experiment *e, const struct results_query *q,
                                    size_t n, struct variant_sums *variants)
{
        AnalyticsRows__SeenBy **people = NULL;
        size_t n_people = PORTION;
        char after[UUID_SIZE] = "";

        while (n_people == PORTION) {
                struct arena_mark mark = arena_mark(db_arena(tx));

                TRY(store_seen_by(tx, q, after, PORTION, &n_people, &people));
                for (size_t i = 0; i < n_people; i++) {
                        add_person(e, people[i], n, variants);
                }
                if (n_people > 0) {
                        (void)snprintf(after, sizeof(after), "%s", people[n_people - 1]->visitor);
                }
                arena_reset(db_arena(tx), mark);
        }
        return SN_OK;
}

sn_status experiment_verify(struct rpc_call *c, const char *id, struct experiment_verdict *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        stored_experiment e = ANALYTICS_ROWS__STORED_EXPERIMENT__INIT;
        struct variant_sums variants[VARIANTS_MAX] = {0};
        uint8_t saved[32] = {0}, again[32];
        char *names[VARIANTS_MAX];
        struct results_query q = {.id = id, .per = ""};

        TRY(db_read(c, &tx));
        TRY(experiment_find(tx, id, &e));
        TRY(store_saved_results(tx, id, &out->saved, &q.stored_ms, saved));
        if (!out->saved) {
                return SN_OK;
        }
        q.metric = e.metric;
        size_t n = experiment_names(c->arena, e.variants, VARIANTS_MAX, names);

        TRY(replay_assignments(tx, &e, &q, n, variants));
        experiment_hash(id, variants, n, again);
        for (size_t i = 0; i < n; i++) {
                out->people += (int64_t)variants[i].sums.n;
        }
        out->same = sodium_memcmp(saved, again, sizeof(saved)) == 0;
        return SN_OK;
}
