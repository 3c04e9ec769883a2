/* Owns the cache of each member's followers. */
#include "services/follow/followers.h"

#include <stdlib.h>
#include <string.h>
#include "base/uuid.h"
#include "cache/cache.h"
#include "services/follow/store.h"

#define FOLLOWERS_MAX 500 /* members with more are not worth the memory, nor a new list for each follow */

struct followers {
        struct cache_object object;
        bool whole; /* false: they are too many, and none is here */
        size_t n;
        uint8_t ids[][16]; /* in order */
};

static void free_followers(struct cache_object *object)
{
        free(object);
}

static struct followers *followers_new(FollowRows__Follower *const *rows, size_t n)
{
        bool whole = n <= FOLLOWERS_MAX;
        size_t bytes = sizeof(struct followers) + (whole ? n : 0) * sizeof(((struct followers *)NULL)->ids[0]);
        struct followers *f = calloc(1, bytes);

        if (f == NULL) {
                return NULL;
        }
        f->object = (struct cache_object){.references = 1, .bytes = bytes, .free = free_followers};
        f->whole = whole;
        for (size_t i = 0; whole && i < n; i++) {
                f->n += uuid_to_bytes(rows[i]->follower_id, f->ids[f->n]) ? 1 : 0;
        }
        return f;
}

/* The rows come grouped by member, in the order of the keys; members without followers have none. */
static sn_status fill_followers(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        char **members = cache_ids(c->arena, missing, n);
        FollowRows__Follower **rows = NULL;
        size_t n_rows = 0, at = 0;

        TRY(DB_READ(c, tx, store_follower_ids(tx, members, n, "", FOLLOWERS_MAX + 1, 0, &n_rows, &rows)));
        for (size_t i = 0; i < n; i++) {
                size_t first = at;

                while (at < n_rows && strcmp(rows[at]->user_id, missing[i]->key.id) == 0) {
                        at++;
                }
                missing[i]->value.object = followers_new(rows + first, at - first);
                if (missing[i]->value.object == NULL) {
                        return rpc_fail(c, SN_RESOURCE_EXHAUSTED, NULL, "out of memory; try again later");
                }
        }
        return SN_OK;
}

static struct cache lists = {.name = "followers", .fill = fill_followers};

/* Whether the lists are all there is to answer, with no limit reached. */
static bool suffice(const struct cache_item *items, const Follow__ListFollowerIdsRequest *in)
{
        size_t all = 0;

        for (size_t i = 0; i < in->n_user_ids; i++) {
                const struct followers *f = items[i].value.object;

                if (f == NULL || !f->whole || f->n >= in->limit) {
                        return false;
                }
                all += f->n;
        }
        return in->total == 0 || all < in->total;
}

static Follow__MemberFollowerIds *to_message(struct rpc_call *c, char *member, const struct followers *f)
{
        Follow__MemberFollowerIds *out = ARENA_NEW(c->arena, Follow__MemberFollowerIds);
        char(*text)[UUID_SIZE] = arena_alloc_array(c->arena, f->n, UUID_SIZE);

        follow__member_follower_ids__init(out);
        out->user_id = member;
        out->ids = ARENA_ARRAY(c->arena, char *, f->n);
        for (; out->n_ids < f->n; out->n_ids++) {
                out->ids[out->n_ids] = uuid_from_bytes(f->ids[out->n_ids], text[out->n_ids]);
        }
        return out;
}

sn_status followers_list(struct rpc_call *c, const Follow__ListFollowerIdsRequest *in, Follow__FollowerIds *out,
                         bool *answered)
{
        struct cache_item *items = ARENA_ARRAY(c->arena, struct cache_item, in->n_user_ids);

        *answered = false;
        if (in->after_id[0] != '\0') {
                return SN_OK;
        }
        for (size_t i = 0; i < in->n_user_ids; i++) {
                items[i].key = (struct cache_key){.id = in->user_ids[i]};
        }
        TRY(cache_get(c, &lists, READ_FROM_ANYWHERE, items, in->n_user_ids));
        *answered = suffice(items, in);
        if (!*answered) {
                return SN_OK;
        }
        out->items = ARENA_ARRAY(c->arena, Follow__MemberFollowerIds *, in->n_user_ids);
        for (size_t i = 0; i < in->n_user_ids; i++) {
                const struct followers *f = items[i].value.object;

                if (f->n > 0) {
                        out->items[out->n_items++] = to_message(c, in->user_ids[i], f);
                }
        }
        return SN_OK;
}

void followers_changed(struct db_tx *tx, const char *member)
{
        cache_changed(&lists, tx, (struct cache_key){.id = member});
}

void followers_drop(const char *member)
{
        cache_drop(&lists, (struct cache_key){.id = member});
}

sn_status followers_start(size_t max_bytes)
{
        return cache_start(&lists, max_bytes);
}

void followers_stop(void)
{
        cache_stop(&lists);
}
