/* Owns two caches of follow_service: relationships by (viewer, other), and versions by viewer. */
#include "services/follow/relations.h"

#include "cache/cache.h"
#include "services/follow/followers.h"
#include "services/follow/store.h"

enum { FOLLOWING = 1, FOLLOWED_BY = 2, BLOCKING = 4, BLOCKED_BY = 8, MUTING = 16, REQUESTED = 32, REQUESTED_BY = 64 };

static unsigned flags_of(const Follow__Relationship *r)
{
        return (r->following ? FOLLOWING : 0) | (r->followed_by ? FOLLOWED_BY : 0) | (r->blocking ? BLOCKING : 0) |
               (r->blocked_by ? BLOCKED_BY : 0) | (r->muting ? MUTING : 0) | (r->requested ? REQUESTED : 0) |
               (r->requested_by ? REQUESTED_BY : 0);
}

static sn_status fill_relations(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        char **viewers = cache_ids(c->arena, missing, n), **others = cache_others(c->arena, missing, n);
        Follow__Relationship **rows = NULL;
        size_t n_rows = 0;

        TRY(DB_READ(c, tx, store_relations(tx, viewers, others, n, &n_rows, &rows)));
        for (size_t i = 0; i < n_rows; i++) {
                missing[i]->value.number = flags_of(rows[i]);
        }
        return SN_OK;
}

static sn_status fill_versions(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int64_t version = 0;

                TRY(DB_READ(c, tx, store_version(tx, missing[i]->key.id, &version)));
                missing[i]->value.number = (uint64_t)version;
        }
        return SN_OK;
}

static struct cache relations = {
    .name = "relations", .numbers = true, .unknown = BLOCKING | BLOCKED_BY, .fill = fill_relations};
static struct cache versions = {.name = "relation_versions", .numbers = true, .fill = fill_versions};

sn_status relations_start(size_t max_bytes)
{
        TRY(cache_start(&versions, max_bytes / 8));
        return cache_start(&relations, max_bytes);
}

void relations_stop(void)
{
        cache_stop(&relations);
        cache_stop(&versions);
}

static void show_relationship(Follow__Relationship *out, char *other, uint64_t flags)
{
        follow__relationship__init(out);
        out->user_id = other;
        out->following = (flags & FOLLOWING) != 0;
        out->followed_by = (flags & FOLLOWED_BY) != 0;
        out->blocking = (flags & BLOCKING) != 0;
        out->blocked_by = (flags & BLOCKED_BY) != 0;
        out->muting = (flags & MUTING) != 0;
        out->requested = (flags & REQUESTED) != 0;
        out->requested_by = (flags & REQUESTED_BY) != 0;
}

sn_status relations_get_pairs(struct rpc_call *c, enum read_from from, char *const *viewers, char *const *ids, size_t n,
                              Follow__Relationship ***out)
{
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n);
        Follow__Relationship *all = ARENA_ARRAY(c->arena, Follow__Relationship, n);

        for (size_t i = 0; i < n; i++) {
                items[i].key = (struct cache_key){.id = viewers[i], .other = ids[i]};
        }
        TRY(cache_get(c, &relations, from, items, n));
        *out = ARENA_ARRAY(c->arena, Follow__Relationship *, n);
        for (size_t i = 0; i < n; i++) {
                show_relationship(&all[i], ids[i], items[i].value.number);
                (*out)[i] = &all[i];
        }
        return SN_OK;
}

sn_status relations_get(struct rpc_call *c, enum read_from from, const char *viewer, char *const *ids, size_t n,
                        Follow__Relationship ***out)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                viewers[i] = (char *)viewer;
        }
        return relations_get_pairs(c, from, viewers, ids, n, out);
}

sn_status relations_blocks(struct rpc_call *c, enum read_from from, char **blockers, char **blocked, size_t n,
                           protobuf_c_boolean *blocks)
{
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, n);

        for (size_t i = 0; i < n; i++) {
                items[i].key = (struct cache_key){.id = blockers[i], .other = blocked[i]};
        }
        TRY(cache_get(c, &relations, from, items, n));
        for (size_t i = 0; i < n; i++) {
                blocks[i] = (items[i].value.number & BLOCKING) != 0;
        }
        return SN_OK;
}

sn_status relations_version(struct rpc_call *c, const char *viewer, int64_t *version)
{
        struct cache_item item = {.key = {.id = viewer}};

        TRY(cache_get(c, &versions, READ_FROM_ANYWHERE, &item, 1));
        *version = (int64_t)item.value.number;
        return SN_OK;
}

void relations_changed(struct db_tx *tx, const char *a, const char *b)
{
        cache_changed(&relations, tx, (struct cache_key){.id = a, .other = b});
        cache_changed(&relations, tx, (struct cache_key){.id = b, .other = a});
        cache_changed(&versions, tx, (struct cache_key){.id = a});
        cache_changed(&versions, tx, (struct cache_key){.id = b});
        followers_changed(tx, a);
        followers_changed(tx, b);
}

sn_status relations_answer(struct db_tx *tx, const char *other, Follow__Relationship *out)
{
        char *viewer = (char *)db_call(tx)->actor, *id = arena_strdup(db_arena(tx), other);
        Follow__Relationship **rows = NULL;
        size_t n_rows = 0;

        TRY(store_relations(tx, &viewer, &id, 1, &n_rows, &rows));
        show_relationship(out, id, n_rows > 0 ? flags_of(rows[0]) : 0);
        return SN_OK;
}
