/* Owns the two memos of follow_service: relations by (viewer, other), and versions by viewer. */
#include "services/follow/relations.h"

#include <stdlib.h>
#include <string.h>
#include "cache/memo.h"
#include "services/follow/store.h"

static struct memo *pairs;
static struct memo *versions;

enum { FOLLOWING = 1, FOLLOWED_BY = 2, BLOCKING = 4, BLOCKED_BY = 8, MUTING = 16 };

struct cached_pair {
        struct memo_object object;
        unsigned flags;
};

struct cached_version {
        struct memo_object object;
        int64_t version;
};

struct pair_key {
        uint8_t viewer[16];
        uint8_t other[16];
};

sn_status relations_start(size_t max_bytes)
{
        pairs = memo_new("relations", max_bytes);
        versions = memo_new("relation_versions", max_bytes / 8);
        return pairs != NULL && versions != NULL ? SN_OK : SN_INTERNAL;
}

void relations_stop(void)
{
        memo_free(pairs);
        memo_free(versions);
        pairs = versions = NULL;
}

void relations_forget(void)
{
        memo_clear(pairs);
        memo_clear(versions);
}

static void free_object(struct memo_object *object)
{
        free(object);
}

static void *new_object(size_t bytes)
{
        struct memo_object *object = calloc(1, bytes);

        if (object != NULL) {
                *object = (struct memo_object){.references = 1, .bytes = bytes, .free = free_object};
        }
        return object;
}

static void make_key(const char *viewer, const char *other, struct pair_key *key)
{
        uuid_to_bytes(viewer, key->viewer);
        uuid_to_bytes(other, key->other);
}

static unsigned flags_of(const Follow__Relationship *r)
{
        return (r->following ? FOLLOWING : 0) | (r->followed_by ? FOLLOWED_BY : 0) | (r->blocking ? BLOCKING : 0) |
               (r->blocked_by ? BLOCKED_BY : 0) | (r->muting ? MUTING : 0);
}

static void fill(Follow__Relationship *out, char *other, unsigned flags)
{
        out->user_id = other;
        out->following = flags & FOLLOWING;
        out->followed_by = flags & FOLLOWED_BY;
        out->blocking = flags & BLOCKING;
        out->blocked_by = flags & BLOCKED_BY;
        out->muting = flags & MUTING;
}

static void remember(const struct pair_key *key, uint64_t ticket, unsigned flags)
{
        struct cached_pair *pair = new_object(sizeof(*pair));

        if (pair != NULL) {
                pair->flags = flags;
                memo_put(pairs, key, sizeof(*key), ticket, pair);
                memo_unref(pair);
        }
}

/* What the memo did not have, in one query. missing holds the places in items. */
static sn_status load_missing(struct rpc_call *c, const char *viewer, Follow__Relationship **items, const size_t *missing,
                              const uint64_t *tickets, size_t n)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        Follow__Relationship **rows = NULL;
        size_t n_rows = 0;

        for (size_t i = 0; i < n; i++) {
                ids[i] = items[missing[i]]->user_id;
        }
        TRY(db_read(c, &tx));
        TRY(store_relations(tx, viewer, ids, n, &n_rows, &rows));
        for (size_t i = 0; i < n_rows; i++) {
                struct pair_key key;

                make_key(viewer, ids[i], &key);
                remember(&key, tickets[i], flags_of(rows[i]));
                fill(items[missing[i]], ids[i], flags_of(rows[i]));
        }
        return SN_OK;
}

sn_status relations_get(struct rpc_call *c, const char *viewer, char **ids, size_t n, Follow__Relationship ***items)
{
        size_t *missing = ARENA_ARRAY(c->arena, size_t, n);
        uint64_t *tickets = ARENA_ARRAY(c->arena, uint64_t, n);
        Follow__Relationship *all = ARENA_ARRAY(c->arena, Follow__Relationship, n);
        size_t n_missing = 0;

        *items = ARENA_ARRAY(c->arena, Follow__Relationship *, n);
        for (size_t i = 0; i < n; i++) {
                const struct cached_pair *pair = NULL;
                struct pair_key key;

                follow__relationship__init(&all[i]);
                (*items)[i] = &all[i];
                all[i].user_id = ids[i];
                if (viewer[0] == '\0' || uuid_equal(viewer, ids[i])) {
                        continue;
                }
                make_key(viewer, ids[i], &key);
                pair = memo_get(pairs, c->arena, &key, sizeof(key), &tickets[n_missing]);
                if (pair != NULL) {
                        fill(&all[i], ids[i], pair->flags);
                } else {
                        missing[n_missing++] = i;
                }
        }
        return n_missing == 0 ? SN_OK : load_missing(c, viewer, *items, missing, tickets, n_missing);
}

sn_status relations_version(struct rpc_call *c, const char *viewer, int64_t *version)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        uint64_t ticket = 0;
        uint8_t key[16];
        struct cached_version *cached;

        *version = 0;
        if (viewer[0] == '\0') {
                return SN_OK;
        }
        uuid_to_bytes(viewer, key);
        cached = memo_get(versions, c->arena, key, sizeof(key), &ticket);
        if (cached != NULL) {
                *version = cached->version;
                return SN_OK;
        }
        TRY(db_read(c, &tx));
        TRY(store_version(tx, viewer, version));
        cached = new_object(sizeof(*cached));
        if (cached != NULL) {
                cached->version = *version;
                memo_put(versions, key, sizeof(key), ticket, cached);
                memo_unref(cached);
        }
        return SN_OK;
}

static void drop_pair(void *context)
{
        struct pair_key *key = context;
        struct pair_key reverse;

        memcpy(reverse.viewer, key->other, sizeof(reverse.viewer));
        memcpy(reverse.other, key->viewer, sizeof(reverse.other));
        memo_drop(pairs, key, sizeof(*key));
        memo_drop(pairs, &reverse, sizeof(reverse));
        memo_drop(versions, key->viewer, sizeof(key->viewer));
        memo_drop(versions, key->other, sizeof(key->other));
}

void relations_changed(struct db_tx *tx, const char *a, const char *b)
{
        struct pair_key *key = ARENA_NEW(db_arena(tx), struct pair_key);

        make_key(a, b, key);
        db_on_end(tx, drop_pair, key);
}

sn_status relations_answer(struct rpc_call *c, const char *other, Follow__Relationship *out)
{
        Follow__Relationship **items = NULL;
        char *ids[1] = {arena_strdup(c->arena, other)};

        TRY(relations_get(c, c->actor, ids, 1, &items));
        fill(out, ids[0], flags_of(items[0]));
        return SN_OK;
}
