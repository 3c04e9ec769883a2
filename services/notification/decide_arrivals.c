/* Owns loading the input of decisions: members' rules, their relationships with the actors, and the conversations that
 * they mute. Loaded for all arrivals of a batch together. */
#include "services/notification/arrivals.h"

#include <stdlib.h>
#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/notification/rules.h"
#include "services/notification/store.h"

struct deciding {
        struct rpc_call *c;
        struct arrival **items; /* those of kind ARRIVAL_NEWS */
        size_t n;
        char **member_ids;
        size_t n_members;
        struct rules *rules; /* one per member */
        NotificationRows__Pair **muted;
        size_t n_muted;
};

static int compare_ids(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Collects the distinct members in ascending order. */
static void collect_members(struct deciding *d)
{
        for (size_t i = 0; i < d->n; i++) {
                d->member_ids[i] = (char *)d->items[i]->user_id;
        }
        qsort(d->member_ids, d->n, sizeof(*d->member_ids), compare_ids);
        for (size_t i = 0; i < d->n; i++) {
                if (d->n_members == 0 || strcmp(d->member_ids[d->n_members - 1], d->member_ids[i]) != 0) {
                        d->member_ids[d->n_members++] = d->member_ids[i];
                }
        }
}

static size_t member_index(const struct deciding *d, const char *id)
{
        char **found = bsearch(&id, d->member_ids, d->n_members, sizeof(*d->member_ids), compare_ids);

        return (size_t)(found - d->member_ids);
}

static void collect_news(struct deciding *d, struct arrivals *a)
{
        *d = (struct deciding){.c = a->c,
                               .items = ARENA_ARRAY(a->c->arena, struct arrival *, a->n),
                               .member_ids = ARENA_ARRAY(a->c->arena, char *, a->n)};
        for (size_t i = 0; i < a->n; i++) {
                if (a->items[i].kind == ARRIVAL_NEWS) {
                        d->items[d->n++] = &a->items[i];
                }
        }
        collect_members(d);
}

static sn_status load_rules(struct deciding *d)
{
        d->rules = ARENA_ARRAY(d->c->arena, struct rules, d->n_members);
        for (size_t from = 0, n; from < d->n_members; from += n) {
                struct rules *some = NULL;

                n = d->n_members - from < RULES_MAX ? d->n_members - from : RULES_MAX;
                TRY(rules_load(d->c, d->member_ids + from, n, &some));
                memcpy(d->rules + from, some, n * sizeof(*some));
        }
        return SN_OK;
}

static sn_status load_muted(struct deciding *d)
{
        char **users = ARENA_ARRAY(d->c->arena, char *, d->n), **roots = ARENA_ARRAY(d->c->arena, char *, d->n);
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++) {
                if (d->items[i]->root_id[0] != '\0') {
                        users[n] = (char *)d->items[i]->user_id;
                        roots[n++] = (char *)d->items[i]->root_id;
                }
        }
        return n > 0 ? DB_READ(d->c, tx, store_muted_threads(tx, users, roots, n, &d->n_muted, &d->muted)) : SN_OK;
}

static bool is_muted(const struct deciding *d, const struct arrival *arrival)
{
        for (size_t i = 0; i < d->n_muted; i++) {
                if (uuid_equal(d->muted[i]->user_id, arrival->user_id) &&
                    uuid_equal(d->muted[i]->other_id, arrival->root_id)) {
                        return true;
                }
        }
        return false;
}

static bool has_filters(const struct rules *rules)
{
        for (size_t i = 0; i < FILTER_COUNT; i++) {
                if (rules->filters[i] > FILTER_ACCEPT) {
                        return true;
                }
        }
        return false;
}

/* Loads the relationships of up to RULES_MAX pairs. of: their indices among the items. */
static sn_status load_relations(struct deciding *d, const size_t *of, size_t n, struct happening *happenings)
{
        Follow__GetViewersRelationsRequest in = FOLLOW__GET_VIEWERS_RELATIONS_REQUEST__INIT;
        Follow__Relations found = FOLLOW__RELATIONS__INIT;

        in.viewer_ids = ARENA_ARRAY(d->c->arena, char *, n);
        in.user_ids = ARENA_ARRAY(d->c->arena, char *, n);
        in.n_viewer_ids = in.n_user_ids = n;
        for (size_t i = 0; i < n; i++) {
                in.viewer_ids[i] = (char *)d->items[of[i]]->user_id;
                in.user_ids[i] = (char *)d->items[of[i]]->actor_id;
        }
        TRY(follow_get_viewers_relations(d->c, &in, &found));
        if (found.n_items != n) {
                return rpc_fail(d->c, SN_INTERNAL, NULL,
                                "the follow service answered with the wrong number of relations");
        }
        for (size_t i = 0; i < n; i++) {
                happenings[of[i]].is_followed = found.items[i]->following;
                happenings[of[i]].is_follower = found.items[i]->followed_by;
        }
        return SN_OK;
}

/* Loads only the relationships that the members' rules depend on. */
static sn_status load_all_relations(struct deciding *d, struct happening *happenings)
{
        size_t *of = ARENA_ARRAY(d->c->arena, size_t, d->n), n = 0;

        for (size_t i = 0; i < d->n; i++) {
                if (has_filters(&d->rules[member_index(d, d->items[i]->user_id)])) {
                        of[n++] = i;
                }
        }
        for (size_t from = 0; from < n; from += RULES_MAX) {
                TRY(load_relations(d, of + from, n - from < RULES_MAX ? n - from : RULES_MAX, happenings));
        }
        return SN_OK;
}

/* Without grouping each actor gets a key of its own. */
static void apply_rule(struct arena *arena, struct arrival *item, const struct aggregation_rule *rule)
{
        item->rule = rule;
        if (rule->fold_by == FOLD_NOTHING) {
                item->group_key = arena_printf(arena, "%s:%s", item->group_key, item->actor_id);
        }
}

sn_status arrivals_decide(struct arrivals *a)
{
        struct deciding d;

        collect_news(&d, a);
        TRY(load_rules(&d));
        TRY(load_muted(&d));
        struct happening *happenings = ARENA_ARRAY(a->c->arena, struct happening, d.n);
        for (size_t i = 0; i < d.n; i++) {
                const struct arrival *item = d.items[i];

                happenings[i] =
                    (struct happening){.type = item->type,
                                       .is_new = uuid_time_ms(item->actor_id) > item->at_ms - NEW_ACCOUNT_MS,
                                       .is_private = item->is_private,
                                       .thread_muted = is_muted(&d, item),
                                       .now_ms = a->c->now_ms};
        }
        TRY(load_all_relations(&d, happenings));
        for (size_t i = 0; i < d.n; i++) {
                const struct rules *rules = &d.rules[member_index(&d, d.items[i]->user_id)];

                d.items[i]->decision = decide(rules, &happenings[i]);
                apply_rule(a->c->arena, d.items[i], aggregation_rule_of(rules->aggregation, d.items[i]->type));
        }
        return SN_OK;
}
