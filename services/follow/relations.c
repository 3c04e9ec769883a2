/* Owns the two memos of follow_service: relations by (viewer, other), and versions by viewer. */
#include "services/follow/relations.h"

#include <stdlib.h>
#include "cache/by_pair.h"
#include "services/follow/store.h"

enum { FOLLOWING = 1, FOLLOWED_BY = 2, BLOCKING = 4, BLOCKED_BY = 8, MUTING = 16 };

static unsigned flags_of(const Follow__Relationship *r)
{
        return (r->following ? FOLLOWING : 0) | (r->followed_by ? FOLLOWED_BY : 0) | (r->blocking ? BLOCKING : 0) |
               (r->blocked_by ? BLOCKED_BY : 0) | (r->muting ? MUTING : 0);
}

static sn_status load(struct db_tx *tx, char **viewers, char **others, size_t n, unsigned *flags)
{
        Follow__Relationship **rows = NULL;
        size_t n_rows = 0;

        TRY(store_relations(tx, viewers, others, n, &n_rows, &rows));
        for (size_t i = 0; i < n_rows; i++) {
                flags[i] = flags_of(rows[i]);
        }
        return SN_OK;
}

static struct by_pair pairs = {.name = "relations", .load = load, .unknown = BLOCKED_BY | BLOCKING};
static struct memo *versions;

struct cached_version {
        struct memo_object object;
        int64_t version;
};

sn_status relations_start(size_t max_bytes)
{
        versions = memo_new("relation_versions", max_bytes / 8);
        TRY(by_pair_start(&pairs, max_bytes));
        return versions != NULL ? SN_OK : SN_INTERNAL;
}

void relations_stop(void)
{
        by_pair_stop(&pairs);
        memo_free(versions);
        versions = NULL;
}

static void fill(Follow__Relationship *out, char *other, unsigned flags)
{
        follow__relationship__init(out);
        out->user_id = other;
        out->following = flags & FOLLOWING;
        out->followed_by = flags & FOLLOWED_BY;
        out->blocking = flags & BLOCKING;
        out->blocked_by = flags & BLOCKED_BY;
        out->muting = flags & MUTING;
}

sn_status relations_get(struct rpc_call *c, enum read_from from, const char *viewer, char **ids, size_t n,
                        Follow__Relationship ***items)
{
        Follow__Relationship *all = ARENA_ARRAY(c->arena, Follow__Relationship, n);
        unsigned *flags = ARENA_ARRAY(c->arena, unsigned, n);

        TRY(by_pair_get(c, &pairs, from, by_pair_viewers(c->arena, viewer, n), ids, n, flags));
        *items = ARENA_ARRAY(c->arena, Follow__Relationship *, n);
        for (size_t i = 0; i < n; i++) {
                fill(&all[i], ids[i], flags[i]);
                (*items)[i] = &all[i];
        }
        return SN_OK;
}

sn_status relations_blocks(struct rpc_call *c, enum read_from from, char **blockers, char **blocked, size_t n,
                           protobuf_c_boolean *blocks)
{
        unsigned *flags = ARENA_ARRAY(c->arena, unsigned, n);

        TRY(by_pair_get(c, &pairs, from, blockers, blocked, n, flags));
        for (size_t i = 0; i < n; i++) {
                blocks[i] = (flags[i] & BLOCKING) != 0;
        }
        return SN_OK;
}

static void free_version(struct memo_object *object)
{
        free(object);
}

static void remember_version(const uint8_t key[16], uint64_t ticket, int64_t version)
{
        struct cached_version *cached = calloc(1, sizeof(*cached));

        if (cached != NULL) {
                cached->object = (struct memo_object){.references = 1, .bytes = sizeof(*cached), .free = free_version};
                cached->version = version;
                memo_put(versions, key, 16, ticket, cached);
                memo_unref(cached);
        }
}

sn_status relations_version(struct rpc_call *c, const char *viewer, int64_t *version)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const struct cached_version *cached = NULL;
        uint64_t ticket = 0;
        uint8_t key[16];

        *version = 0;
        if (!uuid_to_bytes(viewer, key)) {
                return SN_OK;
        }
        cached = memo_get(versions, c->arena, key, sizeof(key), &ticket);
        if (cached != NULL) {
                *version = cached->version;
                return SN_OK;
        }
        TRY(db_read(c, &tx));
        TRY(store_version(tx, viewer, version));
        remember_version(key, ticket, *version);
        return SN_OK;
}

static void drop_version(void *key)
{
        memo_drop(versions, key, 16);
}

static void version_changed(struct db_tx *tx, const char *member)
{
        uint8_t *key = arena_alloc(db_arena(tx), 16);

        if (uuid_to_bytes(member, key)) {
                db_on_end(tx, drop_version, key);
        }
}

void relations_changed(struct db_tx *tx, const char *a, const char *b)
{
        by_pair_changed(&pairs, tx, a, b);
        by_pair_changed(&pairs, tx, b, a);
        version_changed(tx, a);
        version_changed(tx, b);
}

sn_status relations_answer(struct db_tx *tx, const char *other, Follow__Relationship *out)
{
        char *ids[1] = {arena_strdup(db_arena(tx), other)};
        unsigned flags[1] = {0};

        TRY(load(tx, by_pair_viewers(db_arena(tx), db_call(tx)->actor, 1), ids, 1, flags));
        fill(out, ids[0], flags[0]);
        return SN_OK;
}
